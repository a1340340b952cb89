"""The profile `dmxapi` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem, Status
from tests.providers.contract import SpeaksVideos


class TestDMXAPI(SpeaksVideos):
    name = "dmxapi"
    video_id = "video_690489c662148190bbf1edc3bd807379channel1547"
    lacks = {"failed": "no page shows one"}
    any_content = {"unknown-id-detail": Problem.NOT_READY}
    quirks = {
        "gone": ("content", Problem.UNKNOWN_ID),  # as its relatives say it
        "no-such-path": ("submit", Problem.REJECTED),
        "status-with-another-id": ("look", Status.DONE),
        "timed-out-408": ("submit", Problem.TROUBLE),
        "unknown-id": ("look", Status.RUNNING),  # asked for until its time is up
        "unknown-id-content": ("content", Problem.NOT_READY),
    }
