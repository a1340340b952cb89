"""The submit lane: each POST once, its intent on disk before its first byte, its answer on disk before its use."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from pipeline.errors import ProviderError
from pipeline.ledger.records import Value
from pipeline.lifecycle import Fact
from pipeline.pacing import next_look_s
from pipeline.plan import Step
from pipeline.policy.submit import Streak, after_submit
from pipeline.policy.verdict import Stop
from pipeline.providers.base import Refusal, Reply, Status, Submission
from pipeline.providers.replies import clean
from pipeline.runner.board import Board
from pipeline.runner.lanes import FOREVER, Answer
from pipeline.text import money


class SubmitLane:
    """Draws jobs from the plan while the gate allows."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._streak = Streak()
        self._down_since_s = FOREVER
        """When the first of the latest submits in a row could not be sent."""

    async def run(self) -> None:
        """Until nothing is pending, or something stops the submits."""
        board = self._board
        async with anyio.create_task_group() as posts:
            while not board.submits_over:
                step = board.pending[0] if board.pending else None
                answer, again_s = Answer.WAIT, FOREVER
                if step is not None:
                    answer, again_s = board.gate.ask(step.price, board.load, now_s=anyio.current_time())
                if step is None or answer is Answer.WAIT:
                    await board.bell.wait(again_s)
                elif answer is Answer.NO_MONEY:
                    board.buy_no_more(_over_budget(board, step.price))
                else:
                    board.pending.popleft()
                    board.reserved += step.price or Decimal(0)
                    board.posting.begin()
                    posts.start_soon(self._submit_in_turn, step)

    async def _submit_in_turn(self, step: Step) -> None:
        """Wait for this submit's place in the rate, with its money set aside; then submit."""
        board = self._board
        with board.posting:
            try:
                place_s = anyio.current_time() + board.gate.place(anyio.current_time())
                while (turn_s := max(place_s, board.gate.paused_until_s)) > anyio.current_time() and _may_buy(board):
                    await board.bell.wait(turn_s)
                await checkpoint_if_cancelled()  # else a run that never has to wait would not hear of it
            finally:
                board.reserved -= step.price or Decimal(0)
            if not _may_buy(board):
                board.pending.appendleft(step)
                return
            with anyio.CancelScope(shield=True):  # from the intent to the answer on disk nothing cuts in
                await self._submit(step)

    async def _submit(self, step: Step) -> None:
        board, key = self._board, step.job.key
        attempt = board.job(key).attempt + 1
        idempotency_key = str(UUID(int=board.chance.getrandbits(128), version=4))
        request = board.dialect.submit(step.job, board.profile, key=idempotency_key)
        board.record(
            Fact.INTENT,
            key,
            attempt=attempt,
            body_sha256=hashlib.sha256(request.body).hexdigest(),
            key=idempotency_key,
            price=step.price,
        )
        await board.ledger.commit()
        if board.stop is Stop.RUN:
            board.record(Fact.NOT_SENT, key, attempt=attempt, reason="stopped before it was sent")
            await board.ledger.commit()
            return
        reply: Reply | None = None
        outcome: Submission | Refusal | ProviderError
        try:
            reply = await board.transport.submit(request)
            outcome = board.dialect.read_submit(reply, board.profile)
        except ProviderError as error:
            outcome = error
        await self._settle(step, attempt, outcome, reply)

    async def _settle(
        self, step: Step, attempt: int, outcome: Submission | Refusal | ProviderError, reply: Reply | None
    ) -> None:
        """Write down what the POST came to, then act on it."""
        board, key = self._board, step.job.key
        down_s = max(anyio.current_time() - self._down_since_s, 0.0)
        streak = replace(self._streak, unreachable_s=down_s)
        verdict = after_submit(
            outcome, streak, backoff=board.patience.submit, now=board.now(), spread=board.chance.random()
        )
        assert verdict.fact is not None
        self._streak = streak.after(verdict.fact)
        self._mark_reach(verdict.fact)
        fields = _fields(verdict.fact, verdict.reason, outcome, reply, board.origin)
        if verdict.fact is Fact.UNCERTAIN:
            fields["price"] = step.price
        board.record(verdict.fact, key, attempt=attempt, **fields)
        await board.ledger.commit()
        if isinstance(outcome, Submission):
            await self._accepted(key, outcome)
        elif verdict.fact in (Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY):
            board.pending.appendleft(step)
        elif verdict.fact is Fact.UNCERTAIN:
            board.notice("submit", _uncertain_words(board, key, step.price, verdict.reason), urgent=True)
        if verdict.pause_s:
            board.gate.pause(anyio.current_time() + verdict.pause_s)
        board.heed(verdict, "submit")

    def _mark_reach(self, fact: Fact) -> None:
        """Remember since when nobody answers; while nobody does, one submit at a time finds out."""
        if fact is not Fact.NOT_SENT:
            self._down_since_s = FOREVER
            return
        self._down_since_s = min(self._down_since_s, anyio.current_time())
        self._board.gate.unreachable()

    async def _accepted(self, key: str, submission: Submission) -> None:
        board = self._board
        board.gate.accepted()
        board.claim(submission.video_id, key)
        seen = submission.observation
        if seen.status is Status.DONE:
            board.record(Fact.FINISHED, key, word=seen.word, expires_at=seen.expires_at)
            board.want(key)
        else:
            spread = board.chance.random()
            in_s = next_look_s(0.0, pace=board.profile.pace, renders=board.renders, spread=spread)
            board.watch(key, in_s=in_s, age_s=0.0)


def _may_buy(board: Board) -> bool:
    return board.stop is Stop.NOTHING


def _fields(
    fact: Fact, reason: str, outcome: Submission | Refusal | ProviderError, reply: Reply | None, origin: str
) -> dict[str, Value]:
    """What the ledger keeps of an outcome, by its fact."""
    if isinstance(outcome, Submission) and reply is not None:
        return {
            "video_id": outcome.video_id,
            "origin": origin,
            "http": reply.status,
            "request_id": clean(reply.headers.get("x-request-id", ""), 200),
            "raw": outcome.raw,
            "expires_at": outcome.observation.expires_at,
        }
    if fact is Fact.UNCERTAIN:
        if isinstance(outcome, Refusal):
            return {"phase": "reply", "reason": reason, "raw": {"excerpt": outcome.excerpt}}
        return {"phase": "sent", "reason": reason}
    if isinstance(outcome, Refusal):
        return {"http": outcome.http, "code": outcome.code, "reason": reason}
    return {"reason": reason}


def _over_budget(board: Board, price: Decimal | None) -> str:
    def words(amount: Decimal | None) -> str:
        return money(amount or Decimal(0), board.profile.currency)

    spent, budget = board.ledger.state.spent, board.limits.budget
    return f"the budget of {words(budget)} is used: {words(spent)} spent, the next video costs {words(price)}"


def _uncertain_words(board: Board, key: str, price: Decimal | None, reason: str) -> str:
    cost = money(price, board.profile.currency) if price is not None else "an unknown price"
    return (
        f"{board.job(key).id}: it is not known whether this submit was accepted ({reason}). It may have cost {cost}, "
        f"and will not be sent again unless you say so: vidbatch resolve {board.folder.path}"
    )
