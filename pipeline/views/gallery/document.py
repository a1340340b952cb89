"""What the gallery's page is told: one JSON document with a card for every video of the run. Pure.

Everything that the page shows is in it, as text that nobody has trusted yet: the page writes it as text only, and
`script_json` keeps it from ending the element that it stands in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from pipeline.ledger.media import Media
from pipeline.model import JSON
from pipeline.naming import poster, sidecar
from pipeline.views.gallery.axes import EXACT_MAX, axes_of, grid_of
from pipeline.views.gallery.head import Head
from pipeline.views.gallery.past import NO_PAST, Past
from pipeline.views.rows import Row

FORMAT: Final = 1
THUMBNAIL: Final = "thumbnail"
"""The variant that shows a video's beginning."""
_FOUND: Final = ("frame_rate", "codec", "audio", "silent", "decodes", "c2pa", "problems")
_NO_PASTS: Final[Mapping[str, Past]] = MappingProxyType({})
_PIXELS = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,5})", re.ASCII)
_UNSAFE: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
"""What could end a script element or, in an old parser, a line of script; JSON reads it back as it was."""


def document_of(
    head: Head, rows: Sequence[Row], *, posters: Collection[str], pasts: Mapping[str, Past] = _NO_PASTS
) -> dict[str, JSON]:
    """The page's document of *rows*, whose head is *head*; what is no longer asked for comes last.

    *posters* are the digests of the videos that have a poster of ours; *pasts* are by the jobs' keys.
    """
    rows = sorted(rows, key=lambda row: row.orphaned)
    axes = axes_of(rows)
    grid = grid_of(axes)
    return {
        "format": FORMAT,
        "run": head.name,
        "provider": head.provider,
        "currency": head.currency,
        "counts": {str(state): count for state, count in head.counts.items()},
        "spent": float(head.spent),
        "unpriced": head.unpriced,
        "axes": [{"name": axis.name, "values": list(axis.values), "wide": axis.is_wide} for axis in axes],
        "x": grid.columns,
        "y": grid.rows,
        "cards": [
            _card(row, [axis.at[n] for axis in axes], posters, pasts.get(row.key, NO_PAST))
            for n, row in enumerate(rows)
        ],
    }


def link(path: str) -> str:
    """The address, as seen from `report/`, of what is at *path* below the run folder; empty where that is not in it."""
    parts = PurePosixPath(path).parts
    return f"../{quote(path)}" if parts and parts[0] != "/" and ".." not in parts else ""


def script_json(document: Mapping[str, JSON]) -> str:
    """*document* as JSON that may stand within a script element, whatever its texts hold."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def _card(row: Row, at: list[JSON], posters: Collection[str], past: Past) -> dict[str, JSON]:
    width, height = _pixels(row)
    path, sha256 = row.path or past.aside, row.sha256 or past.sha256
    pictures = {name: link(path) for name, path in row.variants.items()}
    return {
        "id": row.id,
        "key": row.key,
        "state": str(row.state),
        "group": row.group,
        "take": row.take,
        "prompt": row.prompt,
        "at": at,
        "model": row.model,
        "seconds": row.seconds,
        "size": row.size,
        "params": {name: _exact(value) for name, value in row.params.items()},
        "meta": {name: _exact(value) for name, value in row.meta.items()},
        "cost": None if row.cost is None else float(row.cost),
        "render_s": row.render_s,
        "submitted_at": row.submitted_at.isoformat() if row.submitted_at else "",
        "video": link(row.path),
        "aside": link(past.aside),
        "sidecar": link(sidecar(path)) if path else "",
        "poster": poster(sha256) if sha256 in posters else pictures.get(THUMBNAIL, ""),
        "pictures": dict(pictures),
        "reason": row.reason,
        "orphaned": row.orphaned,
        "attempts": list(past.attempts),
        "differs": list(row.differs.values()),
        "media": _media(row.media) if row.media else None,
        "source": row.source,
        "link": row.link,
        "width": width,
        "height": height,
        "bytes": row.bytes,
        "sha256": row.sha256,
    }


def _media(media: Media) -> dict[str, JSON]:
    """What was found by decoding it, without what the card says otherwise."""
    told = media.as_fields()
    return {name: told[name] for name in _FOUND}


def _pixels(row: Row) -> tuple[int, int]:
    """What the video measures, else what was asked for; 0 where neither says."""
    for size in (row.media_size, row.size):
        if found := _PIXELS.fullmatch(size):
            return int(found[1]), int(found[2])
    return 0, 0


def _exact(value: JSON) -> JSON:
    """*value* without a number that a browser would round: a seed of 64 bits is told as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT_MAX:
        return str(value)
    if isinstance(value, list):
        return [_exact(part) for part in value]
    if isinstance(value, dict):
        return {name: _exact(part) for name, part in value.items()}
    return value
