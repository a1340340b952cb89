"""What jsonschema says, in our words: short, with what was expected, what was found and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jsonschema import ValidationError

from pipeline.manifest.document import Path
from pipeline.manifest.fields import did_you_mean, meant_key, shown
from pipeline.manifest.scalars import written_number
from pipeline.model import JSON

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_FEW = 4
"""So many keys are named in place of one that is near to none of them."""
_SECRET_KEYS = ("key", "api_key", "apikey", "token", "api_token", "secret", "password", "authorization", "bearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong with a value, wherever it was written."""

    path: Path
    code: str
    message: str
    key: bool = False
    """It is about the key at `path`, not its value."""
    hidden: bool = False
    """The line may hold a secret and must not be shown."""
    meant: str = ""
    """What a field that is unknown was probably meant to be."""

    @property
    def field(self) -> str:
        """The field of an entry that it is in; empty where it is about all of it."""
        return str(self.path[0]) if self.path else ""

    def below(self, path: Path) -> Fault:
        """The same fault in what stands at *path*."""
        return replace(self, path=(*path, *self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What jsonschema found: one keyword that a value does not satisfy."""

    path: Path
    keyword: str
    limit: Any
    """What the schema says after the keyword."""
    value: Any
    schema: Mapping[str, Any]
    about_name: bool
    """The value is a key's name."""


def faults_of(errors: Iterable[ValidationError]) -> Sequence[Fault]:
    """The faults that *errors* mean, without repeats."""
    said = (one for error in errors for one in _fitting(error))
    faults = dict.fromkeys(fault for error in said for fault in _faults(_verdict(error)))
    prompted = any(fault.meant in ("prompt", "prompt_file") for fault in faults)
    return [fault for fault in faults if fault.code != "missing-prompt" or not prompted]


def _fitting(error: ValidationError) -> Sequence[ValidationError]:
    """What *error* says; of a choice, what the alternative says that is of the value's kind, or else the first one."""
    if error.validator != "oneOf" or not error.context:
        return [error]
    by_choice: dict[Any, list[ValidationError]] = {}
    for one in error.context:
        by_choice.setdefault(one.relative_schema_path[0], []).append(one)
    meant = (said for said in by_choice.values() if not any(map(_is_of_another_kind, said)))
    return next(meant, next(iter(by_choice.values())))


def _is_of_another_kind(error: ValidationError) -> bool:
    """Whether an alternative is not for such a value at all."""
    single = isinstance(error.instance, dict | list)
    return not error.relative_path and (error.validator == "type" or (error.validator == "enum" and single))


def _verdict(error: ValidationError) -> _Verdict:
    return _Verdict(
        path=tuple(error.absolute_path),
        keyword=str(error.validator),
        limit=error.validator_value,
        value=error.instance,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        about_name="propertyNames" in error.absolute_schema_path,
    )


def _faults(error: _Verdict) -> list[Fault]:
    path = error.path
    if error.keyword == "additionalProperties" and isinstance(error.value, dict):
        known = list(error.schema.get("properties", {}))
        return [_unknown(path, name, known) for name in error.value if name not in known]
    if error.about_name:
        return [_bad_name((*path, error.value), error)]
    if error.keyword in ("anyOf", "not"):
        return [_choice(path, error)] if isinstance(error.value, dict) else []
    code, words = _WORDS.get(error.keyword, ("bad-form", _otherwise))
    return [Fault(path=path, code=code, message=words(error))]


def _unknown(path: Path, name: str, known: Sequence[str]) -> Fault:
    variable = "api_key_env" if path == ("provider",) else "key_env" if "key_env" in known else ""
    if variable and name.lower() in _SECRET_KEYS:
        what = "a manifest" if path else "a profile"
        message = f"a key does not belong in {what}; set a variable of the environment and name it in '{variable}'"
        return Fault(path=(*path, name), code="secret", message=message, key=True, hidden=True)
    meant = meant_key(name, known)
    hint = f"; did you mean '{meant}'?" if meant else _of_a_key(name, known)
    message = f"unknown key '{shown(name)}'{hint}"
    return Fault(path=(*path, name), code="unknown-key", message=message, key=True, meant="" if path else meant)


def _of_a_key(name: str, known: Collection[str]) -> str:
    """What to add of a key that is near to none of those that are *known* in its place."""
    if " " in name:
        return "; if it is the rest of a text that holds a comma, quote that text"
    if 0 < len(known) <= _FEW:
        return f"; known here: {', '.join(known)}"
    if {"vars", "params"}.issubset(known):
        return "; a variable of your own stands in 'vars', a field for the provider alone in 'params'"
    return ""


def _bad_name(path: Path, error: _Verdict) -> Fault:
    if error.keyword == "not":
        message = f"'{shown(error.value)}' is {error.schema['not'].get('description', 'reserved')}"
        return Fault(path=path, code="reserved-name", message=message, key=True)
    if error.keyword == "enum":
        return Fault(path=path, code="unknown-word", message=_unknown_word(error), key=True)
    wanted = error.schema.get("patternErrorMessage", "it has the wrong form")
    return Fault(path=path, code="bad-name", message=f"the name '{shown(error.value)}': {wanted}", key=True)


def _choice(path: Path, error: _Verdict) -> Fault:
    """The schema wants one of several fields, or not two of them together."""
    if error.keyword == "not":
        first, second = error.limit["required"]
        code, what = ("two-prompts", "what to make") if first == "prompt" else ("bad-source", "what to start from")
        message = f"'{first}' and '{second}' both say {what}; give one"
        return Fault(path=(*path, second), code=code, message=message, key=True)
    if ["jobs"] in [choice["required"] for choice in error.limit]:
        message = "missing: 'jobs', a list of what to make (or 'include', other manifests)"
        return Fault(path=path, code="missing-field", message=message)
    return Fault(path=path, code="missing-prompt", message="an entry needs a 'prompt' or a 'prompt_file'")


def _wrong_type(error: _Verdict) -> str:
    types: list[str] = error.limit if isinstance(error.limit, list) else [error.limit]
    expected = " or ".join(_TYPES.get(name, name) for name in types)
    if types == ["array"] and isinstance(error.value, dict):
        return "expected a list, found a mapping; begin each entry with '- '"
    return f"expected {expected}, found {_found(error.value)}{_hint(error.value, types)}"


def _hint(value: JSON, types: Sequence[str]) -> str:
    if isinstance(value, str) and {"integer", "number"} & set(types):
        number = written_number(value)
        return "" if number is None else f"; write {number}"
    return ""


def _found(value: JSON) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return f"'{shown(value)}'"
    return str(value).lower() if isinstance(value, bool) else shown(value)


def _pattern(error: _Verdict) -> str:
    hint = _hint(error.value, error.schema.get("type", ()))
    if hint:
        return f"{_found(error.value)} is not a number{hint}"
    return f"{_found(error.value)}: {error.schema.get('patternErrorMessage', 'it has the wrong form')}"


def _too_short(error: _Verdict) -> str:
    return "must not be empty" if error.limit == 1 else f"{error.limit} characters at least"


def _too_long(error: _Verdict) -> str:
    return f"{len(error.value):,} characters; {error.limit:,} is the most"


def _bound(words: str) -> Callable[[_Verdict], str]:
    return lambda error: f"{_found(error.value)} is out of range: {words} {error.limit:,}"


def _const(error: _Verdict) -> str:
    return f"{_found(error.value)} is not known here; write {error.limit}"


def _unknown_word(error: _Verdict) -> str:
    words: list[str] = error.limit
    near = did_you_mean(str(error.value), words)
    return f"{_found(error.value)} is not known here{near or '; there are ' + ', '.join(words)}"


def _required(error: _Verdict) -> str:
    missing = [name for name in error.limit if name not in error.value]
    return "missing: " + ", ".join(f"'{name}'" for name in missing)


def _otherwise(error: _Verdict) -> str:
    return f"{_found(error.value)} does not fit here ({error.keyword})"


_WORDS: Mapping[str, tuple[str, Callable[[_Verdict], str]]] = {
    "type": ("wrong-type", _wrong_type),
    "required": ("missing-field", _required),
    "pattern": ("bad-form", _pattern),
    "minLength": ("empty", _too_short),
    "maxLength": ("too-long", _too_long),
    "minItems": ("empty", lambda _: "the list is empty"),
    "minProperties": ("empty", lambda _: "the mapping is empty"),
    "uniqueItems": ("duplicate-value", lambda _: "the list has an entry twice"),
    "maxItems": ("too-long", lambda error: f"{len(error.value):,} entries; {error.limit:,} is the most"),
    "minimum": ("out-of-range", _bound("the least is")),
    "maximum": ("out-of-range", _bound("the most is")),
    "exclusiveMinimum": ("out-of-range", _bound("it must be more than")),
    "const": ("unsupported-version", _const),
    "enum": ("unknown-word", _unknown_word),
}
