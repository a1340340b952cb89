"""Templates: Jinja2 without calls, loops or assignments, so that a manifest can neither run code nor run for ever.

Most templates are plain text with `{{ name }}` in it. Those are filled in directly, which is a hundred times faster
than compiling each; the tests hold both ways to the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from pipeline.manifest.bounded import absent, compiled, weighs_more
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.misreading import no_such_part
from pipeline.manifest.written import RESULT_MAX, BadTemplate, Named, Writer, written
from pipeline.model import JSON

__all__ = [
    "RESULT_MAX",
    "BadTemplate",
    "Named",
    "Template",
    "Writer",
    "asks_for",
    "is_template",
    "names_in",
    "undefined",
    "written",
]

_MARKED = ("{{", "{%", "{#")
_PLAIN = re.compile(r"(?<!\{)\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
_JINJA_WORDS = frozenset(
    [
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "not",
        "and",
        "or",
        "in",
        "is",
        "if",
        "else",
        "self",
        "super",
        "loop",
        "varargs",
        "kwargs",
        "caller",
    ]
)
_WEIGHT_MAX = 131_072
"""So many characters and values may the variables of a template that computes hold, each."""
_OF_PATHS = "; only 'output.path' knows it: make the id and this of a column or variable of another name"


def is_template(text: str) -> bool:
    """Whether *text* is more than itself."""
    return "{" in text and any(mark in text for mark in _MARKED)


def _none_may_lack(name: str) -> bool:  # noqa: ARG001
    return False


class Template:
    """A text with places to fill in. Raises `BadTemplate` where it cannot be read."""

    def __init__(self, text: str, writer: Writer = written) -> None:
        self._writer = writer
        parts = _PLAIN.split(text)
        simple = not any(is_template(part) or "\r" in part for part in parts[::2])
        self._parts = parts if simple and _JINJA_WORDS.isdisjoint(parts[1::2]) else None
        self._compiled = None if self._parts is not None else compiled(text, writer)

    def render(self, variables: Mapping[str, JSON], may_lack: Callable[[str], bool] = _none_may_lack) -> str:
        """The text with *variables* filled in. One that they *may lack* is false in a test, and no value.

        Raises `BadTemplate`: undefined, too long, or no sense in it.
        """
        return self._filled(variables) if self._parts is not None else self._rendered(variables, may_lack)

    @property
    def names(self) -> Collection[str]:
        """The variables that it asks for."""
        return self._compiled.names if self._compiled is not None else (self._parts or ())[1::2]

    def missing(self, variables: Collection[str], fault: BadTemplate) -> Sequence[str]:
        """The names that *variables* does not hold, for which the text could not be filled in.

        Of one that Jinja fills in only the first is known: that of its *fault*.
        """
        if self._parts is not None:
            return [name for name in self._parts[1::2] if name not in variables]
        named = fault.code == "undefined" and fault.word in self.names and fault.word not in variables
        return [fault.word] if named else []

    def _filled(self, variables: Mapping[str, JSON]) -> str:
        parts = list(self._parts or ())
        length = 0
        for n in range(1, len(parts), 2):
            name = parts[n]
            if name not in variables:
                raise undefined(name, variables)
            parts[n] = self._writer(variables[name])
            length += len(parts[n])
            if length > RESULT_MAX:
                raise _too_long()
        result = "".join(parts)
        if len(result) > RESULT_MAX:
            raise _too_long()
        return result

    def _rendered(self, variables: Mapping[str, JSON], may_lack: Callable[[str], bool]) -> str:
        import jinja2

        assert self._compiled is not None, "a template is plain or compiled"
        if large := next((name for name in self.names if weighs_more(variables.get(name), _WEIGHT_MAX)), None):
            message = f"'{shown(large)}' is too large for a template that does more than write it"
            raise BadTemplate(message, word=large)
        lacking = {name: absent(name) for name in self.names if name not in variables and may_lack(name)}
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._compiled.pieces({**variables, **lacking} if lacking else variables):
                pieces.append(piece)
                length += len(piece)
                if length > RESULT_MAX:
                    raise _too_long()
        except jinja2.UndefinedError as error:
            named = re.search(r"'([^']*)' is undefined", str(error))
            raise undefined(named[1], variables) if named else _without_part(str(error)) from None
        except BadTemplate:
            raise
        except Exception as error:  # noqa: BLE001 - a filter given nonsense may raise anything
            raise BadTemplate(f"the template fails: {shown(error)}") from None
        return "".join(pieces)


def _too_long() -> BadTemplate:
    return BadTemplate(f"the text it makes is longer than {RESULT_MAX:,} characters")


def names_in(text: str) -> Collection[str]:
    """The variables that *text* asks for, as a template that can be read. Raises `BadTemplate`."""
    return Template(text).names if is_template(text) else ()


def asks_for(name: str, text: str) -> bool:
    """Whether *text* is a template that uses *name*."""
    try:
        return is_template(text) and name in Template(text).names
    except BadTemplate:
        return name in text  # what is wrong with it is told where it is filled in


def undefined(name: str, variables: Collection[str]) -> BadTemplate:
    """What to say of a variable that is not there."""
    near = _OF_PATHS if name == "id" else did_you_mean(name, variables)
    message = f"there is no variable '{shown(name)}'{near}"
    return BadTemplate(message, code="undefined", word=name)


def _without_part(said: str) -> BadTemplate:
    """What to say of a value that has no such part."""
    message, word = no_such_part(said)
    return BadTemplate(message, code="undefined", word=word)
