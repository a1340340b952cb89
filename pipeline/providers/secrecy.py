"""What looks like a key in a profile file: it is passed on, and kept with every run, so none belongs there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pipeline.manifest.document import Path as Way
from pipeline.manifest.wording import Fault

_Document: TypeAlias = Mapping[str, Any]

_SAYS_KEY = (
    *("apikey", "accesskey", "secretkey", "apitoken", "accesstoken", "authtoken", "secret"),
    *("password", "passwd", "authorization", "bearer", "credential", "cookie"),
)
"""What the last word of a name is where it says that a key comes."""
_MAY_SAY_KEY = ("key", "token")
"""These say so alone or after one of the following; a `sort_key` and a `page_token` are no secrets."""
_OF_A_KEY = ("api", "access", "auth", "secret", "private", "subscription", "bearer")
_NAMES_A_THING = (
    *("id", "ids", "version", "revision", "commit", "hash", "digest", "checksum", "sha256", "md5", "model", "seed"),
    *("organization", "project", "workspace", "url", "uri"),
)
"""What the last word of a name is whose value may look as random as a key and be none."""
_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_PIECES = re.compile(r"[A-Za-z0-9]+")
_FIXED = re.compile(r"(?<![A-Za-z0-9])(?:AKIA[A-Z0-9]{12,}|AIza[\w-]{20,}|eyJ[\w-]{12,})")
_START = re.compile(r"(?<![A-Za-z0-9])(?:sk-|(?:ghp|gho|hf|r8|xai|gsk|fal)[_-])([\w-]+)")
"""How the keys of many services begin; words do so too (`sk-not-needed`), so what follows counts as well."""
_SCHEME_WORD = r"[A-Za-z]{1,13}[0-9]{0,3}(?:[-_][A-Za-z]{1,13}[0-9]{0,3}){0,3}"
_SCHEME = re.compile(rf"{_SCHEME_WORD}(?:[=:]? ?| {_SCHEME_WORD}=)")
"""What may stand before a key: `Bearer `, `Api-Key: `, `OAuth2 `, `api_key=`, `Token token=`."""
_PLACE = re.compile(r"\{\w*(?::\w+)?\}")
"""A text that is filled in, and so no key."""

_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_RUN_MEAN_MAX = 2.6
"""Random letters and digits change their kind more often than words that are written together."""
_RANDOM_AFTER_START, _RANDOM = 10, 20
"""So long is what is taken for random: after what keys begin with, and anywhere."""
_PIECE_MAX = 12
"""Words that people write are mostly no longer."""
_DIGITS_MAX = 5

_NAMED_FREELY = ("constants", "queries", "headers", "reference_json", "rehearsal")
"""Where a person chooses the names."""
_SENT = ("constants", "queries", "headers", "reference_json", "paths")
"""What is sent as it stands: here a value alone can look like a key."""
_OF_THEIR_OWN = ("auth", "key_default")

_ELSEWHERE = "a key does not belong in a profile; name its variable in 'key_env'"
_IN_A_HEADER = (
    "a key does not belong in a profile; name its variable in 'key_env', and the header that carries it in 'auth'. "
    "A gateway that takes its key in the query or the body alone cannot be used"
)


def written_keys(document: _Document) -> Iterator[Fault]:
    """Where *document* has a key, or what looks like one; their lines are never shown."""
    auth = document.get("auth")
    prefix = auth.get("prefix", "") if isinstance(auth, dict) else ""
    if prefix and not _is_scheme(prefix):
        message = "only a word such as 'Bearer ' stands before a key; the key itself is in a variable: see 'key_env'"
        yield _secret(("auth", "prefix"), message, key=False)
    if looks_like_key(document.get("key_default", "")):
        message = f"this looks like a real key, and {_ELSEWHERE}; 'key_default' is for servers that take any"
        yield _secret(("key_default",), message, key=False)
    for part in (name for name in document if name not in _OF_THEIR_OWN):
        message = _IN_A_HEADER if part in ("constants", "queries") else _ELSEWHERE
        for path in _told(document[part], (part,)):
            yield _secret(path, message, key=True)


def looks_like_key(text: str) -> bool:
    """Whether *text* is more likely a real key than a word that stands for none."""
    pieces = re.split(r"[^A-Za-z0-9]+", text)
    return _has_shape(text) or sum(map(str.isdigit, text)) > _DIGITS_MAX or any(map(_is_no_word, pieces))


def says_key(name: str) -> bool:
    """Whether what is called *name* carries a key."""
    words = _words(name)
    if not words:
        return False
    *before, last = words if words[0] != "x" else words[1:] or words
    last = last.rstrip("0123456789")
    if before and before[-1] in _OF_A_KEY:
        return last.removesuffix("s") in (*_MAY_SAY_KEY, *_SAYS_KEY)
    return (not before and last in _MAY_SAY_KEY) or last.removesuffix("s") in _SAYS_KEY


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.split(name) if word]


def _is_scheme(prefix: str) -> bool:
    begins_as_key = any(len(found[1]) >= _RANDOM_AFTER_START for found in _START.finditer(prefix))
    return _SCHEME.fullmatch(prefix) is not None and not begins_as_key


def _has_shape(text: str) -> bool:
    """Whether it has what keys of known services look like."""
    tails = (found[1] for found in _START.finditer(text))
    return bool(_FIXED.search(text)) or any(_is_random(tail, _RANDOM_AFTER_START) for tail in tails)


def _is_random(text: str, length: int) -> bool:
    """Whether a piece of *text* of this *length* or more is of digits and letters, or of both cases, by chance."""
    pieces = [piece for piece in _PIECES.findall(text) if len(piece) >= length]
    return any(len(piece) <= _RUN_MEAN_MAX * len(_RUN.findall(piece)) for piece in pieces)


def _is_no_word(piece: str) -> bool:
    """Long, and no word: of digits and letters, or of both cases in turn, or longer than any."""
    mixed = not (piece.isalpha() and (piece.isupper() or piece[1:].islower()))
    return len(piece) > _PIECE_MAX and (mixed or len(piece) > 2 * _PIECE_MAX)


def _told(value: Any, path: Way) -> Iterator[Way]:
    """Where in *value*, at *path*, something is called as a key is, or looks like one."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    is_named = len(path) > 1 and path[0] in _NAMED_FREELY and isinstance(path[-1], str)
    if (is_named and says_key(name) and _holds_something(value)) or _has_shape(str(path[-1])):
        yield path
    elif isinstance(value, dict | list):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _told(inner, (*path, part))
    elif isinstance(value, str) and (_has_shape(value) or (path[0] in _SENT and _is_sent_key(value, name))):
        yield path


def _is_sent_key(value: str, name: str) -> bool:
    """Whether *value* looks random where nothing so called has to."""
    return set(_NAMES_A_THING).isdisjoint(_words(name)[-1:]) and _is_random(value, _RANDOM)


def _holds_something(value: Any) -> bool:
    """Whether there is a text or a number at or below *value*: a yes or a no is no key."""
    if isinstance(value, dict | list):
        return any(map(_holds_something, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, bool) and value not in (None, "") and not _PLACE.fullmatch(str(value))


def _secret(path: Way, message: str, *, key: bool) -> Fault:
    return Fault(path=path, code="secret", message=message, key=key and isinstance(path[-1], str), hidden=True)
