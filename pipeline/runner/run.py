"""One run: its lanes in one task group, until everything is home or something stops us."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeAlias

import anyio

from pipeline.lifecycle import State
from pipeline.plan import Plan
from pipeline.policy.verdict import Stop
from pipeline.progress import Kind
from pipeline.runner.board import Board
from pipeline.runner.collect import CollectLane
from pipeline.runner.settle import SettleLane
from pipeline.runner.submit import SubmitLane
from pipeline.runner.watch import WatchLane
from pipeline.runner.wording import left_words, waiting_words

Lane: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Works until it has nothing more to do; it may be left at any moment."""
LAZY_S = 1.0
"""What may be written late (a status that changed, a row of metadata.jsonl) is on disk so soon."""


async def carry_out(board: Board, plan: Plan, after: Iterable[Lane] = ()) -> None:
    """Do what *plan* says; *after* are the lanes that look after what is stored. Returns when all of it is done, or
    `board.stopped` says why not.

    Cancelling it is an interrupt: open POSTs are answered and written down first. Raises `LedgerBroken`, `OSError`.
    """
    board.turns.add(plan.submits)
    _take_up(board)
    steps = {step.job.key: step for step in plan.steps}
    async with anyio.create_task_group() as background:
        background.start_soon(_write_late_facts, board)
        async with anyio.create_task_group() as lanes:
            lanes.start_soon(SubmitLane(board).run)
            lanes.start_soon(_bring_home, board, SettleLane(board, steps) if board.settles else None, after)
        background.cancel_scope.cancel()
    if board.stop is Stop.NOTHING and (left := board.turns.left_aside):
        board.buy_no_more(left)
    if board.stop is Stop.NOTHING and (waiting := {step.job.key: None for step in board.turns.waiting}):
        board.notice("submit", waiting_words(board, waiting), urgent=True)
    with anyio.CancelScope(shield=True):
        await board.ledger.commit()
    if board.ledger.squeezed:
        board.mind_the_disk()


def _take_up(board: Board) -> None:
    """What earlier runs bought, also what the manifest no longer asks for: it is paid for, so it comes home. What they
    may have bought is said: its video expires.
    """
    for key, job in board.ledger.state.jobs.items():
        if job.state in (State.IN_FLIGHT, State.STALLED):
            accepted_at = job.accepted_at or board.now()
            board.watch(key, in_s=0.0, age_s=max((board.now() - accepted_at).total_seconds(), 0.0))
        elif job.state is State.FINISHED:
            board.want(key)
        elif job.state is State.UNCERTAIN and job.origin == board.origin:
            board.doubt(key)
    if left := [job.key for job in board.ledger.state.jobs.values() if job.state is State.UNCERTAIN]:
        is_stuck = not board.unsettled or not board.settles
        board.notice("settle", left_words(board, left), urgent=is_stuck, kind=Kind.UNCERTAIN)


async def _bring_home(board: Board, settling: SettleLane | None, after: Iterable[Lane]) -> None:
    with board.home:
        async with anyio.create_task_group() as lanes:
            lanes.start_soon(WatchLane(board).run)
            lanes.start_soon(CollectLane(board).run)
            if settling is not None:
                lanes.start_soon(settling.run)
            for lane in after:
                lanes.start_soon(lane)


async def _write_late_facts(board: Board) -> None:
    while True:
        await anyio.sleep(LAZY_S)
        await board.ledger.commit()
        if board.ledger.squeezed:
            board.mind_the_disk()
        rows, board.new_rows = board.new_rows, []
        if rows:
            board.folder.append_metadata(*rows)
