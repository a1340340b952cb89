"""Somebody else's server of the same API: Flask's idea of HTTP, and the SDK's own types for all that it answers.

Nothing in it is ours. A video moves on when it is looked at: queued, in progress, over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from openai.pagination import SyncConversationCursorPage
from openai.types import Video, VideoCreateError, VideoDeleteResponse
from openai.types.shared import ErrorObject
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from pydantic import BaseModel

KEY = "a-key-for-tests"
FIELDS = frozenset({"prompt", "model", "seconds", "size"})
RETENTION_S = 3600


@dataclass(slots=True)
class Post:
    """A request that asks for a video, and how it was answered."""

    path: str
    prompt: str
    at_s: float
    http: int


@dataclass(slots=True, kw_only=True)
class Foreign:
    """The server: what it made, and what it does wrong."""

    film: bytes
    base_url: str = ""
    key: str = KEY
    ends: Mapping[str, VideoCreateError] = field(default_factory=dict)
    """By prompt: why there is no film of it."""
    lost: frozenset[str] = frozenset()
    """Prompts that are taken, and never answered: the connection is cut."""
    turned_away: int = 0
    """So many of the next POSTs are too many."""
    videos: list[Video] = field(default_factory=list)
    """All that was made, oldest first."""
    posts: list[Post] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def app(self) -> Flask:
        """Its routes."""
        app = Flask(__name__)
        for rule, method, answer in (
            ("/v1/videos", "POST", self.create),
            ("/v1/videos/<video_id>/remix", "POST", self.remix),
            ("/v1/videos", "GET", self.page),
            ("/v1/videos/<video_id>", "GET", self.retrieve),
            ("/v1/videos/<video_id>/content", "GET", self.content),
            ("/v1/videos/<video_id>", "DELETE", self.delete),
        ):
            app.add_url_rule(rule, answer.__name__, self._one_at_a_time(answer), methods=[method])
        app.before_request(self._check_key)
        app.register_error_handler(HTTPException, _as_error)
        return app

    def create(self) -> Response:
        unknown = {*request.form, *request.files} - FIELDS
        if request.mimetype != "multipart/form-data" or unknown:
            return _error(400, f"Not a form of {sorted(FIELDS)}: {request.mimetype} {sorted(unknown)}")
        return self._ordered(**request.form.to_dict())

    def remix(self, video_id: str) -> Response:
        source, wish = self._found(video_id), request.get_json()
        if source.status != "completed" or set(wish) != {"prompt"}:
            return _error(400, "A remix wants a completed video, and a prompt alone.")
        kept = {"model": source.model, "seconds": source.seconds, "size": source.size}
        return self._ordered(**wish, **kept, remixed_from_video_id=source.id)

    def _ordered(self, **said: Any) -> Response:
        answer = self._accepted(**said)
        self.posts.append(Post(request.path, said["prompt"], time.monotonic(), answer.status_code))
        return answer

    def _accepted(self, **said: Any) -> Response:
        if self.turned_away:
            self.turned_away -= 1
            return _error(429, "Rate limit reached.", "rate_limit_exceeded", headers={"Retry-After": "1"})
        n, now = len(self.videos) + 1, int(time.time())
        try:
            made = Video(id=f"video_{n:032x}", object="video", created_at=now, status="queued", progress=0, **said)
        except ValidationError as error:
            return _error(400, str(error), "invalid_value")
        self.videos.append(made)
        if made.prompt in self.lost:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return _json(made)

    def page(self) -> Response:
        limit, after = int(request.args.get("limit", 20)), request.args.get("after")
        videos = self.videos if request.args.get("order") == "asc" else self.videos[::-1]
        begin = [video.id for video in videos].index(after) + 1 if after else 0
        shown = [self._looked_at(video) for video in videos[begin : begin + limit]]
        more = begin + limit < len(videos)
        return _json(
            SyncConversationCursorPage[Video](data=shown, has_more=more, last_id=shown[-1].id if shown else None)
        )

    def retrieve(self, video_id: str) -> Response:
        return _json(self._looked_at(self._found(video_id)))

    def content(self, video_id: str) -> Response:
        if self._found(video_id).status != "completed":
            return _error(404, "Video is not ready yet, use GET /v1/videos/{video_id} to check status.")
        return Response(self.film, mimetype="video/mp4")

    def delete(self, video_id: str) -> Response:
        self.videos.remove(self._found(video_id))
        return _json(VideoDeleteResponse(id=video_id, deleted=True, object="video.deleted"))

    def _found(self, video_id: str) -> Video:
        video = next((video for video in self.videos if video.id == video_id), None)
        if video is None:
            raise NotFound(f"Video with id '{video_id}' not found.")
        return video

    def _looked_at(self, video: Video) -> Video:
        """The video as it was, which then moves on."""
        shown = video.model_copy()
        if video.status == "queued":
            video.status, video.progress = "in_progress", 50
        elif video.status == "in_progress" and (error := self.ends.get(video.prompt or "")):
            video.status, video.error = "failed", error
        elif video.status == "in_progress":
            video.status, video.progress, video.completed_at = "completed", 100, int(time.time())
            video.expires_at = video.completed_at + RETENTION_S
        return shown

    def _check_key(self) -> Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return _error(401, "Incorrect API key provided.", "invalid_api_key")

    def _one_at_a_time(self, answer: Any) -> Any:
        def answered(**named: str) -> Response:
            with self._lock:
                done: Response = answer(**named)
                return done

        return answered


class _Quiet(WSGIRequestHandler):
    """Speaks HTTP/1.1, and tells nobody."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


@contextlib.contextmanager
def serving(server: Foreign) -> Iterator[str]:
    """Serve it on a free port of this machine; its base URL."""
    with make_server("127.0.0.1", 0, server.app(), threaded=True, request_handler=_Quiet) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}/v1"
        finally:
            listener.shutdown()
            thread.join()


def _as_error(error: HTTPException) -> Response:
    return _error(error.code or 500, error.description or error.name)


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), mimetype="application/json")


def _error(http: int, message: str, code: str = "", headers: Mapping[str, str] | None = None) -> Response:
    error = ErrorObject(code=code or None, message=message, param=None, type="invalid_request_error")
    body = f'{{"error": {error.model_dump_json()}}}'
    return Response(body, http, headers=dict(headers or {}), mimetype="application/json")
