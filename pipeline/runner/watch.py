"""The watch lane: one agenda for all videos being rendered. Looking is free, so it may fail and be repeated.

A few looks go on at once. Where the provider lists its videos and several are due, one page tells of a hundred;
else each is asked for when its render time says that asking pays. A look that fails never fails a job.
"""

from __future__ import annotations

import anyio

from pipeline.errors import ProviderError
from pipeline.lifecycle import Fact, State
from pipeline.pacing import next_look_s
from pipeline.policy.verdict import Stop, Verdict
from pipeline.policy.watch import Looks, after_look
from pipeline.providers.base import Observation, Page, Problem, Refusal
from pipeline.runner.board import Board, Watched
from pipeline.runner.lanes import FOREVER

LOOKERS = 8
LIST_FROM = 3
"""So many due at once are looked up in the list, where there is one."""

FAILURES_TO_SAY = 6
"""Looks in a row, some minutes by then, that told nothing: somebody should know; videos expire meanwhile."""
NO_LIST = (404, 405, 501)
"""HTTP statuses that say there is no list here; anything else is a passing trouble."""


class WatchLane:
    """Looks at what is being rendered until nothing is."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lists = board.profile.lists
        self._failures = 0
        """Looks in a row that told nothing, whichever job they were for."""
        self._paused_until_s = float("-inf")

    async def run(self) -> None:
        board = self._board
        async with anyio.create_task_group() as looks:
            while not board.watch_over:
                now_s = anyio.current_time()
                free = board.looking.value < LOOKERS
                batch = self._take(now_s) if free and now_s >= self._paused_until_s else []
                if batch:
                    board.looking.begin()
                    looks.start_soon(self._look_at, batch)
                else:
                    await board.bell.wait(max(board.watching.next_s(), self._paused_until_s) if free else FOREVER)

    def _take(self, now_s: float) -> list[Watched]:
        """What to look at next: all that is due where the list will tell, else the most pressing one."""
        watching = self._board.watching
        if self._lists and watching.due_count(now_s) >= LIST_FROM:
            return watching.take_all(now_s)
        watched = watching.take(now_s)
        return [] if watched is None else [watched]

    async def _look_at(self, batch: list[Watched]) -> None:
        with self._board.looking:
            seen = await self._read_list({watched.video_id for watched in batch}) if len(batch) > 1 else {}
            for watched in batch:
                if watched.video_id in seen:
                    await self._settle(watched, seen[watched.video_id])
                elif anyio.current_time() < self._paused_until_s:  # somebody asked for patience meanwhile
                    self._board.watching.add(watched, from_s=self._paused_until_s)
                else:
                    await self._settle(watched, await self._look(watched.video_id))

    async def _look(self, video_id: str) -> Observation | Refusal | ProviderError:
        board = self._board
        try:
            reply = await board.transport.look(board.dialect.look(video_id, board.profile))
        except ProviderError as error:
            return error
        return board.dialect.read_look(reply, board.profile)

    async def _read_list(self, wanted: set[str]) -> dict[str, Observation]:
        """What the newest pages say of *wanted*; as many pages as could hold all that we have in flight, and one."""
        board = self._board
        seen: dict[str, Observation] = {}
        after: str | None = None
        for _ in range(2 + len(board.watching) // 100 + len(wanted) // 100):
            page = await self._read_page(after)
            if not isinstance(page, Page):
                self._heed_page(page)
                break
            seen |= {row.video_id: row for row in page.observations if row.video_id in wanted}
            after = page.after
            if after is None or len(seen) == len(wanted):
                break
        return seen

    async def _read_page(self, after: str | None) -> Page | Refusal | ProviderError:
        board = self._board
        try:
            reply = await board.transport.look(board.dialect.look_at_page(after, board.profile))
        except ProviderError as error:
            return error
        return board.dialect.read_page(reply, board.profile)

    def _heed_page(self, outcome: Refusal | ProviderError) -> None:
        """What a page that did not come means: there is no list, or the lane waits as after any look."""
        board = self._board
        if isinstance(outcome, Refusal) and outcome.http in NO_LIST:
            if self._lists:
                board.notice("watch", "the provider has no list after all: asking for each video by itself")
            self._lists = False
            return
        looks = Looks(age_s=0.0, failures=self._failures)
        verdict = after_look(
            outcome,
            looks,
            deadline_s=FOREVER,
            backoff=board.patience.look,
            now=board.now(),
            spread=board.chance.random(),
        )
        self._failures += 1
        self._wait_and_heed(verdict)

    def _wait_and_heed(self, verdict: Verdict) -> None:
        """Do what a verdict says of the lane and of the run."""
        if self._failures == FAILURES_TO_SAY:
            waiting = self._board.ledger.state.counts[State.IN_FLIGHT]
            message = f"nothing was learned of {waiting} videos in {self._failures} looks in a row: {verdict.reason}"
            self._board.notice("watch", message, urgent=True)
        if verdict.pause_s:
            self._paused_until_s = max(self._paused_until_s, anyio.current_time() + verdict.pause_s)
        if verdict.pause_s or verdict.stop is not Stop.NOTHING:
            self._board.heed(verdict, "watch")

    async def _settle(self, watched: Watched, outcome: Observation | Refusal | ProviderError) -> None:
        """Write down what a look told, and when to look again."""
        board = self._board
        watching_s = anyio.current_time() - watched.since_s
        looks = Looks(age_s=watching_s, unknown=watched.unknown, failures=self._failures)
        verdict = after_look(
            outcome,
            looks,
            deadline_s=board.profile.pace.deadline_s,
            backoff=board.patience.look,
            now=board.now(),
            spread=board.chance.random(),
        )
        told = isinstance(outcome, Observation)
        self._failures = 0 if told or verdict.again_s is not None else self._failures + 1
        unknown = isinstance(outcome, Refusal) and outcome.problem is Problem.UNKNOWN_ID
        watched.unknown = watched.unknown + 1 if unknown else 0
        if watched.unknown == 1:
            board.notice(
                "watch", f"{board.job(watched.key).id}: the provider does not know its id (yet): {verdict.reason}"
            )
        self._note(watched, outcome, verdict)
        if verdict.fact in (None, Fact.STATUS):
            self._look_again(watched, verdict)
        elif verdict.fact is Fact.FINISHED:
            board.want(watched.key)
        else:
            await board.ledger.commit()
        self._wait_and_heed(verdict)

    def _note(self, watched: Watched, outcome: Observation | Refusal | ProviderError, verdict: Verdict) -> None:
        """The fact, where it is one and new: a status that did not change is not written."""
        board = self._board
        match verdict.fact, outcome:
            case None, _:
                return
            case Fact.STATUS, Observation() as seen:
                if seen.word != watched.word:
                    board.record(Fact.STATUS, watched.key, word=seen.word, progress=seen.progress)
                    if not seen.known_word:
                        board.notice("watch", f"unknown status '{seen.word}', taken for still running")
                watched.word = seen.word
            case Fact.FINISHED, Observation() as seen:
                if not watched.age_s:  # of what an earlier run bought, we do not know when it was done
                    board.renders.add(anyio.current_time() - watched.since_s)
                board.record(Fact.FINISHED, watched.key, word=seen.word, expires_at=seen.expires_at)
            case Fact.FAILED, Observation() as seen:
                board.record(Fact.FAILED, watched.key, reason=verdict.reason, code=seen.code)
            case fact, _:
                board.record(fact, watched.key, reason=verdict.reason)

    def _look_again(self, watched: Watched, verdict: Verdict) -> None:
        board = self._board
        wait_s = verdict.again_s
        if wait_s is None:
            age_s = watched.age_s + anyio.current_time() - watched.since_s
            wait_s = next_look_s(age_s, pace=board.profile.pace, renders=board.renders, spread=board.chance.random())
        board.watching.add(watched, from_s=anyio.current_time() + wait_s)
