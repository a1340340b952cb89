"""What is stored is decoded in nobody's way: what it is found to be is written down, and a strict run refuses it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from jsonschema import Draft202012Validator

import pipeline
from pipeline import api
from pipeline.errors import MissingExtra, UsageError
from pipeline.launch import World, no_examiner
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.media import NOT_DECODED, Media
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.media.examine import Examined
from pipeline.media.examiner import Examiner, Examines, NoExaminer, NotExamined, examiner
from pipeline.model import Aftercare, Job
from pipeline.outlook import Choice
from pipeline.paths import schemas_folder
from pipeline.progress import Event, Moved, Notice
from pipeline.runner import examination
from pipeline.runner.beside import tell_media
from pipeline.sandbox.embedded import embedded
from pipeline.storage import RunFolder
from pipeline.views.rows import rows_of
from tests.edges.films import encode
from tests.edges.spoiled import garbled
from tests.runner.night import HASTY, HUNG_S, Night, built_on, job, jobs, manifest, quick_profile

pytestmark = pytest.mark.anyio
DELETED = Aftercare(delete_remote=True)
GARBLED = "its picture is damaged at 0.8 of 2.0 s"


@pytest.fixture
def anyio_backend() -> str:
    """One of the two: the lanes beside it run under both."""
    return "trio"


@pytest.fixture(scope="session")
def a_short_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds at 128x72."""
    return encode(tmp_path_factory.mktemp("short") / "film.mp4")


@pytest.fixture
def watched(night: Night, a_short_film: bytes) -> Night:
    """A night whose videos are as asked for, and examined by the real child."""
    night.gateway.film, night.examiner = a_short_film, examiner
    return night


def asked(count: int) -> tuple[Job, ...]:
    return tuple(as_filmed(one) for one in jobs(count))


def as_filmed(one: Job) -> Job:
    return replace(one, seconds=2, size="128x72")


class Verdicts:
    """An examiner in the test's own hands; what it says of a file is decided by its name."""

    def __init__(self, **verdicts: Media | Exception | anyio.Event) -> None:
        self.verdicts = verdicts
        self.seen: list[str] = []
        self.begun = anyio.Event()

    async def start(self) -> None:
        """It is at work already."""

    async def examine(self, path: Path, poster_width: int = 0) -> Examined:
        self.seen.append(path.stem)
        self.begun.set()
        verdict = self.verdicts.get(path.stem.replace("-", "_"), SOUND)
        if isinstance(verdict, anyio.Event):
            await verdict.wait()
            verdict = SOUND
        if isinstance(verdict, Exception):
            raise verdict
        return Examined(media=verdict, poster=b"\xff\xd8" if poster_width else b"")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Examines]:
        yield self


SOUND = replace(NOT_DECODED, frames=48, decodes=True)
BROKEN = replace(NOT_DECODED, problems=("it has no frame",))
FALLEN = replace(NOT_DECODED, decodes=None, problems=("it could not be decoded: it took more than 120 s, twice",))


def told(night: Night) -> list[str]:
    """What the lane said."""
    return [event.message for event in night.events if isinstance(event, Notice) and event.lane == "media"]


def rows_on_disk(night: Night) -> list[dict[str, Any]]:
    path = night.folder / "videos" / "metadata.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def strict(night: Night, **choice: Any) -> Night:
    night.choice = replace(night.choice, strict_media=True, **choice)
    return night


async def test_what_a_video_was_found_to_be_stands_in_ledger_sidecar_and_row(
    watched: Night, a_short_film: bytes
) -> None:
    assert (await watched.run(asked(1))).counts == {State.STORED: 1}

    media = watched.of(asked(1)[0]).media
    assert media is not None
    assert (media.frames, media.frame_rate, media.codec, media.decodes) == (48, 24.0, "h264", True)
    assert next(rows_of(watched.state)).media == media
    assert next(rows_of(watched.state)).amiss == ()
    sidecar = json.loads(watched.video(asked(1)[0]).with_suffix(".json").read_bytes())
    Draft202012Validator(json.loads((schemas_folder() / "sidecar.schema.json").read_text())).validate(sidecar)
    assert sidecar["problems"] == []
    assert sidecar["media"] == {
        "seconds": 2.0,
        "width": 128,
        "height": 72,
        "codec": "avc1",
        "frames": 48,
        "c2pa": False,
        "frame_rate": 24.0,
        "audio": None,
        "silent": None,
        "decodes": True,
    }
    assert watched.video(asked(1)[0]).read_bytes() == a_short_film
    assert RunFolder(watched.folder).poster(watched.of(asked(1)[0]).sha256).read_bytes()[:2] == b"\xff\xd8"
    assert told(watched) == []


async def test_a_broken_video_is_told_and_stays_stored(watched: Night, a_short_film: bytes) -> None:
    watched.gateway.film = garbled(a_short_film)
    assert (await watched.run(asked(1))).counts == {State.STORED: 1}

    [message] = told(watched)
    assert message.startswith(f"job-0: {GARBLED}")
    sidecar = json.loads(watched.video(asked(1)[0]).with_suffix(".json").read_bytes())
    assert sidecar["problems"][0].startswith(GARBLED)
    assert sidecar["differs"] == []
    assert len(rows_on_disk(watched)) == 1


@pytest.mark.parametrize(
    ("wanted", "spoil", "reason"),
    [
        (as_filmed(job(0)), garbled, GARBLED),
        (job(0), bytes, "it is 128x72, not 1280x720; it is 2 s long, not 4"),
    ],
    ids=["garbled", "wrong size and length"],
)
async def test_a_strict_run_fails_what_is_not_as_it_should_be_and_puts_it_aside(
    watched: Night, a_short_film: bytes, wanted: Job, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    watched.gateway.film = spoilt = spoil(a_short_film)
    outcome = await strict(watched).run((wanted,))

    assert outcome.counts == {State.FAILED: 1}
    failed = watched.of(wanted)
    assert failed.reason.startswith(reason)
    assert (failed.submits, failed.is_unfit) == (1, True)
    assert watched.facts(wanted)[-2:] == [Fact.STORED, Fact.UNFIT]
    kept = watched.folder / "wrong" / "coast" / "job-0.mp4"
    assert kept.read_bytes() == spoilt
    assert json.loads(kept.with_suffix(".json").read_bytes())["sha256"] == failed.sha256
    assert [path.name for path in (watched.folder / "videos" / "coast").iterdir()] == []
    assert rows_on_disk(watched) == []
    assert any("put aside as wrong/coast/job-0.mp4" in message for message in watched.urgent)


async def test_what_failed_so_is_bought_anew_on_request_and_what_was_put_aside_stays(
    watched: Night, a_short_film: bytes
) -> None:
    [wanted] = asked(1)
    spoilt = [garbled(a_short_film), garbled(a_short_film)[:-8] + bytes(8)]
    watched.examiner = Verdicts(job_0=BROKEN).at_work
    for film in spoilt:
        watched.gateway.film = film
        await strict(watched, retry=frozenset({State.FAILED})).run((wanted,))
    assert len(list((watched.folder / "wrong" / "coast").glob("*.mp4"))) == 2
    watched.gateway.film, watched.examiner = a_short_film, Verdicts().at_work

    assert (await watched.run((wanted,))).counts == {State.STORED: 1}
    assert {path.read_bytes() for path in (watched.folder / "wrong" / "coast").glob("*.mp4")} == set(spoilt)
    assert watched.video(wanted).read_bytes() == a_short_film
    assert watched.of(wanted).submits == 3


async def test_what_an_earlier_run_did_not_examine_the_next_one_does_and_asks_the_provider_nothing(
    watched: Night,
) -> None:
    watched.examiner = no_examiner
    await watched.run(asked(2))
    assert watched.of(asked(1)[0]).media is None
    requests = len(watched.gateway.seen)

    verdicts = Verdicts()
    watched.examiner = verdicts.at_work
    await watched.run(asked(2))
    await watched.run(asked(2))

    assert all(one.media == SOUND for one in watched.state.jobs.values())
    assert (len(watched.gateway.seen), verdicts.seen) == (requests, ["job-0", "job-1"])


async def test_a_strict_run_also_refuses_what_an_earlier_one_took(watched: Night) -> None:
    watched.examiner = Verdicts(job_1=BROKEN).at_work
    await watched.run(asked(2))

    assert (await strict(watched).run(asked(2))).counts == {State.STORED: 1, State.FAILED: 1}
    assert [row["id"] for row in rows_on_disk(watched)] == ["job-0"]


async def test_no_video_waits_for_an_examination(watched: Night) -> None:
    all_here = anyio.Event()
    watched.examiner = Verdicts(job_0=all_here, job_1=all_here, job_2=all_here).at_work

    def note(event: Event) -> None:
        if isinstance(event, Moved) and watched.boards[0].ledger.state.counts[State.STORED] == 3:
            all_here.set()

    assert (await watched.run(asked(3), observer=note)).counts == {State.STORED: 3}
    assert all(one.media == SOUND for one in watched.state.jobs.values())


async def test_an_end_without_an_end_is_left_to_a_later_run(watched: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.runner.examination.REST_S", 0.05)
    watched.examiner = Verdicts(job_0=anyio.Event(), job_1=anyio.Event()).at_work

    assert (await watched.run(asked(2))).counts == {State.STORED: 2}
    assert told(watched) == ["2 videos not examined yet; a later run goes on with them"]


async def test_what_cannot_be_examined_is_told_once_and_ends_nothing(watched: Night) -> None:
    watched.examiner = Verdicts(job_0=NotExamined("the decoder died (signal 9)")).at_work
    outcome = await watched.run(asked(2))
    assert (outcome.counts, outcome.unjudged) == ({State.STORED: 2}, ())  # nobody asked it to be strict
    assert watched.urgent == ["not examined: 1 video, job-0: the decoder died (signal 9); a later run asks again"]

    watched.events.clear()
    watched.examiner = Verdicts(job_0=NoExaminer("it does not start (exit code 1)")).at_work
    await watched.run(asked(2))
    assert told(watched)[-1] == "1 video not examined yet: it does not start (exit code 1)"


@pytest.mark.parametrize(
    ("verdict", "asked_again"),
    [(FALLEN, False), (NotExamined("the decoder died (signal 9)"), True), (NoExaminer("it does not start"), True)],
    ids=["fallen", "not examined", "no examiner"],
)
async def test_a_strict_run_refuses_nothing_that_nobody_could_judge_and_tells_of_it(
    watched: Night, verdict: Media | Exception, asked_again: bool
) -> None:
    watched.examiner = Verdicts(job_0=verdict).at_work
    first = await strict(watched).run(asked(1))
    again = Verdicts(job_0=verdict)
    watched.examiner = again.at_work
    second = await strict(watched).run(asked(1))

    for outcome in (first, second):
        assert (outcome.counts, outcome.unjudged) == ({State.STORED: 1}, ("job-0",))
    assert watched.video(asked(1)[0]).exists()
    assert any("job-0" in message or "1 video not examined yet" in message for message in watched.urgent)
    assert bool(again.seen) is asked_again
    watched.examiner = Verdicts().at_work
    assert (await strict(watched).run(asked(1))).unjudged == (() if asked_again else ("job-0",))


async def test_what_nobody_could_judge_is_refused_where_it_is_of_another_size_than_asked_for(watched: Night) -> None:
    watched.examiner = Verdicts(job_0=FALLEN).at_work
    assert (await strict(watched).run((job(0),))).counts == {State.FAILED: 1}


@pytest.mark.parametrize("bought", [False, True])
async def test_a_strict_run_whose_decoder_does_not_start_buys_nothing(watched: Night, bought: bool) -> None:
    if bought:
        watched.examiner = no_examiner
        await watched.run(asked(1))
    before = len(watched.gateway.seen)

    @asynccontextmanager
    async def broken() -> AsyncIterator[Examines]:
        yield Examiner(program=("-c", "import vidbatch_of_old"))

    watched.examiner = broken
    with pytest.raises(UsageError, match=r"does not start \(exit code 1\)\. Nothing was sent"):
        await strict(watched).run(asked(1))
    assert len(watched.gateway.seen) == before


async def test_where_nothing_can_be_put_aside_that_is_said_and_the_run_goes_on(watched: Night) -> None:
    watched.folder.mkdir(parents=True)
    (watched.folder / "wrong").write_bytes(b"a file")
    watched.examiner = Verdicts(job_0=BROKEN).at_work
    assert (await strict(watched).run(asked(2))).counts == {State.STORED: 1, State.FAILED: 1}
    kept = watched.folder / "videos" / "coast" / "job-0.mp4"
    assert kept.exists()
    [said] = watched.urgent
    assert said.startswith("job-0: it has no frame; it is unfit and still at videos/coast/job-0.mp4, since it cannot")

    watched.events.clear()
    assert (await watched.run(asked(3))).counts == {State.STORED: 2, State.FAILED: 1}
    [said] = watched.urgent
    assert said.startswith("job-0: it is unfit and still at")

    (watched.folder / "wrong").unlink()
    await watched.run(asked(3))
    assert not kept.exists()


async def test_no_row_names_a_video_that_was_put_aside_also_while_the_run_goes_on(
    watched: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.runner.run.LAZY_S", 0.01)
    aside, over = anyio.Event(), anyio.Event()
    watched.examiner = Verdicts(job_0=BROKEN, job_1=BROKEN, job_2=over).at_work
    await watched.run(asked(2))
    assert len(rows_on_disk(watched)) == 2
    rewritten: list[list[str]] = []

    def note(event: Event) -> None:
        if isinstance(event, Notice) and "put aside as" in event.message:
            rewritten.append([row["id"] for row in rows_on_disk(watched)])
            if len(rewritten) == 2:
                aside.set()

    async def look() -> None:
        await aside.wait()
        while [row["id"] for row in rows_on_disk(watched)] != ["job-2"]:
            await anyio.sleep(0.01)
        over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await strict(watched).run(asked(3), observer=note)
    assert not any({"job-0", "job-1"} & set(ids) for ids in rewritten)


async def test_a_row_that_was_to_be_written_is_not_where_its_video_is_put_aside(
    watched: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.runner.run.LAZY_S", 3600.0)
    watched.examiner = Verdicts(job_0=BROKEN).at_work
    left: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Notice) and "put aside as" in event.message:
            left.extend(str(row["file_name"]) for row in watched.boards[-1].new_rows)
            left.append("looked")

    await strict(watched).run(asked(1), observer=note)
    assert left == ["looked"]


async def test_a_file_that_was_altered_here_is_not_held_against_the_provider(watched: Night) -> None:
    def spoil(event: Event) -> None:
        if isinstance(event, Moved) and event.state is State.STORED:
            path = watched.folder / "videos" / event.path
            path.write_bytes(bytes(path.stat().st_size))

    watched.examiner = Verdicts(job_0=BROKEN).at_work
    assert (await strict(watched).run(asked(1), observer=spoil)).counts == {State.STORED: 1}
    assert watched.of(asked(1)[0]).media is None


@pytest.mark.parametrize(
    ("verdict", "deletions", "words"), [(SOUND, 1, ""), (BROKEN, 0, "the file here is not sound: it has no frame")]
)
async def test_the_provider_deletes_only_what_was_examined_and_found_sound(
    watched: Night, verdict: Media, deletions: int, words: str
) -> None:
    watched.aftercare = DELETED
    order: list[str] = []
    verdicts = Verdicts(job_0=verdict)
    watched.gateway.always("delete", lambda _: order.append("deleted") if verdicts.seen else order.append("too early"))
    watched.examiner = verdicts.at_work

    await watched.run(asked(1))

    assert order == ["deleted"] * deletions
    assert words in "".join(e.message for e in watched.events if isinstance(e, Notice) and e.lane == "aftercare")


async def test_what_was_not_examined_in_time_stays_with_the_provider(
    watched: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.runner.examination.REST_S", 0.05)
    watched.aftercare = DELETED
    watched.examiner = Verdicts(job_0=anyio.Event()).at_work
    await watched.run(asked(1))
    assert watched.gateway.deleted == []

    watched.examiner = Verdicts().at_work
    await watched.run(asked(1))
    assert watched.gateway.deleted == ["video_1"]


async def test_what_builds_on_an_unfit_source_is_blocked_by_the_next_run(watched: Night) -> None:
    source = as_filmed(job(0))
    heir = replace(built_on(source, 1), seconds=2, size="128x72")
    watched.examiner = Verdicts(job_0=BROKEN).at_work
    await strict(watched).run((source,))

    assert (await strict(watched).run((source, heir))).counts == {State.FAILED: 1, State.BLOCKED: 1}
    assert len(watched.gateway.book) == 1


async def test_an_interrupt_leaves_an_examination_at_once(watched: Night) -> None:
    verdicts = Verdicts(job_0=anyio.Event())
    watched.examiner = verdicts.at_work

    async def interrupt() -> None:
        await verdicts.begun.wait()
        watched.boards[0].interrupt()

    async with anyio.create_task_group() as group:
        group.start_soon(interrupt)
        assert (await watched.run(asked(1))).interrupted
    watched.examiner = Verdicts().at_work
    await watched.run(asked(1))
    assert watched.of(asked(1)[0]).media == SOUND


async def test_what_a_killed_runner_had_not_put_aside_yet_the_next_one_does(watched: Night) -> None:
    [wanted] = asked(1)
    watched.examiner = Verdicts().at_work
    await watched.run((wanted,))
    video = watched.video(wanted)
    with Ledger.open(watched.folder / "ledger.jsonl") as ledger:
        ledger.record(Fact.UNFIT, wanted.key, reason="it has no frame")
        ledger.commit_now()

    assert (await watched.run((wanted,))).counts == {State.FAILED: 1}
    assert not video.exists()
    assert (watched.folder / "wrong" / "coast" / "job-0.json").exists()
    assert (watched.folder / "wrong" / "coast" / "job-0.mp4").read_bytes() == watched.gateway.film


async def test_a_file_of_anothers_at_its_old_name_is_not_put_aside(watched: Night) -> None:
    [wanted] = asked(1)
    watched.examiner = Verdicts(job_0=BROKEN).at_work
    await strict(watched).run((wanted,))
    mine = watched.folder / "videos" / "coast" / "job-0.mp4"
    mine.write_bytes(bytes(len(watched.gateway.film)))

    await watched.run((wanted,))
    assert mine.exists()


async def test_without_the_extra_nothing_is_examined_which_is_said_once_and_strictness_is_refused(
    watched: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    watched.aftercare = DELETED
    assert (await watched.run(asked(2))).counts == {State.STORED: 2}
    assert told(watched) == [
        "what is stored is not decoded: that needs the extra 'media' (pip install 'vidbatch[media]')"
    ]
    assert len(watched.gateway.deleted) == 2

    before = len(watched.gateway.seen)
    with pytest.raises(MissingExtra, match="--strict-media needs the extra 'media'"):
        await strict(watched).run(asked(3))
    assert len(watched.gateway.seen) == before


KILLED = """
import sys, anyio
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tests.runner.night import Night, job

class Hanging:
    async def examine(self, path, poster_width=0):
        while '"t":"stored"' not in (night.folder / "ledger.jsonl").read_text():
            await anyio.sleep(0.01)
        print("examining", flush=True)
        await anyio.sleep_forever()

@asynccontextmanager
async def hanging():
    yield Hanging()

night = Night(gateway=None, base_url=sys.argv[1], outputs=Path(sys.argv[2]), examiner=hanging)
anyio.run(night.run, (replace(job(0), seconds=2, size="128x72"),))
"""


async def test_after_a_kill_between_stored_and_its_note_the_next_run_examines(watched: Night) -> None:
    command = [sys.executable, "-c", KILLED, watched.base_url, str(watched.outputs)]
    environment = {**os.environ, "PYTHONPATH": str(Path(pipeline.__file__).parents[1])}
    with anyio.fail_after(HUNG_S):
        async with await anyio.open_process(command, env=environment, stderr=None) as killed:
            assert killed.stdout is not None
            assert await BufferedByteReceiveStream(killed.stdout).receive_until(b"\n", 100) == b"examining"
            killed.kill()
    assert len(watched.gateway.of("content")) == 1
    watched.examiner = Verdicts().at_work

    assert (await watched.run(asked(1))).counts == {State.STORED: 1}
    assert (watched.of(asked(1)[0]).media, watched.of(asked(1)[0]).submits) == (SOUND, 1)


async def test_the_ledger_notes_last_what_a_crash_before_has_done_once_more(
    watched: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else half a sidecar would stay for ever."""
    known: list[Media | None] = []

    def tell(folder: RunFolder, job: JobState, media: Media) -> None:
        known.append(job.media)
        tell_media(folder, job, media)

    monkeypatch.setattr(examination, "tell_media", tell)
    watched.examiner = Verdicts().at_work
    outcome = await watched.run(asked(1))

    assert (outcome.counts, known) == ({State.STORED: 1}, [None])
    assert watched.of(asked(1)[0]).media == SOUND


async def test_a_film_of_the_wrong_size_from_the_sandbox_is_told_and_refused_by_a_strict_run(
    tmp_path: Path,
) -> None:
    """The sandbox makes a film of so few bytes 64 pixels wide, whatever was asked for."""
    wishes: dict[str, Any] = {
        "render_s": 0,
        "film": {"constant_bytes": 2048},
        "faults": {"content": {"script": ["cut", "500"]}},
    }
    profile = replace(quick_profile(), key_default="", key_env=("SANDBOX_KEY",))
    said: list[str] = []

    def note(event: Event) -> None:
        said.extend([event.message] if isinstance(event, Notice) else [])

    async with embedded(tmp_path / "sandbox", wishes) as server:
        asked_for = manifest((replace(job(0), seconds=12),), server.base_url, profile)
        world = World(environment={"SANDBOX_KEY": server.key}, patience=HASTY)
        lax = await api.run(asked_for, Choice(outputs=tmp_path), world=world, observer=note)
        strict_choice = Choice(outputs=tmp_path, strict_media=True)
        refused = await api.run(asked_for, strict_choice, world=world, observer=note)

    assert (lax.counts, refused.counts) == ({State.STORED: 1}, {State.FAILED: 1})
    [one] = refused.state.jobs.values()
    assert (one.media is not None and one.media.decodes, one.reason) == (True, "it is 64x64, not 1280x720")
    assert said == [
        "job-0: not as it was asked for: it is 64x64, not 1280x720",
        "examining 1 stored video",
        "job-0: it is 64x64, not 1280x720; put aside as wrong/coast/job-0.mp4",
    ]
