"""Reading the provider's list to the depth that settling needs: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio

from pipeline.ledger.claims import claims
from pipeline.policy.verdict import Stop, words_of
from pipeline.providers.base import Observation, Page
from pipeline.runner.board import Board
from pipeline.runner.pages import after_page, ask_for_page, says_no_list
from pipeline.settling.reading import Reading, reaches

PAGES_MAX = 100
"""So many pages of a hundred; a list that is longer, from the oldest doubt on, settles nothing."""
PAGE_TRIES = 6
"""So often a page that fails in passing is asked for: a reading of fifty pages is not begun anew for one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Why there is no full reading."""

    reason: str
    for_good: bool = False
    """There is no list to read."""
    stop: Stop = Stop.NOTHING


async def read_list(board: Board, *, since: datetime, at_least: datetime) -> Reading | Unread:
    """All rows of the provider's list, newest first, that may be as old as *since*; in a long list, as *at_least*."""
    owned = claims(board.ledger.state, board.origin).owned
    began_at = board.now()
    offset_s: float | None = None
    rows: dict[str, Observation] = {}
    after: str | None = None
    for number in range(PAGES_MAX):
        page, headers = await _read_patiently(board, after)
        if isinstance(page, Unread):
            return page
        if number == 0:
            offset_s = _offset_s(headers.get("date", ""), board.now())
        fresh = [row for row in page.observations if row.video_id not in rows]
        rows |= {row.video_id: row for row in fresh}
        reading = Reading(rows=tuple(rows.values()), began_at=began_at, offset_s=offset_s)
        if "" in rows:
            return Unread(reason="a row of the list has no id")
        if page.is_last or reaches(reading, fresh, since, owned):
            return reading
        if page.after is None:
            return Unread(reason="the list does not say whether it goes on")
        if not fresh:
            return Unread(reason="the list goes round in a circle")
        after = page.after
    if reaches(reading, fresh, at_least, owned):
        return reading
    return Unread(reason=f"the list has more than {PAGES_MAX} pages since then")


async def _read_patiently(board: Board, after: str | None) -> tuple[Page | Unread, Mapping[str, str]]:
    """A page, asked for again where it fails in passing and somebody still answers; as patient as any look."""
    temper = board.tempers["watch"]
    for _ in range(PAGE_TRIES):
        while (wait_s := temper.ready_s - anyio.current_time()) > 0.0:
            await anyio.sleep(wait_s)
        temper.begin()
        page, headers = await ask_for_page(board, after)
        if isinstance(page, Page):
            temper.answered()
            return page, headers
        if says_no_list(page):
            temper.answered()
            return Unread(reason=f"there is no list to settle it with ({words_of(page)})", for_good=True), headers
        verdict = after_page(board, page)
        unread = Unread(reason=words_of(page), stop=verdict.stop)
        if verdict.stop is not Stop.NOTHING:
            break
        temper.heed(page, verdict)
        if temper.is_open:
            break
    return unread, headers


def _offset_s(date: str, now: datetime) -> float | None:
    """How far the provider's clock is ahead of ours, by the Date of an answer."""
    try:
        there = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return ((there if there.tzinfo else there.replace(tzinfo=UTC)) - now).total_seconds()
