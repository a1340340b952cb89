"""YAML, from the parser's events: exact places, bounded depth and size, and no type before the schema gives one.

The events are PyYAML's (libyaml's where it is there); its composers and constructors are not used: they mangle
`16:9`, `on` and `1_000`, keep the last of two equal keys, and crash on deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import yaml

from pipeline.manifest.document import Findings, Unreadable
from pipeline.manifest.misspelt import BRACES, NO_KEY, QUOTE_STAR, misspelt
from pipeline.manifest.nodes import MappingNode, Node, NodeDocument, ScalarNode, SequenceNode
from pipeline.manifest.source import Source

DEPTH_MAX = 16
NAMES_MAX = 1_000
"""How many keys a mapping may have: as many as a row has columns."""
ALIASED_NODES_MAX = 1_000_000
"""How many nodes aliases may stand for, all together."""

_PARSER: Any = getattr(yaml, "CLoader", yaml.Loader)
_MERGE = "<<"
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_yaml(
    source: Source, findings: Findings, schema: Mapping[str, Any], *, needs: str = "a manifest needs 'jobs'"
) -> NodeDocument:
    """The document in *source*. Raises `Unreadable` where no tree can be made of it; *needs* is said of none."""
    root = _Tree(source, findings).root()
    if root is None:
        findings.at(0, "empty-file", f"the file is empty; {needs}")
        raise Unreadable
    return NodeDocument(root, schema)


class _Tree:
    """Builds the tree from the events as they arrive."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._anchors: dict[str, Node | None] = {}
        self._aliased = 0
        self._open: list[_Open] = []
        self._last: Any = None
        """The last event that was taken."""
        self._documents = 0
        self._root: Node | None = None

    def root(self) -> Node | None:
        """The document's node; `None` for a file without one."""
        try:
            parser = _PARSER(self._source.text)
            try:
                while (event := parser.get_event()) is not None:
                    self._take(event)
            finally:
                parser.dispose()
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError as error:  # a character the reader refuses
            self._stop(0, "syntax", f"this is not YAML: {str(error).splitlines()[0]}")
        root = self._root
        bare = isinstance(root, ScalarNode) and root.plain and not root.text
        return None if bare else root

    def _take(self, event: Any) -> None:
        self._last = event
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(event, MappingNode(_start(event)))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(event, SequenceNode(_start(event)))
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(_start(event), "many-documents", "a manifest is one document; remove '---'")

    def _scalar(self, event: Any) -> None:
        start, style = event.start_mark.index, event.style
        if style == '"' and _SURROGATE.search(event.value):
            self._findings.at(start, "bad-text", "half of a surrogate pair is no character")
        bare = event.tag is None and event.anchor is None
        around = self._open[-1] if self._open else None
        if bare and around is not None and around.wants_key:
            around.key = start, event.value
            return
        node = ScalarNode(start, event.end_mark.index, event.value, not style)
        if not bare:
            self._anchored(event, node)
        self._place(node, start)

    def _anchored(self, event: Any, node: Node) -> None:
        if event.tag is not None:
            message = f"tags such as '{_short(event.tag)}' are not allowed; write the value alone, or quote it"
            self._findings.at(event.start_mark.index, "tag", message)
        if event.anchor is not None:
            self._anchors[event.anchor] = node if isinstance(node, ScalarNode) else None

    def _begin(self, event: Any, node: MappingNode | SequenceNode) -> None:
        if len(self._open) >= DEPTH_MAX:
            self._stop(node.start, "too-deep", f"nested deeper than {DEPTH_MAX} levels")
        self._anchored(event, node)
        self._open.append(_Open(node, event.anchor))

    def _end(self) -> None:
        ended = self._open.pop()
        if isinstance(ended.node, MappingNode) and _MERGE in ended.node.pairs:
            self._merge(ended.node, ended.node.pairs.pop(_MERGE)[1])
        if ended.anchor is not None:
            self._anchors[ended.anchor] = ended.node
        self._place(ended.node, ended.node.start)

    def _alias(self, event: Any) -> None:
        start = event.start_mark.index
        if event.anchor not in self._anchors:
            self._stop(start, "alias", f"there is no anchor '&{_short(event.anchor)}' above this alias; {QUOTE_STAR}")
        node = self._anchors[event.anchor]
        if node is None:
            self._stop(start, "alias", f"the alias '*{_short(event.anchor)}' stands inside its own anchor")
        self._aliased += node.size
        if self._aliased > ALIASED_NODES_MAX:
            self._stop(start, "alias-bomb", f"the aliases stand for more than {ALIASED_NODES_MAX:,} values")
        if len(self._open) + node.height > DEPTH_MAX:
            self._stop(start, "too-deep", f"nested deeper than {DEPTH_MAX} levels, through this alias")
        self._place(node, start)

    def _place(self, node: Node, start: int) -> None:
        """Put a whole node where it belongs: the root, an element, a key, or a key's value."""
        if not self._open:
            self._root = node
            return
        around = self._open[-1]
        if isinstance(around.node, SequenceNode):
            around.node.nodes.append((start, node))
            _grow(around.node, node)
        elif around.key is None:
            around.key = (start, self._key(node, start))
        else:
            (place, key), around.key = around.key, None
            self._set(around.node, place, key, node)

    def _key(self, node: Node, start: int) -> str:
        if not isinstance(node, ScalarNode):
            braces = self._source.text.startswith("{{", start - 1)
            self._stop(start - braces, "bad-key", BRACES if braces else NO_KEY)
        return node.text

    def _set(self, mapping: MappingNode, place: int, key: str, node: Node) -> None:
        first = mapping.pairs.get(key)
        if first is not None:
            line = self._source.position(first[0]).line
            self._findings.at(place, "duplicate-key", f"the key '{_short(key)}' stands already on line {line}")
            return
        mapping.pairs[key] = (place, node)
        _grow(mapping, node)
        if len(mapping.pairs) > NAMES_MAX:
            self._count_names(mapping, place)

    def _merge(self, mapping: MappingNode, merged: Node) -> None:
        """Take over the keys of *merged* that *mapping* does not state itself; of several, the first one's."""
        for _, source in merged.nodes if isinstance(merged, SequenceNode) else [(0, merged)]:
            if not isinstance(source, MappingNode):
                self._findings.at(source.start, "bad-merge", "'<<' takes a mapping, or a list of mappings")
                return
            for key, pair in source.pairs.items():
                mapping.pairs.setdefault(key, pair)
            self._count_names(mapping, mapping.start)

    def _count_names(self, mapping: MappingNode, place: int) -> None:
        if len(mapping.pairs) > NAMES_MAX:
            self._stop(place, "too-many", f"more than {NAMES_MAX:,} keys in one mapping")

    def _stop(self, offset: int, code: str, message: str) -> NoReturn:
        self._findings.at(offset, code, message)
        raise Unreadable

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        self._stop(*misspelt(self._source, error, self._last))


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("anchor", "key", "node")

    def __init__(self, node: MappingNode | SequenceNode, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: tuple[int, str] | None = None

    @property
    def wants_key(self) -> bool:
        """It is a mapping, and what comes next is a key of it."""
        return self.key is None and isinstance(self.node, MappingNode)


def _start(event: Any) -> int:
    """Where what *event* is about begins; both parsers count characters."""
    start: int = event.start_mark.index
    return start


def _grow(around: MappingNode | SequenceNode, node: Node) -> None:
    around.size += node.size
    if node.height >= around.height:
        around.height = node.height + 1


def _short(word: str) -> str:
    return word if len(word) <= 40 else word[:39] + "…"
