"""The ways in which a secret may stand in what somebody else says: as it is, escaped, encoded, or in part. Pure."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

SECRET_LENGTH_MIN = 8
"""Shorter values are left alone: no key is so short, and hiding every `1` or `sandbox` helps nobody."""

PART_LENGTH_MIN = 12
"""Of a secret twice as long, a run of so many characters is hidden too: some servers show a part of a key."""
MARK = b"[key]"


def spellings(secret: str) -> tuple[str, ...]:
    """*secret* as it is and as a URL, a Python or JSON string, base64 or hex digits hold it; the longest first."""
    return _longest_first(_whole(secret)) if len(secret) >= SECRET_LENGTH_MIN else ()


class Unspoken:
    """Takes one secret out of what is heard, whole or in parts."""

    def __init__(self, secret: str) -> None:
        self._whole = [one.encode() for one in spellings(secret)]
        data = secret.encode()
        last = len(data) - PART_LENGTH_MIN if len(data) >= 2 * PART_LENGTH_MIN else -1
        self._parts = [data[n : n + PART_LENGTH_MIN] for n in range(last + 1)]
        self._runs = re.compile(b"(?=" + b"|".join(map(re.escape, self._parts)) + b")")

    def without(self, content: bytes) -> bytes:
        """*content* with a mark wherever the secret stood, or a run of a dozen of its characters.

        JSON's escapes of plain characters are undone before: what is read out of it must not be the secret again.
        """
        if self._whole and b"\\" in content:
            content = _ESCAPE.sub(_undone, content)
        for spelled in self._whole:
            content = content.replace(spelled, MARK)
        if not any(part in content for part in self._parts):
            return content
        kept, done = [], 0
        for run in self._runs.finditer(content):
            if run.start() >= done:
                kept += [content[done : run.start()], MARK]
            done = run.start() + PART_LENGTH_MIN
        return b"".join([*kept, content[done:]])


_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9a-fA-F])|(.))", re.DOTALL)


def _undone(escape: re.Match[bytes]) -> bytes:
    """The plain character that an escape of JSON's stands for; any other escape as it is."""
    if escape[1]:
        character = bytes([int(escape[1], 16)])
        return escape[0] if character in b'"\\\x7f' else character
    return b"/" if escape[2] == b"/" else escape[0]


def _longest_first(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({one for one in found if len(one) >= SECRET_LENGTH_MIN}, key=len, reverse=True))


def _whole(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogateescape")
    yield secret
    in_url = quote(data, safe="")
    yield in_url
    yield in_url.lower()
    yield secret.encode("unicode_escape").decode("ascii")
    yield secret.replace("\\", "\\\\").replace("'", "\\'")
    yield secret.replace("\\", "\\\\").replace('"', '\\"')
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield "".join(f"\\u{ord(c):04x}" for c in secret)
    yield data.hex()
    yield data.hex().upper()
    yield from _in_base64(data)


def _in_base64(data: bytes) -> Iterator[str]:
    """What of *data* stands in base64 whatever stands before and after it: three ways, by how many bytes go before."""
    for before in range(3):
        start, end = (0, 2, 3)[before], (before + len(data)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(b"\0" * before + data).decode("ascii")[start:end]
