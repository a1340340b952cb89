"""What a dialect is: a pure translation between our words and one API's bytes.

A dialect touches no network. It makes a `Request`, the transport carries it, and the dialect reads the `Reply` into
one of the values below. Which reply means what is here; what to do about it is in `policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pipeline.model import JSON, Job, Link
from pipeline.profile import Profile

REPLY_BYTES_MAX = 1 << 20
"""No answer that only tells of a video is longer."""


class Status(StrEnum):
    """A provider's status word, normalised."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Problem(StrEnum):
    """Why a reply is not what was asked for, by what it says about the world."""

    REJECTED = "rejected"  # this request is wrong and made nothing
    BAD_KEY = "bad_key"  # 401, 403: no request will do better
    NO_SUCH_MODEL = "no_such_model"  # it does not have this model, or not for us; made nothing
    NO_MONEY = "no_money"  # quota or balance used up: no submit will do better
    WRONG_ADDRESS = "wrong_address"  # a redirect, where none is followed
    THROTTLED = "throttled"  # not now; made nothing
    UNKNOWN_ID = "unknown_id"  # the provider does not know this video
    GONE = "gone"  # it had it and keeps it no longer
    NOT_READY = "not_ready"  # content asked for too early
    FAILED = "failed"  # content asked for, and there never will be any
    STALE_LINK = "stale_link"  # who keeps the content for the provider refuses the link that it gave us
    TROUBLE = "trouble"  # a fault at their side, or an answer that cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `path` is below the base URL, percent-encoded, and starts with `/`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    enough_bytes: int = 0
    """No more of the answer's body is wanted; 0: all of it."""
    reply_bytes_max: int = REPLY_BYTES_MAX
    """An answer with a longer body is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a job builds on, as it is known when the job is submitted."""

    video_id: str = ""
    """The provider's id of its source's video; empty: it has none."""
    reference: bytes = b""
    """The image of its `reference`, as it is to be sent; empty: it has none."""


NO_INPUTS = Inputs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer other than the one asked for."""

    problem: Problem
    http: int
    code: str = ""
    message: str = ""
    """The provider's words, bounded, without control characters."""
    retry_after: str = ""
    """The header as it came: seconds or an HTTP date."""
    excerpt: str = ""
    """The start of the body, bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one look saw of a video."""

    video_id: str
    status: Status
    word: str
    """The status as the provider wrote it."""
    progress: float | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    code: str = ""
    message: str = ""
    """Why it failed, in the provider's words."""
    prompt: str | None = None
    """What was asked for, as far as it is repeated in a form that can be compared; else `None`."""
    model: str | None = None
    seconds: float | None = None
    size: str | None = None
    made_from: str | None = None
    """The id of the video that this one is a remix of; empty: it says of none; `None`: it does not say."""
    known_word: bool = True
    """False: the word was not in the profile nor in the common list, and was read as still running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The provider's receipt for a POST."""

    video_id: str
    observation: Observation
    raw: Mapping[str, JSON]
    """The answer as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a document says of a video's content: where it is, or the very bytes."""

    url: str = ""
    """May lead anywhere: `hops` says where we go."""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the provider's list of videos."""

    observations: tuple[Observation, ...]
    after: str | None
    """Ask for the next page after this id; `None`: there is none to ask for."""
    is_last: bool = False
    """The provider said that nothing follows. (Saying nothing about it is not saying that.)"""


class Dialect(Protocol):
    """How to speak to one family of APIs. Stateless; every method is pure."""

    def submit(self, job: Job, profile: Profile, *, key: str, inputs: Inputs = NO_INPUTS) -> Request:
        """The POST that asks for *job*. The same *key* and *inputs* give the same bytes."""

    def read_submit(self, reply: Reply, profile: Profile, link: Link | None = None) -> Submission | Refusal:
        """What the answer to a submit says; *link*: of one that builds on another video so."""

    def look(self, video_id: str, profile: Profile) -> Request:
        """The request that asks how a video is doing."""

    def status(self, video_id: str, profile: Profile) -> Request | None:
        """The request for a video's status, whether or not looks are such; `None`: there is no such call."""

    def read_look(self, reply: Reply, profile: Profile, video_id: str = "") -> Observation | Refusal:
        """What the answer to a look at *video_id* says."""

    def look_at_page(self, after: str | None, profile: Profile) -> Request:
        """The request for a page of the list, newest first."""

    def read_page(self, reply: Reply, profile: Profile) -> Page | Refusal:
        """What a page of the list says."""

    def content(self, video_id: str, profile: Profile, variant: str = "") -> Request:
        """The request for the video's bytes, or for the document that has or names them (`Wire.content`).

        *variant*: for a thumbnail or the like instead.
        """

    def read_content(self, reply: Reply, profile: Profile) -> Found | Refusal:
        """What that document says."""

    def read_no_content(self, reply: Reply, profile: Profile) -> Refusal:
        """What an answer to `content` that is no video says."""

    def delete(self, video_id: str, profile: Profile) -> Request:
        """The request that makes the provider forget a video; one that is being rendered ends, where that can be."""

    def read_delete(self, reply: Reply, profile: Profile) -> Refusal | None:
        """What the answer to it says; `None`: it is done."""
