"""`init`, `validate`, `profiles` and `schema`, as their own processes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.paths import schemas_folder
from pipeline.providers.registry import find_profile, profile_names

Vidbatch = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "name"),
    [((), "first.yaml"), (("--csv",), "first.csv"), (("my birds.csv",), "my birds.csv"), (("b.yaml",), "b.yaml")],
)
def test_init_writes_a_starter_and_says_what_to_type_next(
    words: tuple[str, ...], name: str, vidbatch: Vidbatch, tmp_path: Path
) -> None:
    done = vidbatch("init", *words)

    quoted = f"'{name}'" if " " in name else name
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote {name}; next:\n  vidbatch plan {quoted}\n  vidbatch run {quoted}\n"


def test_init_never_overwrites(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("mine", encoding="utf-8")

    done = vidbatch("init")

    assert done.returncode == 2
    assert done.stderr == (
        "vidbatch: first.yaml is there already and stays as it is; name another file: vidbatch init FILE\n"
    )
    assert (tmp_path / "first.yaml").read_text(encoding="utf-8") == "mine"


def test_init_says_where_it_cannot_write(vidbatch: Vidbatch) -> None:
    done = vidbatch("init", "nowhere/first.yaml")

    assert (done.returncode, done.stderr) == (
        2,
        "vidbatch: nowhere/first.yaml cannot be written: No such file or directory\n",
    )


def test_the_starter_csv_is_a_table(vidbatch: Vidbatch, tmp_path: Path) -> None:
    vidbatch("init", "--csv")

    with (tmp_path / "first.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [sorted(row) for row in rows] == [["id", "prompt", "seconds", "size"]] * 2


@pytest.mark.parametrize("name", ["first.yaml", "first.csv", "No Idea: really.yaml"])
def test_the_starters_have_no_issue(name: str, vidbatch: Vidbatch) -> None:
    vidbatch("init", name)

    done = vidbatch("validate", name)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}: 2 jobs, no issues\n", "")


def test_validate_tells_every_issue_of_every_file(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\njobs:\n  - promt: a fox\n    seconds: many\n", encoding="utf-8")
    vidbatch("init", "good.yaml")

    done = vidbatch("validate", "bad.yaml", "good.yaml", "missing.yaml")

    assert done.returncode == 2
    assert done.stderr == ""
    assert "bad.yaml:3:5:" in done.stdout
    assert "prompt" in done.stdout
    assert "bad.yaml:4:" in done.stdout
    assert "good.yaml: 2 jobs, no issues\n" in done.stdout
    assert done.stdout.endswith("there is no file missing.yaml\nmissing.yaml: 1 issue\n")


def test_validate_tells_programs_the_same_as_one_array(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\njobs:\n  - promt: a fox\n", encoding="utf-8")
    vidbatch("init", "good.yaml")

    done = vidbatch("validate", "bad.yaml", "good.yaml", "missing.yaml", "--format", "json")

    issues = json.loads(done.stdout)
    assert done.returncode == 2
    assert {issue["file"] for issue in issues} == {"bad.yaml", "missing.yaml"}
    assert all(issue["line"] >= 1 and issue["message"] for issue in issues)
    assert issues[-1]["code"] == "unreadable"
    assert json.loads(vidbatch("validate", "good.yaml", "--format", "json").stdout) == []


def test_what_a_profile_does_not_know_is_an_issue_or_a_warning(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("prompt,seconds\na fox,5\n", encoding="utf-8")

    refused = vidbatch("validate", "odd.csv", "--provider", "openai")
    elsewhere = {"OPENAI_BASE_URL": "https://gate.example/v1"}  # its own address was shut down: one warning more
    allowed = vidbatch("validate", "odd.csv", "--provider", "openai", "--allow-unknown", **elsewhere)

    assert (refused.returncode, refused.stdout.splitlines()[-1]) == (2, "odd.csv: 1 issue")
    assert (allowed.returncode, allowed.stdout.splitlines()[-1]) == (0, "odd.csv: 1 job, no issues, 1 warning")


def test_profiles_are_listed_with_what_their_key_needs(vidbatch: Vidbatch) -> None:
    done = vidbatch("profiles", API_TOKEN="canary-9")

    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert list(rows) == ["NAME", *profile_names()]
    assert rows["dmxapi"].endswith("API_TOKEN is set")
    assert rows["sandbox"].endswith("none needed")
    assert "canary" not in done.stdout


def test_a_profile_in_full_tells_prices_and_variables_but_no_value(vidbatch: Vidbatch) -> None:
    done = vidbatch("profiles", "openai", OPENAI_API_KEY="canary-9", OPENAI_API_BASE="https://u:canary@h.example")

    assert done.returncode == 0
    assert "OPENAI_API_KEY (set), API_TOKEN (not set)" in done.stdout
    assert "  address  from OPENAI_API_BASE, which is set\n" in done.stdout
    assert "  else     https://api.openai.com/v1\n" in done.stdout
    assert "sora-2 (the default)" in done.stdout
    assert "takes    remix_of, extend_of, edit_of, input_reference\n" in done.stdout
    assert "can      lists its videos, deletes, thumbnail, spritesheet\n" in done.stdout
    assert "120 s in all, 6 extensions of one video, at most" in done.stdout
    assert "$0.10 a second" in done.stdout
    assert "canary" not in done.stdout


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_can_be_shown(name: str, vidbatch: Vidbatch) -> None:
    profile = find_profile(name)
    assert profile is not None

    text, document = vidbatch("profiles", name).stdout, json.loads(vidbatch("profiles", name, "--json").stdout)

    assert text.startswith(f"{name}: {profile.title}\n")
    assert list(document["models"]) == list(profile.models)
    assert document["key_found_in"] is None


def test_all_profiles_are_one_array_for_programs(vidbatch: Vidbatch) -> None:
    done = vidbatch("profiles", "--json", DMXAPI_API_KEY="canary-9")

    found = {profile["name"]: profile["key_found_in"] for profile in json.loads(done.stdout)}
    assert tuple(found) == profile_names()
    assert found["dmxapi"] == "DMXAPI_API_KEY"
    assert "canary" not in done.stdout


def test_an_unknown_profile_is_named_with_its_neighbour(vidbatch: Vidbatch) -> None:
    near, far = vidbatch("profiles", "sandbx"), vidbatch("profiles", "zzz")

    assert (near.returncode, near.stderr) == (
        2,
        "vidbatch: there is no profile 'sandbx'; did you mean 'sandbox'?\n",
    )
    assert far.stderr == f"vidbatch: there is no profile 'zzz'; there are {', '.join(profile_names())}\n"


def test_every_schema_is_listed_and_printed_as_it_is(vidbatch: Vidbatch) -> None:
    names = vidbatch("schema", "--list").stdout.split()

    assert names == sorted(path.name.removesuffix(".schema.json") for path in schemas_folder().glob("*.schema.json"))
    assert "profile" in names
    for name in names:
        written = (schemas_folder() / f"{name}.schema.json").read_text(encoding="utf-8")
        assert json.loads(vidbatch("schema", name).stdout) == json.loads(written)


def test_an_unknown_schema_is_named_with_its_neighbour(vidbatch: Vidbatch) -> None:
    assert vidbatch("schema", "../profile").returncode == 2
    assert vidbatch("schema", "profle").stderr == "vidbatch: there is no schema 'profle'; did you mean 'profile'?\n"
