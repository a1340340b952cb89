"""`vidbatch export`, and `validate` for programs, as their own processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.views.dataset.mark import MARK, mark
from tests.cli.conftest import without_keys
from tests.ledger.histories import a_job, opened
from tests.views.stock import content_of, film, stock, store, wished

Vidbatch = Callable[..., Any]


def a_run(folder: Path, *numbers: int) -> None:
    folder.mkdir()
    with opened(folder / "ledger.jsonl") as ledger:
        for number in numbers:
            ledger.plan(a_job(number), price=None)
        ledger.commit_now()


def test_export_writes_a_manifest_once_and_says_how_many_jobs_it_holds(vidbatch: Vidbatch, tmp_path: Path) -> None:
    a_run(tmp_path / "harbour", 1, 2)

    done = vidbatch("export", "harbour", "openai-batch", "out.jsonl")
    again = vidbatch("export", "harbour", "openai-batch", "out.jsonl")
    forced = vidbatch("export", "harbour", "openai-batch", "out.jsonl", "--force")

    assert (done.returncode, done.stdout, done.stderr) == (0, "out.jsonl: 2 jobs\n", "")
    assert again.returncode == 2
    assert again.stderr == (
        "vidbatch: out.jsonl is there already and stays as it is; name another file, or allow it with --force\n"
    )
    assert forced.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harbour", "out.jsonl"]
    assert vidbatch("validate", "out.jsonl").stdout == "out.jsonl: 2 jobs, no issues\n"


def test_export_of_nothing_writes_nothing(vidbatch: Vidbatch, tmp_path: Path) -> None:
    a_run(tmp_path / "harbour", 1)

    done = vidbatch("export", "harbour", "openai-batch", "out.jsonl", "--state", "stored,failed")
    wrong = vidbatch("export", "harbour", "openai-batch", "out.jsonl", "--state", "fialed")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vidbatch: harbour: there is nothing to export; out.jsonl was not written\n"
    assert wrong.returncode == 2
    assert "did you mean 'failed'?" in wrong.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_validate_annotates_lines_for_github(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "a,b.csv").write_text("prompt,seconds\n100% fog,7\n", encoding="utf-8")

    wrong = vidbatch("validate", "a,b.csv", "--format", "github")
    allowed = vidbatch("validate", "a,b.csv", "--format", "github", "--allow-unknown")

    where = "file=a%2Cb.csv,line=2,col=10,title=profile-seconds::sora-2 takes 4, 8 or 12 seconds (sandbox), not 7"
    assert (wrong.returncode, wrong.stdout) == (2, f"::error {where} (seconds)\n")
    assert (allowed.returncode, allowed.stdout) == (0, f"::warning {where} (seconds)\n")


def test_validate_writes_rejected_rows_to_a_new_file_only(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_text("prompt,seconds\na heron,7\na tug,4\n", encoding="utf-8")

    done = vidbatch("validate", "birds.csv", "--rejects", "bad.csv")
    again = vidbatch("validate", "birds.csv", "--rejects", "bad.csv")
    json_too = vidbatch("validate", "birds.csv", "--rejects", "worse.csv", "--format", "json")

    words = "seconds: sora-2 takes 4, 8 or 12 seconds (sandbox), not 7"
    assert (tmp_path / "bad.csv").read_text(encoding="utf-8") == (
        f'line,reason,prompt,seconds\n2,"{words}",a heron,7\n'
    )
    assert done.returncode == 2
    assert done.stderr == "bad.csv: 1 row to mend; without the columns line and reason it is a manifest\n"
    assert again.returncode == 2
    assert again.stderr.startswith("vidbatch: bad.csv is there already and stays as it is; ")
    assert len(json.loads(json_too.stdout)) == 1


def test_validate_writes_no_rejects_where_no_row_is_at_fault(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_text("prompt,seconds\na heron,4\n", encoding="utf-8")

    done = vidbatch("validate", "birds.csv", "--rejects", "bad.csv")

    assert (done.returncode, done.stderr) == (0, "bad.csv: not written, no row of data is at fault\n")
    assert not (tmp_path / "bad.csv").exists()


def test_export_names_the_takes_that_would_come_back_as_others(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "harbour.yaml").write_text(
        "provider: {profile: sandbox, sandbox: {render_s: 0}}\njobs: [{id: p, prompt: a fox, takes: 2}]\n",
        encoding="utf-8",
    )
    assert vidbatch("run", "harbour.yaml", "--only", "p-t2", "--quiet").returncode == 0

    done = vidbatch("export", "outputs/harbour", "openai-batch", "out.jsonl")

    assert done.returncode == 2
    assert done.stderr == (
        "left out, because it is a later take of a video whose earlier ones are not there and openai-batch cannot say "
        "that: p-t2\nvidbatch: outputs/harbour: there is nothing to export; out.jsonl was not written\n"
    )


def test_a_dataset_says_what_is_in_it_and_what_was_left_out_and_why(in_process: Vidbatch, tmp_path: Path) -> None:
    jobs = [wished(1), wished(2, group="night")]
    stock(tmp_path / "harbour", jobs, [wished(3), wished(4)])

    done = in_process("export", "harbour", "videofolder", "set", "--split", "test:group=night")
    night = in_process("export", "harbour", "webdataset", "night", "--where", "group=night", "--metadata", "jsonl")
    again = in_process("export", "harbour", "videofolder", "set")
    forced = in_process("export", "harbour", "videofolder", "set", "--force", "--split", "test:group=nowhere")

    assert (done.returncode, done.stdout) == (0, "set: 2 videos (train 1, test 1)\n")
    assert done.stderr == "left out, having no stored video: 2 jobs (2 rejected)\n"
    assert (night.returncode, night.stdout, night.stderr) == (0, "night: 1 video (train 1)\n", "")
    assert again.returncode == 2
    assert "set is there already and stays as it is" in again.stderr
    assert (forced.returncode, forced.stdout) == (0, "set: 2 videos (train 2)\n")
    assert "no video fell into the split test: it is not there\n" in forced.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harbour", "night", "set"]


def test_an_index_holds_the_jobs_that_all_conditions_and_the_states_leave(in_process: Vidbatch, tmp_path: Path) -> None:
    stock(tmp_path / "harbour", [wished(1), wished(2, group="night")], [wished(3, group="night")])

    done = in_process("export", "harbour", "jsonl", "a.jsonl", "--where", "group=night", "--where", "state!=rejected")
    refused = in_process("export", "harbour", "csv", "b.csv", "--state", "rejected")
    batch = in_process("export", "harbour", "openai-batch", "c.jsonl", "--where", "id=job-1")

    assert (done.stdout, done.stderr) == ("a.jsonl: 1 job\n", "")
    assert [json.loads(line)["id"] for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()] == ["job-2"]
    assert (refused.returncode, refused.stdout) == (0, "b.csv: 1 job\n")
    assert [json.loads(line)["custom_id"] for line in (tmp_path / "c.jsonl").read_text("utf-8").splitlines()] == [
        "job-1"
    ]
    assert batch.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("csv", "x", "--split", "train=1"), "--split: csv has no use for it"),
        (("webdataset", "x", "--link", "hard"), "--link: webdataset has no use for it"),
        (("videofolder", "x", "--shard-mb", "5"), "--shard-mb: videofolder has no use for it"),
        (("openai-batch", "x", "--with-cost"), "--with-cost: openai-batch has no use for it"),
        (("videofolder", "x", "--split", "train=2"), "shares are fractions, such as 0.9"),
        (("videofolder", "x", "--where", "gruop=a"), "did you mean 'group'?"),
        (("videofolder", "x", "--where", "id=nobody"), "there is no stored video to export; x was not written"),
        (("videofolder", "x", "--state", "rejected"), "there is no stored video to export; x was not written"),
        (("csv", "x", "--where", "id=nobody"), "there is nothing to export; x was not written"),
        (("videofolder", "nowhere/x"), "there is no folder"),
        (("jsonl", "-"), "name a file"),
        (("videofolder", "-"), "name a folder"),
        (("videofolder", "x", "--split", "test:grp=a"), "--split: no job has a field 'grp'"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    in_process: Vidbatch, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    stock(tmp_path / "harbour", [wished(1)], [wished(2)])
    before = content_of(tmp_path)

    done = in_process("export", "harbour", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("form", ["csv", "videofolder"])
@pytest.mark.parametrize(
    ("dest", "said"),
    [
        ("outputs/harbour", "is in the folder of a run"),
        ("outputs/harbour/ledger.jsonl", "is in the folder of a run"),
        ("outputs/harbour/set", "is in the folder of a run"),
        ("outputs/harbour/videos/x", "is in the folder of a run"),
        ("outputs/other/ledger.jsonl", "is in the folder of a run"),
        ("linked/ledger.jsonl", "is in the folder of a run"),
        ("linked/../harbour/set", "is in the folder of a run"),
        ("outputs/harbour/videos/../set", "is in the folder of a run"),
        ("outputs/harbour/away", "is in the folder of a run"),
        ("elsewhere/x", "is in the folder of a run"),
        ("to-the-ledger", "is in the folder of a run"),
        ("outputs", "holds the run"),
        ("outputs/../../{here}", "holds the run"),
        ("elsewhere", "is in the folder of a run"),
    ],
)
def test_an_export_never_touches_the_folder_of_a_run(
    in_process: Vidbatch, tmp_path: Path, form: str, dest: str, said: str
) -> None:
    (tmp_path / "outputs").mkdir()
    run = stock(tmp_path / "outputs/harbour", [wished(1)])
    a_run(tmp_path / "outputs/other", 1)
    run.joinpath("videos").rename(tmp_path / "elsewhere")  # as on a bigger disk
    run.joinpath("videos").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "away").touch()
    (run / "away").symlink_to(tmp_path / "away")
    (tmp_path / "linked").symlink_to(run)
    (tmp_path / "to-the-ledger").symlink_to(run / "ledger.jsonl")
    for folder in (tmp_path / "outputs", run):
        (folder / MARK).write_bytes(mark())  # as if an export had been here
    before = content_of(tmp_path)

    done = in_process("export", "outputs/harbour", form, dest.format(here=tmp_path.name), "--force")

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert content_of(tmp_path) == before


def test_a_run_in_the_folder_of_an_export_keeps_it_from_being_replaced(in_process: Vidbatch, tmp_path: Path) -> None:
    stock(tmp_path / "harbour", [wished(1)])
    assert in_process("export", "harbour", "videofolder", "set").returncode == 0
    (tmp_path / "set/outputs").mkdir()
    a_run(tmp_path / "set/outputs/other", 1)
    before = content_of(tmp_path)

    done = in_process("export", "harbour", "videofolder", "set", "--force")

    assert done.returncode == 2
    assert "set holds what no export wrote, so it is not replaced: outputs; move that elsewhere" in done.stderr
    assert content_of(tmp_path) == before


def test_a_spoilt_video_is_named_and_ends_with_3(in_process: Vidbatch, tmp_path: Path) -> None:
    stock(tmp_path / "harbour", [wished(1)])
    store(tmp_path / "harbour", wished(1), film(wished(1))[::-1])

    done = in_process("export", "harbour", "videofolder", "set", "--link", "copy")
    linked = in_process("export", "harbour", "videofolder", "set", "--check")

    assert (done.returncode, linked.returncode) == (3, 3)
    assert "1 stored video is not what was stored (another SHA-256): videos/coast/job-1.mp4; nothing" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harbour"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here to hold an export up")
@pytest.mark.parametrize(("number", "left"), [(signal.SIGINT, []), (signal.SIGKILL, [".set.part", ".set.part.lock"])])
def test_an_export_that_is_interrupted_leaves_nothing_under_its_name_and_the_next_clears_the_rest(
    vidbatch: Vidbatch, tmp_path: Path, number: signal.Signals, left: list[str]
) -> None:
    stock(tmp_path / "harbour", [wished(1), wished(2)], film=lambda _: b"")
    video = tmp_path / "harbour/videos/coast/job-2.mp4"
    command = [sys.executable, "-m", "pipeline", "export", "harbour", "videofolder", "set", "--link", "copy"]
    video.unlink()
    os.mkfifo(video)  # of no length, as the video was; and reading it does not end

    with (
        subprocess.Popen(command, cwd=tmp_path, env=without_keys({}), stderr=subprocess.DEVNULL) as export,
        video.open("wb", buffering=0),  # opened when the export has opened it
    ):
        export.send_signal(number)
        export.wait(30)

    video.unlink()
    video.touch()
    assert export.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*left, "harbour"]
    assert vidbatch("export", "harbour", "videofolder", "set").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harbour", "set"]
