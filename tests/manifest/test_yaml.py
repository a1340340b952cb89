"""YAML from the event stream: exact places with either parser, and bounds that hold before anything is built."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

import pytest
import yaml

from pipeline.errors import InvalidManifest
from pipeline.manifest import read_yaml as module
from pipeline.manifest.document import Findings, Unreadable
from pipeline.manifest.form import form
from pipeline.manifest.load import load
from pipeline.manifest.read_yaml import read_yaml
from pipeline.manifest.source import Source
from pipeline.profile import Profile

CASES = Path(__file__).parents[1] / "cases" / "manifests"


def read(text: str) -> list[tuple[str, int, int]]:
    """The issues of reading alone, as code, line and column."""
    findings = Findings(Source("m.yaml", text))
    with contextlib.suppress(Unreadable):
        read_yaml(findings.source, findings, form().schema)
    return [(i.code, i.position.line, i.position.column) for i in findings.in_order(warning=False)]


@pytest.mark.parametrize("case", sorted((CASES / "valid").glob("*.yaml")), ids=lambda path: path.name)
def test_both_parsers_of_pyyaml_make_the_same_manifest(
    case: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    def jobs() -> object:
        return load(case, find_profile=profiles.get, profile_names=sorted(profiles)).jobs

    fast = jobs()
    monkeypatch.setattr(module, "_PARSER", yaml.Loader)

    assert jobs() == fast


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
@pytest.mark.parametrize("parser", [yaml.Loader, getattr(yaml, "CLoader", yaml.Loader)])
def test_nesting_is_refused_while_it_arrives(
    opening: str, parser: type[yaml.Loader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PARSER", parser)

    assert [code for code, *_ in read(opening * 100_000)] == ["too-deep"]


def test_nesting_through_aliases_counts() -> None:
    levels = "".join(f"  a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 20))

    assert [code for code, *_ in read(f"vars:\n  a0: &a0 [x]\n{levels}")] == ["too-deep"]


def test_an_alias_bomb_is_refused_without_walking_it() -> None:
    letters = "abcdefghijkl"
    lines = [f"  {b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in itertools.pairwise(letters)]
    start = time.process_time()

    assert read(f"vars:\n  a: &a [x]\n{''.join(lines)}") == [("alias-bomb", 8, 22)]
    assert time.process_time() - start < 1.0


def test_many_cheap_aliases_are_allowed() -> None:
    entries = "".join(f"  - {{<<: *base, prompt: 'n {n}'}}\n" for n in range(2_000))

    assert read(f"defaults: &base {{seconds: 4}}\njobs:\n{entries}") == []


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("jobs:\n  - prompt: a\n\tseconds: 4\n", 3, 1),
        ("jobs:\n  - prompt: 'a'\n  \tseconds: 4\n", 3, 3),
        ("jobs:\n-\tprompt: a\n", 2, 2),
        ("\tjobs: []\n", 1, 1),
    ],
)
def test_a_tab_in_the_indentation_is_named(text: str, line: int, column: int) -> None:
    assert read(text) == [("tab", line, column)]


def test_a_tab_that_yaml_allows_is_allowed() -> None:
    assert read("jobs:\t[]\t# none\n") == []


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (
            'prompt: "a sign saying "open" at night"',
            29,
            'the quoted text ends before this; write a quote inside one as \\",',
        ),
        ("prompt: 'it's dawn'", 17, "the quoted text ends before this; write a quote inside one as '',"),
        ('{prompt: "a "b" c"}', 18, "the quoted text ends before this"),
        ("prompt: a heron: at dawn", 20, "a text that holds ': ' needs quotes"),
        ("{prompt: a: b}", 15, "a text that holds ': ' needs quotes"),
        ("prompt a heron\n    seconds: 4", 12, "is a ': ' missing in line 2?"),
        ("prompt: a heron\n      seconds: 4", 14, "a ': ' does not belong here"),
        ("prompt: {{ subject }} at dawn", 13, "a text that begins with '{{' needs quotes"),
        ("{prompt: {{ subject }}}", 14, "a text that begins with '{{' needs quotes"),
        ("prompt: {% if x %}a{% endif %}", 13, "a text that begins with '{%' needs quotes"),
        ("prompt: {subject} at dawn", 23, "the bracket closes before this; a text that begins with '{' needs quotes"),
        ("prompt: [wide] a heron", 20, "the bracket closes before this; a text that begins with '[' needs quotes"),
        *((f"prompt: {mark} heron", 13, f"a text that begins with '{mark}' needs quotes") for mark in "%@`&*-?"),
        ("prompt: *bold heron", 13, "there is no anchor '&bold' above this alias; a text that begins with '*' needs"),
        ("prompt: > a heron", 13, "below '|' and '>' the text begins on the next line; quote one that begins so"),
        ('id: a\n    prompt "a heron"', 5, "a ':' is missing after this key"),
        ("prompt: |\n    a heron\n    at dawn", 5, "the text below '|' has to be indented further than its key"),
        ("prompt: >-\n    seen at: dawn\n    a heron", 5, "the text below '>' has to be indented further"),
        ("id: a\n   prompt: a heron", 4, "a key of the entry above is indented as that one's first;"),
        ('{id: a, prompt: "a heron" seconds: 4}', 31, "a ',' is missing before this, or the quoted text was to go on"),
        ("[a]: b", 5, "a key is a word, not a list or a mapping"),
    ],
)
def test_the_usual_mistakes_are_told_by_their_cause_and_remedy(line: str, column: int, said: str) -> None:
    source = Source("m.yaml", f"jobs:\n  - {line}\n")
    findings = Findings(source)
    with pytest.raises(Unreadable):
        read_yaml(source, findings, form().schema)
    [issue] = findings.in_order(warning=False)

    assert (issue.position.column, issue.message[: len(said)]) == (column, said)
    assert "\n" not in issue.message


def test_lines_are_counted_as_editors_count_them() -> None:
    text = "vars: {a: 'x\u2028y\u0085z'}\r\njobs: []\r\njobs: []\r\n"

    assert read(text) == [("duplicate-key", 3, 1)]


def test_columns_count_characters() -> None:
    assert read("{'🪶é': 1, '🪶é': 2}\n") == [("duplicate-key", 1, 11)]


def test_all_that_is_wrong_before_the_end_of_reading_is_told() -> None:
    text = "a: !x 1\na: 2\nb: [\n"

    assert [code for code, *_ in read(text)] == ["tag", "duplicate-key", "syntax"]


def test_a_first_stated_key_goes_over_what_is_merged() -> None:
    findings = Findings(Source("m.yaml", "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nvars: {<<: [*b, *a], z: 5}\n"))

    document = read_yaml(findings.source, findings, form().schema)

    assert isinstance(document.frame, dict)
    assert document.frame["vars"] == {"x": 1, "y": 3, "z": 5}


def test_a_huge_number_is_text_and_so_refused(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"jobs:\n  - prompt: a\n    takes: {'9' * 5_000}\n    seconds: 1e999\n", encoding="utf-8")

    with pytest.raises(InvalidManifest) as caught:
        load(path, find_profile=profiles.get, profile_names=sorted(profiles))

    assert [issue.code for issue in caught.value.issues] == ["wrong-type", "bad-form"]
    assert all(len(issue.message) < 120 for issue in caught.value.issues)
