"""The same for CSV and JSONL: rows and lines."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

Bomb = tuple[str, bytes]
"""Suffix and content."""

BRACKETS_MAX = 100_000
ODD = (
    *(
        "\u202egnp.exe",
        "\u200f\u05d0",
        "e\u0301" * 500,
        "😀" * 200,
        "\u0000",
        "\x1b]8;;http://x\x07a\x1b]8;;\x07",
        "\r",
        "\x07",
    ),
    *("CON", "aux.txt", "nul.", "-rf", "~root", "..", ".", "a.", " ", "\u3000", "\ufdfa" * 90, "İ", "ß" * 80, "K"),
    *("../../x", "/etc/passwd", "C:\\Windows", "\\\\host\\share", "a/../../b", "a//b", "./.", "x" * 300, "%2e%2e/x"),
    *("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "@SUM(1)", "$(reboot)", "`id`", "{{7*7}}", "${jndi:x}"),
)


def _csv_wide(chance: random.Random) -> Bomb:
    count = chance.choice([1_000, 1_000_000])
    name = chance.choice(["c{}", "same", "", "prompt"])
    head = ",".join(["prompt", *map(name.format, range(count))])
    return "csv", f"{head}\na heron{',x' * count}\n".encode()


def _csv_long(chance: random.Random) -> Bomb:
    """Every row with the same fault."""
    row = chance.choice(
        ["a heron,x,16:9", "a heron,4", '"",4,1280x720', "a,4,1280x720,,", "a heron,-1,0x0", "x,4,1280x720"]
    )
    return "csv", f"prompt,seconds,size\n{(row + chr(10)) * chance.choice([100, 3_000])}".encode()


def _csv_odd(chance: random.Random) -> Bomb:
    delimiter = chance.choice([",", ";", "\t", "|", ",;\t"])
    newline = chance.choice(["\n", "\r\n", "\r", "\n\r", "\u2028", "\x85", "\x0b"])
    cells = [
        '=cmd|"/c calc"!A0',
        '"a""b"',
        '"a\nb"',
        "a'b",
        '"',
        '""',
        '"a" b',
        "\ufeff",
        "x" * chance.choice([3, 140_000]),
    ]
    rows = [chance.choice([delimiter, ",", ";"]).join(chance.choices(cells, k=3)) for _ in range(20)]
    return "csv", newline.join([delimiter.join(["prompt", "group", "x"]), *rows]).encode("utf-8", "surrogatepass")


def _csv_headers(chance: random.Random) -> Bomb:
    odd = [
        "prompt",
        "Prompt",
        " prompt ",
        "params.",
        "params",
        "meta.a",
        "meta.a.b",
        "vars",
        "secnds",
        "take",
        "id",
        "__class__",
    ]
    names = [chance.choice([*odd, *ODD]).replace("\r", " ") for _ in range(chance.choice([1, 3, 30]))]
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names]
    return "csv", f"{','.join(quoted)}\n{','.join(['x'] * len(names))}\n".encode("utf-8", "surrogatepass")


def _jsonl_deep(chance: random.Random) -> Bomb:
    count = chance.choice([20, 900, 1_100, BRACKETS_MAX])
    inner = chance.choice(["[" * count + "]" * count, '{"a":' * count + "1" + "}" * count, "[" * count])
    return "jsonl", f'{{"prompt": "a", "meta": {{"a": {inner}}}}}\n'.encode()


def _jsonl_long(chance: random.Random) -> Bomb:
    """Every line with the same fault."""
    line = chance.choice(
        ['{"prompt": "a"', "{}", '{"prompt": 1}', '{"prompt": "a", "prompt": "b"}', "x", '{"prompt":"a","takes":-1}']
    )
    return "jsonl", (line + "\n").encode() * chance.choice([100, 3_000])


def _jsonl_odd(chance: random.Random) -> Bomb:
    name, value = (
        chance.choice(["id", "group", "prompt", "size", "x", "meta", "params", "prompt_file"]),
        chance.choice(ODD),
    )
    big = chance.choice(["1" * 4_000, "1e999", "-0.0", "1E+9999", "NaN", "true", "null", '"' + "x" * 1_000_000 + '"'])
    return "jsonl", f'{{"prompt": "a heron", {json.dumps(name)}: {json.dumps(value)}, "y": {big}}}\n'.encode()


def _jsonl_keys(chance: random.Random) -> Bomb:
    count = chance.choice([1_000, 100_000])
    name = chance.choice(["k{}", "same"])
    return "jsonl", ("{" + ",".join(f'"{name.format(n)}":{n}' for n in range(count)) + ',"prompt":"a"}\n').encode()


ROW_BOMBS: Mapping[str, Callable[[random.Random], Bomb]] = {
    "csv-wide": _csv_wide,
    "csv-long": _csv_long,
    "csv-odd": _csv_odd,
    "csv-headers": _csv_headers,
    "jsonl-deep": _jsonl_deep,
    "jsonl-long": _jsonl_long,
    "jsonl-odd": _jsonl_odd,
    "jsonl-keys": _jsonl_keys,
}
