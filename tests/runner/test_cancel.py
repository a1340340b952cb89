"""`vidbatch resolve --drop` ends what is given up where it is, as far as the provider does that; the drop stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import api
from pipeline.cancel import end_videos
from pipeline.errors import UsageError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.resolve import resolve
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.limits import LimitsWish
from pipeline.outlook import Choice
from pipeline.runner.board import Board
from tests.ledger.histories import SAID
from tests.runner.gateway import Answer, Gateway, Script, Seen, answer, refusal, serving
from tests.runner.night import HASTY

pytestmark = pytest.mark.anyio

MANIFEST = """\
name: harbour
provider: {{profile: {profile}, base_url: "{url}"}}
jobs:
  - {{id: fox, prompt: a fox, seconds: 4}}
"""
HEIR = "  - {id: night, prompt: the same at night, remix_of: fox}\n"
TWIN = "  - {id: tug, prompt: a tug, seconds: 4}\n"
WORLD = api.World(environment={"VIDBATCH_SANDBOX_KEY": "k"}, patience=HASTY)


@dataclass(slots=True, kw_only=True)
class Given:
    """A run whose one video was bought, and does not come."""

    gateway: Gateway
    url: str
    outputs: Path

    async def up(self, profile: str, more: str = "") -> JobState:
        """Buy it from *profile*, leave the run, and give the job up; *more* jobs, a twin of which gets the same id."""
        path = self.outputs / "harbour.yaml"
        path.write_text(MANIFEST.format(profile=profile, url=self.url) + more)
        boards: list[Board] = []

        def leave(_: Seen) -> Answer | None:
            boards[0].interrupt()
            return answer({"id": "video_1", "object": "video", "status": "queued"}) if more == TWIN else None

        self.gateway.once("submit", *([self.gateway.behaves] if more == TWIN else []), leave)
        limits = LimitsWish(submits_per_minute=60_000.0)
        choice = Choice(outputs=self.outputs, limits=limits)
        await api.run(api.load(path), choice, world=WORLD, on_board=boards.append)
        with Ledger.open(self.run / "ledger.jsonl") as ledger:
            [job] = [job for job in ledger.state.jobs.values() if job.id == "fox"]
            assert job.state is State.IN_FLIGHT
            ledger.record(Fact.STALLED, job.key, reason="no end")
            ledger.commit_now()
        [dropped] = resolve(self.run, ["fox"], Fact.DROPPED)
        return dropped

    def submit_heir(self) -> None:
        """Let what builds on it be under way."""
        with Ledger.open(self.run / "ledger.jsonl") as ledger:
            [heir] = [job for job in ledger.state.jobs.values() if job.wish.source]
            ledger.record(Fact.INTENT, heir.key, **SAID[Fact.INTENT])
            ledger.commit_now()

    @property
    def run(self) -> Path:
        return self.outputs / "harbour"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def given(a_film: bytes, tmp_path: Path) -> AsyncIterator[Given]:
    gateway = Gateway(a_film, looks=1_000)
    async with serving(gateway) as url:
        yield Given(gateway=gateway, url=url, outputs=tmp_path)


@pytest.mark.parametrize(
    ("profile", "is_over", "script", "words"),
    [
        ("tensorrt-llm", False, None, "cancelled at the provider"),
        ("tensorrt-llm", True, None, "already over, and is deleted"),
        ("tensorrt-llm", False, refusal(500, message="busy"), "refuses to end it: 500 busy"),
        ("tensorrt-llm", False, refusal(410), "does not have its video any more"),
        ("tensorrt-llm", False, refusal(404, message="Invalid URL"), "refuses to end it: 404 Invalid URL"),
        ("tensorrt-llm", False, Answer(cut_at=0), "is not known"),
        ("sandbox", False, None, "still being rendered, and sandbox cannot cancel it"),
        ("sandbox", True, None, "already over, and is deleted"),
    ],
)
async def test_what_is_given_up_is_ended_where_that_can_be(
    given: Given, profile: str, is_over: bool, script: Script | None, words: str
) -> None:
    given.gateway.cancels = profile != "sandbox"
    dropped = await given.up(profile)
    given.gateway.book[dropped.video_id].finished = is_over
    if script is not None:
        given.gateway.always("delete", script)

    told = await end_videos(given.run, [dropped], WORLD)

    assert words in told[dropped.key]
    assert len(given.gateway.of("delete")) == ("cannot" not in words)
    assert api.status(given.run).jobs[dropped.key].state is State.DROPPED


@pytest.mark.parametrize(
    ("more", "is_adopted", "words"),
    [
        (TWIN, False, "nobody was asked: another job was given the same video"),
        (HEIR, False, "nobody was asked: something builds on its video"),
        ("", True, "nobody was asked: its id was adopted"),
    ],
    ids=["shared", "built on", "adopted"],
)
@pytest.mark.parametrize("is_over", [False, True])
async def test_what_may_be_anothers_is_not_ended(
    given: Given, more: str, words: str, *, is_adopted: bool, is_over: bool
) -> None:
    given.gateway.cancels = True
    dropped = await given.up("sandbox", more)
    given.gateway.book[dropped.video_id].finished = is_over
    if more == HEIR:
        given.submit_heir()
    if is_adopted:
        dropped.attempts[-1].outcome = Fact.ADOPTED
    seen = len(given.gateway.seen)

    told = await end_videos(given.run, [dropped], WORLD)

    assert words in told[dropped.key]
    assert len(given.gateway.seen) == seen


async def test_what_is_only_planned_holds_up_no_cancelling(given: Given) -> None:
    dropped = await given.up("sandbox", HEIR)
    given.gateway.book[dropped.video_id].finished = True

    assert "and is deleted" in (await end_videos(given.run, [dropped], WORLD))[dropped.key]


async def test_our_key_goes_to_no_other_address_than_the_one_in_force(given: Given) -> None:
    dropped = await given.up("sandbox")
    dropped.attempts[-1].origin = "https://elsewhere.example/v1"
    seen = len(given.gateway.seen)

    told = await end_videos(given.run, [dropped], WORLD)

    assert "nobody was asked: its video is at https://elsewhere.example/v1" in told[dropped.key]
    assert len(given.gateway.seen) == seen


async def test_where_the_manifest_is_lost_nobody_is_asked(given: Given) -> None:
    dropped = await given.up("sandbox")
    for kept in (given.run / "manifests").glob("*.json"):
        kept.unlink()

    with pytest.raises(UsageError, match="has lost the manifest"):
        await end_videos(given.run, [dropped], WORLD)
