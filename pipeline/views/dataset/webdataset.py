"""Shards for WebDataset: tars of near a size, each beside its table and its figures.

A sample is three members in a row: `KEY.json` (all columns), `KEY.mp4` and `KEY.txt` (the caption). `KEY` holds no dot:
at the first one the extension begins (webdataset, tariterators.py: base_plus_ext).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.views.dataset.bring import blocks_of, check_there
from pipeline.views.dataset.card import Card, card
from pipeline.views.dataset.columns import Column, settled
from pipeline.views.dataset.draft import Draft, Written
from pipeline.views.dataset.samples import Part, Sample
from pipeline.views.dataset.shape import Shape, Source
from pipeline.views.dataset.tables import PARQUET, WRITERS, documents
from pipeline.views.dataset.tar import Member, tar_blocks

KEY: Final = "__key__"
"""What WebDataset calls the name of a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some samples of a split, and their tar's name without its suffix."""

    name: str
    samples: tuple[Sample, ...]


def make_webdataset(draft: Draft, source: Source, shape: Shape) -> list[str]:
    """Write the dataset *source* into *draft*; returns what a person should know. Raises `Spoilt`, `MissingExtra`."""
    form = shape.metadata or PARQUET
    columns = source.columns(shape.fixed, form)
    told = settled(columns, [[row] for row in source.rows])  # a reader may guess from any one of them
    shards = [shard for part in source.parts for shard in shards_of(part, shape.shard_bytes)]
    for shard in shards:  # first, for it may want an extra
        names = {KEY: [sample.name for sample in shard.samples]}
        rows = [sample.row for sample in shard.samples]
        draft.write(f"{shard.name}.{form}", (WRITERS[form](columns, rows, names),))
    check_there(source.run, source.rows)
    for shard in shards:
        tar = draft.write(f"{shard.name}.tar", tar_blocks(_members(shard, source, told)))
        draft.write(f"{shard.name}_stats.json", (_stats(shard, tar),))
    data_files = {part.split: f"{part.split}-*.tar" for part in source.parts}
    draft.write("README.md", (card(Card(source=source, columns=columns, data_files=data_files, shape=shape)),))
    return []


def shards_of(part: Part, bytes_max: int) -> Iterator[Shard]:
    """The samples of *part* in shards of at most *bytes_max* bytes of video, but for a video that is larger itself."""
    held: list[Sample] = []
    number = held_bytes = 0
    for sample in part.samples:
        size = sample.row.bytes or 0
        if held and held_bytes + size > bytes_max:
            yield _shard(part, number, held)
            held, held_bytes, number = [], 0, number + 1
        held.append(sample)
        held_bytes += size
    if held:
        yield _shard(part, number, held)


def _shard(part: Part, number: int, samples: Iterable[Sample]) -> Shard:
    return Shard(name=f"{part.split}-{number:06d}", samples=tuple(samples))


def _members(shard: Shard, source: Source, columns: Sequence[Column]) -> Iterator[Member]:
    for sample in shard.samples:
        (document,) = documents(columns, [sample.row])
        told = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        caption = sample.row.prompt.encode("utf-8", "replace")
        yield Member(name=f"{sample.name}.json", size=len(told), blocks=(told,))
        yield Member(name=f"{sample.name}.mp4", size=sample.row.bytes or 0, blocks=blocks_of(source.run, sample.row))
        yield Member(name=f"{sample.name}.txt", size=len(caption), blocks=(caption,))


def _stats(shard: Shard, tar: Written) -> bytes:
    """The figures of a shard."""
    rows = [sample.row for sample in shard.samples]
    told = {
        "shard": tar.name,
        "bytes": tar.bytes,
        "sha256": tar.sha256,
        "samples": len(rows),
        "video_bytes": sum(row.bytes or 0 for row in rows),
        "video_seconds": round(sum(row.media_seconds or 0 for row in rows), 3),
        "models": dict(sorted(Counter(row.model for row in rows).items())),
        "sizes": dict(sorted(Counter(row.media_size or row.size for row in rows).items())),
    }
    return json.dumps(told, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
