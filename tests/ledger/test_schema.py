"""`schemas/ledger.schema.json` says what the ledger really writes, no more and no less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.ledger.fields import FIELDS, FORMAT, FORMATS, WISH_FIELDS, Field
from pipeline.paths import schemas_folder
from tests.ledger.histories import ORIGIN, fill

SCHEMA: dict[str, Any] = json.loads((schemas_folder() / "ledger.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
FRAME = {"n", "t", "at", "crc"}
JSON_TYPES = {str: "string", int: "integer", float: "number", dict: "object", type(None): "null"}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One record of every type, as written; a repair's is made up from an uncertain one."""
    lines = fill(tmp_path_factory.mktemp("ledger") / "ledger.jsonl")
    found = {(record := json.loads(line))["t"]: record for line in lines}
    shared = ("n", "at", "job", "attempt", "price", "reason", "crc")
    repaired = {name: found["uncertain"][name] for name in shared}
    return {**found, "repaired": {**repaired, "t": "repaired", "origin": ORIGIN}}


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_line_that_is_written_is_valid(tmp_path: Path) -> None:
    for line in fill(tmp_path / "ledger.jsonl"):
        VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize("kind", [str(kind) for kind in FIELDS])
def test_each_type_is_written_and_none_of_its_fields_may_be_missing_or_another(
    records: dict[str, dict[str, Any]], kind: str
) -> None:
    record = records[kind]
    VALIDATOR.validate(record)
    for name, field in FIELDS[kind].items():
        if field.required:
            assert not VALIDATOR.is_valid({k: v for k, v in record.items() if k != name}), name
        assert not VALIDATOR.is_valid({**record, name: [1]}), name
    for name in FRAME:
        assert not VALIDATOR.is_valid({k: v for k, v in record.items() if k != name}), name
    assert not VALIDATOR.is_valid({**record, "colour": "red"})


def test_an_unknown_type_is_refused(records: dict[str, dict[str, Any]]) -> None:
    assert not VALIDATOR.is_valid({**records["note"], "t": "rumour"})


@pytest.mark.parametrize("number", [FORMAT - 1, FORMAT, FORMAT + 1])
def test_a_header_of_every_format_that_is_read_is_valid_and_no_other(
    records: dict[str, dict[str, Any]], number: int
) -> None:
    assert VALIDATOR.is_valid({**records["header"], "format": number}) == (number in FORMATS)


def types_of(field: Field) -> set[str]:
    types = {JSON_TYPES[kind] for kind in field.kinds}
    return types - {"integer"} if "number" in types else types


def said(property_: dict[str, Any]) -> set[str]:
    if "$ref" in property_:
        property_ = SCHEMA["$defs"][property_["$ref"].rsplit("/", 1)[1]]
    kinds = property_["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds)


@pytest.mark.parametrize(
    ("name", "table", "frame"), [*((str(k), t, FRAME) for k, t in FIELDS.items()), ("wish", WISH_FIELDS, set())]
)
def test_the_schema_and_the_table_agree(name: str, table: dict[str, Field], frame: set[str]) -> None:
    shape = SCHEMA["$defs"][name]

    assert set(shape["properties"]) == set(table) | frame
    assert set(shape["required"]) == {field for field, rule in table.items() if rule.required} | frame
    for field, rule in table.items():
        assert said(shape["properties"][field]) == types_of(rule), field
        assert set(shape["properties"][field].get("enum", ())) == rule.words, field
        assert shape["properties"][field].get("maxLength") == rule.bound, field
        assert shape["properties"][field]["description"], field
    assert shape["description"]
