"""Who a job is: the key of what would be asked for, and the id that people read. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from pipeline.manifest.scalars import canonical
from pipeline.model import JSON, Link, Reference
from pipeline.naming import slug

ID_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
ID_WORDS = "an id has letters, digits, '.', '_' and '-', begins with a letter or digit, and is at most 80 long"
_SLUG_ALREADY = re.compile(r"[a-z0-9][a-z0-9_]*+(?:-[a-z0-9_]++)*+")
_NOT_PORTABLE = re.compile(r"[^a-z0-9_]+")
_FIRST_WORDS = re.compile(r"(?:\W*\w+){1,6}")
_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


class KeyFrame:
    """All that a key is the hash of but the prompt, the take and the source: many jobs share it."""

    def __init__(
        self,
        *,
        profile: str,
        model: str,
        seconds: int | float,
        size: str,
        params: Mapping[str, JSON],
        link: Link | None = None,
        reference: Reference | None = None,
    ) -> None:
        # The same bytes as json.dumps with sorted keys and no blanks, in a fifth of the time. What is not given leaves
        # no trace: it changes no older key.
        how = f'"link":"{link}",' if link else ""
        image = f'"reference":{{"fit":"{reference.fit}","sha256":"{reference.sha256}"}},' if reference else ""
        fields = _canonical(params) if params else "{}"
        self._head = f'{{{how}"model":{_quoted(model)},"params":{fields},"profile":{_quoted(profile)},"prompt":'
        self._tail = f',{image}"seconds":{canonical(seconds)!r},"size":{_quoted(size)},'

    def key(self, prompt: str, take: int, source: str = "") -> str:
        """32 hex digits that stand for the wish: the same for the same wish, wherever it is written.

        *source* is the key of the job that it builds on.
        """
        base = f'"source":"{source}",' if source else ""
        wish = f'{self._head}{_quoted(prompt)}{self._tail}{base}"take":{take},"v":1}}'
        return hashlib.sha256(wish.encode("ascii")).hexdigest()[:32]


def _canonical(params: Mapping[str, JSON]) -> str:
    """*params* as `json.dumps` would write them; most are a few numbers and words, and need no encoder."""
    if all(type(value) is int or type(value) is str for value in params.values()):
        pairs = [f"{_quoted(name)}:{_scalar(params[name])}" for name in sorted(params)]
        return f"{{{','.join(pairs)}}}"
    return _encode(dict(params))


def _scalar(value: JSON) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def derived_id(prompt: str, key: str, *, digits: int = 6) -> str:
    """A readable id for a job that was given none: the prompt's first words, and digits of its key."""
    words = _FIRST_WORDS.match(prompt[:200])
    return f"{quick_slug(words.group() if words else prompt[:60], bytes_max=40)}-{key[:digits]}"


def quick_slug(text: str, *, bytes_max: int) -> str:
    """The same as `naming.slug`, without its way round for letters beyond ASCII, which most texts have none of."""
    if 4 < len(text) <= bytes_max and _SLUG_ALREADY.fullmatch(text) and text[-1] != "_":
        return text
    if text.isascii():
        word = _NOT_PORTABLE.sub("-", text.lower()).strip("-_")
        if 4 < len(word) <= bytes_max:  # the words that Windows reserves have at most four letters
            return word
    return slug(text, bytes_max=bytes_max)


def take_id(base: str, take: int, takes: int) -> str:
    """The id of one take of several."""
    return f"{base}-t{take}" if takes > 1 else base
