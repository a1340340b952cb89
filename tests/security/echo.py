"""A provider that repeats our key in everything it says: real HTTP on loopback, one trick a prompt."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

_PROMPT = re.compile(rb'name="prompt"\r\n\r\n(.*?)\r\n--|"prompt": ?"([^"]*)"', re.DOTALL)


ESCAPED, HALF_ESCAPED = "@escaped@", "@half@"
"""Where the key goes once the answer is JSON: as JSON's escapes, all of it or what is no letter."""


def escaped(key: str, body: bytes) -> bytes:
    whole = "".join(f"\\u{ord(c):04X}" for c in key)
    half = "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key)
    return body.replace(ESCAPED.encode(), whole.encode()).replace(HALF_ESCAPED.encode(), half.encode())


def spelled(key: str) -> tuple[str, ...]:
    """*key* as this provider writes it; said here anew, lest a slip in ours be made twice."""
    before = [b64encode(text.encode()).decode() for text in (key, f"Bearer {key}", f"x{key}", f"xx{key}!")]
    return (
        *(key, f"Bearer {key}", quote(key, safe=""), key.encode().hex(), repr(key), json.dumps({"key": key})),
        *before,
        urlsafe_b64encode(f"Bearer {key}".encode()).decode(),
        *(ESCAPED, HALF_ESCAPED, f"{key[:14]}…{key[-14:]}"),
    )


def traces(key: str) -> tuple[str, ...]:
    """What must be nowhere: the key, half of it, and the middle of each of its encodings."""
    whole = [key[:14], key[8:20], key[-14:], key.encode().hex()[8:40]]
    escapes = ["".join(f"\\u{ord(c):04x}" for c in key[4:16]), "".join(f"\\u{ord(c):04X}" for c in key[4:16])]
    return (
        *whole,
        *escapes,
        *(b64encode(b"x" * n + key.encode()).decode()[8:32] for n in range(3)),
        quote(key, safe=""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def said(document: object, status: int = 200, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(
        status=status, headers={"content-type": "application/json", **named}, body=json.dumps(document).encode()
    )


Trick = Callable[["Echo", str, str, str], Said]
"""Kind of request (`submit`, `look`, `content`), the video's id and the echo make an answer."""


def _sound(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    """Behaves, but talks too much."""
    if kind == "content":
        return Said(headers={"content-type": "video/mp4"}, body=echo.film)
    return said({"id": video_id, "status": "completed", "prompt": words, "note": words, "you": {"sent": [words]}})


def _refuses(status: int) -> Trick:
    return lambda *told: said({"error": {"code": told[3], "message": told[3], "type": told[3]}}, status)


def _fails(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    if kind == "look":
        return said({"id": video_id, "status": "failed", "error": {"code": words, "message": words}})
    return said({"id": video_id, "status": "queued", "note": words})


def _status_word(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    echo.looks[video_id] = echo.looks.get(video_id, 0) + (kind == "look")
    if kind == "look" and echo.looks[video_id] == 1:
        return said({"id": video_id, "status": words, "progress": words})
    return _sound(echo, kind, video_id, words) if kind != "submit" else said({"id": video_id, "status": words})


def _id(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    if kind == "submit":
        return said({"id": f"{video_id}-{echo.key}", "status": "completed"})
    return _sound(echo, kind, video_id, words)


def _gone(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    if kind == "content":
        return Said(status=410, headers={"content-type": "text/html"}, body=f"<h1>{words}</h1>".encode())
    return _sound(echo, kind, video_id, words)


def _throttles(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    echo.looks["throttled"] = echo.looks.get("throttled", 0) + 1
    if kind == "submit" and echo.looks["throttled"] == 1:
        return said({"error": words}, 429, retry_after="0")
    return _sound(echo, kind, video_id, words)


def _leads_on(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    """To itself, with the key in the link."""
    if kind == "content" and video_id not in echo.looks:
        echo.looks[video_id] = 1
        return Said(status=302, headers={"location": f"/v1/videos/{video_id}/content?token={echo.key}"})
    return _sound(echo, kind, video_id, words)


def _leads_away(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    return Said(status=302, headers={"location": f"https://192.0.2.1/?token={echo.key}&k={quote(words)}"})


TRICKS: Mapping[str, Trick] = {
    "sound": _sound,
    "rejected": _refuses(400),
    "failed": _fails,
    "word": _status_word,
    "id": _id,
    "gone": _gone,
    "throttled": _throttles,
    "led": _leads_on,
    "no-id": lambda *told: said({"note": told[3]}),
    "page": lambda *told: Said(status=502, headers={"content-type": "text/html"}, body=f"<b>{told[3]}</b>".encode()),
}
"""By the prompt's last word; none of them ends a run."""

LAST: Mapping[str, Trick] = {
    "key refused": _refuses(401),
    "forbidden": _refuses(403),
    "no money": _refuses(402),
    "led elsewhere": _leads_away,
    "wrong address": _refuses(404),
}
"""These do."""


class Echo:
    """The provider. `trick` is what it does always; empty: what each prompt says."""

    def __init__(self, film: bytes, *, trick: str = "") -> None:
        self.film = film
        self.trick = trick
        self.key = ""
        self.looks: dict[str, int] = {}
        self.asked = threading.Event()
        self.requests = 0
        self.targets: list[str] = []
        self.ids: dict[str, str] = {}
        """The id of the video that a prompt gets, where it is not one of ours."""
        self._prompts: dict[str, str] = {}

    def answer(self, method: str, target: str, body: bytes, authorization: str) -> Said:
        self.requests += 1
        self.targets.append(target)
        self.key = authorization.removeprefix("Bearer ")
        self.asked.set()
        words = " ".join(spelled(self.key))
        parts = [unquote(part) for part in urlsplit(target).path.split("/")[3:]]
        if not parts and method == "GET":
            return said({"object": "list", "data": [], "has_more": False, "note": words})
        if parts:
            kind, video_id = ("content" if parts[1:] else "look"), parts[0]
            prompt = self._prompts.get("-".join(video_id.split("-")[:2]), "")
        else:
            found = _PROMPT.search(body)
            prompt = (found[1] or found[2]).decode() if found else ""
            kind, video_id = "submit", self.ids.get(prompt, f"video-{len(self._prompts)}")
            self._prompts[video_id] = prompt
        return self._trick(prompt)(self, kind, video_id, words)

    def _trick(self, prompt: str) -> Trick:
        return LAST[self.trick] if self.trick else TRICKS.get(prompt.rpartition(" ")[2], _sound)


@contextmanager
def serving(echo: Echo) -> Iterator[str]:
    """*echo* on a free port; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            authorization = self.headers.get("authorization") or ""
            given = echo.answer(self.command, self.path, body, authorization)
            self.send_response_only(given.status, authorization)
            named = f"attachment; filename=../../{echo.key}.sh"
            headers = {
                "content-disposition": named,
                "x-request-id": authorization,
                "set-cookie": f"k={echo.key}",
                **given.headers,
            }
            told = escaped(echo.key, given.body)
            for name, value in {**headers, "content-length": str(len(told))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
