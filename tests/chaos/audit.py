"""The verdict: what the provider would bill, what the ledger knows, and what lies on the disk, against each other."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.ledger.ledger import read_run
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.media.boxes import probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found; every field but the first three should be zero."""

    stored: int
    uncertain: tuple[str, ...]
    paid_but_uncertain: int
    """Of the uncertain ones, those that the provider did bill."""
    paid_twice: int
    """Prompts with more than one create in the book."""
    unknown_ids: int
    """Ids in the ledger that the provider never gave, or gave for another prompt."""
    lost_ids: int
    """Creates in the book that are neither in the ledger nor at an uncertain job's door."""
    corrupt_files: int
    """Stored videos whose file, digest or sidecar is not what the ledger says."""
    other: int
    """Jobs in any state but stored and uncertain."""
    settled: Mapping[str, int]
    """What was proven of submits of unknown outcome, by fact."""

    @property
    def faults(self) -> dict[str, int]:
        """What should not be."""
        names = ("paid_twice", "unknown_ids", "lost_ids", "corrupt_files", "other")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def audit(run_folder: Path, book: Sequence[Mapping[str, Any]]) -> Verdict:
    """Compare the money book with the ledger and the disk."""
    jobs = list(read_run(run_folder).jobs.values())
    sold = {str(entry["id"]): str(entry["fields"]["prompt"]) for entry in book}
    uncertain = [job for job in jobs if job.state is State.UNCERTAIN]
    held = {job.video_id: job.wish.prompt for job in jobs if job.video_id}
    excused = {job.wish.prompt for job in uncertain}
    stored = [job for job in jobs if job.state is State.STORED]
    return Verdict(
        stored=len(stored),
        uncertain=tuple(job.id for job in uncertain),
        paid_but_uncertain=len(excused & set(sold.values())),
        paid_twice=sum(count > 1 for count in Counter(sold.values()).values()),
        unknown_ids=sum(sold.get(video_id) != prompt for video_id, prompt in held.items()),
        lost_ids=sum(video_id not in held and prompt not in excused for video_id, prompt in sold.items()),
        corrupt_files=sum(not _is_sound(run_folder / "videos" / job.path, job) for job in stored),
        other=len(jobs) - len(stored) - len(uncertain),
        settled=_proven(run_folder / "ledger.jsonl"),
    )


def _proven(ledger: Path) -> Counter[str]:
    types = (json.loads(line)["t"] for line in ledger.read_bytes().splitlines())
    return Counter(type_ for type_ in types if type_ in (Fact.ADOPTED, Fact.NOT_CREATED))


def _is_sound(video: Path, job: JobState) -> bool:
    try:
        content = video.read_bytes()
        sidecar = json.loads(video.with_suffix(".json").read_text(encoding="utf-8"))
        probe(video)
    except (OSError, ValueError):
        return False
    digest = hashlib.sha256(content).hexdigest()
    said = sidecar["sha256"], sidecar["bytes"]
    return (digest, len(content)) == (job.sha256, job.bytes) == said
