"""One wish: an entry with one of its data rows, cells and sources, and what they ask for together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.manifest.document import Place
from pipeline.manifest.identity import quick_slug
from pipeline.manifest.labels import NAME_MAX
from pipeline.manifest.scalars import canonical
from pipeline.manifest.settings import KEPT, SETTINGS, link_in, over
from pipeline.manifest.sheet import ANY, Written
from pipeline.model import JSON, NOTHING, Job

if TYPE_CHECKING:
    from pipeline.manifest.overrides import Overrides
    from pipeline.manifest.sweep import Cell


class Footage(NamedTuple):
    """What a video is made of, as far as it counts for what goes on from it."""

    length_s: int | float = 0
    """In all: an extension's begins with that of its own source."""
    extensions: int = 0
    """How many of them are in it, one after another; a remix and an edit have those of their source."""


NO_FOOTAGE = Footage()


class Wish:
    """What is asked for, the same for all its takes; and who asks for which part of it."""

    __slots__ = ("_fields", "_set", "cell", "data", "entry", "footage", "row", "sheet", "source")

    def __init__(
        self,
        entry: Written,
        row: Written | None = None,
        cell: Cell = (),
        *,
        source: Job | None = None,
        footage: Footage = NO_FOOTAGE,
        overrides: Overrides | None = None,
    ) -> None:
        self.entry = entry
        self.sheet = entry.sheet
        """Of the entry."""
        self.row = row
        self.cell = cell
        self.source = source
        self.footage = footage
        """Of the source's video."""
        self.data = row if row is not None else entry if entry.literal else None
        """The row that it is made for; `None`: it is made for none."""
        self._set = overrides
        self._fields: Mapping[str, Any] | None = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """Everything that is asked for."""
        if self._fields is None:
            base = self.sheet.ground.base
            fields = base if self.source is None else {**base, **self._inherited(self.source)}
            fields = over(fields, self.entry.fields)
            if self.row is not None:
                fields = over(fields, self.row.fields)
            for point in self.cell:
                fields = over(fields, point.fields)
            if self._set is not None:
                fields = over(fields, self._set.beside(self.kept))
            self._fields = fields
        return self._fields

    def _axes_of(self, source: Job) -> dict[str, JSON]:
        """The axes of its source; a setting among them as it is here."""
        return {name: self.fields[name] if name in SETTINGS else value for name, value in source.axes.items()}

    def _inherited(self, source: Job) -> Mapping[str, Any]:
        """What it has from its source where nobody says otherwise."""
        settings = {"model": source.model, "seconds": canonical(self.footage.length_s), "size": source.size}
        return {"group": source.group, **{name: settings[name] for name in self.kept}}

    def notes(self) -> Mapping[str, JSON]:
        """Its `meta`, from all who say some."""
        layers: list[Mapping[str, Any]] = [self.sheet.ground.base, self.entry.fields]
        layers += [self.row.fields] if self.row is not None else []
        layers += [point.fields for point in self.cell]
        layers += [self._set.fields] if self._set is not None else []
        said = [layer["meta"] for layer in layers if "meta" in layer]
        return said[0] if len(said) == 1 else {name: value for notes in said for name, value in notes.items()}

    @property
    def kept(self) -> Collection[str]:
        """The settings that it has from its source."""
        if self.source is None:
            return ()
        stated = self.row.fields if self.row is not None and link_in(self.row.fields) else self.entry.fields
        return KEPT[link_in(stated)]

    def place(self, name: str, part: str = "") -> Place:
        """Where the value of *name* (or its *part*) was written; the entry, where the profile or nobody says it."""
        if self.by_command_line(name, part):
            return self.entry.place()
        for point in reversed(self.cell):
            if _states(point.fields, name, part):
                return self.entry.place(*point.path)
        below = (name, part) if part else (name,)
        for stated in (self.row, self.entry):
            if stated is not None and stated.states(name, part):
                return stated.place(*below)
        if _states(self.sheet.ground.defaults, name, part):
            return Place(self.sheet.findings, ("defaults", *below))
        return self.entry.place()

    def place_of_text(self, name: str, asked: Collection[str]) -> Place:
        """Where it comes from what the template of *name* says that *asked* for these variables.

        That is the first cell of its row among them; where there is none, the template.
        """
        if self.data is not None and not self.is_literal(name):
            said = (*self.data.entry.columns, *self.data.fields)
            column = next((column for column in said if column in asked and column not in self.set_variables), "")
            if column:
                return self.data.place(column)
        return self.place(name)

    def place_of_all(self) -> Place:
        """Where its row stands, or its entry."""
        return (self.row or self.entry).place()

    def labels(self) -> Sequence[str]:
        """What sets its jobs apart from others of the entry, for their ids: its cell, and its source's id."""
        said = [point.label for point in self.cell if point.label]
        if self.source is not None:
            own = _suffix(self.source.id, self.fields[link_in(self.fields)])
            said += [own] if own else []
        return said

    @property
    def mappings(self) -> Cell:
        """What of its cell has parts: the axes of its jobs tell only what each is called."""
        return tuple(point for point in self.cell if isinstance(point.value, dict))

    @property
    def wrong(self) -> frozenset[str]:
        """What was left out of its entry and its row, and might have been said there."""
        return self.entry.wrong if self.row is None else self.entry.wrong | self.row.wrong

    def may_say(self, name: str) -> bool:
        """Whether the variable *name* might be said by what was left out, or by a row or a source not at hand."""
        if self.row is None and "from" in self.entry.fields:
            return True
        if self.source is None and link_in(self.fields):
            return True
        return not (self.wrong | self.sheet.ground.wrong).isdisjoint((name, ANY))

    def is_overruled(self, name: str, part: str = "") -> bool:
        """Whether the cell or the command line says *name* (or its *part*), over entry and row."""
        if self._set is not None and _states(self._set.fields, name, part):
            return True
        return any(_states(point.fields, name, part) for point in self.cell)

    def file(self, name: str, stated: str) -> str:
        """The file that is *stated* as its *name*, relative to the manifest's folder: so the command line means it."""
        said = self._set.axes if self._set is not None else NOTHING
        return stated if name in said else self.sheet.name_of(stated)

    @property
    def set_variables(self) -> Mapping[str, JSON]:
        """The variables that the command line says."""
        return NOTHING if self._set is None else self._set.variables

    def by_command_line(self, name: str, part: str = "") -> bool:
        """Whether the command line says *name* (or its *part*)."""
        return self._set is not None and (f"{name}.{part}" if part else name) in self._set.axes

    def is_literal(self, name: str, part: str = "") -> bool:
        """Whether the value of *name* (or its *part*) is data."""
        return self.data is not None and self.data.states(name, part) and not self.is_overruled(name, part)

    def variables(self, base: Mapping[str, JSON]) -> dict[str, JSON]:
        """What templates may use: *base*, which is the same for many wishes, and what is said for this one."""
        known = {**base}
        if self.source is not None:
            own = self._own_variables
            known |= {
                name: value for name, value in self.source.axes.items() if name not in own and name not in SETTINGS
            }
        if self.data is not None:
            known |= self.data.entry.columns
        for point in self.cell:
            if point.variables:
                known |= point.variables
        if self._set is not None:
            known |= self._set.variables
        return known

    @property
    def _own_variables(self) -> Mapping[str, JSON]:
        own: Mapping[str, JSON] = self.fields.get("vars", NOTHING)
        return own

    @property
    def columns(self) -> Mapping[str, JSON]:
        """What its row says beyond the fields."""
        columns = NOTHING if self.data is None else self.data.entry.columns
        return columns if self._set is None else self._overruled(columns)

    def _overruled(self, own: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """The variables *own*, as the command line would have them."""
        assert self._set is not None, "the command line says something"
        said = {**self._set.variables, **{p.axis: p.value for p in self.cell if p.axis in self._set.axes}}
        return {name: said.get(name, value) for name, value in own.items()}

    def axes(self) -> Mapping[str, JSON]:
        """What sets its jobs apart: its source's axes, the entry's variables, the columns of its row, its cell."""
        columns = self.columns
        own: Mapping[str, JSON] = self.entry.fields.get("vars", NOTHING)
        if self._set is not None:
            own = self._overruled(own)
        if not self.cell and self.source is None:
            return {**own, **columns} if own and columns else own or columns
        axes: dict[str, JSON] = {} if self.source is None else self._axes_of(self.source)
        axes |= own
        axes |= columns
        return axes | {point.axis: point.said for point in self.cell}


def _suffix(job_id: str, entry_id: str) -> str:
    """What sets the job called *job_id* apart from others of the entry called *entry_id*."""
    if job_id == entry_id:
        return ""
    base = f"{quick_slug(entry_id, bytes_max=NAME_MAX)}-"
    return job_id.removeprefix(f"{entry_id}-").removeprefix(base)


def _states(fields: Mapping[str, Any], name: str, part: str) -> bool:
    return name in fields and (not part or part in fields[name])
