"""The strings of a manifest with their templates filled in; what is at fault becomes an issue where it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Protocol

from pipeline.manifest.document import Place
from pipeline.manifest.fields import shown
from pipeline.manifest.misreading import CLOSINGS
from pipeline.manifest.template import BadTemplate, Template, Writer, is_template, undefined, written
from pipeline.model import JSON

_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_IN_BRACES = re.compile(r"\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z0-9_]+)*[ \t]*\}")
"""A name in single braces."""
_KEPT_MAX = 2_000
_LOOKED_AT_MAX = 100


class Variables(Protocol):
    """What a template may use."""

    def __call__(self) -> Mapping[str, JSON]:
        """Each with its value."""

    def knows(self, name: str) -> bool:
        """Whether *name* is one of them, or is said by a data row."""

    def may_lack(self, name: str) -> bool:
        """Whether *name* is a column of the data: a row may well have nothing there."""

    def is_lack_of_the_row(self, name: str) -> bool:
        """Whether *name* is missing because a data row has nothing there: that is an issue of the row, made here."""


class Texts:
    """Fills in templates, each read once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Writer], Template] = {}
        self.asked: set[str] = set()
        """The variables that templates asked for."""
        self.plain: set[str] = set()
        """Texts that are no templates, and can be sent."""

    def fill(
        self,
        text: str,
        variables: Variables,
        place: Callable[[], Place],
        writer: Writer = written,
        *,
        of: str = "",
    ) -> str | None:
        """*text*, filled in; `None` where that cannot be done, which is then an issue at *place*.

        *of* names the file the text comes from, where that is not where it is named.
        """
        if text in self.plain:
            return text
        try:
            template, is_known = self._template(text, writer)
        except BadTemplate as fault:
            blame(place(), fault, of=of)
            return None
        if not is_known and "{" in text:
            warn_of_braces(text, variables, place, of=of)
        if template is None:
            plain = sendable(text, place)
            if plain is not None and len(self.plain) < _KEPT_MAX:
                self.plain.add(plain)
            return plain
        try:
            return sendable(template.render(variables(), variables.may_lack), place)
        except BadTemplate as fault:
            missing = template.missing(variables(), fault)
            here = [name for name in dict.fromkeys(missing) if not variables.is_lack_of_the_row(name)]
            faults = [undefined(name, variables()) for name in here] if missing else [fault]
            for one in faults:
                blame(place(), one, of=of)
        return None

    def fill_all(self, value: JSON, variables: Variables, place: Callable[[], Place]) -> JSON:
        """*value* with every string in it filled in; a string at fault stays as it was."""
        if isinstance(value, str):
            filled = self.fill(value, variables, place)
            return value if filled is None else filled
        if isinstance(value, list):
            return [self.fill_all(part, variables, _below(place, n)) for n, part in enumerate(value)]
        if isinstance(value, dict):
            return {key: self.fill_all(part, variables, _below(place, key)) for key, part in value.items()}
        return value

    def _template(self, text: str, writer: Writer) -> tuple[Template | None, bool]:
        """*text* as a template (`None`: it is nothing but itself), and whether it was before. Raises `BadTemplate`."""
        kept = self._kept.get((text, writer))
        if kept is not None:
            return kept, True
        if not is_template(text):
            return None, False
        made = Template(text, writer)
        self.asked.update(made.names)
        if len(self._kept) < _KEPT_MAX:
            self._kept[text, writer] = made
        return made, False


def warn_of_braces(text: str, variables: Variables, place: Callable[[], Place], *, of: str = "") -> None:
    """Warn of variables in single braces, once of each: they are sent like that, and paid for."""
    if "{% raw" in text or "{%- raw" in text:
        return
    where = f" in {of}" if of else ""
    first: dict[str, str] = {}
    for match in _in_single_braces(text):
        first.setdefault(match[1], match[0])
    for name, said in first.items():
        if variables.knows(name):
            meant = f"{{{{ {shown(said.strip('{} '))} }}}}"
            message = f"'{shown(said)}' stays as it is{where}; did you mean '{meant}'?"
            blame(place(), BadTemplate(message, code="single-braces", near=said), warning=True)


def _in_single_braces(text: str) -> Iterator[re.Match[str]]:
    """The names in single braces outside of templates. However many of those are open, *text* is read through once."""
    unclosed: set[str] = set()
    at = text.find("{")
    while at >= 0:
        closing = CLOSINGS.get(text[at : at + 2], "")
        end = text.find(closing, at + 2) if closing and closing not in unclosed else -1
        if end >= 0:
            at = text.find("{", end + 2)
            continue
        unclosed.add(closing)
        match = _IN_BRACES.match(text, at)
        if match is not None:
            yield match
        at = text.find("{", at + 1 if match is None else match.end())


def blame(place: Place, fault: BadTemplate, *, of: str = "", warning: bool = False) -> None:
    """Make *fault* an issue at the word it is about, or at the text at *place*."""
    findings, document = place.findings, place.findings.document
    assert document is not None, "a place is one in a document"
    start, end = document.extent(place.path)
    text = findings.source.text
    word = _place_of(fault.word, text, start, end) if fault.word else -1
    near = text.find(fault.near, start, end) if fault.near else -1
    offset = word if word >= 0 else max(start, near)
    message = f"{fault}, in {of}" if of else str(fault)
    findings.at(offset, fault.code, message, label=document.label(place.path), warning=warning)


def is_plain(text: str) -> bool:
    """Whether *text* is no template, and can be sent."""
    return not is_template(text) and _UNSENDABLE.search(text) is None


def sendable(text: str, place: Callable[[], Place]) -> str | None:
    """*text*; `None` and an issue where it holds a character that no request can carry."""
    found = _UNSENDABLE.search(text)
    if found is None:
        return text
    place().about("bad-text", f"the character U+{ord(found.group()):04X} cannot be sent")
    return None


def _below(place: Callable[[], Place], part: str | int) -> Callable[[], Place]:
    return lambda: place().below(part)


def _place_of(word: str, text: str, start: int, end: int) -> int:
    """Where *word* stands first between the braces of a template; -1 where it does not, or only far down."""
    found = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])").finditer(text, start, end)
    for match in islice(found, _LOOKED_AT_MAX):
        at = match.start()
        if max(text.rfind("{{", start, at), text.rfind("{%", start, at)) > text.rfind("}", start, at):
            return at
    return -1
