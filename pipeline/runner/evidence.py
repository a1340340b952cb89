"""What a reading of the list proves, held against all that the ledgers here know. Writes nothing down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio.to_thread

from pipeline.ledger.claims import Siblings, claims, is_listed, witness
from pipeline.model import EMBEDDED
from pipeline.runner.board import Board
from pipeline.runner.listing import Unread
from pipeline.settling.fit import Doubt
from pipeline.settling.match import Finding, settle
from pipeline.settling.reading import MARGIN_S, Owned, Reading, unshown
from pipeline.text import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How far back a reading has to go."""

    since: datetime
    """When the oldest doubt began that the list remembers."""
    back_to: datetime
    """To where it must go, so that it shows its *witness*."""
    witness: str = ""
    """The newest video of ours from before all doubts: a list without it forgets. Empty: there is none."""


class Evidence:
    """The ledgers of this run and of the runs beside it, before which a list is heard."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._siblings = None if board.origin == EMBEDDED else Siblings(board.folder.path, board.origin)

    def span(self, doubts: Collection[Doubt]) -> Span:
        """How far back a reading for *doubts* has to go; what is older than the list remembers keeps no other job
        from being settled.
        """
        profile, now = self._board.profile, self._board.now()
        kept, margin = now - timedelta(seconds=profile.retention_s), timedelta(seconds=MARGIN_S)
        since = max(min(doubt.began_at for doubt in doubts), kept - margin)
        known_by = now - timedelta(seconds=profile.list_lag_s)
        older = witness(self._board.ledger.state, self._board.origin, kept + margin, before=since, known_by=known_by)
        if older is None:
            return Span(since=since, back_to=since)
        return Span(since=since, back_to=older.submitted_at or since, witness=older.video_id)

    async def weigh(
        self, reading: Reading, span: Span, is_ripe: Callable[[str], bool]
    ) -> Mapping[str, Finding] | Unread:
        """What *reading* says of the uncertain jobs that are ripe, by key; or why it is not to be believed.

        Whatever made a row had its intent on disk before: so the ledgers are asked after the list, ours last.
        """
        board = self._board
        owned, rivals, blind = await self._ask_the_siblings()
        if missing := unshown(reading, self._expected(reading, span.since)):
            return Unread(reason=f"the list does not show {listing(sorted(missing))}, which we know to be there")
        own = claims(board.ledger.state, board.origin)
        doubts = [self._as_repeated(doubt) for doubt in own.uncertain]
        early = [*own.open, *(doubt for doubt in doubts if not is_ripe(doubt.key))]
        return settle(
            [doubt for doubt in doubts if is_ripe(doubt.key)],
            reading,
            owned={**owned, **own.owned},
            rivals=[*map(self._as_repeated, rivals), *(_of_this_run(doubt, board.now()) for doubt in early)],
            retention_s=board.profile.retention_s,
            blind=blind,
            forgetful=_forgetful(reading, span),
            lists_linked=board.profile.lists_linked,
        )

    async def _ask_the_siblings(self) -> tuple[dict[str, Owned], list[Doubt], str]:
        if self._siblings is None:
            return {}, [], ""
        if self._siblings.are_new:
            await anyio.to_thread.run_sync(self._siblings.refresh, abandon_on_cancel=True)
        return self._siblings.claims(self._board.now())

    def _expected(self, reading: Reading, since: datetime) -> set[str]:
        """What a list that can be believed shows: ours, accepted long enough before, not so long that it is gone."""
        board = self._board
        kept_since = reading.began_at - timedelta(seconds=board.profile.retention_s)
        since = max(since - timedelta(seconds=MARGIN_S / 2), kept_since)  # a reading goes back twice as far, and more
        until = reading.began_at - timedelta(seconds=board.profile.list_lag_s)
        jobs = board.ledger.state.jobs.values()
        return {job.video_id for job in jobs if is_listed(job, board.origin, since=since, until=until)}

    def _as_repeated(self, doubt: Doubt) -> Doubt:
        """A repeated key may have made the video as well as the first submit, in this run or an earlier one."""
        board = self._board
        if not board.profile.honours_keys:
            return doubt
        forgotten_at = doubt.began_at + timedelta(seconds=board.profile.keys_s)
        return replace(doubt, ended_at=max(doubt.ended_at, min(board.now(), forgotten_at)))


def _forgetful(reading: Reading, span: Span) -> str:
    if not span.witness or not unshown(reading, {span.witness}):
        return ""
    return f"the list does not show {span.witness} either, which is older and known to be there: it has forgotten some"


def _of_this_run(doubt: Doubt, now: datetime) -> Doubt:
    return replace(doubt, whose="another submit of this run", passing=True, ended_at=max(now, doubt.began_at))
