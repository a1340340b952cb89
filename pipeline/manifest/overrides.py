"""`--set NAME=VALUE`: what the command line says over every entry. `NAME=A,B` makes an axis of it."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UsageError
from pipeline.manifest.axes import is_variable, name_fault, whole
from pipeline.manifest.fields import LINK_FIELDS, did_you_mean, shown
from pipeline.manifest.form import Form
from pipeline.manifest.scalars import free_value, typed
from pipeline.manifest.settings import KEPT
from pipeline.manifest.template import asks_for
from pipeline.manifest.uses import uses
from pipeline.manifest.wording import Fault
from pipeline.model import JSON, NOTHING, Job

if TYPE_CHECKING:
    from pipeline.manifest.axes import Cell, Point
    from pipeline.manifest.sheet import Written

_FIELDS: Final = ("model", "seconds", "size", "takes", "group", "prompt", "prompt_file", "input_reference")
_PROMPTS: Final = ("prompt", "prompt_file")
_REPLACES: Final = (
    "it goes in the place of every prompt, so there is no {{ prompt }} to use; put the words around it in a manifest, "
    'as "prompt" of an entry with "from", and what differs into a variable for --set'
)
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("id", "matrix", "sample", "from", *LINK_FIELDS, "zip", "exclude", "include", "vars", "output"),
        "that can only be said in the manifest",
    ),
    **dict.fromkeys(("params", "meta"), "write one name of it, such as params.seed=7"),
    **dict.fromkeys(("take", "key"), "templates call a property of the job so"),
    "fit": "write --fit crop or --fit pad",
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

    @property
    def says_prompt(self) -> bool:
        """Whether there is one prompt for all, or several."""
        return not self.axes.keys().isdisjoint(_PROMPTS)

    def beside(self, kept: Collection[str]) -> Mapping[str, Any]:
        """The fields for a video that is made from another and has the *kept* ones from it."""
        return {name: value for name, value in self.fields.items() if name not in kept}

    def axes_of(self, entry: Written, row: Written | None, link: str) -> Mapping[str, Sequence[JSON]]:
        """What is an axis of *entry* with this *row*: several values, or those of an axis that it has itself.

        A variable is no axis of what does not use it. What is made from another video by the field *link* has some
        settings from that. Raises `UsageError`.
        """
        matrix = entry.fields.get("matrix", NOTHING)
        own, kept = _names_in(matrix), KEPT.get(link, ())
        said: dict[str, Sequence[JSON]] = {}
        for name, values in self.axes.items():
            if name in kept or name == "takes":
                continue
            if _is_paired(matrix, name):
                raise UsageError(f"--set {name}: it is paired with other axes in a 'zip'; change it in the manifest")
            if name in own or (len(values) > 1 and (not is_variable(name) or uses(name, entry, row))):
                said[name] = values
        return said

    def beside_source(self, cell: Cell, entry: Written, source: Job) -> Cell | None:
        """*cell* of *entry*, for what is made from *source*; `None`: that is made with another value of a variable.

        A variable of both follows the source, unless the entry has an axis of it itself, and speaks in its id already.
        """
        own = _names_in(entry.fields.get("matrix", NOTHING))
        points: list[Point] = []
        for point in cell:
            followed = is_variable(point.axis) and point.axis not in own and point.axis in source.axes
            value = whole(source.axes[point.axis]) if followed else ""
            if value not in map(whole, self.axes.get(point.axis, ())):
                points.append(point)
            elif value == whole(point.value):
                points.append(replace(point, label=""))
            else:
                return None
        return tuple(points)

    def check_heard(self, asked: Collection[str], jobs: Iterable[Job]) -> None:
        """Raise `UsageError` for a variable that no template *asked* for, and that no job has among its axes.

        Several values have to be an axis of some job.
        """
        unheard = {name for name in self.axes if is_variable(name) and name != "takes"}
        unheard -= {name for name in asked if len(self.axes.get(name, ())) == 1}
        if not unheard:
            return
        known = set(asked)
        for job in jobs:
            unheard -= job.axes.keys()
            if not unheard:
                return
            known |= job.axes.keys()
        name = min(unheard)
        if name in asked:
            raise UsageError(f"--set {name}: no entry uses it, so there is nothing to make with each of its values")
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
    if "prompt" in axes and "prompt_file" in axes:
        raise UsageError("--set prompt_file: 'prompt' is set too, and a video has one of them; leave one out")
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
    if name in _PROMPTS and asks_for("prompt", word):
        raise UsageError(f"--set {name}: {_REPLACES}")
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


def _names_in(matrix: Mapping[str, JSON]) -> Collection[str]:
    """The axes of *matrix*, and what its `include` adds."""
    objects = matrix.get("include")
    added = [
        name for given in (objects if isinstance(objects, list) else ()) if isinstance(given, dict) for name in given
    ]
    return {*matrix, *added} - {"zip", "exclude", "include"}


def _is_paired(matrix: Mapping[str, JSON], name: str) -> bool:
    groups = matrix.get("zip", {})
    return any(name in group for group in (groups if isinstance(groups, list) else [groups]) if isinstance(group, dict))
