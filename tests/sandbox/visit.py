"""A client of ours at the sandbox in some dress: our dialects over real HTTP."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import httpx

from pipeline.model import JSON, Job, Link, Position, Reference
from pipeline.profile import Profile
from pipeline.providers.base import Found, Inputs, Observation, Problem, Refusal, Reply, Request, Status, Submission
from pipeline.providers.registry import dialect_of
from tests.sandbox.conftest import TLS, Clock, Gateway

KEYS = itertools.count(1)
OVER = (Problem.GONE, Problem.UNKNOWN_ID)
"""Some servers have one answer for both."""


@dataclass
class Visit:
    """A client of ours at a server in a dress."""

    gateway: Gateway
    profile: Profile
    is_faulty: bool = False

    @property
    def clock(self) -> Clock:
        return self.gateway.clock

    def ask(self, request: Request) -> Reply:
        reply = self.gateway.client.request(
            request.method,
            request.path,
            params=dict(request.query),
            headers=dict(request.headers),
            content=request.body,
        )
        return Reply(status=reply.status_code, headers=dict(reply.headers), body=reply.content)

    def submit(self, **changes: Any) -> Submission | Refusal:
        job, inputs = a_job(self.profile, **changes), changes.get("inputs", Inputs())
        request = dialect_of(self.profile).submit(job, self.profile, key=f"key-{next(KEYS)}", inputs=inputs)
        return dialect_of(self.profile).read_submit(self.ask(request), self.profile, job.link)

    def video(self, **changes: Any) -> str:
        """The id of a new one."""
        receipt = self.submit(**changes)
        assert isinstance(receipt, Submission), receipt
        return receipt.video_id

    def look(self, video_id: str) -> Observation | Refusal:
        dialect = dialect_of(self.profile)
        return dialect.read_look(self.ask(dialect.look(video_id, self.profile)), self.profile)

    def status(self, video_id: str) -> Status:
        seen = self.look(video_id)
        assert isinstance(seen, Observation), seen
        assert seen.known_word or seen.word == "not ready"
        return seen.status

    def film(self, video_id: str) -> bytes | Problem:
        """What the content is in the end, or why there is none."""
        dialect = dialect_of(self.profile)
        reply = self.ask(dialect.content(video_id, self.profile))
        if self.profile.wire.content == "bytes":
            return reply.body if reply.status == 200 else dialect.read_no_content(reply, self.profile).problem
        found = dialect.read_content(reply, self.profile)
        if isinstance(found, Refusal):
            return found.problem
        behind = httpx.get(found.url, verify=TLS) if found.url else httpx.Response(200, content=found.content)
        return behind.content if behind.status_code == 200 else Problem.GONE

    def fetched(self, video_id: str) -> str:
        """How a download went, wherever in it the fault was met."""
        dialect, profile = dialect_of(self.profile), self.profile
        reply = self.ask(dialect.content(video_id, profile))
        if reply.status == 200 and profile.wire.content == "link":
            found = dialect.read_content(reply, profile)
            assert isinstance(found, Found)
            behind = httpx.get(found.url, verify=TLS)
            reply = Reply(status=behind.status_code, headers=dict(behind.headers), body=behind.content)
        if reply.status == 200:
            return "film" if reply.body else "empty"
        problem = dialect.read_no_content(reply, profile).problem
        return {Problem.THROTTLED: "429", **dict.fromkeys(OVER, "gone")}.get(problem, problem)

    def demand(self, **faults: JSON) -> None:
        """From now on these faults, until the test ends."""
        self.is_faulty = bool(faults)
        self.gateway.change({"faults": faults}).raise_for_status()


def a_job(profile: Profile, *, link: Link | None = None, reference: Reference | None = None, **others: Any) -> Job:
    return Job(
        id="heron",
        key="0" * 32,
        prompt="a heron at dawn",
        model=profile.default_model,
        seconds=profile.default_seconds or 4,
        size=others.get("size", profile.default_size),
        link=link,
        reference=reference,
        position=Position(file="m.yaml", line=1, column=1),
    )
