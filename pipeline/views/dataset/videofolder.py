"""A folder that Hugging Face's VideoFolder opens: a folder for each split, in it the videos and their metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.text import listing, plain
from pipeline.views.dataset.bring import Link, bring, check_there
from pipeline.views.dataset.card import Card, card
from pipeline.views.dataset.columns import Column
from pipeline.views.dataset.croissant import croissant
from pipeline.views.dataset.draft import Draft, Written
from pipeline.views.dataset.samples import Part
from pipeline.views.dataset.shape import Shape, Source
from pipeline.views.dataset.tables import CSV, JSONL, WRITERS

FILE_NAME: Final = "file_name"
"""The column that VideoFolder looks for."""


def make_videofolder(draft: Draft, source: Source, shape: Shape) -> list[str]:
    """Write the dataset *source* into *draft*; returns what a person should know. Raises `Spoilt`, `MissingExtra`."""
    form = shape.metadata or JSONL
    columns = source.columns(shape.fixed, form)
    tables = [_metadata(draft, part, columns, form) for part in source.parts]  # first, for it may want an extra
    check_there(source.run, source.rows)
    ways = [_bring(draft, part, source, shape) for part in source.parts]
    data_files = {part.split: f"{part.split}/**" for part in source.parts}
    draft.write("README.md", (card(Card(source=source, columns=columns, data_files=data_files, shape=shape)),))
    draft.write("croissant.json", (croissant(source, columns, tables, form),))
    return [*_copied(ways, source, shape), *_left_out(columns, source, shape, form)]


def _copied(ways: Sequence[Sequence[Link]], source: Source, shape: Shape) -> Iterator[str]:
    copied = sum(way is Link.COPY for some in ways for way in some)
    if shape.link is Link.HARD and copied:
        yield f"{copied:,} of {source.videos:,} were copied: hard links cannot be made there"


def _left_out(columns: Sequence[Column], source: Source, shape: Shape, form: str) -> Iterator[str]:
    """The columns that a CSV cannot hold, and other forms can."""
    there = {column.name for column in columns}
    missing = [column.name for column in source.columns(shape.fixed, JSONL) if column.name not in there]
    if form == CSV and missing:
        yield (
            f"not in the CSV files, whose reader would guess another type in each split: {plain(listing(missing))}; "
            "--metadata jsonl and parquet hold them"
        )


def file_of(name: str) -> str:
    """What the video of the sample *name* is called."""
    return f"{name}.mp4"


def _metadata(draft: Draft, part: Part, columns: Sequence[Column], form: str) -> Written:
    names = {FILE_NAME: [file_of(sample.name) for sample in part.samples]}
    return draft.write(f"{part.split}/metadata.{form}", (WRITERS[form](columns, part.rows, names),))


def _bring(draft: Draft, part: Part, source: Source, shape: Shape) -> list[Link]:
    return [
        bring(draft, f"{part.split}/{file_of(sample.name)}", source.run, sample.row, shape.link, check=shape.check)
        for sample in part.samples
    ]
