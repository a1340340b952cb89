"""The profile `dmxapi-responses` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem, Status
from tests.providers.contract import Contract


class TestDMXAPIResponses(Contract):
    name = "dmxapi-responses"
    video_id = "eyJtb2RlbCI6InNvcmEtMiIsImlkIjoidmlkZW9fNjliNzc5MWJmNmM0ODE5MGE1YTI4NjQ1ZjNjZGE0MjYifQchannel4429"
    lacks = dict.fromkeys(("not-ready", "gone"), "no page shows what it answers then")
    quirks = {
        "cancelled": ("look", Status.CANCELLED),
        "expired-seedance": ("look", Status.EXPIRED),
        "refused-not-implemented": ("submit", Problem.NO_SUCH_MODEL),
        "timed-out-408": ("submit", Problem.TROUBLE),
        "unknown-id": ("look", Status.WAITING),  # its word for it is UNKNOWN, which elsewhere waits: so does this one
        # of models that answer in another envelope, and that the profile does not offer
        **dict.fromkeys(
            ("content-link-hailuo", "content-link-minimax-h3", "content-link-pixverse"), ("document", Problem.TROUBLE)
        ),
        **dict.fromkeys(("created-kling-2", "created-pixverse"), ("submit", Problem.TROUBLE)),
        **dict.fromkeys(
            ("failed-moderated-pixverse", "failed-pixverse", "in-progress-pixverse-with-url"), ("look", Problem.TROUBLE)
        ),
    }
