"""Whether the files of a run are what its ledger says: each is read again, and held against its digest.

Reads only, and takes no lock: a runner may be at work. What looks wrong is held once more against the ledger as it is
at the end, so that what was being stored, or fetched anew, meanwhile is no finding.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

from pipeline.disk import words_of
from pipeline.ledger.presence import Presence, presence
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.naming import sidecar
from pipeline.signature import PICTURES
from pipeline.storage import RunFolder
from pipeline.text import byte_size, plain, plural

MISSING, ALTERED, UNREADABLE, UNKNOWN, BROKEN = "missing", "altered", "unreadable", "unknown", "broken"
"""Kinds of findings."""
_AT_ONCE: Final = 256
"""So many files are given out at a time: what is held in memory does not grow with the run."""
_COMING: Final = frozenset({State.IN_FLIGHT, State.FINISHED, State.STALLED})
"""Jobs whose file may have its name already, and its `stored` not yet."""
_PICTURES: Final = frozenset(suffix for suffix, _ in PICTURES)
_ON_ITS_WAY = re.compile(r"(\.part|\.part\.etag)$")
Progress: TypeAlias = Callable[[int, int], object]
"""Hears how many bytes were read so far, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that should be there."""

    path: str
    """Below `videos/`."""
    bytes: int
    sha256: str
    job: str
    """The id of the job that it belongs to."""
    is_video: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with one file."""

    kind: str
    path: str
    """Below the run folder."""
    job: str
    """The id of the job that it belongs to; empty: nobody's."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a look at all files came to."""

    videos: int
    pictures: int
    bytes: int
    decoded: int | None
    """So many videos were decoded to their end; `None`: nobody asked for that."""
    findings: tuple[Finding, ...]

    def document(self, run: str) -> dict[str, JSON]:
        """What `--json` prints of the run of that name."""
        slots = Finding.__slots__
        return {
            "run": run,
            "sound": not self.findings,
            "videos": self.videos,
            "pictures": self.pictures,
            "bytes": self.bytes,
            "decoded": self.decoded,
            "findings": [{slot: getattr(one, slot) for slot in slots} for one in self.findings],
        }


def wanted_of(state: RunState) -> Iterator[Wanted]:
    """The videos and pictures that should be there, by the ledger."""
    for job in state.jobs.values():
        if job.state is not State.STORED:
            continue
        yield Wanted(path=job.path, bytes=job.bytes or 0, sha256=job.sha256, job=job.id, is_video=True)
        for name in job.pictures:
            if picture := job.picture(name):
                yield Wanted(path=picture.path, bytes=picture.bytes, sha256=picture.sha256, job=job.id, is_video=False)


def verify(folder: RunFolder, read: Callable[[], RunState], told: Progress = lambda done, of: None) -> Verified:  # noqa: ARG005
    """Read every file that the ledger knows, on all cores; *read* gives the state as it is. Raises what that raises."""
    wanted = list(wanted_of(read()))
    of = sum(file.bytes for file in wanted)
    suspects: list[tuple[Wanted, Finding]] = []
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        files = iter(wanted)
        while some := list(islice(files, _AT_ONCE)):
            for file, finding in zip(some, threads.map(lambda file: look_at(folder, file), some), strict=True):
                suspects += [(file, finding)] if finding else []
                done += file.bytes
                told(done, of)
    gone = {beside for file in wanted if file.is_video and not folder.video(beside := sidecar(file.path)).exists()}
    listed = list(_files(folder))
    at_work = presence(folder.ledger) is not Presence.NOBODY
    state = read()  # after that: whatever had its name by then is known by now, or about to be
    still = set(wanted_of(state))
    findings = [finding for file, finding in suspects if file in still and look_at(folder, file)]
    return Verified(
        videos=sum(file.is_video for file in wanted),
        pictures=sum(not file.is_video for file in wanted),
        bytes=of,
        decoded=None,
        findings=(
            *findings,
            *_sidecars_missing(folder, still, gone),
            *_unknown(folder, state, listed, at_work=at_work),
        ),
    )


def look_at(folder: RunFolder, file: Wanted) -> Finding | None:
    """What is wrong with one file; `None`: nothing. Blocks, and reads all of it."""
    try:
        with folder.video(file.path).open("rb") as content:
            length = os.fstat(content.fileno()).st_size
            if length != file.bytes:
                return _finding(ALTERED, file, f"it has {length:,} bytes, and {file.bytes:,} were stored")
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return _finding(MISSING, file, "it is not there")
    except OSError as error:
        return _finding(UNREADABLE, file, words_of(error))
    if digest != file.sha256:
        return _finding(ALTERED, file, f"its SHA-256 is {digest[:12]}…, and {file.sha256[:12]}… was stored")
    return None


def _finding(kind: str, file: Wanted, words: str) -> Finding:
    return Finding(kind=kind, path=f"videos/{file.path}", job=file.job, words=words)


def _sidecars_missing(folder: RunFolder, still: Iterable[Wanted], gone: Container[str]) -> Iterator[Finding]:
    for file in still:
        beside = sidecar(file.path)
        if file.is_video and beside in gone and not folder.video(beside).exists():
            yield Finding(kind=MISSING, path=f"videos/{beside}", job=file.job, words="the sidecar is not there")


def _files(folder: RunFolder) -> Iterator[str]:
    """All files below `videos/`, by their paths there, in order."""
    for place, folders, names in os.walk(folder.videos):
        folders.sort()
        for name in sorted(names):
            yield (Path(place) / name).relative_to(folder.videos).as_posix()


def _unknown(folder: RunFolder, state: RunState, listed: Iterable[str], *, at_work: bool) -> Iterator[Finding]:
    """What lies among the videos and is nobody's. *at_work*: a runner is, or may be."""
    known = {folder.metadata.name, *_known(state.jobs.values())}
    for path in listed:
        name = _ON_ITS_WAY.sub("", path)
        if name in known or (at_work and _may_be_picture(name, known)) or not folder.video(path).exists():
            continue
        yield Finding(kind=UNKNOWN, path=f"videos/{path}", job="", words="the ledger does not know it")


def _may_be_picture(path: str, known: Container[str]) -> bool:
    """Whether it may be a picture that has its name, and its note in the ledger not yet: `fox-thumbnail.webp`."""
    stem, dot, suffix = path.rpartition(".")
    return dot + suffix in _PICTURES and f"{stem.rpartition('-')[0]}.mp4" in known


def _known(jobs: Iterable[JobState]) -> Iterator[str]:
    """The files that may be there, by the ledger: what is stored, or about to be, and what an earlier attempt left."""
    for job in jobs:
        yield from (picture.path for picture in job.pictures.values())
        if job.state is State.STORED or job.state in _COMING or job.is_unfit:
            yield from (job.path, sidecar(job.path))


def text_of(verified: Verified, folder: Path) -> Iterator[str]:
    """The same for people; nothing in it steers a terminal."""
    read = f"{plural(verified.videos, 'video')} and {plural(verified.pictures, 'picture')}"
    decoded = "" if verified.decoded is None else f", {plural(verified.decoded, 'video')} decoded"
    yield f"{plain(str(folder))}: {read} read, {byte_size(verified.bytes)}{decoded}"
    for finding in verified.findings:
        whose = f" ({finding.job})" if finding.job else ""
        yield f"  {finding.kind:<10} {plain(f'{finding.path}{whose}: {finding.words}')}"
    yield "sound" if not verified.findings else f"{plural(len(verified.findings), 'file')} not as they should be"
