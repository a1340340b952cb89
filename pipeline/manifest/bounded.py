"""Jinja2 without calls, loops or assignments, in which what a template may do is bounded before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.manifest.fields import shown
from pipeline.manifest.misreading import ONLY, misreading
from pipeline.manifest.written import RESULT_MAX, BadTemplate, Writer, written

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

TEXT_MAX: Final = 32_000
DEPTH_MAX: Final = 50
NODES_MAX: Final = 2_000
"""How long, how deep and how manifold a template may be that is more than names in a text."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A template that Jinja fills in."""

    names: frozenset[str]
    """The variables it asks for."""
    jinja: Any

    def pieces(self, variables: Mapping[str, Any]) -> Iterator[str]:
        """The text with *variables* filled in, piece by piece. Raises whatever a filter given nonsense may raise."""
        pieces: Iterator[str] = self.jinja.generate(variables)
        return pieces


@lru_cache(maxsize=256)
def absent(name: str) -> Any:
    """A variable called *name* that has no value here, and may have one elsewhere: false in a test, else undefined."""
    import jinja2

    class Absent(jinja2.StrictUndefined):
        __slots__ = ()

        def __bool__(self) -> bool:  # type: ignore[override]
            return False

    return Absent(name=name)


def weighs_more(value: Any, limit: int) -> bool:
    """Whether there are more than *limit* characters and values in *value*."""
    waiting = [value]
    while waiting and limit >= 0:
        value = waiting.pop()
        limit -= len(value) if isinstance(value, str | list | dict) else 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list) and limit >= 0:
            waiting.extend(value)
    return limit < 0


def compiled(text: str, writer: Writer) -> Compiled:
    """The template *text*, whose values *writer* writes. Raises `BadTemplate`."""
    import jinja2

    if len(text) > TEXT_MAX:
        raise BadTemplate(f"the template has {len(text):,} characters; {TEXT_MAX:,} is the most")
    environment = _environment(writer)
    try:
        tree = environment.parse(text)
        names = _checked(tree)
        return Compiled(names=names, jinja=environment.from_string(_joined(tree)))
    except jinja2.TemplateSyntaxError as error:
        message, near = misreading(text, error.message or "")
        raise BadTemplate(message, near=near) from None
    except jinja2.TemplateError as error:
        raise BadTemplate(f"the template cannot be read: {shown(error)}") from None
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as error:
        if isinstance(error, BadTemplate):
            raise
        raise _too_deep() from None


def _checked(tree: Any) -> frozenset[str]:
    """The names that *tree* asks for. Refuses what could call, loop, assign or load, and what is too much."""
    names: set[str] = set()
    waiting = [(tree, 0)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        kind = type(node).__name__
        seen += 1
        if depth > DEPTH_MAX:
            raise _too_deep()
        if seen > NODES_MAX:
            raise BadTemplate(f"the template has more than {NODES_MAX:,} parts")
        if kind not in _NODES:
            raise BadTemplate(ONLY.format(kind.lower()))
        if kind == "Filter" and node.name not in _FILTERS:
            known = ", ".join(_FILTERS)
            raise BadTemplate(f"there is no filter '{shown(node.name)}'; there are {known}", word=node.name)
        if kind == "Name":
            names.add(node.name)
        waiting.extend((below, depth + 1) for below in node.iter_child_nodes())
    return frozenset(names)


def _too_deep() -> BadTemplate:
    return BadTemplate("the template is too deep to be read")


def _joined(tree: Any) -> Any:
    """*tree* with `a ~ b` as `[a, b]|join`, which is bounded."""
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    class Joined(NodeTransformer):
        def visit_Concat(self, node: Any) -> Any:  # noqa: N802 - Jinja's name for it
            parts = nodes.List([self.visit(part) for part in node.nodes], lineno=node.lineno)
            return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)

    return Joined().visit(tree).set_environment(tree.environment)


@lru_cache(maxsize=4)
def _environment(writer: Writer) -> ImmutableSandboxedEnvironment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        """No calls at all, and no arithmetic on anything but numbers; `+` on short texts and lists too."""

        intercepted_binops = frozenset({"*", "%", "+"})

        def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002
            return False

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "+" and isinstance(left, str | list) and isinstance(right, str | list):
                if len(left) + len(right) > RESULT_MAX:
                    raise BadTemplate("'+' makes too much of its two sides")
                return super().call_binop(context, operator, left, right)
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
    grown = whole.count(old) * (len(new) - len(old))
    if grown > 0 and len(whole) + grown > RESULT_MAX:
        raise BadTemplate("'replace' makes the text too long")
    return whole.replace(old, new)


def _join(parts: Iterable[Any], d: Any = "") -> str:
    """Jinja's `join`, that cannot make more of a text than a template may."""
    texts: list[str] = []
    glue = written(d)
    left = RESULT_MAX + len(glue)
    for part in parts:
        texts.append(written(part))
        left -= len(texts[-1]) + len(glue)
        if left < 0:
            raise BadTemplate("'join' makes the text too long")
    return glue.join(texts)
