"""The texts of one take of a wish, filled in: its prompt, its name, its group, its params and notes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.manifest.document import Place
from pipeline.manifest.fields import DATA_FIELDS, MAPPING_FIELDS, shown
from pipeline.manifest.files import BadFile
from pipeline.manifest.images import Images
from pipeline.manifest.placing import portable_value
from pipeline.manifest.prompts import PromptFiles
from pipeline.manifest.shape import By, Shape, Slot
from pipeline.manifest.template import names_in, written
from pipeline.manifest.texts import Texts, sendable
from pipeline.manifest.wish import Wish
from pipeline.model import JSON, NOTHING, Reference

PROMPT_MAX = 32_000
_FIELDS: Final = frozenset((*DATA_FIELDS, *MAPPING_FIELDS))


@dataclass(slots=True)
class Words:
    """The texts of one take."""

    prompt: str
    group: str
    id: str | None
    """What the entry or its row calls it, filled in; `None`: it was given no id."""
    params: Mapping[str, JSON]
    meta: Mapping[str, JSON]
    reference: Reference | None


class Pen:
    """Writes them. What is at fault becomes an issue where it stands."""

    def __init__(self, prompts: PromptFiles, images: Images) -> None:
        self._prompts = prompts
        self._images = images
        self._texts = Texts()

    @property
    def asked(self) -> Collection[str]:
        """The variables that templates asked for."""
        return self._texts.asked

    def words(self, wish: Wish, shape: Shape, take: int) -> Words | None:
        """The texts of a take; `None` where one of them is at fault, or there is no prompt."""
        if shape.given is not None:
            return _given(wish, shape)
        variables = _Variables(wish, shape, take)
        known = _faults(wish) if shape.filled or shape.noted else -1
        group = self._text(wish, shape, "group", variables)
        name = self._text(wish, shape, "id", variables, portable_value) if "id" in shape.slots else None
        prompt = self._prompt(wish, shape, variables)
        params = self._mapping(wish, "params", shape.params, variables) if shape.filled else shape.params
        meta = self._mapping(wish, "meta", wish.notes(), variables) if shape.noted else NOTHING
        reference = self._picture(wish, shape, variables) if shape.pictured else shape.reference
        if group is None or prompt is None or ("id" in shape.slots and name is None):
            return None
        if known not in (-1, _faults(wish)) or (shape.pictured and reference is None):
            return None
        columns = wish.columns
        notes = {**columns, **meta} if columns and meta else columns or meta
        return Words(prompt, group, name, params, notes, reference)

    def id(self, wish: Wish, shape: Shape, take: int) -> str | None:
        """The id of a take alone; `None` where none is given, or it is at fault."""
        variables = _Variables(wish, shape, take)
        return self._text(wish, shape, "id", variables, portable_value) if "id" in shape.slots else None

    def look_at_prompt(self, wish: Wish, shape: Shape, columns: Collection[str]) -> None:
        """Find what nobody says in the prompt of an entry that the rows, which have these *columns*, do not take."""
        own = wish.entry.fields.get("prompt")
        if own is not None:
            self._texts.fill(own, _VariablesOfAll(wish, shape, columns), lambda: wish.entry.place("prompt"))

    def _text(
        self, wish: Wish, shape: Shape, name: str, variables: _Variables, writer: Callable[[Any], str] = written
    ) -> str | None:
        slot = shape.slots[name]
        if slot.by is By.ENTRY and (plain := wish.entry.plain_text(name)) is not None:
            return plain
        text = said(wish, slot, name)
        if slot.by is By.ROW or slot.literal:
            return text
        return self._texts.fill(text, variables, lambda: wish.place(name), writer)

    def _prompt(self, wish: Wish, shape: Shape, variables: _Variables) -> str | None:
        name = shape.prompt
        if name == "prompt_file":
            return self._of_file(wish, shape, variables)
        if not name:
            return None
        slot = shape.slots[name]
        if slot.by is By.ROW and not shape.wraps:
            return _sound(said(wish, slot, name), wish, name)
        text = wish.entry.fields[name] if shape.wraps else said(wish, slot, name)
        teller = wish.entry if shape.wraps else wish
        filled = self._texts.fill(text, variables, lambda: teller.place(name))
        if filled is None:
            return None
        return _sound(filled.removesuffix("\n"), wish, name, of=text)  # a block of YAML ends with one

    def _of_file(self, wish: Wish, shape: Shape, variables: _Variables) -> str | None:
        name, slot = "prompt_file", shape.slots["prompt_file"]
        stated = said(wish, slot, name)
        file = stated if slot.by is By.ROW else self._texts.fill(stated, variables, lambda: wish.place(name))
        if file is None:
            return None
        try:
            text = self._prompts.text(wish.file(name, file))
        except BadFile as fault:
            _origin(wish, name, stated).about(fault.code, str(fault))
            return None
        if slot.by is By.ROW:
            filled = sendable(text, lambda: wish.place(name))
        else:
            filled = self._texts.fill(text, variables, lambda: _origin(wish, name, stated), of=file)
        return None if filled is None else _sound(filled, wish, name, of=stated)

    def _picture(self, wish: Wish, shape: Shape, variables: _Variables) -> Reference | None:
        name = "input_reference"
        file = self._texts.fill(wish.fields[name], variables, lambda: wish.place(name))
        fit = wish.fields.get("fit", "")
        try:
            return None if file is None else self._images.reference(wish.file(name, file), shape.size or "", fit)
        except BadFile as fault:
            _origin(wish, name, wish.fields[name]).about(fault.code, str(fault))
        return None

    def _mapping(self, wish: Wish, name: str, given: Mapping[str, JSON], variables: _Variables) -> Mapping[str, JSON]:
        if not any(isinstance(value, str | list | dict) for value in given.values()):
            return given
        return {
            part: value
            if wish.is_literal(name, part)
            else self._texts.fill_all(value, variables, _placed(wish, name, part))
            for part, value in given.items()
        }


def _given(wish: Wish, shape: Shape) -> Words | None:
    """The texts of a wish that need no filling in: most data files have no others."""
    texts: Mapping[str, Any] = shape.given or NOTHING
    if wish.data is not None:
        texts = {**wish.data.fields, **texts}
    prompt = _sound(texts["prompt"], wish, "prompt")
    if prompt is None:
        return None
    return Words(prompt, texts["group"], texts.get("id"), shape.params, wish.columns, shape.reference)


class _Variables:
    """A wish's variables with the number of the take, worked out when a template asks for them."""

    __slots__ = ("_known", "_shape", "_take", "_wish")

    def __init__(self, wish: Wish, shape: Shape, take: int) -> None:
        self._wish = wish
        self._shape = shape
        self._take = take
        self._known: dict[str, JSON] | None = None

    def __call__(self) -> Mapping[str, JSON]:
        if self._known is None:
            self._known = self._wish.variables(self._shape.variables)
            self._known["take"] = self._take
            if self._shape.wraps:
                self._known["prompt"] = said(self._wish, self._shape.slots["prompt"], "prompt")
        return self._known

    def knows(self, name: str) -> bool:
        row = self._wish.row
        return name in self() or (row is not None and name in row.sheet.document.names)

    def may_lack(self, name: str) -> bool:
        row = self._wish.data
        return row is not None and name not in _FIELDS and name in row.sheet.document.names

    def is_lack_of_the_row(self, name: str) -> bool:
        if self._wish.may_say(name):
            return True
        row = self._wish.data
        if row is None or not self.may_lack(name):
            return False
        remedy = f"where a row may be without, write {{{{ {shown(name)}|default('') }}}} or {{% if {shown(name)} %}}"
        row.place().about("undefined", f"there is no '{shown(name)}' in this row, and a template uses it; {remedy}")
        return True


class _VariablesOfAll(_Variables):
    """Those of an entry with all of its rows: what one of them lacks another may have."""

    __slots__ = ("_columns",)

    def __init__(self, wish: Wish, shape: Shape, columns: Collection[str]) -> None:
        super().__init__(wish, shape, 1)
        self._columns = columns

    def __call__(self) -> Mapping[str, JSON]:
        return {**dict.fromkeys(("prompt", *self._columns), ""), **super().__call__()}

    def is_lack_of_the_row(self, name: str) -> bool:
        return self._wish.may_say(name)


def said(wish: Wish, slot: Slot, name: str) -> str:
    """The text *name* of *wish* as it was written."""
    if slot.by is By.OTHERS:
        return slot.text
    stated = wish.data if slot.by is By.ROW else wish.entry
    assert stated is not None, "a row says it only where there is one"
    text: str = stated.fields[name]
    return text


def _origin(wish: Wish, name: str, template: str) -> Place:
    """Where the words of a *template* that was filled in come from: one that stands as *name*."""
    return wish.place_of_text(name, names_in(template))


def _sound(prompt: str, wish: Wish, name: str, *, of: str = "") -> str | None:
    """*prompt*, made *of* this template if of any; `None` and an issue where it is empty or too long."""
    if len(prompt) <= PROMPT_MAX and prompt and not prompt.isspace():
        return prompt
    if prompt.strip():
        message = f"the prompt has {len(prompt):,} characters; {PROMPT_MAX:,} is the most"
        _origin(wish, name, of).about("too-long", message)
    else:
        _origin(wish, name, of).about("empty", "the prompt is empty")
    return None


def _placed(wish: Wish, name: str, part: str) -> Callable[[], Place]:
    return lambda: wish.place(name, part)


def _faults(wish: Wish) -> int:
    own = len(wish.sheet.findings)
    return own if wish.row is None else own + len(wish.row.sheet.findings)
