"""The videos of a dataset, each with a name of its own in it. Pure.

A name is flat: folders below a split would be taken for splits, where they are called `test` or `val` (`datasets`,
data_files.py), and a dot in it would end a WebDataset key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from pipeline.naming import NAME_BYTES_MAX, slug
from pipeline.views.rows import VIDEOS, Row

NAME_CHARS_MAX: Final = 90
"""So that a name with its suffix is one that every file system and a plain tar header takes."""
_BETWEEN = "--"
"""Stands for a `/`: a slug has no two dashes in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One stored video and what is told of it."""

    row: Row
    name: str
    """Unique in its dataset, portable, without a suffix or a dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One split of a dataset."""

    split: str
    samples: tuple[Sample, ...]

    @property
    def rows(self) -> list[Row]:
        return [sample.row for sample in self.samples]


def parts_of(rows: Mapping[str, Sequence[Row]]) -> list[Part]:
    """The splits of a dataset of these stored *rows*, by split."""
    return [
        Part(split=split, samples=tuple(Sample(row=row, name=sample_name(row.path)) for row in some))
        for split, some in rows.items()
    ]


def sample_name(path: str) -> str:
    """What the video at *path* is called in a dataset: its place below `videos/`, in one word.

    No two paths of a run have one name: they differ in their slugs, and where a name is cut, in a digest of the path.
    """
    below = PurePosixPath(path).with_suffix("").parts
    below = below[1:] if below[:1] == (VIDEOS,) else below
    words = [slug(part, bytes_max=NAME_BYTES_MAX) for part in below]
    name = _BETWEEN.join(words)
    if len(name) <= NAME_CHARS_MAX and words == list(below):
        return name
    digest = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{name[: NAME_CHARS_MAX - 17].rstrip('-_')}-{digest}"
