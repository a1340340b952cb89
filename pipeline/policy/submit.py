"""The submit lane's rows: whether a POST made nothing, made a video, or nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import NotSent, ProviderError, Untrusted
from pipeline.lifecycle import Fact
from pipeline.policy.verdict import Backoff, Stop, Verdict, pause_after, throttled_s, words_of
from pipeline.providers.base import Problem, Refusal, Submission

UNREACHABLE_AT_START = 5
"""Submits in a row that could not be sent, before anything was accepted: more likely a wrong address than an outage.
Later an outage is sat out: see `breaker`."""
NO_CHANNEL_AT_START = 5
"""The same for "no channel for this model" (503), of one model: then that is wrong, or not for us."""
UNCERTAIN_IN_A_ROW = 5
"""Submits in a row of unknown outcome: each may be a bill, so no more are sent before something is known of them."""
REJECTED_AT_START = 5
"""Rejections in a row before anything was accepted: the settings are wrong, not the prompts. Of what builds on another
video: before anything was that does so in the same way (a remix, an extension)."""
NO_SUCH_METHOD = 405
NO_SUCH_PLACE = (404, NO_SUCH_METHOD)
"""Of a submit, before any was accepted: the address or the model is wrong, not the wish."""
NO_SUCH_VIDEO = (404, 410)
"""Of what builds on another video: it may be said of that one."""
_OF_THE_SOURCE = (Problem.UNKNOWN_ID, Problem.GONE, Problem.NOT_READY, Problem.FAILED)
"""The same, where a profile's rule reads it so. Of what stands alone they say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """What the submit lane has just been through."""

    unreachable: int = 0
    throttled: int = 0
    uncertain: int = 0
    rejected: int = 0
    accepted: int = 0

    @property
    def in_doubt(self) -> bool:
        """Too many unknown outcomes in a row."""
        return self.uncertain >= UNCERTAIN_IN_A_ROW

    def after(self, fact: Fact | None, *, excused: bool = False) -> Streak:
        """The streak with one more outcome; an acceptance ends every bad one.

        *excused*: a rejection may be the fault of the video that it builds on.
        """
        if fact is Fact.ACCEPTED:
            return Streak(accepted=self.accepted + 1)
        if fact is Fact.REJECTED:
            return Streak(rejected=self.rejected + (not excused), accepted=self.accepted)
        if fact is Fact.UNCERTAIN:
            return Streak(uncertain=self.uncertain + 1, rejected=self.rejected, accepted=self.accepted)
        if fact is Fact.NOT_SENT:
            return Streak(unreachable=self.unreachable + 1, uncertain=self.uncertain, accepted=self.accepted)
        if fact is Fact.THROTTLED:
            return Streak(throttled=self.throttled + 1, uncertain=self.uncertain, accepted=self.accepted)
        return self


def after_submit(
    outcome: Submission | Refusal | ProviderError,
    streak: Streak,
    *,
    settles: bool,
    backoff: Backoff,
    now: datetime,
    spread: float,
    way: Streak | None = None,
    model: Streak | None = None,
    is_aged: bool = False,
) -> Verdict:
    """What a POST's outcome means. *streak* is the lane's before this outcome.

    *settles*: unknown outcomes are being settled, so too many in a row are waited for (`Streak.in_doubt`) and do not
    end the submits. *way* is the streak of what builds on another video as this does; `None`: it stands alone. *model*
    is that of what has the same model; `None`: as the lane's. *is_aged*: the video that it builds on was bought longer
    ago than the provider keeps one, and so may be gone.
    """
    match outcome:
        case Submission():
            return Verdict(fact=Fact.ACCEPTED)
        case NotSent():
            dead = streak.accepted == 0 and streak.unreachable + 1 >= UNREACHABLE_AT_START
            return Verdict(
                fact=Fact.NOT_SENT,
                reason=str(outcome),
                stop=Stop.SUBMITS if dead else Stop.NOTHING,
                pause_s=pause_after(backoff, streak.unreachable + 1, spread),
            )
        case Untrusted():
            return Verdict(fact=Fact.NOT_SENT, reason=str(outcome), stop=Stop.RUN)
        case Refusal():
            if way is not None and outcome.problem in (Problem.REJECTED, *_OF_THE_SOURCE):
                return _after_refused_sequel(outcome, way, is_aged=is_aged)
            if outcome.problem is Problem.THROTTLED and _has_no_channel(outcome):
                return _without_channel(outcome, streak, model or streak, backoff=backoff, spread=spread)
            return _after_refused_submit(outcome, streak, settles=settles, backoff=backoff, now=now, spread=spread)
        case _:
            return _uncertain(str(outcome), streak, settles)


def _after_refused_submit(
    refusal: Refusal, streak: Streak, *, settles: bool, backoff: Backoff, now: datetime, spread: float
) -> Verdict:
    reason = words_of(refusal)
    match refusal.problem:
        case Problem.REJECTED if refusal.http in NO_SUCH_PLACE and streak.accepted == 0:
            return Verdict(fact=Fact.TURNED_AWAY, reason=f"{reason} (wrong address or model?)", stop=Stop.SUBMITS)
        case Problem.REJECTED:
            hopeless = streak.accepted == 0 and streak.rejected + 1 >= REJECTED_AT_START
            return Verdict(fact=Fact.REJECTED, reason=reason, stop=Stop.SUBMITS if hopeless else Stop.NOTHING)
        case Problem.THROTTLED:
            wait_s = throttled_s(refusal, streak.throttled + 1, backoff=backoff, now=now, spread=spread)
            return Verdict(fact=Fact.THROTTLED, reason=reason, pause_s=wait_s)
        case Problem.NO_MONEY:
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.SUBMITS)
        case Problem.NO_SUCH_MODEL:
            reason = f"{reason} (is its name right, and may this key use it?)"
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.MODEL)
        case Problem.BAD_KEY:
            reason = f"{reason} (the key is refused: is the right variable set?)"
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.RUN)
        case Problem.WRONG_ADDRESS:
            reason = f"{reason} (it leads elsewhere: is the base URL right?)"
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.RUN)
        case _:
            return _uncertain(reason, streak, settles)


def _after_refused_sequel(refusal: Refusal, way: Streak, *, is_aged: bool) -> Verdict:
    """It may be said of the wish, of the video that it builds on, or of all that is made so: the last shows in time."""
    reason = words_of(refusal)
    if refusal.http == NO_SUCH_METHOD:
        reason = f"{reason} (it cannot make one video from another)"
        return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.WAY)
    if is_aged and _misses_the_source(refusal):
        return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.SOURCE)
    if not is_aged and way.accepted == 0 and way.rejected + 1 >= REJECTED_AT_START:
        reason = f"{reason} ({REJECTED_AT_START} in a row were refused, and none was accepted)"
        return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.WAY)
    gone = " (the video that it builds on may be gone)" if _misses_the_source(refusal) else ""
    return Verdict(fact=Fact.REJECTED, reason=f"{reason}{gone}")


def _misses_the_source(refusal: Refusal) -> bool:
    """It may be said of the video that is built on: that it is there no more."""
    return refusal.http in NO_SUCH_VIDEO or refusal.problem in (Problem.UNKNOWN_ID, Problem.GONE)


def _has_no_channel(refusal: Refusal) -> bool:
    """The provider knows nobody who could do it just now; it says so for a wrong model too."""
    return refusal.http == 503 and not refusal.retry_after


def _without_channel(refusal: Refusal, streak: Streak, model: Streak, *, backoff: Backoff, spread: float) -> Verdict:
    """Other models may have one. What had one before gets one again; what never had is most likely named wrongly."""
    reason = words_of(refusal)
    if model.accepted == 0 and model.throttled + 1 >= NO_CHANNEL_AT_START:
        reason = f"{reason} ({NO_CHANNEL_AT_START} in a row; is its name right, and may this key use it?)"
        return Verdict(fact=Fact.THROTTLED, reason=reason, stop=Stop.MODEL, last=True)
    wait_s = pause_after(backoff, streak.throttled + 1, spread)
    return Verdict(fact=Fact.THROTTLED, reason=reason, pause_s=wait_s, last=True)


def _uncertain(reason: str, streak: Streak, settles: bool) -> Verdict:
    too_many = streak.after(Fact.UNCERTAIN).in_doubt and not settles
    return Verdict(fact=Fact.UNCERTAIN, reason=reason, stop=Stop.SUBMITS if too_many else Stop.NOTHING)
