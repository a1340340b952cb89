"""What a sidecar is told after its video was stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipeline.ledger.media import Media
from pipeline.ledger.state import JobState, Picture
from pipeline.naming import sidecar
from pipeline.storage import RunFolder


def tell_picture(folder: RunFolder, job: JobState, name: str, picture: Picture) -> None:
    """That the variant *name* is kept beside the video. Blocks."""
    told = {"file": picture.path.rpartition("/")[2], "bytes": picture.bytes, "sha256": picture.sha256}
    _tell(folder, job, {"variants": {name: told}})


def tell_media(folder: RunFolder, job: JobState, media: Media) -> None:
    """What the video was found to be. Blocks."""
    found = {
        "frame_rate": media.frame_rate,
        "audio": media.audio or None,
        "silent": media.silent,
        "decodes": media.decodes,
        "c2pa": media.c2pa,
    }
    _tell(folder, job, {"media": found}, problems=list(media.problems))


def _tell(folder: RunFolder, job: JobState, added: Mapping[str, Mapping[str, Any]], **whole: Any) -> None:
    """Add to the objects of the job's sidecar, and set fields of it as a *whole*.

    The ledger says it too: a sidecar that is not this video's, or cannot be mended, stays as it is.
    """
    place = folder.video(sidecar(job.path))
    with suppress(OSError, ValueError, TypeError), folder.naming:  # two may tell it something at once
        said = json.loads(place.read_bytes())
        if not isinstance(said, dict) or (said.get("key"), said.get("video_id")) != (job.key, job.video_id):
            return
        for name, fields in added.items():
            said[name] = {**said.get(name, {}), **fields}
        text = json.dumps({**said, **whole}, indent=2, ensure_ascii=False) + "\n"
        folder.disk.write_whole(place, text.encode("utf-8", "replace"))
