"""Good and bad manifests of ours, damaged: bytes flipped, pieces cut, doubled, swapped, and hostile words put in."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from tests.manifest.wounds import Hostile

ROOT = Path(__file__).parents[2]
_TOKEN = re.compile(rb"\s+|\w+|.", re.DOTALL)

WORDS = (
    *(b"\x00", b"\x1b[31m", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xcc\x81" * 40),
    *("😀", "é", "\u2028", "\x85", "\ufeff", "\ud7ff", "\U0010ffff"),
    *("../", "/etc/passwd", "C:\\x", "~", "CON", "aux.txt", "a.", "-rf", "..%2f"),
    *("9" * 5_000, "1e999", "-0", "0x1f", "NaN", ".inf", "2024-13-45", "1_000", "012", "16:9", "null", "on"),
    *("!!python/object:os.system", "!!binary aGk=", "&a ", "*a", "<<: *a", "? ", "|2", ">-", "---", "...", "%YAML 9.9"),
    *("{{", "}}", "{%", "%}", "{#", "{{ x.__class__ }}", "{% for a in b %}", "{{ 'a' * 10**9 }}", "{{ 9 ** 9 ** 9 }}"),
    *('"', "'", "{", "}", "[", "]", ",", ";", "\t", "\r", "\r\n", "\n", ": ", "- ", "\\", "\\ud800", "\\u0000", "#"),
    *("=cmd|'/c calc'!A0", "<script>", "$(id)", "`id`", "prompt", "takes", "seconds", "id", "params.", "meta.", "vars"),
)
"""What is put in."""


@lru_cache(maxsize=1)
def seeds() -> Sequence[tuple[str, bytes]]:
    """Our own manifests, by suffix and content."""
    folders = (ROOT / "manifests", ROOT / "tests" / "cases" / "manifests" / "valid")
    wrong = ROOT / "tests" / "cases" / "manifests" / "invalid"
    kinds = {".yaml", ".csv", ".tsv", ".jsonl"}
    paths = sorted(path for folder in (*folders, wrong) for path in folder.iterdir() if path.suffix in kinds)
    assert paths, "there are manifests to damage"
    return [(path.suffix[1:], path.read_bytes()) for path in paths]


def warped(chance: random.Random) -> Hostile:
    """One of ours after one to six accidents; now and then under another suffix."""
    suffix, content = chance.choice(seeds())
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        content = chance.choice(ACCIDENTS)(chance, content)
    if chance.random() < 0.05:
        suffix = chance.choice(["yaml", "csv", "jsonl", "tsv"])
    return Hostile(what="warped", suffix=suffix, content=content)


def _flip(chance: random.Random, content: bytes) -> bytes:
    at = chance.randrange(len(content) or 1)
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


def _cut(chance: random.Random, content: bytes) -> bytes:
    at, length = chance.randrange(len(content) or 1), chance.choice([1, 2, 10, 100, 10_000])
    return content[:at] + content[at + length :]


def _double(chance: random.Random, content: bytes) -> bytes:
    at, length = chance.randrange(len(content) or 1), chance.choice([1, 10, 100, 1_000])
    return content[:at] + content[at : at + length] * chance.choice([2, 3, 50]) + content[at + length :]


def _swap_words(chance: random.Random, content: bytes) -> bytes:
    tokens = _TOKEN.findall(content) or [b""]
    a, b = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    tokens[a], tokens[b] = tokens[b], tokens[a]
    return b"".join(tokens)


def _swap_lines(chance: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"".join(lines)


def _put_in(chance: random.Random, content: bytes) -> bytes:
    word = chance.choice(WORDS)
    at = chance.randrange(len(content) + 1)
    return content[:at] + (word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")) + content[at:]


def _replace_word(chance: random.Random, content: bytes) -> bytes:
    word = chance.choice(WORDS)
    tokens = _TOKEN.findall(content) or [b""]
    tokens[chance.randrange(len(tokens))] = word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")
    return b"".join(tokens)


def _encode_otherwise(chance: random.Random, content: bytes) -> bytes:
    encoding = chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "latin-1", "utf-7", "cp037"])
    return content.decode("utf-8", "replace").encode(encoding, "replace")


ACCIDENTS: Sequence[Callable[[random.Random, bytes], bytes]] = (
    *(_flip, _flip, _cut, _cut, _double, _swap_words, _swap_words, _swap_lines),
    *(_put_in, _put_in, _put_in, _replace_word, _replace_word, _encode_otherwise),
)
