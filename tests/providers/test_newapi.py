"""The profile `newapi` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem, Status
from tests.providers.contract import LooksAtStatus


class TestNewAPI(LooksAtStatus):
    name = "newapi"
    video_id = "task_h8Kq2VtYcN4wXo7sRzE1mBpUa9GdLf3J"
    quirks = {
        "no-such-model": ("submit", Problem.THROTTLED),  # it says so for want of a channel just now, too
        "forbidden-model": ("submit", Problem.NO_SUCH_MODEL),
        "gone": ("content", Problem.UNKNOWN_ID),  # whatever the server behind it knows no more
        "content-of-failed": ("content", Problem.FAILED),
        "content-unreachable": ("content", Problem.TROUBLE),
        "no-such-path": ("list", Problem.UNKNOWN_ID),
        "remix-of-unknown-id": ("remix", Problem.UNKNOWN_ID),
        "status-not-implemented": ("look", Problem.TROUBLE),
        "status-with-upstream-task-id": ("look", Status.RUNNING),
        "wrapped-status": ("look", "unknown word "),  # of its other address: `answers: {video: data}` reads it
    }
