"""The watch lane: one agenda for all videos being rendered. Looking is free, so it may fail and be repeated.

A few looks go on at once; after one that failed, one at a time until somebody answers. Where the provider lists its
videos and several are due, one page tells of a hundred; else each is asked for when its render time says that asking
pays. A look that fails never fails a job. A video past its deadline is `stalled`: it is no longer waited for, but
looked at now and then as long as the run has anything else to do.
"""

from __future__ import annotations

import anyio

from pipeline.errors import ProviderError
from pipeline.lifecycle import Fact, State
from pipeline.pacing import next_look_s
from pipeline.policy.verdict import Verdict
from pipeline.policy.watch import Looks, after_look, is_unreadable
from pipeline.providers.base import Observation, Page, Problem, Refusal
from pipeline.runner.board import Board, Watched
from pipeline.runner.foresight import dropped_at
from pipeline.runner.lanes import FOREVER, Agenda
from pipeline.runner.pages import after_page, ask_for_page, says_no_list
from pipeline.runner.wording import gone_words, strange_word

LOOKERS = 8
LIST_FROM = 3
"""So many due at once are looked up in the list, where there is one."""
PAGE_FAILURES_MAX = 3
BLIND_MAX = 2
"""So many videos in a row were given up, and since they were bought no look at any told how it is doing: nothing more
is bought in the dark.
"""
LIST_REST_S = 300.0
"""After so many readings in a row of which a page did not come, each video is asked for by itself for so long: a
list that is out of order keeps no finished video from being fetched.
"""


class WatchLane:
    """Looks at what is being rendered until nothing is."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._temper = board.tempers["watch"]
        self._list_from_s = float("-inf") if board.profile.lists else FOREVER
        self._page_failures = 0
        self._stalled: Agenda[Watched] = Agenda()
        self._told_of_unknown = False
        self._told_words: set[str] = set()
        self._blind = 0
        self._seen_s = float("-inf")
        """When a look at any video told last how it is doing."""
        self._told_of_list = False

    async def run(self) -> None:
        board, temper = self._board, self._temper
        async with anyio.create_task_group() as looks:
            while not board.watch_over:
                now_s = anyio.current_time()
                free = board.looking.value < (1 if temper.failures else LOOKERS)
                batch = self._take(now_s) if free and now_s >= temper.ready_s else []
                if batch:
                    temper.begin()
                    board.looking.begin()
                    looks.start_soon(self._look_at, batch)
                else:
                    next_s = min(board.watching.next_s(), self._stalled.next_s())
                    await board.bell.wait(max(next_s, temper.ready_s) if free else FOREVER)

    def _take(self, now_s: float) -> list[Watched]:
        """What to look at next: all that is due where the list will tell, else the most pressing one."""
        for agenda in (self._board.watching, self._stalled):
            if now_s >= self._list_from_s and agenda.due_count(now_s) >= LIST_FROM:
                return agenda.take_all(now_s)
            if (watched := agenda.take(now_s)) is not None:
                return [watched]
        return []

    async def _look_at(self, batch: list[Watched]) -> None:
        with self._board.looking:
            if len(batch) == 1:
                await self._settle(batch[0], await self._look(batch[0].video_id))
                return
            whole, seen = await self._read_list({watched.video_id for watched in batch})
            for watched in batch:
                now_s = anyio.current_time()
                if watched.video_id in seen:
                    await self._settle(watched, seen[watched.video_id])
                elif whole and now_s >= self._temper.ready_s:
                    await self._settle(watched, await self._look(watched.video_id))
                else:  # the list broke off, or somebody asked for patience meanwhile
                    agenda = self._stalled if self._is_over(watched) else self._board.watching
                    agenda.add(watched, from_s=max(self._temper.ready_s, now_s))

    async def _look(self, video_id: str) -> Observation | Refusal | ProviderError:
        board = self._board
        try:
            reply = await board.transport.look(board.dialect.look(video_id, board.profile))
        except ProviderError as error:
            return error
        return board.dialect.read_look(reply, board.profile, video_id)

    async def _read_list(self, wanted: set[str]) -> tuple[bool, dict[str, Observation]]:
        """What the newest pages say of *wanted*, and whether each of them came; as many as could hold all that we have
        in flight, and one.
        """
        board = self._board
        seen: dict[str, Observation] = {}
        after: str | None = None
        for _number in range(2 + len(board.watching) // 100 + len(wanted) // 100):
            page, _ = await ask_for_page(board, after)
            if not isinstance(page, Page):
                self._heed_page(page)
                return False, seen
            self._temper.answered()
            seen |= {row.video_id: row for row in page.observations if row.video_id in wanted}
            after = page.after
            if after is None or len(seen) == len(wanted):
                break
        self._page_failures = 0
        self._told_of_list = False
        return True, seen

    def _heed_page(self, outcome: Refusal | ProviderError) -> None:
        """What a page that did not come means: the lane waits as after any look, or does without the list."""
        now_s = anyio.current_time()
        if says_no_list(outcome):
            self._temper.answered()
            self._do_without_list(FOREVER, "the provider has no list after all")
            return
        verdict = after_page(self._board, outcome)
        self._page_failures += 1
        self._temper.heed(outcome, verdict)
        if self._page_failures >= PAGE_FAILURES_MAX:
            self._page_failures = 0
            self._do_without_list(now_s + LIST_REST_S, f"the list does not come ({verdict.reason})")

    def _do_without_list(self, until_s: float, reason: str) -> None:
        if not self._told_of_list:
            self._told_of_list = True
            self._board.notice("watch", f"{reason}: asking for each video by itself")
        self._list_from_s = max(self._list_from_s, until_s)  # of what is on its way now, each may say so

    def _judge(self, outcome: Observation | Refusal | ProviderError, looks: Looks) -> Verdict:
        board = self._board
        return after_look(
            outcome,
            looks,
            deadline_s=board.profile.pace.deadline_s,
            retention_s=board.profile.retention_s,
            backoff=board.patience.look,
            now=board.now(),
            spread=board.chance.random(),
        )

    async def _settle(self, watched: Watched, outcome: Observation | Refusal | ProviderError) -> None:
        """Write down what a look told, and when to look again."""
        board = self._board
        looks = Looks(
            age_s=self._watched_s(watched),
            old_s=_old_s(watched),
            unknown=watched.unknown,
            unreadable=watched.unreadable,
            failures=self._temper.failures,
        )
        verdict = self._judge(outcome, looks)
        unknown = isinstance(outcome, Refusal) and outcome.problem is Problem.UNKNOWN_ID
        watched.unknown = watched.unknown + 1 if unknown else 0
        watched.unreadable = watched.unreadable + 1 if is_unreadable(outcome) else 0
        if watched.unknown == 1 and not self._told_of_unknown:
            self._told_of_unknown = True  # where one is not known yet, hundreds may not be
            name = board.job(watched.key).id
            board.notice("watch", f"{name}: the provider does not know its id (yet; said once): {verdict.reason}")
        self._mind_the_dark(watched, outcome, verdict)
        self._note(watched, outcome, verdict)
        if verdict.fact in (None, Fact.STATUS):
            self._look_again(watched, verdict)
        elif verdict.fact is Fact.FINISHED:
            board.want(watched.key)
        elif verdict.fact is Fact.STALLED:
            self._stalled.add(watched, from_s=anyio.current_time() + (verdict.again_s or 0.0))
        else:
            await board.ledger.commit()
        if verdict.fact in (Fact.EXPIRED, Fact.LOST):
            board.notice("watch", gone_words(board, watched.key, verdict.fact, verdict.reason), urgent=True)
        self._temper.heed(outcome, verdict)

    def _is_over(self, watched: Watched) -> bool:
        """It is past its deadline: nobody waits for it."""
        return self._watched_s(watched) > self._board.profile.pace.deadline_s

    def _watched_s(self, watched: Watched) -> float:
        """How long this run has watched it, without the time in which nothing could be learned; but for a night of
        that, as everywhere, or one that is told to wait again and again would watch for ever.
        """
        away_s = min(self._temper.away_s - watched.away_s, self._board.patience.outage_s)
        return anyio.current_time() - watched.since_s - away_s

    def _note(self, watched: Watched, outcome: Observation | Refusal | ProviderError, verdict: Verdict) -> None:
        """The fact, where it is one and new: a status that did not change is not written."""
        board = self._board
        match verdict.fact, outcome:
            case None, _:
                return
            case Fact.STATUS, Observation() as seen:
                if seen.word != watched.word:
                    board.record(Fact.STATUS, watched.key, word=seen.word, progress=seen.progress)
                self._tell_of_word(seen)
                watched.word = seen.word
            case Fact.FINISHED, Observation() as seen:
                # of what an earlier run bought, or what was done while nobody could look, we do not know when it was
                if not watched.age_s and self._temper.away_s == watched.away_s:
                    board.renders.add(self._watched_s(watched))
                until = dropped_at(board, watched.key, seen)
                board.record(Fact.FINISHED, watched.key, word=seen.word, expires_at=until)
            case Fact.FAILED, (Observation() | Refusal()) as seen:
                board.record(Fact.FAILED, watched.key, reason=verdict.reason, code=seen.code)
            case Fact.STALLED, _ if board.job(watched.key).state is State.STALLED:
                return
            case fact, _:
                board.record(fact, watched.key, reason=verdict.reason)

    def _mind_the_dark(
        self, watched: Watched, outcome: Observation | Refusal | ProviderError, verdict: Verdict
    ) -> None:
        """Buy no more where nothing that is bought can be seen: each that is stalled would make room for another."""
        board = self._board
        if isinstance(outcome, Observation) and outcome.word and outcome.known_word:
            self._blind, self._seen_s = 0, anyio.current_time()
            return
        stalls = verdict.fact is Fact.STALLED and board.job(watched.key).state is not State.STALLED
        if (stalls or verdict.fact is Fact.LOST) and self._seen_s < watched.since_s:
            self._blind += 1
            if self._blind >= BLIND_MAX and board.turns:
                board.buy_no_more(f"{self._blind} videos in a row given up, and no look told of any: {verdict.reason}")

    def _tell_of_word(self, seen: Observation) -> None:
        """Say once of a word that nobody knows: should it mean `done`, its videos are not fetched."""
        if not seen.known_word and seen.word not in self._told_words:
            self._told_words.add(seen.word)
            self._board.notice("watch", strange_word(self._board.profile, seen.word), urgent=True)

    def _look_again(self, watched: Watched, verdict: Verdict) -> None:
        board = self._board
        wait_s = verdict.again_s
        if wait_s is None:
            wait_s = next_look_s(
                _old_s(watched), pace=board.profile.pace, renders=board.renders, spread=board.chance.random()
            )
        board.watching.add(watched, from_s=anyio.current_time() + wait_s)


def _old_s(watched: Watched) -> float:
    """How long ago it was accepted."""
    return watched.age_s + anyio.current_time() - watched.since_s
