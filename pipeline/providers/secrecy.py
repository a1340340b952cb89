"""Keys that stand in a profile file: it is passed on, and kept with every run, so none belongs there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pipeline.manifest.document import Path as Way
from pipeline.manifest.wording import Fault

_Document: TypeAlias = Mapping[str, Any]

_SAYS_KEY = (
    *("key", "apikey", "accesskey", "secretkey", "token", "apitoken", "accesstoken", "authtoken", "secret"),
    *("password", "passwd", "authorization", "bearer", "credential", "credentials", "cookie"),
)
"""What the last word of a name is where it says that a key comes."""
_OURS = "idempotency-key"
"""Is called so, and is no secret."""
_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_SHAPE = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[\w-]{8,}|(?:ghp|gho|hf|r8|xai|gsk|fal)[_-]\w{12,}|AKIA\w{12,}|AIza[\w-]{20,}|eyJ[\w-]{12,})"
)
"""How the keys of many services begin."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z-]{0,23}[ =:]? ?")
"""What may stand before a key: `Bearer `, `Api-Key `, `Token=`."""
_PIECE_MAX = 12
"""Words that people write are mostly no longer."""
_DIGITS_MAX = 5

_ELSEWHERE = "a key does not belong in a profile; name its variable in 'key_env'"
_IN_A_HEADER = (
    "a key does not belong in a profile; name its variable in 'key_env', and the header that carries it in 'auth'. "
    "A gateway that takes its key in the query or the body alone cannot be used"
)


def written_keys(document: _Document) -> Iterator[Fault]:
    """Where *document* has a key, or what looks like one; their lines are never shown."""
    auth = document.get("auth")
    prefix = auth.get("prefix", "") if isinstance(auth, dict) else ""
    if prefix and (not _SCHEME.fullmatch(prefix) or _SHAPE.search(prefix)):
        message = "only a word such as 'Bearer ' stands before a key; the key itself is in a variable: see 'key_env'"
        yield _secret(("auth", "prefix"), message, key=False)
    if looks_like_key(document.get("key_default", "")):
        message = f"this looks like a real key, and {_ELSEWHERE}; 'key_default' is for servers that take any"
        yield _secret(("key_default",), message, key=False)
    for part in ("constants", "queries"):
        for path in _told(document.get(part, {}), (part,)):
            yield _secret(path, _IN_A_HEADER, key=True)
    for path in _told(document.get("headers", {}), ("headers",)):
        yield _secret(path, _ELSEWHERE, key=True)


def looks_like_key(text: str) -> bool:
    """Whether *text* is more likely a real key than a word that stands for none."""
    pieces = re.split(r"[^A-Za-z0-9]+", text)
    return bool(_SHAPE.search(text)) or sum(map(str.isdigit, text)) > _DIGITS_MAX or any(map(_is_random, pieces))


def says_key(name: str) -> bool:
    """Whether what is called *name* carries a key."""
    words = [word.lower() for word in _WORDS.split(name) if word]
    return name.lower() != _OURS and bool(words) and words[-1] in _SAYS_KEY


def _is_random(piece: str) -> bool:
    """Long, and no word: of digits and letters, or of both cases in turn, or longer than any."""
    mixed = not (piece.isalpha() and (piece.isupper() or piece[1:].islower()))
    return len(piece) > _PIECE_MAX and (mixed or len(piece) > 2 * _PIECE_MAX)


def _told(value: Any, path: Way) -> Iterator[Way]:
    """Where in *value*, at *path*, a text is called as a key is, or looks like one."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in below:
        here = (*path, name)
        if isinstance(inner, str) and inner and (_SHAPE.search(inner) or (isinstance(name, str) and says_key(name))):
            yield here
        yield from _told(inner, here)


def _secret(path: Way, message: str, *, key: bool) -> Fault:
    return Fault(path=path, code="secret", message=message, key=key and isinstance(path[-1], str), hidden=True)
