"""Templates, patterns, paths and sweeps that mean harm: an issue each, at a place, soon, and nothing read elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.manifest.files import NAMES_MAX, BadFile, FolderLibrary
from pipeline.profile import Profile
from tests.manifest.folder import Folder

CPU_S_MAX = 2.0
"""On a machine that does other things as well; none takes a fifth of it on an idle one."""

LONG = "ab" * 1_500

TEMPLATES = {
    # code
    "a class": "{{ x.__class__ }}",
    "a class by its item": "{{ x['__class__'] }}",
    "a class by a filter": "{{ x|attr('__class__') }}",
    "what a class descends from": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a method": "{{ x.upper }}",
    "a call": "{{ x.format(x) }}",
    "a format string": "{{ '%s'|format(x) }}",
    "a format by an operator": "{{ '%1000000000d' % 1 }}",
    "itself": "{{ self }}",
    "what it was given": "{{ self.__init__.__globals__ }}",
    "a file": "{% include '/etc/passwd' %}",
    "another template": "{% extends '/etc/passwd' %}",
    "a module": "{% import 'os' as os %}",
    "a loop": "{% for i in x %}{% endfor %}",
    "a macro": "{% macro m() %}{{ m() }}{% endmacro %}",
    "an assignment": "{% set x = x %}",
    "a function of jinja": "{{ cycler(1) }}{{ range(10**10) }}{{ lipsum() }}",
    # work
    "a power": "{{ 9**9**9 }}",
    "a text many times": "{{ 'a' * 1000000000 }}",
    "a list many times": "{{ [1] * 1000000000 }}",
    "a wide text": "{{ 'a'|center(1000000000) }}",
    "a text in itself": "{{ x|join(x) }}",
    "a text between all letters": "{{ x|replace('', x) }}",
    "a text that grows": f"{{{{ 'ab'{'|replace(a, x)' * 40} }}}}".replace("a, x", "'a', x"),
    "a sum of texts": f"{{{{ {' + '.join(['x'] * 40)} }}}}",
    "a long sum of texts": f"{{{{ {'+'.join(['x'] * 9_000)} }}}}",
    "a chain of texts": f"{{{{ {' ~ '.join(['x'] * 400)} }}}}",
    "a long chain of texts": f"{{{{ {'~'.join(['x'] * 9_000)} }}}}",
    "many texts": "{{ x }}" * 4_000,
    "many conditions": "{% if x|upper == x|lower %}a{% endif %}" * 700,
    "a long number": f"{{{{ {'9' * 5_000} }}}}",
    "a division by nothing": "{{ 1 // 0 }}",
    # depth
    "brackets": "{{ " + "(" * 9_000,
    "closed brackets": "{{ " + "(" * 500 + "x" + ")" * 500 + " }}",
    "conditions in each other": "{% if x %}" * 200 + "{% endif %}" * 200,
    "filters": f"{{{{ x{'|upper' * 2_000} }}}}",
    "filters, again and again": f"{{% if 'ab'{'|upper' * 200} %}}{{% endif %}}" * 9,
    "signs": "{{ " + "-" * 9_000 + "1 }}",
    "openings": "{{" * 15_000,
    "openings that are text": "{% raw %}" + "{{" * 15_000 + "{% endraw %}{{ nope }}",
    "a name that is everywhere": "{# nope #}" * 2_500 + "{{ nope }}",
    "blanks": "{{" + " " * 20_000 + "nope }}",
}


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


@pytest.mark.parametrize("what", TEMPLATES)
def test_a_hostile_template_is_an_issue_where_it_stands(what: str, folder: Folder) -> None:
    text = json.dumps(TEMPLATES[what])
    began_s = time.process_time()

    issues = folder.issues(f"vars: {{x: {LONG}}}\njobs:\n  - {{id: a, prompt: {text}}}\n")

    assert time.process_time() - began_s < CPU_S_MAX
    assert [re.sub(r":\d+ .*", "", issue, flags=re.DOTALL) for issue in issues] == ["m.yaml:3"]
    assert all(len(issue) < 300 for issue in issues)


@pytest.mark.parametrize("field", ["id", "group", "params: {x", "meta: {x", "matrix: {prompt", "matrix: {group"])
def test_so_is_one_in_another_field(field: str, folder: Folder) -> None:
    text = json.dumps(f"{{{{ {' ~ '.join(['x'] * 400)} }}}}")
    closing = "}" if "{" in field else ""
    own = "" if field.startswith("matrix: {prompt") else ", prompt: a"

    issues = folder.codes(f"vars: {{x: {LONG}}}\njobs:\n  - {{{field}: {text}{closing}{own}}}\n")

    assert [issue.split(":")[1] for issue in issues] == ["3"]


def test_a_template_in_a_prompt_file_has_the_same_bounds(folder: Folder) -> None:
    began_s = time.process_time()
    files = {
        "long.txt": "{% if x %}x{% endif %}" * 40_000,
        "wide.txt": "{{ x }}" * 140_000,
        "deep.txt": "{{ " + "(" * 10**6,
    }
    entries = "".join(f"  - {{prompt_file: {name}}}\n" for name in files)

    issues = folder.codes(f"vars: {{x: {LONG}}}\njobs:\n{entries}", files)

    assert time.process_time() - began_s < CPU_S_MAX
    assert [issue.split(" ")[1] for issue in issues] == ["bad-template"] * 3


def test_a_variable_is_only_computed_with_where_it_is_short(folder: Folder) -> None:
    text = f"vars: {{x: {'a' * 200_000}}}\njobs:\n  - {{prompt: '{{{{ x|truncate(9) }}}}'}}\n"

    [issue] = folder.issues(text)

    assert issue == "m.yaml:3:18 bad-template 'x' is too large for a template that does more than write it"


SWEEPS: Mapping[str, tuple[str, str]] = {
    "a million million cells": (
        "matrix: {a: {range: [1, 1000]}, b: {range: [1, 1000]}, c: {range: [1, 1000]}, d: {range: [1, 1000]}}",
        "too-many",
    ),
    "as many, of which few are drawn": (
        "sample: {count: 3}, matrix: {a: {range: [1, 1000]}, b: {range: [1, 1000]}, c: {range: [1, 1000]}}",
        "too-many",
    ),
    "as many, of which all are excluded": (
        "matrix: {a: {range: [1, 3000]}, b: {range: [1, 9000]}, exclude: [{a: 1}]}",
        "too-many",
    ),
    "a range without end": ("matrix: {a: {range: [0, 1e300, 1e-300]}}", "bad-range"),
    "a range of too many": ("matrix: {a: {range: [0, 100001]}}", "bad-range"),
    "many axes": (f"matrix: {{{', '.join(f'a{n}: [1, 2]' for n in range(60))}}}", "too-many"),
    "too many takes of each": ("takes: 100001, matrix: {a: {range: [1, 100]}}", "too-many"),
}


@pytest.mark.parametrize("what", SWEEPS)
def test_a_sweep_without_end_is_an_issue_at_once(what: str, folder: Folder) -> None:
    stated, code = SWEEPS[what]
    began_s = time.process_time()

    issues = folder.codes(f"jobs:\n  - {{id: s, prompt: 'a {{{{ a }}}}', {stated}}}\n")

    assert time.process_time() - began_s < CPU_S_MAX
    assert [issue.split(" ")[1] for issue in issues if not issue.endswith("no-effect")][-1] == code
    assert all(issue.startswith("m.yaml:2:") for issue in issues)


def test_what_is_at_fault_is_not_looked_at_for_ever(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.expand.TAKES_MAX", 500)
    rows = "prompt,seconds\n" + "a,soon\n" * 300
    sound = "prompt\n" + "a\n" * 300
    axes = "matrix: {a: {range: [1, 300]}}"
    entries = (
        f"{{id: w, from: wrong.csv, {axes}}}",
        f"{{id: u, from: sound.csv, prompt: '{{{{ nope }}}}{{{{ prompt }}}}', {axes}}}",
        f"{{id: r, from: sound.csv, remix_of: nobody, {axes}}}",
    )
    for entry in entries:
        issues = folder.codes(f"jobs:\n  - {entry}\n", {"wrong.csv": rows, "sound.csv": sound})
        assert "m.yaml:2:5 too-many" in issues


def test_what_cannot_be_made_any_more_is_not_written_out(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.expand.JOBS_MAX", 10)
    large = "".join(f"  - {{id: l{n}, prompt: l, matrix: {{a: {{range: [1, 99999]}}}}}}\n" for n in range(9))
    began_s = time.process_time()

    issues = folder.codes(
        f"jobs:\n  - {{prompt: a, takes: 11}}\n{large}  - {{prompt: b, matrix: {{seconds: [4, 4]}}}}\n"
    )

    assert time.process_time() - began_s < CPU_S_MAX
    assert issues == ["m.yaml:2:5 too-many", "m.yaml:12:39 duplicate-value"]


def deep(folder: Path, count: int) -> None:
    """Folders in folders, as far as the system lets them be made by name."""
    place = folder
    for _ in range(count):
        place /= "d"
    place.mkdir(parents=True)
    (place / "x.csv").write_text("prompt\nfar\n", encoding="utf-8")


PLACES: Mapping[str, tuple[str, str]] = {
    # what is named: the name, and the class of the issue
    "above": ("../secret.csv", "outside-folder"),
    "above, from below": ("sub/../../secret.csv", "outside-folder"),
    "the root's": ("/etc/passwd.csv", "outside-folder"),
    "above, as a pattern": ("../*.csv", "outside-folder"),
    "above, later in a pattern": ("*/../../*.csv", "outside-folder"),
    "the root's, as a pattern": ("/*.csv", "outside-folder"),
    "everything": ("/**/*.csv", "outside-folder"),
    "of somebody's home": ("~root/x.csv", "missing-file"),
    "of a home, as a pattern": ("~/*.csv", "missing-file"),
    "a link that leaves": ("out.csv", "outside-folder"),
    "a link that leaves, as a pattern": ("ou?.csv", "outside-folder"),
    "behind a link that leaves": ("away/secret.csv", "outside-folder"),
    "behind a link that leaves, as a pattern": ("away/*.csv", "outside-folder"),
    "behind links that leave": ("*/secret.csv", "missing-file"),
    "anywhere behind links that leave": ("**/secret.csv", "missing-file"),
    "in circles": ("round/round/round/**/none.csv", "missing-file"),
    "a link to itself": ("self.csv", "missing-file"),
    "a link to itself, as a pattern": ("sel?.csv", "missing-file"),
    "through a link to itself": ("self.csv/*.csv", "missing-file"),
    "many folders": ("**/" * 29 + "none.csv", "missing-file"),
    "too many folders": ("**/" * 300 + "none.csv", "too-deep"),
    "many folders between": ("**/d/" * 14 + "**/none.csv", "missing-file"),
    "too many folders between": ("**/d/" * 150 + "none.csv", "too-deep"),
    "stars": ("*a" * 400 + ".csv", "missing-file"),
    "an open bracket": ("[.csv", "missing-file"),
    "many open brackets": ("[" * 900 + ".csv", "missing-file"),
    "a range the wrong way round": ("[z-a].csv", "missing-file"),
    "a long name": ("x" * 900 + ".csv", "missing-file"),
    "a long pattern": ("?" * 900 + ".csv", "missing-file"),
    "a device": ("zero.csv", "outside-folder"),
    "a device by its name": ("/dev/zero.csv", "outside-folder"),
    "a pipe": ("pipe.csv", "missing-file"),
    "a pipe, as a pattern": ("pip?.csv", "missing-file"),
    "a socket's name": ("\\\\server\\share\\x.csv", "missing-file"),
    "a drive": ("C:\\Windows\\x.csv", "missing-file"),
    "nothing": ("\\0.csv", "missing-file"),
    "a gigabyte": ("big.csv", "too-large"),
    "a folder": ("sub.csv", "missing-file"),
    "a dot": (".", "unknown-kind"),
}


KINDS = {
    "from": "jobs:\n  - from: {}\n",
    "include": "include: [{}]\njobs: [{{prompt: another}}]\n",
    "prompt": "jobs:\n  - prompt_file: {}\n",
    "filled": "vars:\n  x: {}\njobs:\n  - prompt_file: '{{{{ x }}}}'\n"
    "  - {{prompt: an image, input_reference: '{{{{ x }}}}'}}\n",
}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and links of POSIX")
def test_no_path_and_no_pattern_leaves_the_folder_or_hangs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "sub.csv").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("prompt\nsecret\n", encoding="utf-8")
    links = {"out.csv": "../secret.csv", "away": "..", "round": ".", "self.csv": "self.csv", "zero.csv": "/dev/zero"}
    for name, target in links.items():
        (home / name).symlink_to(target)
    os.mkfifo(home / "pipe.csv")
    with (home / "big.csv").open("wb") as file:
        file.truncate(2**30)
    deep(home, 60)
    for name, (stated, _) in {"sound": ("sub/a.csv", ""), **PLACES}.items():
        for kind, text in KINDS.items():
            written = text.format('"\\0.csv"' if stated == "\\0.csv" else f"'{stated}'")
            (home / f"{name}.{kind}.yaml").write_text(written, encoding="utf-8")
    (home / "sub").mkdir()
    (home / "sub" / "a.csv").write_text("prompt\na\n", encoding="utf-8")

    told = _observed(home, [f"{name}.{kind}.yaml" for name in ("sound", *PLACES) for kind in KINDS])

    sound = {kind: told.pop(f"sound.{kind}.yaml")["issues"] for kind in KINDS}
    assert sound.pop("filled") == [f"{home.as_posix()}/sound.filled.yaml:5:41 bad-image"]
    assert not any(sound.values())
    codes = {name: [issue.rpartition(" ")[2] for issue in said["issues"]] for name, said in told.items()}
    for name, (_, code) in PLACES.items():
        assert (name, codes[f"{name}.from.yaml"]) == (name, [code])
        assert (name, codes[f"{name}.include.yaml"]) == (name, [code])
        assert (name, len(codes[f"{name}.prompt.yaml"])) == (name, 1)
        assert (name, codes[f"{name}.filled.yaml"][:-1]) == (name, codes[f"{name}.prompt.yaml"])
        assert (name, len(codes[f"{name}.filled.yaml"])) == (name, 2)
    assert {name: said["touched"] for name, said in told.items() if said["touched"]} == {}
    assert {name: said["cpu_s"] for name, said in told.items() if said["cpu_s"] > CPU_S_MAX} == {}


def _observed(home: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """What `trespass` says of manifests in *home*, by name."""
    words = [sys.executable, "-m", "tests.manifest.trespass", str(home), *names]
    root = Path(__file__).parents[2]
    ended = subprocess.run(words, cwd=root, stdout=subprocess.PIPE, timeout=120, check=True)
    return {said["name"]: said for said in map(json.loads, ended.stdout.splitlines())}


def test_a_folder_of_too_many_files_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(60):
        (tmp_path / f"{n}.txt").touch()
    monkeypatch.setattr("pipeline.manifest.files.NAMES_MAX", 50)

    with pytest.raises(BadFile, match="looks through more than 50 files; name their folder"):
        FolderLibrary(tmp_path).names("*.csv")

    assert NAMES_MAX > 50


def test_files_are_not_read_again_and_again_for_ever(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.reading.ALL_BYTES_MAX", 2**20)
    entries = "".join(f"  - {{id: e{n}, from: blank.csv}}\n" for n in range(40))

    issues = folder.issues(f"jobs:\n{entries}", {"blank.csv": "prompt" + " " * 300_000 + "\n"})

    assert issues[0].startswith("m.yaml:5:20 too-large this is more than 1 MiB in all, each file counted as often as")
    assert issues[-1] == "blank.csv:1:1 too-long a cell of this row is longer than 131,072 characters"


def test_manifests_that_include_ever_more_come_to_an_end(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.load.INCLUDES_MAX", 20)
    files = {f"m{n}.yaml": f"include: [m{n + 1}.yaml]\njobs: [{{prompt: p{n}}}]\n" for n in range(40)}

    issues = folder.issues("include: [m0.yaml]\njobs: [{prompt: a}]\n", files)

    assert issues == ["m19.yaml:1:11 included-twice 'm20.yaml' is one too many; 20 is the most"]


@pytest.mark.parametrize(
    ("prompt", "warnings"),
    [('{{ "}}' + "{%" * 15_000 + '" }}', 0), ("{{ '}}" + "{#" * 15_000 + "' }}", 0), ("{s}" * 9_000 + "{ t }{t}", 2)],
    ids=["statements", "remarks", "names"],
)
def test_a_text_full_of_braces_is_looked_through_once_and_each_name_is_warned_of_once(
    prompt: str, warnings: int, folder: Folder
) -> None:
    entries = "".join(f"  - {{prompt: {json.dumps(f'{n} {prompt}')}}}\n" for n in range(5))
    began_s = time.process_time()

    manifest = folder.load(f"vars: {{s: 1, t: 2}}\njobs:\n{entries}")

    assert time.process_time() - began_s < CPU_S_MAX
    assert len(manifest.warnings) == 5 * warnings
