"""How one server deviates from the shape that all of them share, as data: what a profile says of the wire.

Everything has the shape's own as its default, so that a profile names deviations alone. What the words mean is in
docs/providers.md; `providers` reads and writes by them, the sandbox answers by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model import JSON

_NOTHING: Mapping[str, JSON] = MappingProxyType({})

CALLS = ("submit", "look", "list", "content", "remix", "extend", "edit", "delete")
"""What is asked of a provider."""

PATHS: Mapping[str, str] = {
    "submit": "/videos",
    "look": "/videos/{id}",
    "list": "/videos",
    "content": "/videos/{id}/content",
    "remix": "/videos/{id}/remix",
    "extend": "/videos/extensions",
    "edit": "/videos/edits",
    "delete": "/videos/{id}",
}
"""Below the base URL; `{id}` is the video's id as one segment."""

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "video": (),
    "rows": ("data",),
    "id": ("id", "task_id"),
    "status": ("status",),
    "progress": ("progress",),
    "created_at": ("created_at",),
    "expires_at": ("expires_at",),
    "prompt": ("prompt",),
    "model": ("model",),
    "seconds": ("seconds",),
    "size": ("size",),
    "made_from": ("remixed_from_video_id",),
    "error": (),
    "error_code": (),
    "error_text": (),
    "link": ("url", "video_url", "output_url", "result_url", "metadata.url"),
    "bytes": ("video_base64",),
}
"""Where a reply says what: paths of names and numbers with dots between, the first that is there counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How a request proves who we are."""

    header: str = "authorization"
    """In lower case; empty: it does not."""
    prefix: str = "Bearer "


SIDES = ("width", "height")
"""A size in two fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How one of a job's fields stands in a submit."""

    name: str
    """Empty: it is not sent."""
    form: str = "text"
    """`text`, `integer`, `number`; of a size also `sides` (width and height as two integers)."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names under which it is sent."""
        return () if not self.name else SIDES if self.form == "sides" else (self.name,)


FIELDS: Mapping[str, Sent] = {
    "prompt": Sent(name="prompt"),
    "model": Sent(name="model"),
    "seconds": Sent(name="seconds"),
    "size": Sent(name="size"),
    "reference": Sent(name="input_reference"),
}
"""In the order in which the official SDK sends them, but for the reference, which comes after the prompt."""

REFERENCE_JSON: JSON = {"image_url": "{url}"}
"""An image in JSON as the shape has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an answer means that is not the one asked for. All that is stated must hold; what is empty holds always."""

    means: str
    """A word of `providers.base.Problem`."""
    to: tuple[str, ...] = ()
    """Which calls."""
    http: tuple[int, ...] = ()
    code: tuple[str, ...] = ()
    """Of the error, or its type; one of these, in any case of letters."""
    text: tuple[str, ...] = ()
    """Of the error's message; one of these stands in it, in any case of letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The deviations of one server."""

    auth: Auth = Auth()
    body: str = "multipart"
    """How a submit is encoded: `multipart` or `json`."""
    body_with_reference: str = ""
    """The same of a submit with an image; empty: as any other."""
    paths: Mapping[str, str] = field(default_factory=lambda: PATHS)
    queries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By call: what stands in the query besides."""
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By call: headers besides."""
    fields: Mapping[str, Sent] = field(default_factory=lambda: FIELDS)
    reference_json: JSON = None
    """An image in a JSON submit: any document, with `{url}` (a data URL) or `{base64}` in a text; `None`: as
    `REFERENCE_JSON`. In multipart it is a file part always."""
    constants: Mapping[str, JSON] = field(default_factory=lambda: _NOTHING)
    """Fields that every submit has besides."""
    looks: str = "status"
    """How one learns how a video is doing: `status`, or `content`: by asking for it until it comes."""
    content: str = "bytes"
    """How it comes: `bytes` (redirected or not), `link` (a URL in a document) or `base64` (in a document)."""
    content_in: str = "content"
    """Which call has that document: `content` or `look`."""
    result_models: Mapping[str, str] = field(default_factory=dict)
    """For the dialect `responses`: the model that is asked for another's results; a name may end with `*`."""
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: ANSWERS)
    list_is_whole: bool = False
    """One page has all that there is, and nothing follows."""
    problems: tuple[Rule, ...] = ()
    """The first that fits counts, before all that is known of any server."""


SHAPES: Mapping[str, Wire] = {
    "videos": Wire(),
    "responses": Wire(
        body="json",
        paths={**PATHS, **dict.fromkeys(("submit", "look", "content"), "/responses")},
        fields={**FIELDS, "prompt": Sent(name="input")},
        looks="content",
        content="base64",
        answers={**ANSWERS, "video": ("output.0.content.0.text",), "status": ("status", "task_status")},
    ),
}
"""By dialect: what a profile names deviations from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One refusal as a server words it."""

    to: tuple[str, ...] = ()
    """In answer to which calls; empty: to any."""
    http: int = 0
    """0: as the sandbox answers it."""
    code: str = ""
    message: str = ""
    """`{id}` is the video's id; empty: the sandbox's words."""
    document: Mapping[str, JSON] | None = None
    """The whole document, with the places that `Rehearsal.errors` may have; `None`: as its other errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What is different in the answers to one call, or of a video in one state."""

    http: int = 200
    """Of a look that shows such a video."""
    leaves_out: tuple[str, ...] = ()
    """Fields besides those that are left out always, or of those that are added always."""
    adds: Mapping[str, JSON] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How the sandbox answers in a provider's place, where the rest of the profile does not say it already."""

    id: str = "video_{hex32}"
    """An id, with `{hexN}`, `{alnumN}`, `{digitsN}` and `{uuid}` for what differs from video to video, `{model}` for
    the video's model, and `{base64:…}` around what is encoded so, without `=`."""
    errors: str | Mapping[str, JSON] = ""
    """The shape of an error: `object` (`{error: {…}}`), `flat` (`{code, message, data}`), `detail` (`{detail: …}`),
    `text` (`{error: "…"}`), or any document with the places `{message}`, `{code}`, `{type}`, `{param}`, `{http}` (the
    status), `{phrase}` (its words) and `{id}` (of the video), each as it is or as `{http:text}`, `{…:integer}`,
    `{…:number}`. Empty: where `Wire.answers` has `error_code` and `error_text`, else `object`."""
    failure: JSON = None
    """How a video tells why it failed, where that has a code and words: any form with `{code}` and `{message}`;
    `None`: as `Wire.answers` has them, else as both."""
    accepted_http: int = 200
    takes: tuple[str, ...] = ()
    """Encodings of a submit that it takes besides the one that we send: `multipart`, `json`."""
    words: Mapping[str, str] = field(default_factory=dict)
    """By one of `queued`, `in_progress`, `completed`, `failed`, `expired`: the word in its place."""
    progress: str = "number"
    """`number`, `percent` (`"30%"`) or `none`."""
    leaves_out: tuple[str, ...] = ()
    """Fields of the video that its answers do not have."""
    adds: Mapping[str, JSON] = field(default_factory=lambda: _NOTHING)
    """Fields that they have besides; `{id}` in a text, and likewise every field of the video, is what that has."""
    faces: Mapping[str, Face] = field(default_factory=dict)
    """By call (`submit`, `look`, …), and by state (`queued`, `in_progress`, `completed`, `failed`, `expired`,
    `cancelled`); both hold, and `delete` is of the answer that a video is deleted."""
    wraps: bool = True
    """Its answers have the video where `Wire.answers` says; false: bare, which is read as well."""
    other_id_on_look: bool = False
    """A look is answered with another id than the submit was."""
    cancelled_is_gone: bool = False
    """A video that was ended by a DELETE is unknown from then on."""
    says: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    """By a word of `providers.base.Problem`: how it says that; the first that fits the call counts. `wrong_address` is
    said of a path, or a method, that it does not have."""
