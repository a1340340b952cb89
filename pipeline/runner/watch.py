"""The watch lane: one agenda for all videos being rendered. Looking is free, so it may fail and be repeated.

A few looks go on at once. Where the provider lists its videos and several are due, one page tells of a hundred;
else each is asked for when its render time says that asking pays. A look that fails never fails a job.
"""

from __future__ import annotations

import anyio

from pipeline.errors import ProviderError
from pipeline.lifecycle import Fact
from pipeline.pacing import next_look_s
from pipeline.policy import Looks, Stop, Verdict, after_look
from pipeline.providers.base import Observation, Page, Problem, Refusal
from pipeline.runner.board import Board, Watched
from pipeline.runner.lanes import FOREVER

LOOKERS = 8
LIST_FROM = 3
"""So many due at once are looked up in the list, where there is one."""

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
                outcome = seen.get(watched.video_id) or await self._look(watched.video_id)
                await self._settle(watched, outcome)

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
        page = board.dialect.read_page(reply, board.profile)
        if isinstance(page, Refusal) and page.http in NO_LIST and self._lists:
            self._lists = False
            board.notice("watch", "the provider has no list after all: asking for each video by itself")
        return page

    async def _settle(self, watched: Watched, outcome: Observation | Refusal | ProviderError) -> None:
        """Write down what a look told, and when to look again."""
        board = self._board
        age_s = anyio.current_time() - watched.since_s
        looks = Looks(age_s=age_s, unknown=watched.unknown, failures=self._failures)
        verdict = after_look(
            outcome,
            looks,
            deadline_s=board.profile.pace.deadline_s,
            now=board.now(),
            spread=board.chance.random(),
        )
        told = isinstance(outcome, Observation)
        self._failures = 0 if told or verdict.again_s is not None else self._failures + 1
        unknown = isinstance(outcome, Refusal) and outcome.problem is Problem.UNKNOWN_ID
        watched.unknown = watched.unknown + 1 if unknown else 0
        if verdict.pause_s:
            self._paused_until_s = max(self._paused_until_s, anyio.current_time() + verdict.pause_s)
        self._note(watched, outcome, verdict)
        if verdict.fact in (None, Fact.STATUS):
            self._look_again(watched, verdict)
        await self._act(watched, verdict)

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
                board.renders.add(max((board.now() - watched.accepted_at).total_seconds(), 0.0))
                board.record(Fact.FINISHED, watched.key, word=seen.word, expires_at=seen.expires_at)
            case Fact.FAILED, Observation() as seen:
                board.record(Fact.FAILED, watched.key, reason=verdict.reason, code=seen.code)
            case fact, _:
                board.record(fact, watched.key, reason=verdict.reason)

    def _look_again(self, watched: Watched, verdict: Verdict) -> None:
        board = self._board
        wait_s = verdict.again_s
        if wait_s is None:
            age_s = max((board.now() - watched.accepted_at).total_seconds(), 0.001)
            wait_s = next_look_s(age_s, pace=board.profile.pace, renders=board.renders, spread=board.chance.random())
        board.watching.add(watched, from_s=anyio.current_time() + wait_s)

    async def _act(self, watched: Watched, verdict: Verdict) -> None:
        board = self._board
        if verdict.fact is Fact.FINISHED:
            board.want(watched.key)
        elif verdict.fact not in (None, Fact.STATUS):
            await board.ledger.commit()
        if verdict.stop is not Stop.NOTHING or verdict.pause_s:
            board.heed(verdict, "watch")
