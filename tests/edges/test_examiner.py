"""Examining in a process of its own: it outlives no file that kills it, and nobody waits for one without an end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import anyio
import pytest

from pipeline.errors import MissingExtra
from pipeline.ledger.media import NOT_DECODED
from pipeline.media.examiner import Examiner, NoExaminer, NoPoster, NotExamined, demand, examiner, is_at_hand
from tests.edges.films import encode
from tests.edges.spoiled import without_frames

pytestmark = pytest.mark.anyio
HUNG_S = 30.0


@pytest.fixture
def anyio_backend() -> str:
    """One of the two, but where it is named: each child takes a quarter of a second."""
    return "trio"


posix = pytest.mark.skipif(os.name != "posix", reason="needs a system with signals")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    encode(path)
    return path


async def test_one_child_examines_file_after_file_and_ends_with_the_block(film: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(without_frames(film.read_bytes()))
    with anyio.fail_after(HUNG_S):
        async with examiner() as one:
            assert one is not None
            assert one.pid is None  # until it is needed
            found = await one.examine(film, 64)
            child = one.pid
            assert child is not None
            assert (found.media.frames, found.poster[:2]) == (48, b"\xff\xd8")
            assert (await one.examine(broken)).media.problems[0].startswith("it has no frame")
            assert (await one.poster(film))[:2] == b"\xff\xd8"
            with pytest.raises(NoPoster):
                await one.poster(broken)
            with pytest.raises(NotExamined, match="No such file"):
                await one.examine(tmp_path / "nowhere.mp4")
            assert one.pid == child
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


FAKE = """
import json, os, signal, sys, time
def say(told): print(told, flush=True)
say("{}")
for line in sys.stdin:
    again, _ = os.path.exists(FLAG), open(FLAG, "a").close()
    AFTER if again else FIRST
"""
"""A child for the test: what it does with the first file that it is asked about, and with every later one."""
FAULT, OOM, TERM = (f"os.kill(os.getpid(), signal.{name})" for name in ("SIGSEGV", "SIGKILL", "SIGTERM"))
HANG, EXIT = "time.sleep(60)", "sys.exit(1)"
ANSWER = f"say({json.dumps(json.dumps({'media': NOT_DECODED.as_fields(), 'poster': ''}))})"


def fake(tmp_path: Path, first: str, after: str) -> Examiner:
    program = FAKE.replace("FLAG", repr(str(tmp_path / "asked"))).replace("FIRST", first).replace("AFTER", after)
    return Examiner(limit_s=0.5 if HANG in (first, after) else 20.0, program=("-c", program))


@posix
@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (FAULT, "it could not be decoded: the decoder died (signal 11), twice"),
        (HANG, "it could not be decoded: it took more than 0.5 s, twice"),
    ],
    ids=["fault", "hang"],
)
async def test_a_file_that_two_children_fall_over_is_told_and_is_not_proved_broken(
    tmp_path: Path, ending: str, words: str
) -> None:
    with anyio.fail_after(HUNG_S):
        found = (await fake(tmp_path, ending, ending).examine(tmp_path)).media
    assert (found.problems, found.decodes) == ((words,), None)


@posix
@pytest.mark.parametrize("ending", [FAULT, OOM, HANG, EXIT], ids=["fault", "oom", "hang", "exit"])
async def test_a_child_that_falls_is_replaced_and_the_fresh_one_is_asked(tmp_path: Path, ending: str) -> None:
    one = fake(tmp_path, ending, ANSWER)
    with anyio.fail_after(HUNG_S):
        assert (await one.examine(tmp_path)).media == NOT_DECODED
        await one.close()


@posix
@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (OOM, OOM, r"the decoder died \(signal 9\)"),
        (TERM, TERM, r"the decoder died \(signal 15\)"),
        (EXIT, EXIT, r"the decoder died \(exit code 1\)"),
        (OOM, FAULT, r"the decoder died \(signal 11\)"),
        (FAULT, OOM, r"the decoder died \(signal 9\)"),
    ],
    ids=["oom", "term", "exit", "oom and fault", "fault and oom"],
)
async def test_a_child_that_is_ended_from_outside_says_nothing_of_the_file(
    tmp_path: Path, first: str, then: str, words: str
) -> None:
    with anyio.fail_after(HUNG_S), pytest.raises(NotExamined, match=words):
        await fake(tmp_path, first, then).examine(tmp_path)


@pytest.mark.parametrize(
    "answer",
    ["no JSON", "[]", "{}", '{"media": {}, "poster": ""}', '{"error": "?", "of": "moon"}', '{"media": 1, "poster": 2}'],
)
async def test_an_answer_that_makes_no_sense_is_no_verdict(tmp_path: Path, answer: str) -> None:
    with anyio.fail_after(HUNG_S), pytest.raises(NotExamined, match="makes no sense"):
        await fake(tmp_path, f"say({answer!r})", f"say({answer!r})").examine(tmp_path)


async def test_who_does_not_start_is_found_out_before_any_file(film: Path) -> None:
    one = Examiner()
    with anyio.fail_after(HUNG_S):
        await one.start()
        child = one.pid
        await one.examine(film)
        assert one.pid == child
        await one.close()
        with pytest.raises(NoExaminer, match="exit code 3"):
            await Examiner(program=("-c", "raise SystemExit(3)")).start()


async def test_whoever_is_cancelled_meanwhile_gets_no_late_answer_for_the_next_file(film: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(without_frames(film.read_bytes()))
    one = Examiner()
    with anyio.fail_after(HUNG_S):
        await one.examine(film)
        async with anyio.create_task_group() as group:
            group.start_soon(one.examine, broken)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        assert (await one.examine(film)).media.problems == ()
        await one.close()


@pytest.mark.parametrize(
    ("program", "words"), [("raise SystemExit(3)", r"exit code 3"), ("import vidbatch_of_old", r"exit code 1")]
)
async def test_a_child_that_does_not_start_is_no_fault_of_the_file(film: Path, program: str, words: str) -> None:
    with anyio.fail_after(HUNG_S), pytest.raises(NoExaminer, match=words):
        await Examiner(program=("-c", program)).examine(film)


async def test_the_child_has_no_key_in_its_environment(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MY_API_KEY", "TEMP_PROVIDER_KEY", "LANGSMITH_API_KEY", "PATH_TOKEN", "LC_KEY", "PYTHON_SECRET"):
        monkeypatch.setenv(name, "sk-very-secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    program = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    with anyio.fail_after(HUNG_S), pytest.raises(NoExaminer):
        await Examiner(program=("-c", program)).examine(film)
    seen = (tmp_path / "seen").read_text()
    assert "PYTHONPATH" in seen
    assert "C.UTF-8" in seen
    assert "secret" not in seen


async def test_without_the_extra_nobody_examines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert not is_at_hand()
    async with examiner() as one:
        assert one is None
    with pytest.raises(MissingExtra, match=r"--strict-media needs the extra 'media': pip install 'vidbatch\[media\]'"):
        demand("--strict-media")
