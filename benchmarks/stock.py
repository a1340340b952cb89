"""A run folder with thousands of stored videos, made in seconds: real films, each with a digest of its own (posters are
drawn once for a digest), and a ledger written by the ledger's own code.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pipeline import api
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Value
from pipeline.lifecycle import Fact
from pipeline.model import Job
from pipeline.prepare import write_metadata
from pipeline.sandbox.film import film_of, render
from pipeline.storage import RunFolder

FILMS = 5
"""So many different ones; a few bytes that players pass over tell their copies apart."""
SECONDS, SIZE = 1, "1280x720"
TAKES = 10
LIGHTS = 20
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8700/v1"
PRICE = Decimal("0.80")

_MANIFEST = """\
name: gallery
provider: sandbox
defaults: {{model: sketch, seconds: {seconds}, size: {size}}}
jobs:
  - id: harbour
    prompt: "{{{{ subject }}}} pulls a barge through the harbour at {{{{ light }}}}, 35mm film, light rain"
    matrix: {{subject: {subjects}, light: {lights}}}
    takes: {takes}
"""


def stocked(folder: Path, count: int) -> RunFolder:
    """A run folder below *folder* with *count* stored videos of a sweep; a multiple of 200."""
    run = RunFolder(folder / "gallery")
    run.make()
    films = _films()
    with Ledger.open(run.ledger, now=_Ticking()) as ledger:
        ledger.header(run="0" * 32, provider="sandbox", origin=ORIGIN, currency="USD", name="gallery")
        for n, job in enumerate(_jobs(folder, count)):
            content = _copy(films[n % FILMS], n)
            path = run.videos / job.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            _tell(ledger, job, n, content)
        ledger.commit_now()
        write_metadata(run, ledger.state)
    return run


def _films() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        films = []
        for n in range(FILMS):
            wish = {"prompt": f"tug {n}", "model": "sketch", "seconds": str(SECONDS), "size": SIZE}
            render(film_of({**wish}), path)
            films.append(path.read_bytes())
    return films


def _copy(film: bytes, n: int) -> bytes:
    """*film* with a `free` box (ISO/IEC 14496-12 §8.1.2) at its end that holds a number."""
    return film + (16).to_bytes(4, "big") + b"free" + n.to_bytes(8, "big")


def _jobs(folder: Path, count: int) -> tuple[Job, ...]:
    subjects = [f"tug {n}" for n in range(count // (LIGHTS * TAKES))]
    lights = [f"hour {n}" for n in range(LIGHTS)]
    text = _MANIFEST.format(seconds=SECONDS, size=SIZE, subjects=subjects, lights=lights, takes=TAKES)
    path = folder / "gallery.yaml"
    path.write_text(text.replace("'", '"'), encoding="utf-8")
    jobs = api.load(path).jobs
    assert len(jobs) == count, f"{count} is no multiple of {LIGHTS * TAKES}"
    return jobs


def _tell(ledger: Ledger, job: Job, n: int, content: bytes) -> None:
    ledger.plan(job, price=PRICE)
    ledger.record(Fact.INTENT, job.key, body_sha256="a" * 64, key=f"{n:08x}")
    accepted: dict[str, Value] = {"video_id": f"video_{n:08x}", "origin": ORIGIN, "http": 200, "request_id": f"req_{n}"}
    ledger.record(Fact.ACCEPTED, job.key, **accepted, raw={"id": f"video_{n:08x}", "status": "queued"})
    ledger.record(Fact.FINISHED, job.key, word="completed", expires_at=BEGAN + timedelta(days=1))
    told: dict[str, Value] = {"path": job.path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ledger.record(Fact.STORED, job.key, **told, etag="", seconds=float(SECONDS), size=SIZE)


class _Ticking:
    """A clock that goes on by a tenth of a second whenever somebody looks."""

    def __init__(self) -> None:
        self._looks = 0

    def __call__(self) -> datetime:
        self._looks += 1
        return BEGAN + timedelta(seconds=self._looks / 10)
