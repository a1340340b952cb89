"""Templates: Jinja2 without calls, loops or assignments, so that a manifest can neither run code nor run for ever.

Most templates are plain text with `{{ name }}` in it. Those are filled in directly, which is a hundred times faster
than compiling each; the tests hold both ways to the same result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.misreading import ONLY, misreading
from pipeline.model import JSON

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

RESULT_MAX = 32_000
"""The longest text a template may make, in characters."""

Writer = Callable[[Any], str]
"""How a value becomes text."""

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
_FILTERS = [
    "abs",
    "default",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "string",
    "title",
    "trim",
    "truncate",
    "upper",
]
_NODES = frozenset(
    [
        "Add",
        "And",
        "Compare",
        "CondExpr",
        "Concat",
        "Const",
        "Div",
        "Filter",
        "FloorDiv",
        "Getattr",
        "Getitem",
        "If",
        "Keyword",
        "List",
        "Mod",
        "Mul",
        "Name",
        "Neg",
        "Not",
        "Operand",
        "Or",
        "Output",
        "Pair",
        "Pos",
        "Slice",
        "Sub",
        "Template",
        "TemplateData",
        "Test",
        "Tuple",
    ]
)


class BadTemplate(ValueError):
    """A template that cannot be used; the message says why. `word` is what is at fault in its text, where one is."""

    def __init__(self, message: str, *, code: str = "bad-template", word: str = "", near: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.word = word
        self.near = near
        """What stands in the text where the fault is."""


def is_template(text: str) -> bool:
    """Whether *text* is more than itself."""
    return "{" in text and any(mark in text for mark in _MARKED)


def written(value: Any) -> str:
    """A value as templates write it: JSON's words for true, false and structures, nothing for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(written(part) for part in value)
    if value is None:
        return ""
    if isinstance(value, int | float | dict):
        return json.dumps(value, ensure_ascii=False)
    str(value)  # an undefined value says here what it is
    raise BadTemplate(f"a template cannot write a {shown(type(value).__name__)}")


class Template:
    """A text with places to fill in. Raises `BadTemplate` where it cannot be read."""

    def __init__(self, text: str, writer: Writer = written) -> None:
        self._text = text
        self._writer = writer
        parts = _PLAIN.split(text)
        simple = not any(is_template(part) or "\r" in part for part in parts[::2])
        self._parts = parts if simple and _JINJA_WORDS.isdisjoint(parts[1::2]) else None
        self._compiled = None if self._parts is not None else _compile(text, writer)

    def render(self, variables: Mapping[str, JSON]) -> str:
        """The text with *variables* filled in. Raises `BadTemplate`: undefined, too long, or no sense in it."""
        result = self._filled(variables) if self._parts is not None else self._rendered(variables)
        if len(result) > RESULT_MAX:
            raise BadTemplate(f"the text it makes has {len(result):,} characters; {RESULT_MAX:,} is the most")
        return result

    def missing(self, variables: Collection[str]) -> Sequence[str]:
        """Plain names in the text that *variables* does not hold."""
        return [] if self._parts is None else [name for name in self._parts[1::2] if name not in variables]

    def _filled(self, variables: Mapping[str, JSON]) -> str:
        parts = list(self._parts or ())
        for n in range(1, len(parts), 2):
            name = parts[n]
            if name not in variables:
                raise undefined(name, variables)
            parts[n] = self._writer(variables[name])
        return "".join(parts)

    def _rendered(self, variables: Mapping[str, JSON]) -> str:
        import jinja2

        assert self._compiled is not None, "a template is plain or compiled"
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._compiled.generate(variables):
                pieces.append(piece)
                length += len(piece)
                if length > RESULT_MAX:
                    break
        except jinja2.UndefinedError as error:
            named = re.search(r"'([^']*)' is undefined", str(error))
            raise undefined(named[1], variables) if named else BadTemplate(str(error), code="undefined") from None
        except BadTemplate:
            raise
        except Exception as error:  # noqa: BLE001 - a filter given nonsense may raise anything
            raise BadTemplate(f"the template fails: {shown(error)}") from None
        return "".join(pieces)


def undefined(name: str, variables: Collection[str]) -> BadTemplate:
    """What to say of a variable that is not there."""
    message = f"there is no variable '{shown(name)}'{did_you_mean(name, variables)}"
    return BadTemplate(message, code="undefined", word=name)


def _compile(text: str, writer: Writer) -> Any:
    import jinja2

    environment = _environment(writer)
    try:
        tree = environment.parse(text)
        _refuse_statements(tree)
        return environment.from_string(text)
    except jinja2.TemplateSyntaxError as error:
        message, near = misreading(text, error.message or "")
        raise BadTemplate(message, near=near) from None
    except jinja2.TemplateError as error:
        raise BadTemplate(f"the template cannot be read: {shown(error)}") from None
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as error:
        if isinstance(error, BadTemplate):
            raise
        raise BadTemplate("the template is too deep to be read") from None


def _refuse_statements(node: Any) -> None:
    """Refuse what could call, loop, assign or load."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        kind = type(node).__name__
        if kind not in _NODES:
            raise BadTemplate(ONLY.format(kind.lower()))
        if kind == "Filter" and node.name not in _FILTERS:
            known = ", ".join(_FILTERS)
            raise BadTemplate(f"there is no filter '{shown(node.name)}'; there are {known}", word=node.name)
        waiting.extend(node.iter_child_nodes())


@lru_cache(maxsize=4)
def _environment(writer: Writer) -> ImmutableSandboxedEnvironment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        """No calls at all, and no arithmetic on anything but numbers."""

        intercepted_binops = frozenset({"*", "%"})

        def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002
            return False

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if not isinstance(left, int | float) or not isinstance(right, int | float):
                raise BadTemplate(f"'{operator}' is for numbers")
            if max(abs(left), abs(right)) > 2**53:
                raise BadTemplate(f"a number is too large for '{operator}'")
            return super().call_binop(context, operator, left, right)

    environment = Bounded(
        undefined=jinja2.StrictUndefined, finalize=writer, autoescape=False, keep_trailing_newline=True, cache_size=0
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.filters |= {"replace": _replace, "join": _join}
    return environment


def _replace(text: Any, old: str, new: str) -> str:
    """Jinja's `replace`, that cannot grow a text beyond what a template may make."""
    whole = written(text)
    if whole.count(old) * len(new) > RESULT_MAX:
        raise BadTemplate("'replace' makes the text too long")
    return whole.replace(old, new)


def _join(parts: Iterable[Any], d: Any = "") -> str:
    """Jinja's `join`, that cannot make more of a text than a template may."""
    texts: list[str] = []
    glue = str(d)
    left = RESULT_MAX + len(glue)
    for part in parts:
        texts.append(str(part))
        left -= len(texts[-1]) + len(glue)
        if left < 0:
            raise BadTemplate("'join' makes the text too long")
    return glue.join(texts)
