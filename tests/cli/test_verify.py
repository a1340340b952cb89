"""`vidbatch verify`: every stored file is held against the ledger, and what a runner does meanwhile is no finding."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.afterwards import picture_note
from pipeline.ledger.fields import VARIANT
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import Value
from pipeline.ledger.state import Picture
from pipeline.lifecycle import Fact
from pipeline.storage import RunFolder
from pipeline.views.verification import verify
from tests.cli.conftest import Vidbatch
from tests.edges.films import encode
from tests.edges.spoiled import without_end
from tests.ledger.histories import SAID, key, live, opened, planned

RUN = "harbour"
COUNT = 3
THUMBNAIL = "coast/job-0-thumbnail.webp"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encode(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def run(tmp_path: Path, film: bytes) -> RunFolder:
    """A run with three videos, one of them with a thumbnail."""
    folder = RunFolder(tmp_path / RUN)
    (folder.videos / "coast").mkdir(parents=True)
    with opened(folder.ledger) as ledger:
        planned(ledger, *range(COUNT + 1))
        for n in range(COUNT):
            live(ledger, n, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            store(ledger, folder, n, film)
        picture = folder.video(THUMBNAIL)
        picture.write_bytes(b"RIFF")
        kept = Picture(video_id="video_0_1", path=THUMBNAIL, bytes=4, sha256=hashlib.sha256(b"RIFF").hexdigest())
        ledger.note(VARIANT, picture_note(key(0), "thumbnail", kept))
        ledger.commit_now()
    folder.metadata.write_text("{}\n")
    return folder


def store(ledger: Ledger, folder: RunFolder, n: int, content: bytes) -> None:
    """Write a video with its sidecar, then that it is there."""
    path = f"coast/job-{n}.mp4"
    folder.video(path).write_bytes(content)
    folder.video(path).with_suffix(".json").write_text("{}")
    said: dict[str, Value] = {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ledger.record(Fact.STORED, key(n), **{**SAID[Fact.STORED], **said})


def found(in_process: Vidbatch, *words: str) -> tuple[int, list[tuple[str, str, str]], dict[str, Any]]:
    """Exit code, findings and document."""
    done = in_process("verify", RUN, "--json", *words)
    document = json.loads(done.stdout)
    assert document["sound"] is (done.returncode == 0)
    return done.returncode, [(f["kind"], f["path"], f["job"]) for f in document["findings"]], document


def test_a_run_as_it_was_stored_is_sound(run: RunFolder, in_process: Vidbatch, film: bytes) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in run.path.rglob("*"))
    code, findings, document = found(in_process)
    assert (code, findings) == (0, [])
    assert document == {
        "run": "harbour",
        "sound": True,
        "videos": 3,
        "pictures": 1,
        "bytes": 3 * len(film) + 4,
        "decoded": None,
        "findings": [],
    }
    assert in_process("verify", RUN).stdout.endswith("sound\n")
    assert sorted((path, path.stat().st_mtime_ns) for path in run.path.rglob("*")) == before


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "spoil", "kind"),
    [
        ("coast/job-1.mp4", flipped, "altered"),
        ("coast/job-1.mp4", lambda path: path.write_bytes(b"short"), "altered"),
        ("coast/job-1.mp4", Path.unlink, "missing"),
        ("coast/job-1.json", Path.unlink, "missing"),
        (THUMBNAIL, flipped, "altered"),
        (THUMBNAIL, Path.unlink, "missing"),
        ("coast/mine.mp4", lambda path: path.write_bytes(b"mine"), "unknown"),
        ("coast/job-3.mp4", lambda path: path.write_bytes(b"of a job that was never sent"), "unknown"),
        ("coast/job-0-mine.webp", lambda path: path.write_bytes(b"no runner is at work"), "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_altered_or_nobodys_is_named_and_ends_with_1(
    run: RunFolder, in_process: Vidbatch, name: str, spoil: Callable[[Path], object], kind: str
) -> None:
    spoil(run.video(name))

    code, findings, _ = found(in_process)

    job = "" if kind == "unknown" else name.split("/")[1][:5]
    assert (code, findings) == (1, [(kind, f"videos/{name}", job)])
    assert f"videos/{name}" in in_process("verify", RUN).stdout


def test_lines_keep_their_columns_whatever_they_say(run: RunFolder, in_process: Vidbatch) -> None:
    flipped(run.video("coast/job-1.mp4"))
    run.video("coast/job-2.mp4").unlink()

    _, altered, missing, _ = in_process("verify", RUN).stdout.splitlines()

    assert altered.startswith("  altered    videos/coast/job-1.mp4 (job-1): its SHA-256 is ")
    assert "…" in altered
    assert missing == "  missing    videos/coast/job-2.mp4 (job-2): it is not there"


def test_a_stored_video_that_does_not_decode_is_found_by_decoding_alone(
    run: RunFolder, in_process: Vidbatch, film: bytes
) -> None:
    with Ledger.open(run.ledger) as ledger:
        live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
        store(ledger, run, 3, without_end(film))
        ledger.commit_now()
    flipped(run.video("coast/job-1.mp4"))

    assert found(in_process)[1] == [("altered", "videos/coast/job-1.mp4", "job-1")]
    code, findings, document = found(in_process, "--decode")

    assert (code, document["decoded"]) == (1, 3)  # what is altered is nobody's film any more
    assert findings == [("altered", "videos/coast/job-1.mp4", "job-1"), ("broken", "videos/coast/job-3.mp4", "job-3")]
    assert document["findings"][1]["words"].startswith("it ends after")


def test_what_a_runner_stores_or_fetches_anew_meanwhile_is_no_finding(run: RunFolder, film: bytes) -> None:
    with Ledger.open(run.ledger) as ledger:

        def stores_meanwhile(done: int, of: int) -> None:
            if done < of:
                return
            live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)  # it has its name, and no record yet
            run.video("coast/job-3.mp4").write_bytes(film)
            run.video("coast/job-3.json").write_text("{}")
            run.video("coast/job-3.mp4.part.etag").write_text("")
            run.video("coast/job-0-spritesheet.webp").write_bytes(b"RIFF")  # nor has this
            ledger.record(Fact.MISSING, key(1), reason="the file is gone")
            ledger.record(Fact.UNFIT, key(2), reason="it is too small")
            ledger.commit_now()
            run.put_aside("coast/job-2.mp4", ledger.state.jobs[key(2)].sha256)

        run.video("coast/job-1.mp4").unlink()
        verified = verify(run, lambda: read_run(run.ledger), stores_meanwhile)

    assert verified.findings == ()
    assert verified.videos == COUNT


def test_more_files_than_are_given_out_at_a_time_are_all_read(tmp_path: Path) -> None:
    folder, count = RunFolder(tmp_path), 300
    (folder.videos / "coast").mkdir(parents=True)
    with opened(folder.ledger) as ledger:
        planned(ledger, *range(count))
        for n in range(count):
            live(ledger, n, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            store(ledger, folder, n, str(n).encode())
        ledger.commit_now()
    folder.video("coast/job-299.mp4").write_bytes(b"298")
    heard: list[int] = []

    verified = verify(folder, lambda: read_run(folder.ledger), lambda done, of: heard.append(of - done))

    assert [finding.path for finding in verified.findings] == ["videos/coast/job-299.mp4"]
    assert (verified.videos, len(heard), heard[-1]) == (count, count, 0)


def test_usage_is_told_from_damage(run: RunFolder, in_process: Vidbatch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_process("verify", "nowhere").returncode == 2
    assert "nowhere" in in_process("verify", "nowhere").stderr
    monkeypatch.setitem(sys.modules, "av", None)
    assert in_process("verify", RUN).returncode == 0
    refused = in_process("verify", RUN, "--decode")
    assert refused.returncode == 2
    assert "pip install 'vidbatch[media]'" in refused.stderr


def test_a_hostile_id_is_shown_plain(run: RunFolder, in_process: Vidbatch) -> None:
    run.video("coast/\x1b[31mred.mp4").write_bytes(b"")
    said = in_process("verify", RUN).stdout
    assert "red.mp4" in said
    assert "\x1b" not in said
