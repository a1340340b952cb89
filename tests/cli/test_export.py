"""`vidbatch export`, and `validate` for programs, as their own processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ledger.histories import a_job, opened

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
