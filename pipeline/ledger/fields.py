"""The types of records and their fields, as one table. `schemas/ledger.schema.json` says the same to everybody else.

Every record begins with `n` (its running number, from 1), `t` (its type) and `at` (UTC, wall clock), and ends with
`crc`. A field that is not in the table of its type is refused: a new field is a new format, and so is all else that
an older vidbatch would take for damage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.lifecycle import Fact
from pipeline.model import VIDEO_ID_CHARS_MAX

FORMAT = 4
"""The format that is written; stated in every header."""

FORMATS = (1, 2, 3, 4)
"""The formats that are read. 2 has `source`, `link` and `reference` in a wish and `made_from` in an intent besides,
3 the link `edit`, 4 the type `unfit`; they are read wherever they stand.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What one field holds."""

    kinds: frozenset[type]
    """The exact types its value may have, as `json` reads them."""
    required: bool = True
    words: frozenset[str] = frozenset()
    """The only values it may have; empty: any."""
    chars_max: int | None = None
    """Longer text is cut when it is written (an object: replaced by an excerpt)."""
    bound: int | None = None
    """Longer text is refused: half of an id is none."""


def _field(*kinds: type, words: tuple[str, ...] = (), chars_max: int | None = None, bound: int | None = None) -> Field:
    return Field(kinds=frozenset(kinds), words=frozenset(words), chars_max=chars_max, bound=bound)


def _maybe(field: Field) -> Field:
    return replace(field, required=False)


_TEXT = _field(str)
_VIDEO_ID = _field(str, bound=VIDEO_ID_CHARS_MAX)
_WORDS = _field(str, chars_max=2000)
_COUNT = _field(int)
_NUMBER = _field(int, float)
_MONEY = _field(int, float, type(None))
_OBJECT = _field(dict)
_RAW = _field(dict, chars_max=4096)
_JOB = {"job": _TEXT}
_TRY = {"job": _TEXT, "attempt": _COUNT}
_NOTHING_MADE = {**_TRY, "reason": _maybe(_WORDS), "http": _maybe(_COUNT), "code": _maybe(_WORDS)}
_ENDED = {**_JOB, "reason": _WORDS, "code": _maybe(_WORDS)}
_SETTLED = {**_JOB, "how": _WORDS}

HEADER = "header"
PLAN = "plan"
NOTE = "note"
REPAIRED = "repaired"
"""Records that are no facts of the lifecycle: who runs, what is owed, what to remember, what a repair concluded."""

READING = "reading"
"""What a note is about that names the manifest of a run, as it was read, by the digest of its index."""

VARIANT, DELETED, MEDIA = "variant", "deleted", "media"
"""What a note is about that tells of a picture beside a stored video, of a video that the provider deleted since it was
asked to, or of what a stored video was found to be: its text is a JSON object (`ledger.afterwards`). (A record of their
own would be a new format.)
"""

ORPHANED = "orphaned"
"""What a note is about that tells that the manifest asks for a job no longer, or again, in the same way."""

WISH_FIELDS: Mapping[str, Field] = {
    "prompt": _TEXT,
    "model": _TEXT,
    "seconds": _NUMBER,
    "size": _TEXT,
    "params": _OBJECT,
    "group": _TEXT,
    "take": _COUNT,
    "axes": _OBJECT,
    "meta": _OBJECT,
    "source": _maybe(_TEXT),
    "link": _maybe(_field(str, words=("remix", "extend", "edit"))),
    "reference": _maybe(_OBJECT),
}
"""The fields of `wish` in a `plan` record."""

FIELDS: Mapping[str, Mapping[str, Field]] = {
    HEADER: {
        "format": _COUNT,
        "run": _TEXT,
        "version": _TEXT,
        "provider": _TEXT,
        "origin": _TEXT,
        "currency": _TEXT,
        "name": _TEXT,
        "retention_s": _maybe(_NUMBER),
    },
    PLAN: {**_JOB, "id": _TEXT, "price": _MONEY, "path": _TEXT, "wish": _OBJECT},
    NOTE: {"what": _WORDS, "text": _WORDS},
    REPAIRED: {**_TRY, "origin": _TEXT, "price": _MONEY, "reason": _WORDS},
    Fact.INTENT: {
        **_TRY,
        "body_sha256": _TEXT,
        "key": _TEXT,
        "origin": _TEXT,
        "price": _MONEY,
        "made_from": _maybe(_TEXT),
    },
    Fact.NOT_SENT: _NOTHING_MADE,
    Fact.THROTTLED: _NOTHING_MADE,
    Fact.TURNED_AWAY: _NOTHING_MADE,
    Fact.REJECTED: {**_TRY, "http": _COUNT, "code": _WORDS, "reason": _WORDS},
    Fact.ACCEPTED: {
        **_TRY,
        "video_id": _VIDEO_ID,
        "origin": _TEXT,
        "http": _COUNT,
        "request_id": _WORDS,
        "raw": _RAW,
        "expires_at": _maybe(_TEXT),
    },
    Fact.UNCERTAIN: {
        **_TRY,
        "phase": _field(str, words=("sent", "reply", "crash")),
        "reason": _WORDS,
        "price": _MONEY,
        "raw": _maybe(_RAW),
    },
    Fact.STATUS: {**_JOB, "word": _WORDS, "progress": _maybe(_NUMBER)},
    Fact.FINISHED: {**_JOB, "word": _WORDS, "expires_at": _maybe(_TEXT)},
    Fact.FAILED: _ENDED,
    Fact.EXPIRED: _ENDED,
    Fact.LOST: _ENDED,
    Fact.STALLED: {**_JOB, "reason": _WORDS},
    Fact.DOWNLOAD_FAILED: {**_JOB, "reason": _WORDS},
    Fact.STORED: {
        **_JOB,
        "path": _TEXT,
        "bytes": _COUNT,
        "sha256": _TEXT,
        "etag": _maybe(_WORDS),
        "seconds": _maybe(_NUMBER),
        "size": _maybe(_TEXT),
    },
    Fact.MISSING: {**_JOB, "reason": _WORDS},
    Fact.UNFIT: {**_JOB, "reason": _WORDS},
    Fact.BLOCKED: {**_JOB, "reason": _WORDS},
    Fact.UNBLOCKED: {**_JOB, "reason": _WORDS},
    Fact.ADOPTED: {**_SETTLED, "video_id": _VIDEO_ID, "origin": _TEXT},
    Fact.NOT_CREATED: _SETTLED,
    Fact.RESUBMIT: _SETTLED,
    Fact.RETRY: {**_JOB, "how": _maybe(_WORDS)},
    Fact.DROPPED: _SETTLED,
}
"""By record type, by field name."""

if unwritable := set(Fact) - FIELDS.keys():
    raise AssertionError(f"facts without a record: {unwritable}")
