"""YAML's tree with the place of every node and key, before the schema gives its scalars a type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from pipeline.manifest.document import Entry, Path, dotted
from pipeline.manifest.scalars import typed
from pipeline.model import JSON


@dataclass(slots=True)
class ScalarNode:
    """A piece of text; `plain` where it was written without quotes."""

    start: int
    end: int
    text: str
    plain: bool
    size: ClassVar[int] = 1
    height: ClassVar[int] = 0


@dataclass(slots=True)
class SequenceNode:
    """A list. `size` counts every node below with aliases written out, `height` the levels below."""

    start: int
    nodes: list[tuple[int, Node]] = field(default_factory=list)
    """Each element with its place: an alias's own, not its anchor's."""
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class MappingNode:
    """A mapping; each key with its own place."""

    start: int
    pairs: dict[str, tuple[int, Node]] = field(default_factory=dict)
    size: int = 1
    height: int = 1


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def value_of(node: Node, schema: Mapping[str, Any] | bool) -> JSON:
    """The value of *node*, its scalars typed by *schema* (which holds no references)."""
    if isinstance(node, ScalarNode):
        return typed(node.text, schema, plain=node.plain)
    known = {} if isinstance(schema, bool) else schema
    if isinstance(node, SequenceNode):
        inner = known.get("items", True)
        return [value_of(below, inner) for _, below in node.nodes]
    fields, others = known.get("properties", {}), known.get("additionalProperties", True)
    return {key: value_of(below, fields.get(key, others)) for key, (_, below) in node.pairs.items()}


class NodeDocument:
    """A YAML manifest."""

    literal = False
    names: Collection[str] = ()

    def __init__(self, root: Node, schema: Mapping[str, Any]) -> None:
        self._root = root
        self._entry_schema = schema["properties"].get("jobs", {}).get("items", {})
        self.frame = self._frame(root, schema)

    def first_row(self, name: str) -> int:  # noqa: ARG002 - there are no rows
        return 0

    def _frame(self, root: Node, schema: Mapping[str, Any]) -> JSON:
        """Everything but what the entries hold: those are typed one by one."""
        if not isinstance(root, MappingNode):
            return value_of(root, schema)
        pairs = {key: pair for key, pair in root.pairs.items() if key != "jobs"}
        frame = value_of(MappingNode(root.start, pairs), schema)
        assert isinstance(frame, dict), "a mapping makes a mapping"
        jobs = root.pairs.get("jobs")
        if jobs is not None:
            frame["jobs"] = [None] * len(jobs[1].nodes) if isinstance(jobs[1], SequenceNode) else value_of(jobs[1], {})
        return frame

    def entries(self) -> list[Entry]:
        """The entries, typed."""
        _, jobs = self._root.pairs.get("jobs", (0, None)) if isinstance(self._root, MappingNode) else (0, None)
        nodes = jobs.nodes if isinstance(jobs, SequenceNode) else []
        return [
            Entry(path=("jobs", number), fields=value_of(node, self._entry_schema))
            for number, (_, node) in enumerate(nodes)
        ]

    def offset(self, path: Path, *, key: bool = False) -> int:
        """Where *path*'s value or key begins; where there is none, what is around it."""
        place, node = self._root.start, self._root
        for part in path:
            below = _below(node, part)
            if below is None:
                return place if key else node.start
            place, node = below
        return place if key or (path and isinstance(path[-1], int)) else node.start

    def extent(self, path: Path) -> tuple[int, int]:
        """Where the scalar at *path* begins and ends."""
        node = self._node(path)
        return (node.start, node.end) if isinstance(node, ScalarNode) else (self.offset(path), self.offset(path))

    def text(self, path: Path) -> str | None:
        """The scalar at *path* as it was written."""
        node = self._node(path)
        return node.text if isinstance(node, ScalarNode) else None

    def label(self, path: Path) -> str:
        return dotted(path)

    def _node(self, path: Path) -> Node | None:
        node = self._root
        for part in path:
            below = _below(node, part)
            if below is None:
                return None
            node = below[1]
        return node


def _below(node: Node, part: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode) and isinstance(part, str):
        return node.pairs.get(part)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.nodes):
        return node.nodes[part]
    return None
