"""The pages of the provider's list: both the watch and the settle lane ask for them, with the watch lane's temper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.errors import ProviderError
from pipeline.policy.verdict import Stop, Verdict, pause_after
from pipeline.policy.watch import Looks, after_look
from pipeline.providers.base import Page, Refusal
from pipeline.runner.board import Board
from pipeline.runner.lanes import FOREVER

NO_LIST = (403, 404, 405, 410, 501)
"""HTTP statuses that say there is no list here, or not for this key; anything else is a passing trouble."""


async def ask_for_page(board: Board, after: str | None) -> tuple[Page | Refusal | ProviderError, Mapping[str, str]]:
    """The page behind *after*, or what came in its place; and the headers it came with."""
    try:
        reply = await board.transport.look(board.dialect.look_at_page(after, board.profile))
    except ProviderError as error:
        return error, {}
    return board.dialect.read_page(reply, board.profile), reply.headers


def says_no_list(outcome: Refusal | ProviderError) -> bool:
    """Whether there is no list to read, whenever it is asked for."""
    return isinstance(outcome, Refusal) and outcome.http in NO_LIST


def after_page(board: Board, outcome: Refusal | ProviderError) -> Verdict:
    """What a page that did not come means for the lane and the run: it is of no one video, so that the lane waits."""
    failures, patience = board.tempers["watch"].failures, board.patience.look
    verdict = after_look(
        outcome,
        Looks(age_s=0.0, failures=failures),
        deadline_s=FOREVER,
        retention_s=FOREVER,
        backoff=patience,
        now=board.now(),
        spread=board.chance.random(),
    )
    if verdict.pause_s or verdict.stop is not Stop.NOTHING:
        return verdict
    return replace(verdict, pause_s=pause_after(patience, failures + 1, board.chance.random()))
