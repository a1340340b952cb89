"""Whether a document has the form of a manifest. jsonschema is the judge; what it said once of a value is kept.

A data file has a hundred thousand entries made of few distinct settings, so an entry is judged in two parts that do
not depend on each other: which fields it has, and each field's value. Both verdicts are kept and looked up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from pipeline.manifest.wording import Fault, faults_of
from pipeline.model import JSON
from pipeline.paths import schemas_folder

SCHEMA_FILE = "manifest.schema.json"
_KEPT_MAX = 10_000
_SHORT = 64
_TEXT_RULES = frozenset({"minLength", "maxLength", "pattern"})
_REMARKS = frozenset({"type", "title", "description", "examples", "default", "patternErrorMessage"})


def manifest_schema() -> dict[str, Any]:
    """The schema as it is published."""
    schema: dict[str, Any] = json.loads((schemas_folder() / SCHEMA_FILE).read_text(encoding="utf-8"))
    return schema


@lru_cache(maxsize=1)
def form() -> Form:
    """The form of a manifest; made once."""
    return Form(manifest_schema())


class Form:
    """The schema, taken apart for fast and exact judgements."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema: dict[str, Any] = _without_references(schema, schema)
        self.entry_schema: dict[str, Any] = self.schema["properties"]["jobs"]["items"]
        around = {**self.schema["properties"]["jobs"], "items": True}
        self._frame = Draft202012Validator({**self.schema, "properties": {**self.schema["properties"], "jobs": around}})
        fields: dict[str, Any] = self.entry_schema["properties"]
        self._names = Draft202012Validator({**self.entry_schema, "properties": dict.fromkeys(fields, True)})
        self._fields = {name: _Field(field) for name, field in fields.items()}
        self._names_kept: dict[frozenset[str], Sequence[Fault]] = {}
        self.faults_schema: dict[str, Any] = self.schema["properties"]["provider"]["properties"]["faults"]

    def judge_faults(self, faults: JSON) -> Sequence[Fault]:
        """What is wrong with a mapping of sandbox faults that stands for itself."""
        return faults_of(Draft202012Validator(self.faults_schema).iter_errors(faults))

    def judge_frame(self, frame: JSON) -> Sequence[Fault]:
        """What is wrong around the entries."""
        return faults_of(self._frame.iter_errors(frame))

    def judge_entry(self, entry: JSON) -> Sequence[Fault]:
        """What is wrong with one entry; paths begin at the entry."""
        if not isinstance(entry, dict):
            return faults_of(self._names.iter_errors(entry))
        return [*self._judge_names(frozenset(entry)), *self.judge_fields(entry)]

    def judge_fields(self, fields: Mapping[str, JSON]) -> Sequence[Fault]:
        """What is wrong with the values of *fields*, whichever of them there are."""
        faults: Sequence[Fault] = ()
        known = self._fields
        for name, value in fields.items():
            field = known.get(name)
            if field is not None and not field.accepts(value):
                faults = [*faults, *(fault.below((name,)) for fault in field.judge(value))]
        return faults

    def judge_field(self, name: str, value: JSON) -> Sequence[Fault]:
        """What is wrong with *value* as the field *name* of an entry; paths begin at the value."""
        return self._fields[name].judge(value)

    def _judge_names(self, names: frozenset[str]) -> Sequence[Fault]:
        kept = self._names_kept.get(names)
        if kept is None:
            kept = faults_of(self._names.iter_errors(dict.fromkeys(sorted(names))))
            if len(self._names_kept) < _KEPT_MAX:
                self._names_kept[names] = kept
        return kept


class _Field:
    """One field of an entry, and the verdicts on its values so far."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = Draft202012Validator(schema)
        self._plain_text = schema.get("type") == "string" and set(schema) <= _TEXT_RULES | _REMARKS
        self._length_min, self._length_max = schema.get("minLength", 0), schema.get("maxLength", 10**9)
        self._pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
        self._names_only = schema.get("type") == "object" and set(schema) <= {"propertyNames"} | _REMARKS
        self._good_names: set[frozenset[str]] = set()
        self._good: set[tuple[type, JSON]] = set()
        self._kept: dict[tuple[type, str], Sequence[Fault]] = {}

    def accepts(self, value: JSON) -> bool:
        """A quick yes: for text it is what jsonschema would do, for the rest what it has said before."""
        if self._plain_text:
            return (
                isinstance(value, str)
                and self._length_min <= len(value) <= self._length_max
                and (self._pattern is None or self._pattern.search(value) is not None)
            )
        if isinstance(value, dict):
            return self._names_only and self._has_good_names(frozenset(value))
        return not isinstance(value, list) and (type(value), value) in self._good

    def _has_good_names(self, names: frozenset[str]) -> bool:
        """Where the schema speaks of names alone, what jsonschema says of the names is said of every such mapping."""
        if names in self._good_names:
            return True
        good = self._validator.is_valid(dict.fromkeys(names))
        if good and len(self._good_names) < _KEPT_MAX:
            self._good_names.add(names)
        return good

    def judge(self, value: JSON) -> Sequence[Fault]:
        """What jsonschema says of *value*; kept where the value is short and single."""
        if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _SHORT):
            return faults_of(self._validator.iter_errors(value))
        kept = self._kept.get((type(value), repr(value)))
        if kept is None:
            kept = tuple(faults_of(self._validator.iter_errors(value)))
            if len(self._kept) < _KEPT_MAX:
                self._kept[type(value), repr(value)] = kept
                if not kept:
                    self._good.add((type(value), value))
        return kept


def _without_references(schema: Any, root: Mapping[str, Any]) -> Any:
    """*schema* with every `#/$defs/…` written out; there are no cycles."""
    if isinstance(schema, list):
        return [_without_references(part, root) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    below = {key: _without_references(part, root) for key, part in schema.items() if key not in ("$ref", "$defs")}
    if "$ref" not in schema:
        return below
    name = schema["$ref"].removeprefix("#/$defs/")
    return {**_without_references(root["$defs"][name], root), **below}
