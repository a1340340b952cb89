"""The jobs of a manifest as JSON lines: the same bytes wherever the same manifest is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from pipeline.model import Job, Reference

_encode = json.JSONEncoder(
    ensure_ascii=True, sort_keys=True, allow_nan=False, check_circular=False, default=dict
).encode


def job_lines(jobs: Iterable[Job], price_of: Callable[[Job], Decimal | None]) -> Iterator[str]:
    """A line for each of *jobs*, in order. Nothing in it depends on time, place or what was run before."""
    for job in jobs:
        yield _encode(_fields(job, price_of(job))) + "\n"


def _fields(job: Job, price: Decimal | None) -> dict[str, Any]:
    return {
        "key": job.key,
        "id": job.id,
        "prompt": job.prompt,
        "model": job.model,
        "seconds": job.seconds,
        "size": job.size,
        "params": job.params,
        "take": job.take,
        "group": job.group,
        "axes": job.axes,
        "meta": job.meta,
        "path": job.path,
        "source": job.source or None,
        "link": job.link,
        "reference": job.reference and _image(job.reference),
        "price": None if price is None else str(price),
        "file": _name_of(job.position.file),
        "line": job.position.line,
    }


@lru_cache
def _name_of(file: str) -> str:
    """Without its folder, which is another one elsewhere."""
    return PurePath(file).name


def _image(reference: Reference) -> dict[str, str]:
    return {
        "name": reference.name,
        "sha256": reference.sha256,
        "media_type": reference.media_type,
        "fit": reference.fit,
    }
