"""Which bytes a Range header asks for (RFC 9110 §14). Pure."""

from __future__ import annotations

import re
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=([0-9]*)-([0-9]*)")


class Unsatisfiable(ValueError):
    """The range begins where the film has already ended: 416."""


def part(header: str | None, if_range: str | None, *, etag: str, length: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; `None` for the whole film. Raises `Unsatisfiable`.

    A range of another form, or of another film than `If-Range` names, is passed over, as the RFC allows or asks for.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, length)
    start, stop = int(first), int(last) + 1 if last else length
    if stop <= start:
        return None if last else _refuse()
    return (start, min(stop, length)) if start < length else _refuse()


def _suffix(last: str, length: int) -> tuple[int, int] | None:
    if not last:
        return None
    return (max(length - int(last), 0), length) if int(last) else _refuse()


def _refuse() -> tuple[int, int]:
    raise Unsatisfiable
