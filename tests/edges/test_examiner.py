"""Examining in a process of its own: it outlives no file that kills it, and nobody waits for one without an end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from pipeline.errors import MissingExtra
from pipeline.media.examiner import Examiner, NoExaminer, NoPoster, NotExamined, demand, examiner, is_at_hand
from tests.edges.films import encode
from tests.edges.spoiled import without_frames

pytestmark = pytest.mark.anyio
HUNG_S = 30.0


@pytest.fixture
def anyio_backend() -> str:
    """One of the two, but where it is named: each child takes a quarter of a second."""
    return "trio"


both = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


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


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs a system with SIGSTOP")
async def test_a_file_that_hangs_has_its_verdict_and_the_next_one_is_examined(film: Path) -> None:
    one = Examiner(limit_s=1.0)
    with anyio.fail_after(HUNG_S):
        await _start(one, film)
        assert one.pid is not None
        os.kill(one.pid, signal.SIGSTOP)  # as a decoder without an end
        hung = (await one.examine(film)).media
        assert (hung.problems, hung.decodes) == (("it could not be decoded: it took more than 1 s",), False)
        await _start(one, film)
        await one.close()


async def _start(one: Examiner, film: Path) -> None:
    """Let it examine a film well; on a busy machine that may take more than its second."""
    while (await one.examine(film)).media.problems:
        pass


@both
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs a system with SIGSTOP")
async def test_a_file_that_kills_the_child_has_its_verdict_and_the_next_one_is_examined(film: Path) -> None:
    one = Examiner()
    found: list[tuple[str, ...]] = []

    async def examine() -> None:
        found.append((await one.examine(film)).media.problems)

    with anyio.fail_after(HUNG_S):
        await one.examine(film)
        child = one.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        async with anyio.create_task_group() as group:
            group.start_soon(examine)
            await anyio.wait_all_tasks_blocked()
            os.kill(child, signal.SIGKILL)
        assert found == [("it could not be decoded: the decoder died of it (signal 9)",)]
        assert (await one.examine(film)).media.problems == ()
        assert one.pid != child
        await one.close()


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
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret")
    program = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    with anyio.fail_after(HUNG_S), pytest.raises(NoExaminer):
        await Examiner(program=("-c", program)).examine(film)
    seen = (tmp_path / "seen").read_text()
    assert "PYTHONPATH" in seen
    assert "secret" not in seen


async def test_without_the_extra_nobody_examines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert not is_at_hand()
    async with examiner() as one:
        assert one is None
    with pytest.raises(MissingExtra, match=r"--strict-media needs the extra 'media': pip install 'vidbatch\[media\]'"):
        demand("--strict-media")
