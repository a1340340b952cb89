"""The submit lane: each POST once, its intent on disk before its first byte, its answer on disk before its use."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from pipeline.errors import PipelineError, ProviderError
from pipeline.ledger.records import Value
from pipeline.lifecycle import Fact, State
from pipeline.model import Link
from pipeline.pacing import next_look_s
from pipeline.plan import Step
from pipeline.policy.submit import Streak, after_submit
from pipeline.policy.verdict import Stop, Verdict
from pipeline.progress import Kind
from pipeline.providers.base import Inputs, Refusal, Reply, Status, Submission
from pipeline.providers.replies import clean
from pipeline.runner.board import Board
from pipeline.runner.foresight import dropped_at
from pipeline.runner.image import image_of
from pipeline.runner.lanes import Answer
from pipeline.runner.places import Places
from pipeline.runner.rescue import NOTHING_MADE, rescued
from pipeline.runner.wording import doubt_words
from pipeline.text import money, plural


class SubmitLane:
    """Draws jobs from the plan while the gate allows."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._temper = board.tempers["submit"]
        self._streak = Streak()
        self._ways: defaultdict[Link, Streak] = defaultdict(Streak)
        """The same of what builds on other videos, by how it does that."""
        self._models: defaultdict[str, Streak] = defaultdict(Streak)
        self._places = Places(board.gate)
        self._doubted: list[str] = []
        """Keys of the submits of unknown outcome since the last acceptance."""

    async def run(self) -> None:
        """Until nothing is pending, or something stops the submits."""
        board = self._board
        async with anyio.create_task_group() as posts:
            while board.stop is Stop.NOTHING and not board.watch_over:  # what is settled may be due again
                step = board.turns.first()
                if board.watch_over:  # what was the last cannot be made after all
                    break
                if self._streak.in_doubt:
                    await self._see_doubts_settled()
                elif step is not None and (ready_s := self._temper.ready_s) > anyio.current_time():
                    await board.bell.wait(ready_s)
                elif step is None or (answer := board.gate.ask(step.price, board.load)) is Answer.WAIT:
                    await board.bell.wait()
                elif answer is Answer.NO_MONEY:
                    board.buy_no_more(_over_budget(board, step.price))
                else:
                    board.turns.take()
                    board.reserved += step.price or Decimal(0)
                    board.posting.begin()
                    posts.start_soon(self._submit_in_turn, step)

    async def _see_doubts_settled(self) -> None:
        """Nothing is bought while that many may have been billed unseen; nor ever, where nothing can be proven."""
        board = self._board
        if any(key in board.unsettled for key in self._doubted) and board.settles:
            await board.bell.wait()
        elif any(board.job(key).state is not State.UNCERTAIN or key in board.granted for key in self._doubted):
            self._doubted.clear()
            self._streak = replace(self._streak, uncertain=0)
            board.gate.unreachable()  # one canary first, as at the start
        else:
            board.buy_no_more(f"{len(self._doubted)} submits in a row of unknown outcome, and nothing settles them")

    async def _submit_in_turn(self, step: Step) -> None:
        """Wait for this submit's place in the rate, with its money set aside; then submit."""
        board = self._board
        with board.posting:
            try:
                place_s = anyio.current_time() + board.gate.place(anyio.current_time())
                while (turn_s := max(place_s, self._temper.ready_s)) > anyio.current_time() and _may_buy(board):
                    await board.bell.wait(turn_s)
                self._temper.begin()
                await checkpoint_if_cancelled()  # else a run that never has to wait would not hear of it
            finally:
                board.reserved -= step.price or Decimal(0)
            board.mind_the_disk()
            if not _may_buy(board):
                board.turns.put_back(step)
                return
            with anyio.CancelScope(shield=True):  # from the intent to the answer on disk nothing cuts in
                await self._submit(step)

    async def _submit(self, step: Step) -> None:
        board, key = self._board, step.job.key
        inputs = await self._inputs(step)
        if inputs is None or not board.is_due(key):
            return
        if how := board.granted.get(key):
            board.record(Fact.RESUBMIT, key, how=how)
        attempt = board.job(key).attempt + 1
        idempotency_key = str(UUID(int=board.chance.getrandbits(128), version=4))
        request = board.dialect.submit(step.job, board.profile, key=idempotency_key, inputs=inputs)
        board.record(
            Fact.INTENT,
            key,
            attempt=attempt,
            body_sha256=hashlib.sha256(request.body).hexdigest(),
            key=idempotency_key,
            price=step.price,
            made_from=inputs.video_id or None,
        )
        with rescued(board, step, NOTHING_MADE):
            await board.ledger.commit()
        board.mind_the_disk()
        if board.stop is Stop.RUN or board.ledger.squeezed:
            with rescued(board, step, NOTHING_MADE):
                board.record(Fact.NOT_SENT, key, attempt=attempt, reason="stopped before it was sent")
                await board.ledger.commit()
            return
        reply: Reply | None = None
        outcome: Submission | Refusal | ProviderError
        try:
            reply = await board.transport.submit(request)
            outcome = board.dialect.read_submit(reply, board.profile, step.job.link)
        except ProviderError as error:
            outcome = error
        await self._settle(step, attempt, outcome, reply)

    async def _inputs(self, step: Step) -> Inputs | None:
        """What the job builds on; `None`: it is not submitted now, and stays pending or is blocked."""
        board, job = self._board, step.job
        try:
            image = await image_of(board, job.reference, job.size)
        except (OSError, PipelineError) as error:
            board.turns.put_back(step)
            board.buy_no_more(f"the image of {job.id} cannot be sent: {error}")
            return None
        video_id = board.turns.source_of(step) if job.source else ""
        if video_id is None or board.turns.shut(step):  # it may have waited for its place in the rate
            board.turns.put_back(step)
            return None
        return Inputs(video_id=video_id, reference=image)

    async def _settle(
        self, step: Step, attempt: int, outcome: Submission | Refusal | ProviderError, reply: Reply | None
    ) -> None:
        """Write down what the POST came to, then act on it."""
        board, key, way, is_aged = self._board, step.job.key, step.job.link, self._board.turns.is_aged(step)
        verdict = after_submit(
            outcome,
            self._streak,
            settles=board.settles,
            backoff=board.patience.submit,
            now=board.now(),
            spread=board.chance.random(),
            way=None if way is None else self._ways[way],
            model=self._models[step.job.model],
            is_aged=is_aged,
        )
        assert verdict.fact is not None
        self._note(verdict.fact, step, is_aged=is_aged)
        fields = _fields(verdict.fact, verdict.reason, outcome, reply, board.origin)
        if isinstance(outcome, Submission):
            fields["expires_at"] = dropped_at(board, key, outcome.observation)
        if verdict.fact is Fact.UNCERTAIN:
            fields["price"] = step.price
        with rescued(board, step, _made(verdict.fact, outcome)):
            board.record(verdict.fact, key, attempt=attempt, **fields)
            await board.ledger.commit()
        self._give_up(step, verdict)
        if isinstance(outcome, Submission):
            await self._accepted(key, outcome)
        elif verdict.fact in (Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY):
            board.turns.put_back(step, last=verdict.last)
        elif verdict.fact is Fact.UNCERTAIN:
            self._say_uncertain(key, verdict.reason)
        self._lean(outcome, verdict)

    def _give_up(self, step: Step, verdict: Verdict) -> None:
        """What this outcome ends for the run, short of all submits."""
        turns, said = self._board.turns, f"{self._board.where}: {verdict.reason}"
        match verdict.stop:
            case Stop.WAY if step.job.link is not None:
                turns.close(step.job.link, said)
            case Stop.MODEL:
                turns.close_model(step.job.model, said)
            case Stop.SOURCE:
                turns.lose(step, verdict.reason)

    def _note(self, fact: Fact, step: Step, *, is_aged: bool) -> None:
        """Remember how it has been going."""
        way, model = step.job.link, step.job.model
        self._models[model] = self._models[model].after(fact, excused=way is not None)
        self._streak = self._streak.after(fact, excused=way is not None)
        if way is not None:
            self._ways[way] = self._ways[way].after(fact, excused=is_aged)
        if fact is Fact.UNCERTAIN:
            self._doubted.append(step.job.key)
        elif not self._streak.uncertain:
            self._doubted.clear()

    def _say_uncertain(self, key: str, reason: str) -> None:
        """At once, since its video expires; in red where nobody but a person can settle it."""
        board = self._board
        if board.job(key).state is State.UNCERTAIN:  # the settle lane may have been quicker
            board.notice("submit", doubt_words(board, key, reason), urgent=not board.settles, kind=Kind.UNCERTAIN)

    def _lean(self, outcome: object, verdict: Verdict) -> None:
        """How hard to lean on the provider from now on."""
        gate, temper = self._board.gate, self._temper
        too_many = verdict.fact is Fact.THROTTLED and not verdict.last
        if too_many and temper.ready_s <= anyio.current_time():  # once for each pause
            gate.throttled()
            self._tell_places(verdict.reason)
        temper.heed(outcome, verdict)
        if verdict.fact is Fact.NOT_SENT or temper.is_open:
            gate.unreachable()

    def _tell_places(self, reason: str = "") -> None:
        if news := self._places.news(anyio.current_time(), reason):
            self._board.notice("submit", news)

    async def _accepted(self, key: str, submission: Submission) -> None:
        board = self._board
        board.gate.accepted()
        self._tell_places()
        board.claim(submission.video_id, key)
        seen = submission.observation
        if seen.status is Status.DONE:
            board.record(Fact.FINISHED, key, word=seen.word, expires_at=dropped_at(board, key, seen))
            board.want(key)
        else:
            spread = board.chance.random()
            in_s = next_look_s(0.0, pace=board.profile.pace, renders=board.renders, spread=spread)
            board.watch(key, in_s=in_s, age_s=0.0)


def _made(fact: Fact, outcome: Submission | Refusal | ProviderError) -> str | None:
    """The id of what a POST made, or that it made nothing; `None`: nobody knows."""
    if isinstance(outcome, Submission):
        return outcome.video_id
    return None if fact is Fact.UNCERTAIN else NOTHING_MADE


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

    spent, budget, unpriced = board.ledger.state.spent, board.limits.budget, board.ledger.state.unpriced
    if price is None:
        return f"the budget of {words(budget)} could not be kept: the price of the next video is not known"
    if unpriced:
        earlier = plural(unpriced, "earlier submit")
        return f"the budget of {words(budget)} could not be kept: the price of {earlier} of this run is not known"
    return f"the budget of {words(budget)} has no room for the next video, {words(price)}: {words(spent)} spent"
