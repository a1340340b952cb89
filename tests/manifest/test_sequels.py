"""What is made from other videos: how a source is named, by an entry or by a row, and who is a circle."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.manifest.circles import circles
from pipeline.model import Link
from pipeline.profile import Profile
from tests.manifest.folder import Folder

CPU_S_MAX = 2.0
"""For a chain of a thousand; one that is quadratic needs several times that."""


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


def made_from(folder: Folder, text: str, rows: str, name: str = "m.yaml") -> list[str]:
    """Every job that is made from another, and which."""
    jobs = folder.load(text, {"r.csv": rows}).jobs
    ids = {job.key: job.id for job in jobs}
    return [f"{job.id} < {ids[job.source]}" for job in jobs if job.source]


ROWS: Mapping[str, tuple[str, list[str]]] = {
    "a row of one job": ("a,1,\nb,1,a\n", ["b < a"]),
    "a row of several takes, as all of them": ("a,2,\nb,1,a\n", ["b-t1 < a-t1", "b-t2 < a-t2"]),
    "one take of it": ("a,2,\nb,1,a-t2\n", ["b < a-t2"]),
    "one row before the other": ("b,1,a\na,2,\n", ["b-t1 < a-t1", "b-t2 < a-t2"]),
    "a row that has a source itself": (
        "c,1,b\nb,2,a\na,2,\n",
        [
            *("c-t1-t1 < b-t1-t1", "c-t1-t2 < b-t1-t2", "c-t2-t1 < b-t2-t1", "c-t2-t2 < b-t2-t2"),
            *("b-t1-t1 < a-t1", "b-t1-t2 < a-t1", "b-t2-t1 < a-t2", "b-t2-t2 < a-t2"),
        ],
    ),
}


@pytest.mark.parametrize("where", ["from", "alone"])
@pytest.mark.parametrize("what", ROWS)
def test_a_row_names_its_source_as_an_entry_does(what: str, where: str, folder: Folder) -> None:
    rows, expected = ROWS[what]
    lines = [f"{line},{line.partition(',')[0]}" for line in rows.splitlines()]
    table = "\n".join(["id,takes,remix_of,prompt", *lines, ""])
    text = "jobs:\n  - {id: all, from: r.csv}\n" if where == "from" else "include: [r.csv]\njobs: [{prompt: other}]\n"

    assert made_from(folder, text, table) == expected


def test_a_rows_source_stands_in_place_of_its_entrys_whichever_way_each_goes_on(folder: Folder) -> None:
    text = "jobs:\n  - {id: a, prompt: a}\n  - {id: more, from: r.csv, remix_of: a}\n"
    rows = "id,prompt,extend_of,edit_of\nb,b,,\nc,c,b,\nd,d,,c\n"

    jobs = folder.load(text, {"r.csv": rows}, allow_unknown=True).jobs

    assert [(job.id, job.link) for job in jobs] == [("a", None), *zip("bcd", Link, strict=True)]
    assert [job.source for job in jobs[2:]] == [job.key for job in jobs[1:3]]


CIRCLES: Mapping[str, tuple[str, list[str]]] = {
    "two rows": ("a,1,b\nb,1,a\n", ["2 'a' is made from 'b'", "3 'b' is made from 'a'"]),
    "a row of itself": ("a,1,a\n", ["2 'a' is made from itself"]),
    "a take of what is made from it": ("a,2,b\nb,1,a-t1\n", ["2 'a' is made from 'b'", "3 'b' is made from 'a-t1'"]),
    "rows that only lead to one": ("x,1,a\na,1,b\nb,1,a\n", ["3 'a' is made from 'b'", "4 'b' is made from 'a'"]),
    "nobody": ("x,1,a\na,2,y\n", ["3 there is no entry and no job 'y'"]),
    "a take that is none": ("a,2,\nx,1,a-t3\n", ["3 there is no entry and no job 'a-t3'"]),
    "a name that begins as its own": ("a,1,a-old\nb,1,\n", ["2 there is no entry and no job 'a-old'"]),
    "a take of what is made from takes": (
        "a,2,c\nb,1,a\nc,1,b-t1\n",
        ["2 'a' is made from 'c'", "3 'b' is made from 'a'", "4 'c' is made from 'b-t1'"],
    ),
    "a row at fault": ("a,0,\nx,1,a\n", ["2 0 is out of range: the least is 1"]),
}  # fmt: skip


@pytest.mark.parametrize("where", ["from", "alone"])
@pytest.mark.parametrize("what", CIRCLES)
def test_a_circle_of_rows_is_told_as_one(what: str, where: str, folder: Folder) -> None:
    rows, expected = CIRCLES[what]
    lines = [f"{line},{line.partition(',')[0]}" for line in rows.splitlines()]
    files = {"r.csv": "\n".join(["id,takes,remix_of,prompt", *lines, ""])}
    if where == "from":
        issues = folder.issues("jobs:\n  - {id: all, from: r.csv}\n", files)
    else:
        issues = folder.issues("include: [r.csv]\njobs: [{prompt: other}]\n", files)

    said = [issue.removeprefix("r.csv:").replace(", which is made from it", "") for issue in issues]
    short = [f"{one.partition(':')[0]} {one.partition(' ')[2].partition(' ')[2].partition(';')[0]}" for one in said]
    assert short == expected


def test_a_source_that_is_missing_is_not_said_to_be_what_asks_for_it(folder: Folder) -> None:
    entries = "jobs:\n  - {id: night, remix_of: night-old, prompt: n}\n  - {id: %s, prompt: o}\n"

    [issue] = folder.issues(entries % "night-odd")
    [alone] = folder.issues(entries % "tug")

    assert issue.endswith("unknown-source there is no entry and no job 'night-old'; did you mean 'night-odd'?")
    assert alone.endswith("unknown-source there is no entry and no job 'night-old'")


def test_a_name_that_means_an_entry_and_the_job_of_another_is_no_source(folder: Folder) -> None:
    text = "jobs:\n  - {id: a, prompt: a}\n  - {id: a, prompt: b, takes: 2}\n  - {id: n, remix_of: a, prompt: n}\n"

    [issue] = folder.issues(text)

    assert issue.startswith("m.yaml:4:23 duplicate-id 'a' is the id of an entry, and of a job of another")


def test_what_builds_on_an_entry_at_fault_is_not_told_that_there_is_none(folder: Folder) -> None:
    entry = "  - {id: a, prompt: 'fog {{ s }}', matrx: {s: [1, 2]}}\n"

    [issue] = folder.issues(f"jobs:\n{entry}  - {{id: b, remix_of: a-s1, prompt: b}}\n")

    assert "unknown key 'matrx'" in issue


def test_a_row_that_is_called_as_its_entry_stands_for_all_of_that_once(folder: Folder) -> None:
    text = "jobs:\n  - {id: a, from: r.csv}\n  - {id: n, remix_of: a, prompt: n}\n"

    assert made_from(folder, text, "id,prompt,takes\na,a,2\nb,b,1\n") == ["n-t1 < a-t1", "n-t2 < a-t2", "n-b < b"]


def test_a_row_that_is_made_from_all_rows_of_its_entry_is_a_circle(folder: Folder) -> None:
    [issue] = folder.issues("jobs:\n  - {id: all, from: r.csv}\n", {"r.csv": "id,prompt,remix_of\na,a,all\nb,b,\n"})

    assert issue == "r.csv:2:5 source-cycle 'all' is made from itself; one of them must come first"


def test_a_chain_written_from_its_end_takes_no_longer_than_its_length(folder: Folder) -> None:
    entries = "".join(f"  - {{id: e{n}, prompt: p{n}, remix_of: e{n + 1}}}\n" for n in range(1_000))
    began_s = time.process_time()

    jobs = folder.load(f"jobs:\n{entries}  - {{id: e1000, prompt: first}}\n").jobs
    lost = folder.issues(f"jobs:\n{entries}")

    assert time.process_time() - began_s < CPU_S_MAX
    assert [job.id for job in jobs] == [f"e{n}" for n in range(1_001)]
    assert lost == ["m.yaml:1001:40 unknown-source there is no entry and no job 'e1000'; did you mean 'e100'?"]


def test_many_unknown_sources_take_no_longer_than_their_number(folder: Folder) -> None:
    entries = "".join(f"  - {{id: job-number-{n}, prompt: p{n}, remix_of: jub-namber-{n}x}}\n" for n in range(400))
    began_s = time.process_time()

    [first, *others] = folder.issues(f"jobs:\n{entries}")

    assert time.process_time() - began_s < CPU_S_MAX
    assert "; did you mean 'job-number-" in first
    assert {issue.split(" ")[1] for issue in others} == {"unknown-source"}


@pytest.mark.parametrize(
    ("wants", "together"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["a"], "b": ["a"]}, []),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "x": ["a"], "z": ["y"]}, ["abc"]),
        ({"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"], "e": ["d", "a"]}, ["ab", "cd"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["a"]}, ["abcd"]),
    ],
)
def test_a_circle_is_all_that_comes_back_to_itself(wants: Mapping[str, list[str]], together: list[str]) -> None:
    found: dict[str, str] = {}
    for name, first in sorted(circles(wants).items()):
        found[first] = found.get(first, "") + name

    assert sorted(names for names in found.values() if len(names) > 1) == together
    assert set(circles(wants)) == {*wants, *(name for named in wants.values() for name in named)}
