"""Downloads over bad lines from a hostile server (T11 to T13), over real HTTP on loopback.

Each video has a history of its own, drawn from the seed: so many tries go wrong, then one goes well. One in
twenty never does. A film changes at the server now and then, with another strong ETag: what is stored must be one film
from its first byte to its last.
"""

from __future__ import annotations

import hashlib
import random
import socket
import struct
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest import mock

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from pipeline import api
from pipeline.disk import Disk
from pipeline.launch import no_examiner
from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.prepare import Choice
from pipeline.runner import part
from pipeline.sandbox import film
from pipeline.transport import Network, connect
from tests.runner.gateway import Answer, Gateway, Seen, _bytes, _read, refusal, serving
from tests.runner.night import HASTY, jobs, manifest, quick_profile
from tests.soak.proof import Proof

WHAT = "downloads cut, changed, dripping, endless and wrong: what is stored is whole"
SIZE = 1060

FILM_BYTES = 200_000
CAP_BYTES = 2 << 20
"""Stands for the 4 GiB after which a body without end is cut."""
NEVER_EVERY = 20
"""One video in so many never comes."""
RSS_GROWTH_MAX = 50 << 20
AT_ONCE = LimitsWish(in_flight=64, submits_per_minute=600_000.0, submit_slots=4, downloads=16)
HASTY_NETWORK = Network(head_s=0.6, idle_s=0.4, crawl_s=0.4, crawl_bytes_per_s=1024)
PATIENT = replace(HASTY, outage_s=3600.0)

Fault = Callable[["Hostile", Seen, SocketStream], Awaitable[bool]]
"""Answers a download badly; whether the connection lives on."""


@dataclass(slots=True, kw_only=True)
class Reel:
    """A film as the server has it; made anew for each answer, so that a thousand are no load on memory."""

    video_id: str
    base: bytes = field(repr=False)

    chance: random.Random
    """Its own, so that its history is the same whatever happens to the others."""
    faults: deque[str]
    """What is done to its next downloads; `forever` at the end stays."""
    forever: str = ""
    version: int = 0

    @property
    def content(self) -> bytes:
        """A real film, and after it a box of noise that is its own."""
        noise = random.Random(f"{self.video_id} {self.version}")
        padding = noise.randbytes(noise.randrange(FILM_BYTES))
        return self.base + struct.pack(">I4s", len(padding) + 8, b"free") + padding

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


class Hostile(Gateway):
    """A gateway whose submits and looks are good, and whose downloads are not."""

    def __init__(self, base: bytes, seed: int) -> None:
        super().__init__(base)
        self.seed = seed
        self.done_at_once = True
        self.reels: dict[str, Reel] = {}
        self.did: Counter[str] = Counter()
        self.bytes_sent = 0

    def reel(self, video_id: str) -> Reel:
        """A video's film, its history drawn when it is first asked for."""
        if video_id not in self.reels:
            chance, n = random.Random(f"{self.seed} {video_id}"), int(video_id.removeprefix("video_"))
            forever = WRONG[n // NEVER_EVERY % len(WRONG)] if n % NEVER_EVERY == 0 else ""
            before = ("cut", "reset") if forever else PASSING  # the others may bring all of it in the end
            faults = deque(chance.choice(before) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 5))))
            self.reels[video_id] = Reel(
                video_id=video_id, base=self.film, chance=chance, faults=faults, forever=forever
            )
        return self.reels[video_id]

    async def _exchange(self, reader: BufferedByteReceiveStream, stream: SocketStream) -> bool:
        seen = await _read(reader)
        if seen.kind != "content":
            await stream.send(_bytes(self._behaved(seen)))
            return True
        reel = self.reel(seen.video_id)
        fault = reel.faults.popleft() if reel.faults else reel.forever or "good"
        self.did[fault] += 1
        return await FAULTS[fault](self, seen, stream)

    def rest(self, seen: Seen) -> Answer:
        """The film, or the rest of it where that is asked for by its ETag."""
        reel = self.reel(seen.video_id)
        headers = {"content-type": "video/mp4", "etag": reel.etag}
        start = int(seen.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if not start or seen.headers.get("if-range") != reel.etag:
            self.did["sent from the start"] += 1
            return Answer(headers=headers, body=reel.content)
        self.did["sent from where it broke off"] += 1
        headers["content-range"] = f"bytes {start}-{len(reel.content) - 1}/{len(reel.content)}"
        return Answer(status=206, headers=headers, body=reel.content[start:])

    async def send(self, stream: SocketStream, content: bytes) -> None:
        self.bytes_sent += len(content)
        await stream.send(content)


# --- what is done to a download


async def good(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await server.send(stream, _bytes(server.rest(seen)))
    return True


async def cut(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    whole = _bytes(server.rest(seen))
    await server.send(stream, whole[: server.reel(seen.video_id).chance.randrange(len(whole))])
    return False


async def reset(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await cut(server, seen, stream)
    await anyio.sleep(0.001)  # or the reset takes back what was sent
    with suppress(OSError):  # the other side may have left
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def cut_and_changed(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await cut(server, seen, stream)
    server.reel(seen.video_id).version += 1
    return False


async def whole_again(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    without_range = replace(seen, headers={})
    return await good(server, without_range, stream)


async def another_part(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    reel = server.reel(seen.video_id)
    start, size = server.reel(seen.video_id).chance.randrange(len(reel.content)), len(reel.content)
    said = server.reel(seen.video_id).chance.choice(
        (f"bytes {start}-{size - 1}/{size}", f"bytes 0-{size}/*", "nonsense", "")
    )
    headers = {"etag": reel.etag} | ({"content-range": said} if said else {})
    await server.send(stream, _bytes(Answer(status=206, headers=headers, body=reel.content[start:])))
    return True


async def another_films_part(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    server.reel(seen.video_id).version += 1
    given = replace(seen, headers={**seen.headers, "if-range": server.reel(seen.video_id).etag})
    return await good(server, given, stream)


async def no_such_part(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await server.send(stream, _bytes(Answer(status=416, headers={"content-range": "bytes */7"})))
    return True


async def unavailable(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await server.send(stream, _bytes(refusal(server.reel(seen.video_id).chance.choice((500, 502, 503, 504, 520)))))
    return True


async def drip(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    whole = _bytes(server.rest(seen))
    at = server.reel(seen.video_id).chance.randrange(400, 100_000)
    await server.send(stream, whole[:at])
    await _drop_by_drop(server, stream, whole[at:])
    return False


async def dripping_head(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    await _drop_by_drop(server, stream, b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100_000)
    return False


async def continue_for_ever(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    while True:
        await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)
        await anyio.sleep(0.005)


async def stall(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    whole = _bytes(server.rest(seen))
    await server.send(stream, whole[: server.reel(seen.video_id).chance.randrange(len(whole))])
    await stream.receive()  # until the other side has had enough
    return False


async def _drop_by_drop(server: Hostile, stream: SocketStream, content: bytes) -> None:
    for at in range(len(content)):
        await server.send(stream, content[at : at + 1])
        await anyio.sleep(0.02)


def wrong(make: Callable[[Reel], bytes], content_type: str = "video/mp4") -> Fault:
    """A whole answer, 200 and all, that is not the film."""

    async def fault(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
        body = make(server.reel(seen.video_id))
        await server.send(stream, _bytes(Answer(headers={"content-type": content_type, "etag": '"wrong"'}, body=body)))
        return True

    return fault


async def endless(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    """A film that begins well and never ends."""
    reel, block = server.reel(seen.video_id), bytes(1 << 16)
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    await server.send(stream, head + b"%x\r\n" % len(reel.content) + reel.content + b"\r\n")
    while True:
        await server.send(stream, b"%x\r\n" % len(block) + block + b"\r\n")


async def immense(server: Hostile, seen: Seen, stream: SocketStream) -> bool:
    reel = server.reel(seen.video_id)
    await server.send(stream, b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (10 << 30) + reel.content)
    return False


FAULTS: dict[str, Fault] = {
    "good": good,
    "cut": cut,
    "reset": reset,
    "cut and changed": cut_and_changed,
    "200 for a range": whole_again,
    "another part": another_part,
    "another film's part": another_films_part,
    "416": no_such_part,
    "5xx": unavailable,
    "drip": drip,
    "dripping head": dripping_head,
    "100 for ever": continue_for_ever,
    "stall": stall,
    "html": wrong(lambda reel: b"<!doctype html><title>Sign in</title>" + bytes(len(reel.content) // 2)),
    "json": wrong(lambda _: b'{"error": {"message": "try later"}}', "application/json"),
    "empty": wrong(lambda _: b""),
    "noise": wrong(lambda reel: hashlib.shake_256(reel.content).digest(len(reel.content))),
    "short": wrong(lambda reel: reel.content[: len(reel.content) // 3]),
    "hollow": wrong(lambda reel: reel.content[:64] + bytes(len(reel.content) - 64)),
    "endless": endless,
    "10 GB": immense,
}
WRONG = ("html", "json", "empty", "noise", "short", "hollow", "endless", "10 GB")
"""What may be all that ever comes; after so many of these a run gives up."""
PASSING = (*("cut", "reset") * 6, *(name for name in FAULTS if name != "good"))


class Measuring(Disk):
    """The real disk; it remembers how large a part ever was."""

    def __init__(self) -> None:
        self.part_bytes_max = 0
        self._lengths: dict[int, int] = {}

    def open_new(self, path: Path) -> int:
        descriptor = super().open_new(path)
        self._lengths.pop(descriptor, None)
        if path.name.endswith(".mp4.part"):
            self._lengths[descriptor] = 0
        return descriptor

    def write(self, descriptor: int, content: bytes) -> None:
        super().write(descriptor, content)
        if descriptor in self._lengths:
            self._lengths[descriptor] += len(content)
            self.part_bytes_max = max(self.part_bytes_max, self._lengths[descriptor])


async def night(server: Hostile, base_url: str, outputs: Path, disk: Disk, *, size: int, seed: int) -> api.Outcome:
    """One run of *size* videos, and a second that takes up what the first had to leave."""
    outcome = None
    for _ in range(2):
        outcome = await api.run(
            manifest(jobs(size), base_url, quick_profile(), AT_ONCE),
            Choice(outputs=outputs),
            world=api.World(
                environment={"XDG_STATE_HOME": str(outputs / "state")},
                chance=random.Random(seed),
                disk=disk,
                patience=PATIENT,
                connect=partial(connect, network=HASTY_NETWORK),
                examiner=no_examiner,
            ),
        )
    assert outcome is not None
    return outcome


@asynccontextmanager
async def watching_memory() -> AsyncIterator[Sequence[int]]:
    """How much this process grows, at most, in bytes: the last entry."""
    began, most = _resident(), [0]

    async def look() -> None:
        while True:
            most.append(max(most[-1], _resident() - began))
            await anyio.sleep(0.05)

    async with anyio.create_task_group() as beside:
        beside.start_soon(look)
        yield most
        beside.cancel_scope.cancel()


def prove(*, size: int, seed: int) -> Proof:
    """Fetch *size* videos from a hostile server; see what is stored."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(part, "VIDEO_BYTES_MAX", CAP_BYTES):
        return anyio.run(_prove, Path(folder), size, seed)


async def _prove(folder: Path, size: int, seed: int) -> Proof:
    base = folder / "base.mp4"
    film.plain(film.film_of({"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "64x64"}), FILM_BYTES, base)
    server, disk = Hostile(base.read_bytes(), seed), Measuring()
    async with serving(server) as base_url:
        await night(server, base_url, folder / "warm", Disk(), size=min(size, 8), seed=seed)  # what is loaded once
        async with watching_memory() as grown:
            outcome = await night(server, base_url, folder / "outputs", disk, size=size, seed=seed)
    growth = grown[-1]
    faults = _faults(server, outcome, folder / "outputs" / "harbour")
    if disk.part_bytes_max > CAP_BYTES:
        faults.append(f"a part grew to {disk.part_bytes_max} bytes, {CAP_BYTES} are allowed")
    if growth > RSS_GROWTH_MAX:
        faults.append(f"memory grew by {growth >> 20} MiB")
    return Proof(figures=_figures(server, outcome, disk, growth), faults=tuple(faults))


def _figures(server: Hostile, outcome: api.Outcome, disk: Measuring, growth: int) -> dict[str, object]:
    stored = sum(len(server.reels[job.video_id or ""].content) for job in outcome.state.jobs.values() if job.bytes)
    never = sum(bool(reel.forever) for reel in server.reels.values())
    return {
        "videos": len(outcome.concerned),
        "stored, byte-identical": outcome.counts.get(State.STORED, 0),
        "never more than wrong content, and not stored": outcome.counts.get(State.FINISHED, 0),
        "of these by design, the warm-up's included": never,
        "downloads asked for": sum(server.did[name] for name in FAULTS),
        "gone on with where they broke off": server.did["sent from where it broke off"],
        "sent from the start": server.did["sent from the start"],
        "bytes sent for each byte stored": f"{server.bytes_sent / max(stored, 1):.2f}",
        "largest part on disk": f"{disk.part_bytes_max:,} of {CAP_BYTES:,} allowed",
        "growth of memory": f"{growth / (1 << 20):.0f} MiB",
        "what was done": ", ".join(f"{name} {server.did[name]}" for name in FAULTS),
    }


def _faults(server: Hostile, outcome: api.Outcome, folder: Path) -> list[str]:
    """What should not be."""
    found = []
    for key in outcome.concerned:
        job = outcome.state.jobs[key]
        reel = server.reels[job.video_id or ""]
        if reel.forever and job.state is not State.FINISHED:
            found.append(f"{job.id}: never more than '{reel.forever}' came, and it is {job.state}")
        elif not reel.forever and job.state is not State.STORED:
            found.append(f"{job.id}: it is {job.state}: {job.reason}")
        elif job.state is State.STORED and (folder / "videos" / job.path).read_bytes() != reel.content:
            found.append(f"{job.id}: what is stored is not the film")
    if server.book.keys() != server.reels.keys():
        found.append("a video was bought and never asked for")
    left = [path for path in folder.rglob("*.part*") if path.is_file()]
    return [*found, *(f"{path.name} was left" for path in left)]


def _resident() -> int:
    """This process's memory in bytes; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096
    except OSError:
        return 0
