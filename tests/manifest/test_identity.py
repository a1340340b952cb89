"""Who a job is: what may be done to a manifest without buying anything anew, and what it is to change a word."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model import Job
from pipeline.profile import Profile
from tests.manifest.folder import Folder

HERON, TUG, SEAL = (
    "{id: heron, prompt: a heron, seconds: 8}",
    "{id: tug, prompt: a tug, takes: 2}",
    "{id: seal, prompt: a seal, remix_of: heron}",
)
ENTRIES = (HERON, TUG, SEAL, "{prompt: 'a {{ bird }}', vars: {bird: wren}, params: {seed: 7, cfg: 2}}")


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


def manifest_of(entries: Sequence[str], above: str = "") -> str:
    return f"{above}jobs:\n" + "".join(f"  - {entry}\n" for entry in entries)


def keys(jobs: Sequence[Job]) -> frozenset[str]:
    found = frozenset(job.key for job in jobs)
    assert len(found) == len(jobs)
    return found


AS_WRITTEN = manifest_of(ENTRIES)

SAME_WISHES = {
    "the other way round": (manifest_of(ENTRIES[::-1]), {}),
    "with other names": (
        AS_WRITTEN.replace("heron,", "reiher,", 1).replace("of: heron", "of: reiher").replace("id: tug", "id: z"),
        {},
    ),
    "in other groups": (
        manifest_of([entry.replace("}", ", group: a/b}", 1) for entry in ENTRIES[:3]] + [*ENTRIES[3:]]),
        {},
    ),
    "with notes": (manifest_of([entry[:-1] + ", meta: {by: Ana}}" for entry in ENTRIES]), {}),
    "with defaults for what was said": (
        manifest_of(
            [
                HERON.replace(", seconds: 8", ""),
                TUG.replace("}", ", seconds: 4}"),
                SEAL,
                ENTRIES[3][:-1] + ", seconds: 4}",
            ],
            "defaults: {seconds: 8, size: 1280x720, model: sora-2}\n",
        ),
        {},
    ),
    "with its variables elsewhere": (
        manifest_of(
            [*ENTRIES[:3], "{prompt: 'a {{ x }}{{ y }}', params: {cfg: 2, seed: 7}}"], "vars: {x: wre, y: n}\n"
        ),
        {},
    ),
    "with an entry in a file of its own": (
        manifest_of([ENTRIES[3], SEAL, TUG], "include: [more/heron.yaml]\n"),
        {"more/heron.yaml": manifest_of([HERON])},
    ),
    "with all in another file": (
        "include: [all.yaml, none.csv]\n" + manifest_of(["{prompt: one more}"]),
        {"all.yaml": AS_WRITTEN, "none.csv": "prompt\nand this\n"},
    ),
    "with rows for entries": (
        manifest_of(["{from: birds.csv, takes: 1}", TUG, SEAL]),
        {"birds.csv": "id,prompt,seconds,params.seed,params.cfg\nheron,a heron,8,,\nx,a wren,,7,2\n"},
    ),
    "with prompts in files": (
        manifest_of(["{id: heron, prompt_file: p/h.txt, seconds: 8}", *ENTRIES[1:]]),
        {"p/h.txt": "a heron\n"},
    ),
}


@pytest.mark.parametrize("how", SAME_WISHES)
def test_the_same_wishes_written_otherwise_have_the_same_keys(how: str, folder: Folder) -> None:
    text, files = SAME_WISHES[how]
    there, here = keys(folder.load(AS_WRITTEN).jobs), keys(folder.load(text, files).jobs)

    assert there <= here
    assert len(here - there) == (2 if how == "with all in another file" else 0)


LIST = """\
- {id: h4, prompt: a heron, seconds: 4, params: {seed: 1}}
- {id: h8, prompt: a heron, seconds: 8, params: {seed: 1}}
- {id: t4, prompt: a tug, seconds: 4, params: {seed: 1}}
- {id: t8, prompt: a tug, seconds: 8, params: {seed: 1}}
"""
SWEEPS = {
    "a matrix": "- {id: s, prompt: 'a {{ x }}', params: {seed: 1}, matrix: {x: [heron, tug], seconds: [4, 8]}}\n",
    "its axes the other way round": (
        "- {id: s, prompt: 'a {{ x }}', params: {seed: 1}, matrix: {seconds: [8, 4], x: [tug, heron]}}\n"
    ),
    "an axis of params": "- {id: s, prompt: 'a {{ x }}', matrix: {x: [heron, tug], seconds: [4, 8], params.seed: 1}}\n",
    "prompts as an axis": "- {id: s, params: {seed: 1}, matrix: {prompt: [a heron, a tug], seconds: [4, 8]}}\n",
    "two matrices": (
        "- {id: s, prompt: a heron, params: {seed: 1}, matrix: {seconds: [4, 8]}}\n"
        "- {id: t, prompt: a tug, params: {seed: 1}, matrix: {seconds: {range: [4, 8, 4]}}}\n"
    ),
    "a zip": (
        "- {id: s, prompt: 'a {{ x }}', params: {seed: 1}, "
        "matrix: {zip: {x: [heron, heron, tug, tug], seconds: [4, 8, 4, 8], n: [1, 2, 3, 4]}}}\n"
    ),
    "mappings as values": (
        "- {id: s, prompt: 'a {{ x }}', matrix: {seconds: [4, 8], "
        "x: [{name: heron, params: {seed: 1}}, {name: tug, params: {seed: 1}}]}}\n"
    ),
    "includes alone": (
        "- {id: s, prompt: 'a {{ x }}', params: {seed: 1}, matrix: {include: [{x: heron, seconds: 4}, "
        "{x: heron, seconds: 8}, {x: tug, seconds: 4}, {x: tug, seconds: 8}]}}\n"
    ),
    "more, and some excluded": (
        "- {id: s, prompt: 'a {{ x }}', params: {seed: 1}, "
        "matrix: {x: [heron, tug, seal], seconds: [4, 8, 12], exclude: [{x: seal}, {seconds: 12}]}}\n"
    ),
    "rows": "- {id: s, from: rows.csv, params: {seed: 1}, matrix: {seconds: [4, 8]}}\n",
}


@pytest.mark.parametrize("how", SWEEPS)
def test_a_list_and_the_sweep_of_its_values_have_the_same_keys(how: str, folder: Folder) -> None:
    rows = {"rows.csv": "prompt\na heron\na tug\n"}

    assert keys(folder.load(f"jobs:\n{SWEEPS[how]}", rows).jobs) == keys(folder.load(f"jobs:\n{LIST}").jobs)


def test_what_the_command_line_says_is_the_same_wish_as_when_it_is_written(folder: Folder) -> None:
    written = folder.load("jobs: [{prompt: a heron, seconds: 8, size: 720x1280, params: {seed: 1}, takes: 2}]\n")
    swept = folder.load("jobs: [{prompt: a heron, matrix: {seconds: [4, 8]}}]\n")
    bare = "jobs: [{prompt: 'a {{ x }}', vars: {x: wren}}]\n"

    said = folder.load(bare, settings=("x=heron", "seconds=8", "size=720x1280", "params.seed=1", "takes=2"))
    assert keys(said.jobs) == keys(written.jobs)
    assert keys(folder.load(bare, settings=("x=heron", "seconds=4,8")).jobs) == keys(swept.jobs)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a heron", "a grey heron", {"a grey heron": 1, "a seal": 1}),  # the remix builds on it
        ("a tug", "a red tug", {"a red tug": 2}),
        ("a seal", "two seals", {"two seals": 1}),
        ("seconds: 8", "seconds: 12", {"a heron": 1, "a seal": 1}),
        ("seed: 7", "seed: 8", {"a wren": 1}),
        ("bird: wren", "bird: owl", {"a owl": 1}),
        ("takes: 2", "takes: 3", {"a tug": 1}),
        ("takes: 2", "takes: 1", {}),
        ("id: tug", "id: boat", {}),
        ("remix_of: heron", "edit_of: heron", {"a seal": 1}),
    ],
)
def test_a_change_changes_exactly_its_own_keys(
    before: str, after: str, changed: dict[str, int], folder: Folder
) -> None:
    old, new = folder.load(AS_WRITTEN).jobs, folder.load(AS_WRITTEN.replace(before, after, 1)).jobs

    assert Counter(job.prompt for job in new if job.key not in keys(old)) == changed


@given(order=st.permutations(range(len(ENTRIES))), files=st.lists(st.integers(0, 2), min_size=4, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_entries_may_be_in_any_order_and_in_any_file(order: list[int], files: list[int], folder: Folder) -> None:
    parts: list[list[str]] = [["{prompt: own}"], [], []]
    for n in order:
        parts[files[n]].append(ENTRIES[n])
    included = [f"f{n}.yaml" for n in (1, 2) if parts[n]]
    above = f"include: [{', '.join(included)}]\n" if included else ""
    written = {f"f{n}.yaml": manifest_of(parts[n]) for n in (1, 2)}

    jobs = folder.load(manifest_of(parts[0], above), written).jobs

    assert keys(jobs) >= keys(folder.load(AS_WRITTEN).jobs)
    assert len(jobs) == 6


def test_jobs_stand_in_the_order_of_their_entries_whoever_waits_for_whom(folder: Folder) -> None:
    entries = ["{id: c, prompt: c, remix_of: b}", "{id: a, prompt: a}", "{id: d, prompt: d, remix_of: c}"]
    more = ["{id: b, prompt: b, remix_of: a}", "{id: e, prompt: e, remix_of: a}", "{id: f, prompt: f}"]

    assert [job.id for job in folder.load(manifest_of([*entries, *more])).jobs] == ["c", "a", "d", "b", "e", "f"]


EVERYTHING = {
    "all.yaml": """\
defaults: {seconds: 8, params: {seed: 1}, meta: {by: Ana}}
vars: {style: 35mm film, place: the coast}
include: [more/*.yaml, rows.jsonl]
output: {path: "{{ group }}/{{ model }}/{{ id }}.mp4"}
jobs:
  - id: harbour
    group: "{{ place }}"
    prompt: "{{ subject }} at dawn, {{ style|upper }}, {{ camera }}"
    matrix:
      subject: [a heron, a tug, ein Bär]
      seconds: [4, 8]
      zip: {size: [1280x720, 720x1280], framing: [wide, tall]}
      camera: [{name: low, params: {seed: 2}}, {name: high, seconds_hint: 3}]
      exclude: [{subject: a tug, framing: tall}]
      include: [{subject: a seal, seconds: 4, camera: none}, {framing: wide, mood: calm}]
    takes: 2
  - id: birds
    from: rows.csv
    prompt: "{{ prompt }}, {{ mood }}, {{ n }}"
    matrix: {n: {range: [1, 3]}}
    sample: {count: 5, seed: 7}
  - {id: fox, prompt_file: fox.txt}
  - {id: night, remix_of: harbour, prompt: "the same, {{ subject }} at night"}
  - {id: later, remix_of: night, prompt: later}
""",
    "more/inner.yaml": "vars: {style: noir}\njobs: [{id: inner, prompt: '{{ style }}', params: {seed: 3}}]\n",
    "rows.jsonl": '{"prompt": "x", "meta": {"b": 1, "a": [2]}, "z": 1, "y": {"k": "v"}}\n',
    "rows.csv": "prompt,mood\na wren,calm\nan owl,wild\na gull,calm\n",
    "fox.txt": "a fox, {{ style }}\n",
}


def test_two_machines_make_the_same_jobs_to_the_byte(folder: Folder) -> None:
    folder.write(EVERYTHING)
    (folder.path / "elsewhere").mkdir()
    other = Folder(path=folder.path / "elsewhere", profiles={})
    other.write(EVERYTHING)
    said = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", "plan", "all.yaml", "--jobs", "--set", "seconds=4,12"],
            cwd=where,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C"},
            stdout=subprocess.PIPE,
        )
        for where, seed in ((folder.path, "1"), (other.path, "4711"))
    ]
    first, second = (process.communicate(timeout=60)[0] for process in said)

    assert [process.returncode for process in said] == [0, 0]
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()
    assert first.count(b"\n") > 100
