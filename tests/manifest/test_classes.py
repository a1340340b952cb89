"""Every class of issue is told in the docs and shown by a pair of files, and no other is ever said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline.manifest
from pipeline.cli.validate import check
from pipeline.errors import InvalidManifest
from pipeline.manifest.classes import CLASSES, ELSEWHERE, class_table
from pipeline.manifest.document import Findings
from pipeline.manifest.load import Wishes, load
from pipeline.manifest.source import Source
from pipeline.profile import Profile
from tests.manifest.test_cases import cases

ROOT = Path(__file__).parents[2]
MANIFEST = Path(pipeline.manifest.__file__).parent
MADE = {f"profile-{what}" for what in ("model", "seconds", "size", "reference", "remix", "extend", "edit")}
"""Put together of `profile-` and what is refused."""
OTHER_WORDS = {"utf-8", "utf-8-sig"}
"""What is written like a class of two words or more, and is none."""


def words_in(path: Path) -> Iterator[str]:
    """Every text in a source that could be a code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z-]+", node.value):
            yield node.value


def test_the_documentation_has_the_table_of_all_classes() -> None:
    text = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")

    assert text.split("<!-- issues -->\n")[1].split("<!-- end of issues -->")[0].strip() == class_table().strip()


def test_every_code_in_the_sources_stands_in_the_table_and_the_other_way_round() -> None:
    """A code of one word is like any other word; an unknown one is refused when it is said (see below)."""
    sources = [path for path in MANIFEST.glob("*.py") if path.name != "classes.py"]
    found = {word for path in (*sources, ROOT / "pipeline" / "cli" / "validate.py") for word in words_in(path)}
    joined = {word for word in found if "-" in word.strip("-")}

    assert joined - OTHER_WORDS - set(CLASSES) == set()
    assert set(CLASSES) - found - MADE == set()


def test_an_issue_of_an_unknown_class_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no-such-class"):
        Findings(Source("m.yaml", "jobs: []")).at(0, "no-such-class", "words")


def test_every_class_has_a_pair_of_files_or_a_test_that_it_names(profiles: dict[str, Profile]) -> None:
    shown = {code for case in cases("invalid") for code in codes_of(case, profiles)}
    warned = {issue.code for case in cases("valid") for issue in read(case, profiles).warnings}

    assert sorted(set(CLASSES) - shown - warned - set(ELSEWHERE)) == []
    assert sorted((shown | warned) & set(ELSEWHERE)) == []


@pytest.mark.parametrize("code", sorted(ELSEWHERE))
def test_the_test_of_a_class_without_files_is_there_and_speaks_of_it(code: str) -> None:
    file, _, name = ELSEWHERE[code].partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    [test] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]

    assert code in ast.unparse(test)


def test_a_prompt_of_more_characters_than_any_provider_takes_is_too_long(
    tmp_path: Path, profiles: dict[str, Profile]
) -> None:
    (tmp_path / "m.csv").write_text(f"prompt\n{'x' * 32_001}\n{'x' * 32_000}\n", encoding="utf-8")
    (tmp_path / "m.yaml").write_text(f"jobs:\n  - prompt: {'x' * 32_001}\n", encoding="utf-8")

    for name in ("m.csv", "m.yaml"):
        assert codes_of(tmp_path / name, profiles) == {"too-long"}


def test_a_prompt_file_beyond_its_bound_is_too_large(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    (tmp_path / "prompt.txt").write_bytes(b"x" * (2**20 + 1))
    (tmp_path / "m.yaml").write_text("jobs:\n  - prompt_file: prompt.txt\n", encoding="utf-8")

    assert codes_of(tmp_path / "m.yaml", profiles) == {"too-large"}


def test_what_is_no_manifest_at_all_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("prompt: a heron", encoding="utf-8")

    for name in ("nothing.yaml", "notes.txt"):
        assert [issue.code for issue in check(tmp_path / name, Wishes()).issues] == ["unreadable"]


def codes_of(case: Path, profiles: dict[str, Profile]) -> set[str]:
    """The codes of an invalid case's issues."""
    with pytest.raises(InvalidManifest) as caught:
        read(case, profiles)
    return {issue.code for issue in caught.value.issues}


def read(case: Path, profiles: dict[str, Profile]) -> pipeline.model.Manifest:
    return load(case, find_profile=profiles.get, profile_names=sorted(profiles))
