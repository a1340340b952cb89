"""The states of a job, as one table. Everything that asks "is this job done?" asks here.

A *fact* is something that happened, as the ledger stores it; a *state* is what a job's facts add up to.
`AFTER` says which fact may follow which state, and where it leads; a pair that is not in it is refused, so a
fact that cannot be true is never written. The facts fall in two halves: those the runner finds out by itself,
and those that need a person's word (`BY_CONSENT`). What is final is derived from that split, here and nowhere
else.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What the facts about a job add up to."""

    PENDING = "pending"  # nothing sent that could have made a video
    SUBMITTING = "submitting"  # an intent is on disk; a POST may be under way
    IN_FLIGHT = "in_flight"  # the provider gave an id and is rendering
    FINISHED = "finished"  # rendered, waiting to be downloaded
    STORED = "stored"  # on disk here, checked, with its digest
    REJECTED = "rejected"  # refused at submit: made nothing
    FAILED = "failed"  # the provider gave up on it, or what it made is unfit
    EXPIRED = "expired"  # rendered, but the provider no longer has it
    LOST = "lost"  # the provider does not know its id any more
    STALLED = "stalled"  # past its deadline without an end; the id is kept, a later run looks again
    UNCERTAIN = "uncertain"  # it may have been accepted and billed, and we hold no id
    BLOCKED = "blocked"  # its source failed
    DROPPED = "dropped"  # given up by a person


class Fact(StrEnum):
    """Something that happened to a job. The value is the record's type in the ledger."""

    INTENT = "intent"
    NOT_SENT = "not_sent"  # no byte of the POST left this machine
    THROTTLED = "throttled"  # answered "not now": nothing was made
    TURNED_AWAY = "turned_away"  # no key, no money or no such address: nothing was made, nothing will be
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    STATUS = "status"
    FINISHED = "finished"
    FAILED = "failed"
    EXPIRED = "expired"
    LOST = "lost"
    STALLED = "stalled"
    DOWNLOAD_FAILED = "download_failed"  # the video stays finished: a later run fetches it
    STORED = "stored"
    MISSING = "missing"  # a stored file is gone or altered: fetch it again while it can be had
    UNFIT = "unfit"  # a stored video is not as asked for, or broken, and a run was told to be strict
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    ADOPTED = "adopted"  # an uncertain submit turned out to be this id
    NOT_CREATED = "not_created"  # an uncertain submit turned out to have made nothing
    RESUBMIT = "resubmit"  # a person allows an uncertain submit to be paid for again
    RETRY = "retry"  # a person wants another attempt at an ended job
    DROPPED = "dropped"


_S, _F = State, Fact

_RUNNER: dict[tuple[State, Fact], State] = {
    (_S.PENDING, _F.INTENT): _S.SUBMITTING,
    (_S.PENDING, _F.BLOCKED): _S.BLOCKED,
    (_S.BLOCKED, _F.UNBLOCKED): _S.PENDING,
    (_S.SUBMITTING, _F.NOT_SENT): _S.PENDING,
    (_S.SUBMITTING, _F.THROTTLED): _S.PENDING,
    (_S.SUBMITTING, _F.TURNED_AWAY): _S.PENDING,
    (_S.SUBMITTING, _F.ACCEPTED): _S.IN_FLIGHT,
    (_S.SUBMITTING, _F.REJECTED): _S.REJECTED,
    (_S.SUBMITTING, _F.UNCERTAIN): _S.UNCERTAIN,
    (_S.UNCERTAIN, _F.ADOPTED): _S.IN_FLIGHT,
    (_S.UNCERTAIN, _F.NOT_CREATED): _S.PENDING,
    **{
        (looking, fact): state
        for looking in (_S.IN_FLIGHT, _S.STALLED)
        for fact, state in {
            _F.STATUS: _S.IN_FLIGHT,
            _F.FINISHED: _S.FINISHED,
            _F.FAILED: _S.FAILED,
            _F.EXPIRED: _S.EXPIRED,
            _F.LOST: _S.LOST,
            _F.STALLED: _S.STALLED,
        }.items()
    },
    (_S.FINISHED, _F.FINISHED): _S.FINISHED,  # a later look may learn when it expires
    (_S.FINISHED, _F.DOWNLOAD_FAILED): _S.FINISHED,
    (_S.FINISHED, _F.STORED): _S.STORED,
    (_S.FINISHED, _F.EXPIRED): _S.EXPIRED,
    (_S.STORED, _F.MISSING): _S.FINISHED,
    (_S.STORED, _F.UNFIT): _S.FAILED,
}

_CONSENT: dict[tuple[State, Fact], State] = {
    (_S.IN_FLIGHT, _F.ADOPTED): _S.IN_FLIGHT,  # an adoption that is put right
    (_S.STALLED, _F.ADOPTED): _S.IN_FLIGHT,
    (_S.UNCERTAIN, _F.RESUBMIT): _S.PENDING,
    **{(ended, _F.RETRY): _S.PENDING for ended in (_S.REJECTED, _S.FAILED, _S.EXPIRED, _S.LOST, _S.DROPPED)},
    **{
        (left, _F.DROPPED): _S.DROPPED
        for left in (
            *(_S.UNCERTAIN, _S.IN_FLIGHT, _S.STALLED, _S.FINISHED),
            *(_S.LOST, _S.EXPIRED, _S.FAILED, _S.REJECTED, _S.BLOCKED),
        )
    },
}

AFTER: dict[tuple[State, Fact], State] = _RUNNER | _CONSENT
"""Which state a fact leads to from which state; every other pair is refused."""

BY_CONSENT: frozenset[Fact] = frozenset({_F.RESUBMIT, _F.RETRY, _F.DROPPED})
"""Facts that only a person's word brings about."""

FINAL: frozenset[State] = frozenset(State) - {state for state, _ in _RUNNER} | {_S.STORED}
"""States in which a run has nothing more to do for a job. (A stored file that vanished reopens its job.)"""

ENDED_WITHOUT_VIDEO: frozenset[State] = FINAL - {_S.STORED}
"""Final, and there is no video: what `--retry` may name."""


class ImpossibleFact(ValueError):
    """A fact that cannot follow the state a job is in."""

    def __init__(self, state: State, fact: Fact) -> None:
        super().__init__(f"'{fact}' cannot follow '{state}'")
        self.state = state
        self.fact = fact


def after(state: State, fact: Fact) -> State:
    """The state that *fact* leads to. Raises `ImpossibleFact`."""
    try:
        return AFTER[state, fact]
    except KeyError:
        raise ImpossibleFact(state, fact) from None
