"""`--set NAME=VALUE`: what the command line says over every entry. `NAME=A,B` makes an axis of it."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.manifest.axes import is_variable, name_fault, whole
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.form import Form
from pipeline.manifest.scalars import free_value, typed
from pipeline.manifest.template import asks_for
from pipeline.manifest.wording import Fault
from pipeline.model import JSON, NOTHING, Job

_FIELDS: Final = ("model", "seconds", "size", "takes", "group", "prompt", "prompt_file", "input_reference")
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("id", "matrix", "sample", "from", "remix_of", "extend_of", "zip", "exclude", "include", "vars", "output"),
        "that can only be said in the manifest",
    ),
    **dict.fromkeys(("params", "meta"), "write one name of it, such as params.seed=7"),
    **dict.fromkeys(("take", "key"), "templates call a property of the job so"),
    "provider": "write --provider NAME",
    "limits": "write --budget, --in-flight or --submits-per-minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What was said, by what it is."""

    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    variables: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    axes: Mapping[str, Sequence[JSON]] = field(default_factory=dict)
    """Every name that was said with its values, one or several."""

    def beside(self, kept: Collection[str]) -> Mapping[str, Any]:
        """The fields for a video that is made from another and has the *kept* ones from it."""
        return {name: value for name, value in self.fields.items() if name not in kept}

    def matrix(self, fields: Mapping[str, Any], kept: Collection[str] = ()) -> Mapping[str, JSON] | None:
        """The matrix of an entry with these *fields*: an axis that was said replaces its own. Raises `UsageError`.

        A variable is no axis of an entry that does not use it. What is made from another video has the *kept* settings
        from it, and its variables.
        """
        own = dict(fields.get("matrix", NOTHING))
        for name, values in self.axes.items():
            if name in kept or (is_variable(name) and name not in own and (kept or not _uses(name, fields))):
                continue
            if _is_paired(own, name):
                raise UsageError(f"--set {name}: it is paired with other axes in a 'zip'; change it in the manifest")
            if name in own or len(values) > 1:
                own[name] = list(values)
        return own or None

    def check_heard(self, asked: Collection[str], jobs: Iterable[Job]) -> None:
        """Raise `UsageError` for a variable that no template *asked* for, and that no job has among its axes."""
        unheard = {name for name in self.axes if is_variable(name) and name != "takes"} - set(asked)
        if not unheard:
            return
        known = set(asked)
        for job in jobs:
            unheard -= job.axes.keys()
            if not unheard:
                return
            known |= job.axes.keys()
        name = min(unheard)
        raise UsageError(f"--set {name}: nothing in the manifest uses it{did_you_mean(name, (*_FIELDS, *known))}")


def read_overrides(settings: Sequence[str], form: Form) -> Overrides | None:
    """What *settings* say, each `NAME=VALUE`; `None`: nothing. Raises `UsageError`."""
    if not settings:
        return None
    axes: dict[str, Sequence[JSON]] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--set {shown(text)}: write NAME=VALUE, such as seconds=8 or seconds=4,8")
        if name in axes:
            raise UsageError(f"--set {shown(name)}: it is set twice; write its values as {shown(name)}=A,B")
        _check_name(name)
        axes[name] = _values(text, [_value(name, word, form) for word in _split(text, value)])
    single = {name: values[0] for name, values in axes.items() if len(values) == 1}
    if "takes" in axes and "takes" not in single:
        raise UsageError("--set takes: it is a number, not an axis")
    return Overrides(fields=_fields(single), variables=_variables(single), axes=axes)


def _check_name(name: str) -> None:
    if name in _FIELDS:
        return
    if name in _ELSEWHERE:
        raise UsageError(f"--set {name}: {_ELSEWHERE[name]}")
    if fault := name_fault(name, ()):
        raise UsageError(f"--set {shown(name)}: {fault.message}")


def _split(text: str, value: str) -> Sequence[str]:
    """The values in *value*: commas part them, double quotes keep them together."""
    try:
        words = next(csv.reader([value.strip()], strict=True, skipinitialspace=True), [])
    except csv.Error:
        raise UsageError(f"--set {shown(text)}: a quote is not closed where it should be") from None
    if not words:
        raise UsageError(f'--set {shown(text)}: there is no value; write "" for an empty text')
    return [word.strip() for word in words]


def _values(text: str, values: Sequence[JSON]) -> Sequence[JSON]:
    if len({whole(value) for value in values}) < len(values):
        raise UsageError(f"--set {shown(text)}: a value stands there twice")
    return values


def _value(name: str, word: str, form: Form) -> JSON:
    """What *word* means for the setting or variable *name*. Raises `UsageError`."""
    schema = form.entry_schema["properties"].get(name) if name in _FIELDS else None
    value = free_value(word) if schema is None else typed(word, schema, plain=True)
    faults: Sequence[Fault] = form.judge_field(name, value) if schema is not None else ()
    if faults:
        raise UsageError(f"--set {shown(name)}={shown(word)}: {faults[0].message}")
    return value


def _fields(single: Mapping[str, JSON]) -> Mapping[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in single.items():
        head, dot, part = name.partition(".")
        if dot:
            fields.setdefault(head, {})[part] = value
        elif name in _FIELDS:
            fields[name] = value
    return fields


def _variables(single: Mapping[str, JSON]) -> Mapping[str, JSON]:
    return {name: value for name, value in single.items() if name not in _FIELDS and "." not in name}


def _uses(name: str, fields: Mapping[str, Any]) -> bool:
    """Whether an entry with these *fields* asks for the variable *name*; one with a file may always do."""
    if "prompt_file" in fields or name in fields.get("vars", NOTHING):
        return True
    waiting: list[Any] = [fields]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and asks_for(name, value):
            return True
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return False


def _is_paired(matrix: Mapping[str, JSON], name: str) -> bool:
    groups = matrix.get("zip", {})
    return any(name in group for group in (groups if isinstance(groups, list) else [groups]) if isinstance(group, dict))
