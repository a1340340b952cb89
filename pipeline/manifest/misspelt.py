"""What is wrong with YAML that its parser cannot read, in our words: it speaks of tokens and contexts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import yaml

from pipeline.manifest.source import Source

NO_KEY: Final = "a key is a word, not a list or a mapping"
BRACES: Final = "a text that begins with '{{' needs quotes"
QUOTE_STAR: Final = "a text that begins with '*' needs quotes"
_QUOTED: Final = ("'", '"')
_ESCAPES: Final = {'"': '\\"', "'": "''"}
_TAB_IN_INDENT = re.compile(r"[ \-]*\t")
_KEY = re.compile(r":(?:\s|$)")
_KEY_BEGINS = re.compile(r"[\w.-]+\s*:\s")
_BLOCK_BEGINS = re.compile(r"[:-][ \t]+([|>])[+-]?\d?[+-]?[ \t]*(?:#.*)?$")
_FLOW = "expected ',' or "
_NO_VALUE = "mapping values are not allowed"
_NO_KEY_MARK = "could not find expected ':'"
_NO_TEXT = "cannot start any token"

_COLON = "a ': ' does not belong here: a text that holds one needs quotes, and a key stands under those above it"
_COLON_IN_TEXT = "a text that holds ': ' needs quotes"
_NO_COLON = "is a ': ' missing in line {line}? (A text that holds one needs quotes.)"
_BRACKET = "a ',' or a closing bracket was expected here"
_OPEN = "the bracket that opens here is not closed, or a ',' is missing before line {line}"
_AFTER_QUOTE = "the quoted text ends before this; write a quote inside one as {escape}, or quote all of the text"
_NO_COMMA = "a ',' is missing before this, or the quoted text was to go on: write a quote inside one as {escape}"
_BLOCK = "the text below '{mark}' has to be indented further than its key"
_AFTER_BRACKET = "the bracket closes before this; a text that begins with '{bracket}' needs quotes"
_LONG_QUOTE = (
    "the quoted text that begins here ends on line {line}, where it makes no sense: "
    "is its closing quote missing? (A quote inside it is written {escape}.)"
)
_BEGINS = "a text that begins with '{mark}' needs quotes"
_OTHERS: Final[Sequence[tuple[str, str]]] = (
    ("did not find expected key", "a key was expected here; is the line indented as those above it?"),
    (
        "did not find expected '-' indicator",
        "a key of the entry above is indented as that one's first; an entry of its own begins with '- '",
    ),
    ("found unexpected end of stream", "the quoted text that begins here is never closed"),
    (_FLOW, _BRACKET),
    (_NO_VALUE, _COLON),
    (_NO_KEY_MARK, "a ':' is missing after this key"),
    ("found character '\\t' that", "a tab cannot stand here; YAML wants spaces"),
    ("found invalid Unicode character escape code", "this escape names no character; write the character itself"),
    ("found unknown escape character", "this escape is unknown in double quotes; write '\\\\' for a backslash"),
    ("expected comment or line break", "below '|' and '>' the text begins on the next line; quote one that begins so"),
    (
        "expected a comment or a line break",
        "below '|' and '>' the text begins on the next line; quote one that begins so",
    ),
)
_AT_ITS_START: Final = (
    *("found unexpected end of stream", "expected comment or line break", "expected a comment or a"),
    _NO_KEY_MARK,
)
_MARKS: Final = ("while scanning an alias", "while scanning an anchor", "while scanning a directive")
"""What the parser took the first character of a text for."""
_MARK_PROBLEMS: Final = ("sequence entries are not allowed", "mapping keys are not allowed", _NO_TEXT)


class Misspelt(NamedTuple):
    """What to say of it, and where."""

    offset: int
    code: str
    message: str


class _Stop(NamedTuple):
    """Where the parser stopped, and why."""

    source: Source
    offset: int
    problem: str
    context: str
    began: int
    """Where that began which it was reading, -1: it does not say."""
    last: Any
    """What it read last."""

    @property
    def text(self) -> str:
        return self.source.text

    def line(self, offset: int) -> int:
        return self.source.position(offset).line

    @property
    def before(self) -> str:
        """What stands before it on its line."""
        start = self.offset - self.source.position(self.offset).column + 1
        return self.text[start : self.offset]


def misspelt(source: Source, error: yaml.MarkedYAMLError, last: Any) -> Misspelt:
    """What is wrong with *source*, whose parser stopped with *error* after the event *last*."""
    mark: Any = error.problem_mark or error.context_mark
    began: Any = error.context_mark
    stop = _Stop(
        source=source,
        offset=min(mark.index, len(source.text)) if mark else 0,
        problem=error.problem or "the file ends too early",
        context=error.context or "",
        began=-1 if began is None else began.index,
        last=last,
    )
    return next((found for rule in _RULES if (found := rule(stop)) is not None), None) or _otherwise(stop)


def _tab(stop: _Stop) -> Misspelt | None:
    """A tab in the indentation of the line: the usual cause of trouble there."""
    start = stop.offset - len(stop.before)
    match = _TAB_IN_INDENT.match(stop.text, start)
    return match and Misspelt(match.end() - 1, "tab", "a tab character indents this line; YAML wants spaces")


def _quote(stop: _Stop) -> Misspelt | None:
    """A quoted text that ends where more of it was meant to come, be it on its own line or lines below."""
    last: Any = stop.last
    if not isinstance(stop.last, yaml.ScalarEvent) or last.style not in _QUOTED:
        return None
    start, end = last.start_mark.index, last.end_mark.index
    first, ended, here = stop.line(start), stop.line(end), stop.line(stop.offset)
    if here != ended:
        return None
    escape = _ESCAPES[last.style]
    if first < ended:
        return Misspelt(start, "unclosed-quote", _LONG_QUOTE.format(line=ended, escape=escape))
    if stop.text[end : stop.offset].strip() or stop.text[stop.offset : stop.offset + 1] in (*":]}", ""):
        return None
    lacks_comma = _FLOW in stop.problem and _KEY_BEGINS.match(stop.text, stop.offset)
    return Misspelt(stop.offset, "syntax", (_NO_COMMA if lacks_comma else _AFTER_QUOTE).format(escape=escape))


def _block(stop: _Stop) -> Misspelt | None:
    """The text of a block that begins no further in than its key, so that its lines are taken for keys."""
    if _NO_KEY_MARK not in stop.problem:
        return None
    below = stop.text.rfind("\n", 0, stop.began) + 1
    column = stop.began - below
    while below > 0:
        start = stop.text.rfind("\n", 0, below - 1) + 1
        line = stop.text[start : below - 1].rstrip("\r")
        if begins := _BLOCK_BEGINS.search(line):
            text = len(stop.text) - len(stop.text[below:].lstrip())
            return Misspelt(text, "syntax", _BLOCK.format(mark=begins[1]))
        if line.strip() and len(line) - len(line.lstrip(" ")) != column:
            return None
        below = start
    return None


def _bracket(stop: _Stop) -> Misspelt | None:
    """A text that begins with a bracket and goes on behind its closing one."""
    last: Any = stop.last
    if not isinstance(stop.last, yaml.CollectionEndEvent):
        return None
    end = last.end_mark.index
    bracket = {"}": "{", "]": "["}.get(stop.text[end - 1 : end])
    if bracket is None or stop.text[end : stop.offset].strip(" ") or stop.text[stop.offset : stop.offset + 1] in "]}":
        return None
    return Misspelt(stop.offset, "syntax", _AFTER_BRACKET.format(bracket=bracket))


def _colon(stop: _Stop) -> Misspelt | None:
    """A ': ' in a text, or one that is missing in the line above."""
    if not (_NO_VALUE in stop.problem or (_FLOW in stop.problem and stop.text[stop.offset : stop.offset + 1] == ":")):
        return None
    if _KEY.search(stop.before):
        return Misspelt(stop.offset, "syntax", _COLON_IN_TEXT)
    if _FLOW in stop.problem:
        return None
    above = stop.text[: stop.offset - len(stop.before)].rstrip("\r\n").rsplit("\n", 1)[-1]
    column = len(stop.before) - len(stop.before.lstrip())
    if not above.strip() or _KEY.search(above) or len(above) - len(above.lstrip(" -")) != column:
        return None
    return Misspelt(stop.offset, "syntax", _NO_COLON.format(line=stop.line(stop.offset) - 1))


def _mark(stop: _Stop) -> Misspelt | None:
    """A text that begins with a character that means something else."""
    at = stop.began if stop.context in _MARKS else stop.offset
    mark = stop.text[at : at + 1]
    if stop.context not in _MARKS and not any(problem in stop.problem for problem in _MARK_PROBLEMS):
        return None
    if mark == "\t":
        return Misspelt(at, "tab", "a tab cannot stand here; YAML wants spaces")
    if mark == "%" and stop.text[at - 1 : at] == "{":
        return Misspelt(at - 1, "syntax", _BEGINS.format(mark="{%"))
    return Misspelt(at, "syntax", _BEGINS.format(mark=mark if mark.isprintable() else "·"))


def _flow(stop: _Stop) -> Misspelt | None:
    """A bracket that was opened lines above."""
    here = stop.line(stop.offset)
    if _FLOW not in stop.problem or stop.began < 0 or stop.line(stop.began) == here:
        return None
    return Misspelt(stop.began, "syntax", _OPEN.format(line=here))


def _otherwise(stop: _Stop) -> Misspelt:
    begins = stop.began >= 0 and any(said in stop.problem for said in _AT_ITS_START)
    words = next((ours for said, ours in _OTHERS if said in stop.problem), f"this is not YAML: {stop.problem}")
    return Misspelt(stop.began if begins else stop.offset, "syntax", words)


_RULES: Final[Sequence[Callable[[_Stop], Misspelt | None]]] = (_tab, _quote, _block, _bracket, _colon, _mark, _flow)
"""In this order: the first that knows a cause is heard."""
