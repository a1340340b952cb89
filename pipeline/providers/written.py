"""What a profile's document says of the wire, and of how the sandbox plays its part, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.wire import SHAPES, Auth, Face, Rehearsal, Rule, Said, Sent, Wire

_AUTHS: Mapping[str, Auth] = {"bearer": Auth(), "raw": Auth(prefix=""), "none": Auth(header="")}
_AS_THEY_ARE = (
    *("body", "body_with_reference", "queries", "headers", "reference_json", "constants", "list_is_whole"),
    *("looks", "content", "content_in", "result_models"),
)


def wire_of(raw: Mapping[str, Any]) -> Wire:
    """The wire of a document that `schemas/profile.schema.json` accepts."""
    shape = SHAPES[raw.get("dialect", "videos")]
    return replace(
        shape,
        auth=_auth(raw["auth"]),
        paths={**shape.paths, **raw.get("paths", {})},
        fields=fields_of(raw),
        answers={**shape.answers, **{name: _several(paths) for name, paths in raw.get("answers", {}).items()}},
        problems=tuple(_rule(rule) for rule in raw.get("problems", ())),
        **{name: raw[name] for name in _AS_THEY_ARE if name in raw},
    )


def fields_of(raw: Mapping[str, Any]) -> Mapping[str, Sent]:
    """How each of a job's fields is sent."""
    usual = SHAPES[raw.get("dialect", "videos")].fields
    return {**usual, **{name: _sent(usual[name], how) for name, how in raw.get("fields", {}).items()}}


def rehearsal_of(raw: Mapping[str, Any]) -> Rehearsal:
    """The same of its `rehearsal`."""
    says = {problem: tuple(_said(one) for one in _several(said)) for problem, said in raw.get("says", {}).items()}
    faces = {where: Face(**_with_tuples(face)) for where, face in raw.get("faces", {}).items()}
    return Rehearsal(**{**_with_tuples(raw), "says": says, "faces": faces})


def _with_tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in ("leaves_out", "takes") else value for name, value in raw.items()}


def _said(raw: Mapping[str, Any]) -> Said:
    return Said(**{**raw, "to": _several(raw.get("to", []))})


def _auth(raw: str | Mapping[str, str]) -> Auth:
    if isinstance(raw, str):
        return _AUTHS[raw]
    return Auth(header=raw["header"].lower(), prefix=raw.get("prefix", ""))


def _sent(usual: Sent, raw: str | Mapping[str, str] | None) -> Sent:
    """A new name, or a mapping, or nothing at all: then it is not sent."""
    if raw is None:
        return Sent(name="")
    if isinstance(raw, str):
        return Sent(name=raw)
    return Sent(name=raw.get("name", usual.name), form=raw.get("as", "text"))


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        means=raw["means"], **{name: _several(raw[name]) for name in ("to", "http", "code", "text") if name in raw}
    )


def _several(raw: Any) -> tuple[Any, ...]:
    """One or many, as they may be written."""
    return tuple(raw) if isinstance(raw, list) else (raw,)
