"""The profile `dmxapi` keeps the contract."""

from __future__ import annotations

from tests.providers.contract import Contract


class TestDMXAPI(Contract):
    name = "dmxapi"
    video_id = "video_690489c662148190bbf1edc3bd807379channel1547"
