"""The shapes of a manifest's wishes, each worked out once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pipeline.manifest.files import BadFile
from pipeline.manifest.identity import KeyFrame
from pipeline.manifest.lineage import LINKS, link_faults
from pipeline.manifest.offers import refusals
from pipeline.manifest.scalars import canonical
from pipeline.manifest.settings import SETTINGS, link_in
from pipeline.manifest.shape import TEXTS, By, Fault, Shape, Slot, base_variables, signature, slot_of
from pipeline.manifest.sheet import ANY
from pipeline.manifest.template import asks_for, is_template
from pipeline.manifest.wish import Wish
from pipeline.model import JSON, NOTHING, Link, Reference

if TYPE_CHECKING:
    from pipeline.manifest.images import Images
    from pipeline.manifest.settings import Ground
    from pipeline.manifest.sweep import Cell

SHAPES_MAX: Final = 10_000
"""So many are remembered at once."""


class Shapes:
    """Works out shapes, and remembers those on the ground at hand."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._ground: Ground | None = None
        self._known: dict[tuple[Hashable, ...], tuple[Shape, Cell]] = {}
        """By signature; each with a cell that has it, whose points must not give their place to others meanwhile."""

    def of(self, wish: Wish, wrong: frozenset[str] = frozenset()) -> Shape:
        """The shape of *wish*; the fields called *wrong* are at fault already."""
        ground = wish.sheet.ground
        if ground is not self._ground or len(self._known) >= SHAPES_MAX:
            self._ground, self._known = ground, {}
        mark = (wrong, *signature(wish)) if wrong else signature(wish)
        try:
            known = self._known.get(mark)
        except TypeError:  # a list among its params
            return self._work_out(wish, wrong)
        if known is None:
            known = self._known[mark] = self._work_out(wish, wrong), wish.cell
        return known[0]

    def _work_out(self, wish: Wish, wrong: frozenset[str]) -> Shape:
        fields = wish.fields
        settings = {name: fields.get(name) for name in SETTINGS}
        named = link_in(fields)
        link = LINKS[named] if named else None
        pictured = _is_pictured(wish)
        reference, faults = (None, []) if pictured else self._reference(wish)
        if link is not None:
            faults += link_faults(wish, named, link)
        prompt = next((name for name in ("prompt", "prompt_file") if name in fields), "")
        faults += _unwrapped(wish, prompt)
        if _wraps_nothing(wish, prompt):
            prompt = ""
        missing = [*_missing(wish, settings, prompt)] if not wrong else []
        faults += [*missing, *_refused(wish, settings, wrong)]
        slots = {name: slot for name in TEXTS if (slot := slot_of(wish, name)) is not None}
        params: Mapping[str, JSON] = fields.get("params", NOTHING)
        filled = any(_is_text(value) and not wish.is_literal("params", part) for part, value in params.items())
        wraps = _wraps(wish, prompt)
        failed = "input_reference" in fields and reference is None and not pictured
        whole = not (missing or failed) and None not in settings.values()
        return Shape(
            takes=int(fields["takes"]),
            model=settings["model"],
            seconds=None if settings["seconds"] is None else canonical(settings["seconds"]),
            size=settings["size"],
            params=params,
            filled=filled,
            noted="meta" in fields,
            prompt=prompt,
            slots=slots,
            given=_given(slots, prompt, filled=filled or wraps or pictured or "meta" in fields),
            wraps=wraps,
            variables=base_variables(wish),
            link=link,
            reference=reference,
            pictured=pictured,
            faults=faults,
            whole=whole,
            frame=_frame(wish, settings, params, link, reference) if whole and not (filled or pictured) else None,
        )

    def _reference(self, wish: Wish) -> tuple[Reference | None, list[Fault]]:
        fields = wish.fields
        name = fields.get("input_reference")
        if name is None:
            return None, []
        try:
            file = wish.file("input_reference", name)
            return self._images.reference(file, fields.get("size") or "", fields.get("fit", "")), []
        except BadFile as fault:
            return None, [Fault("input_reference", "", fault.code, str(fault))]


def key_frame(wish: Wish, shape: Shape, params: Mapping[str, JSON], reference: Reference | None) -> KeyFrame:
    """What the keys of *wish* are made of, with these *params* and this *reference*."""
    settings = {"model": shape.model, "seconds": shape.seconds, "size": shape.size}
    return _frame(wish, settings, params, shape.link, reference)


def _frame(
    wish: Wish,
    settings: Mapping[str, Any],
    params: Mapping[str, JSON],
    link: Link | None,
    reference: Reference | None,
) -> KeyFrame:
    profile = wish.sheet.ground.profile_name
    return KeyFrame(profile=profile, **settings, params=params, link=link, reference=reference)


def _is_pictured(wish: Wish) -> bool:
    """Whether the name of its image is a template."""
    name = wish.fields.get("input_reference")
    return name is not None and is_template(name) and not wish.is_literal("input_reference")


def _is_text(value: JSON) -> bool:
    return isinstance(value, str | list | dict)


def _given(slots: Mapping[str, Slot], prompt: str, *, filled: bool) -> Mapping[str, str] | None:
    """The texts that others say than the rows, where every text stands as it is."""
    if prompt != "prompt" or filled or not all(slot.by is By.ROW or slot.literal for slot in slots.values()):
        return None
    return {name: slot.text for name, slot in slots.items() if slot.by is By.OTHERS}


def _wraps(wish: Wish, prompt: str) -> bool:
    """Whether the entry's own prompt is a template around that of its data row."""
    if prompt != "prompt" or wish.row is None or not wish.is_literal("prompt"):
        return False
    own = wish.entry.fields.get("prompt")
    return own is not None and asks_for("prompt", own)


def _wraps_nothing(wish: Wish, prompt: str) -> bool:
    """Whether the entry's prompt is a template around that of a data row which has none."""
    if prompt != "prompt" or wish.row is None or wish.row.states("prompt") or wish.is_overruled("prompt"):
        return False
    return wish.entry.states("prompt") and asks_for("prompt", wish.entry.fields["prompt"])


def _unwrapped(wish: Wish, prompt: str) -> Iterator[Fault]:
    """A row's own prompt stands in a file, and the entry's is a template around one that does not."""
    in_file = prompt == "prompt_file" and wish.row is not None and wish.is_literal(prompt)
    if in_file and asks_for("prompt", wish.entry.fields.get("prompt", "")):
        message = "the entry's prompt goes around a 'prompt' of a row, not around a file; write the text into the row"
        yield Fault("prompt_file", "", "unused-prompt", message)


def _missing(wish: Wish, settings: Mapping[str, Any], prompt: str) -> Iterator[Fault]:
    ground = wish.sheet.ground
    for name, value in settings.items():
        if value is None and ground.profile is not None:
            message = f"there is no '{name}': state it here or in 'defaults'; {ground.profile_name} has none"
            yield Fault("", "", "missing-setting", message)
    if not prompt:
        own = "this row has no prompt and its entry has none for it; state a 'prompt' in one of them"
        if wish.row is not None and wish.entry.states("prompt"):
            own = "this row has no prompt, and the one of its entry only says what to put around it"
        message = "an entry needs a 'prompt' or a 'prompt_file'" if wish.row is None else own
        yield Fault("", "", "missing-prompt", message)


def _refused(wish: Wish, settings: Mapping[str, Any], wrong: frozenset[str]) -> Sequence[Fault]:
    """What the profile refuses of these settings."""
    ground, params = wish.sheet.ground, tuple(wish.fields.get("params", ()))
    if ground.profile is None or None in settings.values() or not wrong.isdisjoint(("model", ANY)):
        return []
    found = refusals(
        ground.profile,
        model=settings["model"],
        seconds=canonical(settings["seconds"]),
        size=settings["size"],
        params=params,
        reference="input_reference" in wish.fields,
    )
    lenient = ground.allow_unknown
    return [
        Fault("params", refusal.field, refusal.code, refusal.message, False, lenient and not refusal.is_final)
        if refusal.param
        else Fault(refusal.field, "", refusal.code, refusal.message, False, lenient and not refusal.is_final)
        for refusal in found
        if refusal.field not in wrong and refusal.field not in wish.kept
    ]
