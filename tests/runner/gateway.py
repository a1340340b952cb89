"""A provider in the test's own event loop: real HTTP on loopback, well-behaved until a script says otherwise."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

HEAD_BYTES_MAX = 1 << 16
ECHOES = frozenset({"prompt", "model", "seconds", "size", "created_at", "remixed_from_video_id"})
ETAG = '"film-1"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request, as it came."""

    kind: str
    """`submit`, `look`, `list`, `content`, `variant` or `delete`."""
    video_id: str
    """The one that is asked about; of a submit, the one that is to be remixed or extended."""
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to answer, and how badly."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None
    """The connection is closed after so many bytes of the answer."""
    hold: anyio.Event | None = None
    """Wait for it before answering."""


def answer(document: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; `retry_after="1"` becomes `retry-after: 1`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status, headers={"content-type": "application/json", **named}, body=json.dumps(document).encode()
    )


def refusal(status: int, code: str = "", message: str = "no", **headers: str) -> Answer:
    """An error object in the API's shape."""
    return answer({"error": {"code": code or None, "message": message}}, status, **headers)


NOTHING = Answer(cut_at=0)
"""No answer at all: the connection ends."""

Script = Answer | Callable[[Seen], Answer | None]
"""An answer, or what makes one; `None` from it: behave."""


@dataclass(slots=True, kw_only=True)
class Video:
    """What the gateway sold."""

    id: str
    prompt: str
    asked: dict[str, str] = field(default_factory=dict)
    """The other fields of its POST that the list repeats."""
    made_from: str = ""
    """The video that it is a remix or an extension of."""
    created_s: float = 0.0
    """By the gateway's clock, in Unix seconds."""
    looks: int = 0
    """How often it was looked at."""
    finished: bool = False


class Gateway:
    """Sells videos that are finished at the *looks*-th look; `once` and `always` make it behave badly."""

    def __init__(self, film: bytes, *, looks: int = 1, lists: bool = False) -> None:
        self.film = film
        self.looks = looks
        self.lists = lists
        self.page_rows = 100
        """So many videos a page of the list has at most, whatever is asked for."""
        self.list_lag_s = 0.0
        """A video is in the list so long after it was made."""
        self.echoes = ECHOES
        """What a video object repeats of the wish."""
        self.skew_s = 0.0
        """How far the gateway's clock is ahead of ours."""
        self.honours_keys = False
        self.done_at_once = False
        self.pictures: dict[str, bytes] = {}
        """What it has of a finished video besides."""
        self.cancels = False
        """It deletes a video that is being rendered, too."""
        self.deleted: list[str] = []
        self.seen: list[Seen] = []
        self.book: dict[str, Video] = {}
        """Every accepted POST: what would have been billed."""
        self.open_posts_max = 0
        self.rendering_max = 0
        self.render_gate: anyio.Event | None = None
        """No video is finished before it is set."""
        self._open_posts = 0
        self._by_key: dict[str, Video] = {}
        self._once: dict[str, deque[Script]] = defaultdict(deque)
        self._always: dict[str, Script] = {}

    def once(self, kind: str, *scripts: Script) -> None:
        """The next requests of this kind are answered so, one after the other."""
        self._once[kind].extend(scripts)

    def always(self, kind: str, script: Script) -> None:
        """From now on, requests of this kind are answered so."""
        self._always[kind] = script

    def behaves(self, seen: Seen) -> Answer | None:  # noqa: ARG002
        """As a script: well, once more."""
        return None

    def behave(self, kind: str = "") -> None:
        """Forget every script; of one kind of requests, where it is named."""
        for scripts in (self._once, self._always):
            if kind:
                scripts.pop(kind, None)
            else:
                scripts.clear()

    def of(self, kind: str) -> list[Seen]:
        """The requests of one kind so far."""
        return [seen for seen in self.seen if seen.kind == kind]

    @property
    def prompts_sold(self) -> list[str]:
        return [video.prompt for video in self.book.values()]

    # --- the wire

    async def talk(self, stream: SocketStream) -> None:
        """One connection, kept alive until either side ends it."""
        async with stream:
            reader = BufferedByteReceiveStream(stream)
            try:
                while await self._exchange(reader, stream):
                    pass
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _exchange(self, reader: BufferedByteReceiveStream, stream: SocketStream) -> bool:
        """Answer one request; whether the connection lives on."""
        seen = await _read(reader)
        self.seen.append(seen)
        self._open_posts += seen.kind == "submit"
        self.open_posts_max = max(self.open_posts_max, self._open_posts)
        try:
            given = self._answer(seen)
            if given.hold is not None:
                await given.hold.wait()
        finally:
            self._open_posts -= seen.kind == "submit"
        given = replace(given, headers={"date": formatdate(self.clock_s(), usegmt=True), **given.headers})
        await stream.send(_bytes(given)[: given.cut_at])
        return given.cut_at is None

    def _answer(self, seen: Seen) -> Answer:
        script = self._once[seen.kind].popleft() if self._once[seen.kind] else self._always.get(seen.kind)
        given = script(seen) if callable(script) else script
        return self._behaved(seen) if given is None else given

    # --- good behaviour

    def _behaved(self, seen: Seen) -> Answer:
        if seen.kind == "submit":
            return self._refused(seen) or answer(self.sell(seen))
        if seen.kind == "list":
            return self._list(seen)
        video = self.book.get(seen.video_id)
        if video is None or video.id in self.deleted:
            return refusal(404, message=f"Video with id '{seen.video_id}' not found.")
        if seen.kind == "variant":
            picture = self.pictures.get(seen.query["variant"])
            return refusal(404, message="no such variant") if picture is None else Answer(body=picture)
        if seen.kind == "delete":
            return self._delete(video)
        return self.content(seen) if seen.kind == "content" else answer(self.show(video))

    def _delete(self, video: Video) -> Answer:
        if not (video.finished or self.cancels):
            return refusal(400, message="Only a completed or failed video can be deleted.")
        self.deleted.append(video.id)
        return answer({"id": video.id, "object": "video.deleted", "deleted": True})

    def _refused(self, seen: Seen) -> Answer | None:
        """A video is made only from one that is here and finished."""
        source = self.book.get(seen.video_id)
        if source is None and seen.video_id:
            return refusal(404, message=f"Video with id '{seen.video_id}' not found.")
        if source is not None and not source.finished:
            return refusal(400, message=f"Video '{seen.video_id}' is not completed.")
        return None

    def sell(self, seen: Seen) -> dict[str, object]:
        """Enter a POST in the book; the receipt."""
        key = seen.headers.get("idempotency-key", "")
        if self.honours_keys and key in self._by_key:
            return self._receipt(self._by_key[key])
        video = Video(
            id=f"video_{len(self.book) + 1}",
            prompt=_field(seen.body, "prompt"),
            asked=self._asked(seen),
            made_from=seen.video_id,
            created_s=self.clock_s(),
            finished=self.done_at_once,
        )
        self.book[video.id] = self._by_key[key] = video
        self.rendering_max = max(self.rendering_max, sum(not sold.finished for sold in self.book.values()))
        return self._receipt(video)

    def _asked(self, seen: Seen) -> dict[str, str]:
        if seen.video_id:
            return self.book[seen.video_id].asked
        return {name: _field(seen.body, name) for name in ("model", "seconds", "size")}

    def clock_s(self) -> float:
        """The gateway's clock, in Unix seconds."""
        return time.time() + self.skew_s

    def _receipt(self, video: Video) -> dict[str, object]:
        return {"id": video.id, "object": "video", "status": "completed" if video.finished else "queued"}

    def show(self, video: Video) -> dict[str, object]:
        """A video object, one look further."""
        video.looks += 1
        allowed = self.render_gate is None or self.render_gate.is_set()
        video.finished = video.finished or (video.looks >= self.looks and allowed)
        status = "completed" if video.finished else "in_progress"
        told: dict[str, object] = {"prompt": video.prompt, **video.asked, "created_at": int(video.created_s)}
        told["remixed_from_video_id"] = video.made_from or None
        echo = {name: value for name, value in told.items() if name in self.echoes}
        return {"id": video.id, "object": "video", "status": status, **echo}

    def _list(self, seen: Seen) -> Answer:
        if not self.lists:
            return refusal(404, message="Invalid URL (GET /v1/videos)")
        shown_s = self.clock_s() - self.list_lag_s
        newest = [video for video in reversed(self.book.values()) if video.created_s <= shown_s]
        after = seen.query.get("after")
        start = 1 + next((at for at, video in enumerate(newest) if video.id == after), -1)
        page = newest[start : start + min(int(seen.query.get("limit", "20")), self.page_rows)]
        rows = [self.show(video) for video in page]
        return answer({"object": "list", "data": rows, "has_more": start + len(page) < len(newest)})

    def content(self, seen: Seen) -> Answer:
        """The film, or the rest of it."""
        wanted = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        headers = {"content-type": "video/mp4", "etag": ETAG}
        if wanted is None or seen.headers.get("if-range") != ETAG:
            return Answer(headers=headers, body=self.film)
        start, whole = int(wanted[1]), len(self.film)
        headers["content-range"] = f"bytes {start}-{whole - 1}/{whole}"
        return Answer(status=206, headers=headers, body=self.film[start:])


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[str]:
    """*gateway* on a free loopback port; gives its base URL."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, gateway.talk)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/v1"
        tasks.cancel_scope.cancel()


async def _read(reader: BufferedByteReceiveStream) -> Seen:
    head = (await reader.receive_until(b"\r\n\r\n", HEAD_BYTES_MAX)).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.receive_exactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    query = dict(parse_qsl(url.query))
    kind, video_id = _route(method, url.path)
    kind = "variant" if kind == "content" and "variant" in query else kind
    if url.path.endswith("/videos/extensions"):
        video_id = json.loads(body)["video"]["id"]
    return Seen(kind=kind, video_id=video_id, query=query, headers=headers, body=bytes(body), at_s=anyio.current_time())


def _route(method: str, path: str) -> tuple[str, str]:
    parts = [unquote(part) for part in path.removeprefix("/v1/videos").split("/") if part]
    if method == "POST":
        return "submit", parts[0] if parts[1:] == ["remix"] else ""
    if not parts:
        return "list", ""
    if method == "DELETE":
        return "delete", parts[0]
    return ("content" if parts[1:] == ["content"] else "look"), parts[0]


def _field(body: bytes, name: str) -> str:
    if body.startswith(b"{"):
        return str(json.loads(body).get(name, ""))
    found = re.search(rb'name="' + name.encode() + rb'"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
    return found[1].decode() if found else ""


def _bytes(given: Answer) -> bytes:
    headers = {"content-length": str(len(given.body)), **given.headers}
    lines = [f"HTTP/1.1 {given.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + given.body
