"""Long manifests, sound but for one wound: where it is, is known, and must be said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A manifest that means no good."""

    what: str
    """How it was made."""
    suffix: str
    content: bytes
    line: int | None = None
    """It is wrong, and this line is where."""


def one_wound(chance: random.Random) -> Hostile:
    """A sound manifest of 1 to 400 entries with one wound at any of them."""
    return chance.choice([_yaml, _csv, _jsonl])(chance)


YAML_WOUNDS: Mapping[str, str] = {
    "unknown-key": "secnds: 8",
    "wrong-type": "takes: two",
    "long-number": f"takes: {'9' * 5_000}",
    "not-a-number": "takes: .nan",
    "out-of-range": "takes: 0",
    "bad-month": "seconds: 2024-13-45",
    "infinite": "seconds: 1e999",
    "bad-size": "size: 16:9",
    "bad-id": "id: ../../etc/passwd",
    "absolute-id": "id: /etc/passwd",
    "drive-id": "id: 'C:\\x'",
    "undefined": "group: '{{ stile }}'",
    "open-braces": "group: 'a {{ b'",
    "open-block": "group: 'a {% if x %} b'",
    "open-remark": "group: 'a {# b'",
    "class": "group: \"{{ ''.__class__ }}\"",
    "loop": "group: '{% for a in b %}a{% endfor %}'",
    "million": "group: \"{{ 'a' * 10**9 }}\"",
    "power": "group: '{{ 9 ** 9 ** 9 ** 9 }}'",
    "filter": "group: \"{{ 'a' | center(1000000000) }}\"",
    "import": "group: \"{% import 'os' as os %}\"",
    "call": "group: '{{ range(1000000000) }}'",
    "duplicate-key": "prompt: again",
    "tag": "group: !!python/object:os.system x",
    "no-anchor": "group: *nowhere",
    "colon": "group: a: b",
    "open-quote": 'group: "coast',
    "open-single-quote": "group: 'coast",
    "open-list": "meta: {a: [1, 2}",
    "open-mapping": "meta: {a: 1",
    "tab": "\tgroup: coast",
    "at-sign": "group: @coast",
    "deep": f"meta: {'[' * 40}{']' * 40}",
    "list-key": "[a, b]: c",
    "escape": 'group: "\\q"',
    "surrogate": 'group: "\\ud800"',
    "nul": 'group: "\\0"',
    "reserved": "vars: {take: 1}",
    "axis": "matrix: {takes: [1, 2]}",
    "no-file": "prompt_file: ../../../etc/passwd",
    "bad-name": "vars: {my-style: film}",
}
"""A line in an entry."""

CSV_WOUNDS: Mapping[str, str] = {
    "extra-cell": "a heron, at dawn,4,coast,x",
    "missing-cell": "a heron",
    "open-quote": '"a heron,4,coast',
    "stray-quote": '"a heron" at dawn,4,coast',
    "wrong-type": "a heron,four,coast",
    "long-number": f"a heron,{'9' * 5_000},coast",
    "blank": '"   ",4,coast',
    "huge-cell": f"a heron,4,{'x' * 200_000}",
}
JSONL_WOUNDS: Mapping[str, str] = {
    "syntax": '{"prompt": "a",}',
    "list": '["a"]',
    "nan": '{"prompt": "a", "seconds": NaN}',
    "long-number": '{"prompt": "a", "seconds": ' + "9" * 5_000 + "}",
    "infinite": '{"prompt": "a", "seconds": 1e999}',
    "duplicate-key": '{"prompt": "a", "prompt": "b"}',
    "surrogate": '{"prompt": "a \\ud800"}',
    "nul": '{"prompt": "a \\u0000"}',
    "deep": '{"prompt": "a", "meta": ' + '{"a": ' * 500 + "1" + "}" * 501,
    "deeper": "[" * 100_000,
    "open-string": '{"prompt": "a',
    "two": '{"prompt": "a"} {"prompt": "b"}',
    "near-miss": '{"prompt": "a", "secnds": 4}',
    "wrong-type": '{"prompt": 7}',
}


def _yaml(chance: random.Random) -> Hostile:
    name, wound = chance.choice(list(YAML_WOUNDS.items()))
    count = chance.choice([1, 2, 10, 400])
    hurt = chance.randrange(count)
    lines, line = ["version: 1", "vars: {style: film}", "jobs:"], 0
    for n in range(count):
        lines += [f"  - prompt: heron {n}, {{{{ style }}}}", "    seconds: 4"]
        if n == hurt:
            lines.append(wound if wound.startswith("\t") else f"    {wound}")
            line = len(lines)
    return Hostile(what=f"yaml {name}", suffix="yaml", content="\n".join([*lines, ""]).encode(), line=line)


def _rows(chance: random.Random, wounds: Mapping[str, str], row: Callable[[int], str]) -> tuple[str, list[str], int]:
    name, wound = chance.choice(list(wounds.items()))
    count = chance.choice([1, 2, 10, 400])
    hurt = chance.randrange(count)
    return name, [wound if n == hurt else row(n) for n in range(count)], hurt + 1


def _csv(chance: random.Random) -> Hostile:
    name, rows, number = _rows(chance, CSV_WOUNDS, lambda n: f"heron {n},4,coast")
    newline = chance.choice(["\n", "\r\n"])
    content = newline.join(["prompt,seconds,place", *rows, ""]).encode()
    return Hostile(what=f"csv {name}", suffix="csv", content=content, line=number + 1)


def _jsonl(chance: random.Random) -> Hostile:
    name, rows, number = _rows(chance, JSONL_WOUNDS, lambda n: json.dumps({"prompt": f"heron {n}", "seconds": 4}))
    return Hostile(what=f"jsonl {name}", suffix="jsonl", content="\n".join([*rows, ""]).encode(), line=number)
