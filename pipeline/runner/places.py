"""Saying when a provider's "not now" leaves less than half of the places in flight that were asked for."""

from __future__ import annotations

from pipeline.runner.lanes import Gate

EVERY_S = 60.0
"""A bound that swings about its half is told of no more often."""


class Places:
    """What was last told of a gate's places. Touches no clock: the caller brings the time."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._told_narrow = False
        self._told_s = float("-inf")
        self._reason = ""

    def news(self, now_s: float, reason: str = "") -> str:
        """What is to be said after a "not now", with its *reason*, or an acceptance; empty: nothing."""
        gate = self._gate
        self._reason = reason or self._reason
        is_narrow = gate.narrowed_to > 0
        if is_narrow is self._told_narrow or now_s - self._told_s < EVERY_S:
            return ""
        self._told_narrow, self._told_s = is_narrow, now_s
        places = f"{int(gate.window)} of {gate.limits.in_flight} places in flight"
        return f"{places}, because of: {self._reason}" if is_narrow else f"{places} again"
