"""Repeating uncertain submits with their own keys, where the provider honours them. Safe to be cut off anywhere."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import anyio

from pipeline.errors import PipelineError, ProviderError
from pipeline.ledger.state import JobState, reference_of
from pipeline.model import Job, Link, Position
from pipeline.policy.unknown import may_repeat
from pipeline.policy.verdict import Stop, Verdict
from pipeline.providers.base import Inputs, Refusal, Request, Submission
from pipeline.runner.board import Board
from pipeline.runner.image import image_of
from pipeline.runner.lanes import FOREVER
from pipeline.settling.replay import Turn, after_replay, may_replay


@dataclass(slots=True, kw_only=True)
class _Try:
    """One job's key, and how often it was repeated."""

    request: Request | None
    """`None`: its image has to be read first."""
    number: int = 0
    from_s: float = -math.inf


class Replay:
    """The keys that may be repeated: those whose request can be made again, byte for byte."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._tries: dict[str, _Try] = {}
        self._reasons: dict[str, str] = {}

    def add(self, key: str) -> None:
        """An uncertain job, whose key may settle it."""
        board, job = self._board, self._board.job(key)
        self._tries.pop(key, None)
        honoured = may_repeat(board.profile, linked=bool(job.wish.source))
        if not (board.repeats_keys and honoured and job.attempts[-1].idempotency_key):
            return
        request = None if job.wish.reference else self._request(job, b"")
        if request is None and not job.wish.reference:
            return
        if board.limits.budget is not None and job.attempts[-1].price is None:
            self._reasons[key] = "a budget is set and its price is not known, so its key is not repeated"
        else:
            self._tries[key] = _Try(request=request)

    def may(self, key: str) -> bool:
        """Whether its key can still prove something. A repeated submit is a submit: none once those are stopped."""
        board, began_at = self._board, self._board.job(key).attempts[-1].submitted_at
        return (
            key in self._tries
            and board.stop is Stop.NOTHING
            and may_replay(began_at=began_at, now=board.now(), keys_s=board.profile.keys_s)
        )

    def reason(self, key: str) -> str:
        """Why its key proved nothing, in the provider's words; empty where it was never repeated."""
        return self._reasons.get(key, "")

    def due(self, now_s: float) -> str | None:
        """The job whose key is to be repeated now: when its time has come, and there is room for one more video."""
        board = self._board
        if self.next_s() > now_s or not board.gate.has_room(board.load):  # its price is set aside already
            return None
        return min(self._waiting(), key=lambda key: self._tries[key].from_s)

    def next_s(self) -> float:
        """When the next is due, room or not."""
        first_s = min((self._tries[key].from_s for key in self._waiting()), default=FOREVER)
        return max(first_s, self._board.tempers["submit"].ready_s)

    async def send(self, key: str) -> tuple[Turn, str]:
        """Repeat a submit in its turn; where that leads, and the video's id or the reason."""
        board, temper, mine = self._board, self._board.tempers["submit"], self._tries[key]
        board.posting.begin()
        with board.posting:
            mine.request = mine.request or await self._with_image(board.job(key))
            if mine.request is None:
                del self._tries[key]
                self._reasons[key] = "its request cannot be made again as it was: its image cannot be had"
                return Turn.NEVER, self._reasons[key]
            await anyio.sleep(board.gate.place(anyio.current_time()))
            if not self.may(key):
                return Turn.AGAIN, ""
            temper.begin()
            outcome = await self._exchange(mine.request, board.job(key).wish.link)
        mine.number += 1
        replayed = after_replay(
            outcome,
            mine.number,
            backoff=board.patience.submit,
            now=board.now(),
            spread=board.chance.random(),
            linked=bool(board.job(key).wish.source),
        )
        self._reasons[key], mine.from_s = replayed.reason, anyio.current_time() + replayed.again_s
        pause_s = replayed.again_s if replayed.throttled else 0.0
        temper.heed(outcome, Verdict(fact=None, reason=replayed.reason, stop=replayed.stop, pause_s=pause_s))
        if replayed.turn is not Turn.AGAIN:
            del self._tries[key]
        return replayed.turn, outcome.video_id if isinstance(outcome, Submission) else replayed.reason

    async def _exchange(self, request: Request, link: str) -> Submission | Refusal | ProviderError:
        board = self._board
        try:
            reply = await board.transport.submit(request)
            return board.dialect.read_submit(reply, board.profile, Link(link) if link else None)
        except ProviderError as error:
            return error

    def _waiting(self) -> list[str]:
        return [key for key in self._tries if key in self._board.unsettled and self.may(key)]

    async def _with_image(self, job: JobState) -> Request | None:
        try:
            image = await image_of(self._board, reference_of(job.wish), job.wish.size)
        except (OSError, PipelineError):
            return None
        return self._request(job, image)

    def _request(self, job: JobState, image: bytes) -> Request | None:
        """The request that the latest attempt sent, made again; `None` where it would not be the same to the byte."""
        board, wish, latest = self._board, job.wish, job.attempts[-1]
        if wish.link and not latest.made_from:
            return None
        again = Job(
            key=job.key,
            id=job.id,
            prompt=wish.prompt,
            model=wish.model,
            seconds=wish.seconds,
            size=wish.size,
            params=wish.params,
            take=wish.take,
            source=wish.source,
            link=Link(wish.link) if wish.link else None,
            reference=reference_of(wish),
            position=Position(file=str(board.folder.ledger), line=1, column=1),
        )
        inputs = Inputs(video_id=latest.made_from, reference=image)
        request = board.dialect.submit(again, board.profile, key=latest.idempotency_key, inputs=inputs)
        return request if hashlib.sha256(request.body).hexdigest() == latest.body_sha256 else None
