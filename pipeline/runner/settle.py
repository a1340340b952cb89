"""The settle lane: submits of unknown outcome, proven one way or the other as far as the provider allows.

First by repeating a key that the provider honours, then by its list; what neither proves stays uncertain, or is
submitted again where a person gave leave to pay twice, up to a ceiling. Everything here may be cut off at any moment:
a job is uncertain until the proof is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import anyio

from pipeline.ledger.claims import claims
from pipeline.lifecycle import Fact
from pipeline.plan import Step
from pipeline.policy.verdict import Stop, Verdict, pause_after
from pipeline.runner.board import Board
from pipeline.runner.evidence import Evidence
from pipeline.runner.lanes import FOREVER
from pipeline.runner.leave import Leave
from pipeline.runner.listing import Unread, read_list
from pipeline.runner.replay import Replay
from pipeline.settling.match import Absent, Adopt, Ambiguous, Finding
from pipeline.settling.replay import Turn
from pipeline.text import listing, plural

FAILURES_MAX = 5
"""Readings in a row that failed: from then on the run is not kept going for the sake of settling alone."""
AMBIGUOUS_MAX = 2
"""So often a job may be ambiguous in a way that does not pass, before it is left to a person."""


@dataclass(slots=True, kw_only=True)
class _Case:
    """What was learned of one uncertain job in this run."""

    since_s: float
    """Since when it is uncertain, by the monotonic clock; for what earlier runs left, since this one began."""
    sent_s: float
    """When anything was last sent for it: its key may have been repeated since."""
    told: bool = False
    """A person knows that it is not settled now."""
    absent: bool = False
    """The reading before did not show it."""
    ambiguous: int = 0


class SettleLane:
    """Settles what is uncertain, for as long as anything is or may be."""

    def __init__(self, board: Board, steps: Mapping[str, Step]) -> None:
        self._board = board
        self._steps = steps
        self._leave = Leave(board, steps)
        self._replay = Replay(board)
        self._lists = board.profile.lists
        self._no_list = "the provider has no list to settle it with"
        self._evidence = Evidence(board)
        self._cases: dict[str, _Case] = {}
        self._failures = 0
        self._next_reading_s = float("-inf")

    async def run(self) -> None:
        """Until nothing can become uncertain any more, and nothing that is can be settled."""
        board = self._board
        while not board.watch_over:
            if self._take_in():
                continue
            now_s = anyio.current_time()
            if (key := self._replay.due(now_s)) is not None:
                board.proving.begin()
                with board.proving:
                    await self._repeat(key)
            elif now_s >= self._reading_s():
                board.proving.begin()
                with board.proving:
                    await self._read()
            else:
                await board.bell.wait(self._next_s(now_s))

    def _take_in(self) -> bool:
        """What became uncertain since; what cannot be settled is left at once. Whether there was any of that."""
        board = self._board
        self._register()
        turned = self._mind_the_end()
        hopeless = [] if self._lists else [key for key in board.unsettled if not self._replay.may(key)]
        self._leave.for_good({key: self._replay.reason(key) or self._no_list for key in hopeless})
        return turned or bool(hopeless)

    def _register(self) -> None:
        """Open a case for each attempt that became uncertain since, also while a page was on its way."""
        for key, since_s in self._board.unsettled.items():
            if key not in self._cases or self._cases[key].since_s != since_s:
                self._cases[key] = _Case(since_s=since_s, sent_s=since_s)
                self._replay.add(key)

    def _mind_the_end(self) -> bool:
        """See whether the run is kept going for this: not for a list that fails again and again, but for a key that
        may still be repeated. Whether that has changed.
        """
        board = self._board
        was = board.settles
        board.settles = not self._is_late or any(self._replay.may(key) for key in board.unsettled)
        if board.settles is not was:
            board.bell.ring()
        return board.settles is not was

    @property
    def _is_late(self) -> bool:
        """The list has failed again and again."""
        return self._failures >= FAILURES_MAX

    def _reading_s(self) -> float:
        """When the list is to be read next."""
        board = self._board
        waiting = [self._cases[key].sent_s for key in board.unsettled if not self._replay.may(key)]
        if not self._lists or not waiting:
            return FOREVER
        return max(min(waiting) + board.profile.list_lag_s, self._next_reading_s, board.tempers["watch"].ready_s)

    def _next_s(self, now_s: float) -> float:
        """When something is due after *now_s*; a replay that was due by then waits for room, and that rings."""
        replay_s = self._replay.next_s()
        return min(replay_s if replay_s > now_s else FOREVER, self._reading_s())

    # --- by key

    async def _repeat(self, key: str) -> None:
        """Repeat a submit, and write down what that proves."""
        board = self._board
        turn, found = await self._replay.send(key)
        case = self._cases[key]
        case.sent_s, case.absent = anyio.current_time(), False  # what was not there before may be there now
        if turn is Turn.ADOPT and (owner := board.owners.get(found)) is not None:
            name, other = board.job(key).id, board.job(owner).id
            board.notice("settle", f"the key of {name} is answered with {found}, the video of {other}: no proof")
        elif turn is Turn.ADOPT:
            await self._adopt({key: found}, "key replay")
        elif turn is Turn.NOT_CREATED:
            await self._not_created([key], f"key replay: rejected ({found})")
        elif turn is Turn.NEVER and self._is_late:
            self._tell(found)

    # --- by the list

    async def _read(self) -> None:
        """Read the list once, for all that is uncertain."""
        board, began_s = self._board, anyio.current_time()
        findings = await self._findings(began_s)
        wait_s = board.profile.list_lag_s
        if isinstance(findings, Unread):
            wait_s = max(wait_s, self._failed(findings))
        else:
            self._failures = 0
            await self._act_on(findings)
        self._next_reading_s = anyio.current_time() + wait_s

    async def _findings(self, began_s: float) -> Mapping[str, Finding] | Unread:
        board, evidence = self._board, self._evidence
        span = evidence.span(claims(board.ledger.state, board.origin, among=()).uncertain)
        reading = await read_list(board, since=span.back_to, at_least=span.since)
        if isinstance(reading, Unread):
            return reading
        return await evidence.weigh(reading, span, lambda key: self._is_ripe(key, began_s))

    def _is_ripe(self, key: str, began_s: float) -> bool:
        """Whether the list must have shown the video of a job's latest attempt by then.

        What is remembered of a job may be an earlier attempt's: while a page was on its way it was settled, submitted
        again, and lost again.
        """
        case = self._cases.get(key)
        if case is None or case.since_s != self._board.unsettled.get(key, case.since_s):
            return False
        return began_s >= case.sent_s + self._board.profile.list_lag_s

    async def _act_on(self, findings: Mapping[str, Finding]) -> None:
        """Write down what is proven; remember what was not seen; leave what cannot be told."""
        adopted: dict[str, str] = {}
        absent: list[str] = []
        unclear: dict[str, str] = {}
        for key, finding in findings.items():
            case = self._cases[key]
            match finding:
                case Adopt(video_id=video_id):
                    adopted[key] = video_id
                case Absent() if case.absent:
                    absent.append(key)
                case Absent():
                    case.absent = True
                case Ambiguous(reason=reason, passing=passing):
                    case.absent = False
                    case.ambiguous += not passing
                    if case.ambiguous >= AMBIGUOUS_MAX and key in self._board.unsettled:
                        unclear[key] = reason
        self._leave.for_good(unclear)
        await self._adopt(adopted, "list: the only videos of this wish and time are those of our uncertain submits")
        lag_s = self._board.profile.list_lag_s
        await self._not_created(absent, f"list: two full readings, {lag_s:g} s or more apart, do not show it")

    def _failed(self, unread: Unread) -> float:
        """There was no full reading; returns how long to wait for the next."""
        board = self._board
        if unread.stop is not Stop.NOTHING:
            board.heed(Verdict(fact=None, reason=f"{board.where}: {unread.reason}", stop=unread.stop), "settle")
        if unread.for_good:
            self._lists, self._no_list = False, unread.reason
            return 0.0
        self._failures += 1
        late = self._is_late
        self._mind_the_end()
        if late:
            self._tell(unread.reason)
        backoff = board.patience.rest if late else board.patience.look
        return pause_after(backoff, self._failures - (FAILURES_MAX if late else 0), board.chance.random())

    def _tell(self, reason: str) -> None:
        """The list does not come, and no key can be repeated: each job is told of once, or submitted again."""
        self._register()
        untold = [key for key in self._board.unsettled if not (self._cases[key].told or self._replay.may(key))]
        for key in untold:
            self._cases[key].told = True
        self._leave.for_now(dict.fromkeys(untold, reason))

    # --- what is proven

    async def _adopt(self, adopted: Mapping[str, str], how: str) -> None:
        """These submits were accepted after all."""
        board = self._board
        for key, video_id in adopted.items():
            board.record(Fact.ADOPTED, key, video_id=video_id, origin=board.origin, how=how)
        if adopted:
            await board.ledger.commit()
            board.notice("settle", f"{_names(board, adopted)}: accepted after all; found and adopted")
        for key, video_id in adopted.items():
            board.claim(video_id, key)
            began_at = board.job(key).submitted_at or board.now()
            board.watch(key, in_s=0.0, age_s=max((board.now() - began_at).total_seconds(), 0.001))

    async def _not_created(self, keys: Iterable[str], how: str) -> None:
        """These submits made nothing: they are due again, where this run's plan has them."""
        board, keys = self._board, [*keys]
        for key in keys:
            is_due = key in board.granted  # by leave, and not sent yet
            board.record(Fact.NOT_CREATED, key, how=how)
            if key in self._steps and not is_due:
                board.turns.add([self._steps[key]])
        if keys:
            board.notice("settle", f"{_names(board, keys)}: not created ({how})")
            await board.ledger.commit()


def _names(board: Board, keys: Iterable[str]) -> str:
    names = [board.job(key).id for key in keys]
    return f"{plural(len(names), 'uncertain submit')} settled, {listing(names)}"
