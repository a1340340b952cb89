"""The schema is the judge: our shortcuts say what it says, and it says enough for an editor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import pipeline.manifest
from pipeline.manifest.form import form, manifest_schema
from pipeline.manifest.table import field_table
from pipeline.paths import example_folder, schemas_folder

CASES = Path(__file__).parents[1] / "cases" / "manifests"
MANIFEST = Path(pipeline.manifest.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "manifest.md"
SHAPE = form()

names = st.sampled_from([*SHAPE.entry_schema["properties"], "matrix", "secnds"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5_000)
    | st.floats(-5, 5_000)
    | st.text(max_size=5)
    | st.sampled_from(["1280x720", "8", "012", "x" * 32_001, "a\n"])
)
mappings = st.dictionaries(st.sampled_from(["seed", "model", "a b", "take", "x"]), scalars, max_size=3)
entries = st.dictionaries(names, scalars | mappings | st.lists(scalars, max_size=2), max_size=6)


def fields_of(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields_of(field, f"{path}.{name}")
        yield from fields_of(field.get("items", {}), f"{path}.{name}[]")


FIELDS = dict(fields_of(SHAPE.schema))


@given(entries)
def test_taken_apart_the_schema_judges_as_it_does_whole(entry: dict[str, Any]) -> None:
    whole = Draft202012Validator(manifest_schema())
    at_fault = {tuple(error.absolute_path)[2:3] for error in whole.iter_errors({"jobs": [entry]})}
    ours = {fault.path[:1] for fault in SHAPE.judge_entry(entry)}

    assert bool(ours) == bool(at_fault)
    # A fault of names is told at its key, jsonschema tells it at the mapping.
    assert {path for path in at_fault if path} <= ours


@given(st.lists(entries, min_size=2, max_size=8))
def test_a_verdict_does_not_depend_on_what_was_judged_before(several: list[dict[str, Any]]) -> None:
    fresh = [list(type(SHAPE)(manifest_schema()).judge_entry(entry)) for entry in several[:1]]

    for entry in several:
        SHAPE.judge_entry(entry)

    assert list(SHAPE.judge_entry(several[0])) == fresh[0]


def test_the_schema_is_sound() -> None:
    Draft202012Validator.check_schema(manifest_schema())


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_explains_itself_to_an_editor(path: str) -> None:
    field = FIELDS[path]

    assert field["title"]
    assert field["description"].endswith(".")
    assert field["examples"]
    validator = Draft202012Validator(field)
    assert [error.message for example in field["examples"] for error in validator.iter_errors(example)] == []


def test_what_a_provider_takes_is_not_in_the_schema() -> None:
    for name in ("model", "seconds", "size"):
        assert "enum" not in FIELDS[f".jobs[].{name}"]


@pytest.mark.parametrize("path", sorted(example_folder().glob("*.yaml")), ids=lambda path: path.name)
def test_an_editor_finds_nothing_wrong_with_the_examples(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert [error.message for error in Draft202012Validator(manifest_schema()).iter_errors(document)] == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/manifest.schema.json"


def test_the_schemas_are_found() -> None:
    assert json.loads((schemas_folder() / "manifest.schema.json").read_text(encoding="utf-8"))["title"]


def test_the_documentation_shows_the_fields_of_the_schema() -> None:
    """Its table stands between two marks; this is what belongs there."""
    text = DOCS.read_text(encoding="utf-8")

    table = text.split("<!-- fields -->\n")[1].split("<!-- end of fields -->")[0]

    assert table.strip() == field_table(SHAPE.schema).strip()
