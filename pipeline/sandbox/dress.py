"""What the sandbox wears: a profile, and so the wire, the words and the gaps of the server that it stands in for.

The rest of the sandbox speaks our words; here they become that server's, and its requests become ours. Everything
follows from the profile, and the sandbox's own changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random, SystemRandom
from typing import Final

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.registry import find_profile
from pipeline.sandbox import asked, said, shown
from pipeline.sandbox.ids import new_id
from pipeline.sandbox.reference import Place
from pipeline.sandbox.refusal import Refused
from pipeline.sandbox.settings import Settings
from pipeline.wire import REFERENCE_JSON, Face

_CHANCE: Final = SystemRandom()
_LINKED: Final = ("remix", "extend", "edit")
_ENCODINGS: Final = {"multipart": ("multipart/form-data", "multipart/form-data"), "json": ("application/json", "JSON")}
"""By word of `Wire.body`: the media type, and what people call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dress:
    """One server's manners. Every method is pure, but for the chance in a new id."""

    profile: Profile

    @property
    def content_call(self) -> str:
        """Which call is answered with the content, or with the document that has or names it."""
        wire = self.profile.wire
        return "content" if wire.content == "bytes" else wire.content_in

    def settings(self) -> Settings:
        """How the sandbox behaves in it where nothing else is asked for."""
        own = self.profile
        return Settings(retention_s=float(own.retention_s), lists=own.lists, honours_keys=own.honours_keys)

    def new_id(self, model: str) -> str:
        """An id that no other video has."""
        return new_id(self.profile.rehearsal.id, model, _CHANCE)

    def check_query(self, call: str, query: Mapping[str, str]) -> None:
        """Raises `Refused` where a request lacks what *call* has in its query."""
        for name, value in self.profile.wire.queries.get(call, {}).items():
            if query.get(name) != value:
                message = f"Missing query parameter: '{name[:40]}', which is '{value[:80]}'."
                raise Refused(400, message, param=name, code="missing_required_parameter", problem="rejected")

    def check_encoding(self, call: str, content_type: str) -> None:
        """Raises `Refused` (415) where a submit comes in an encoding that is not taken."""
        wire = self.profile.wire
        taken = {wire.body, wire.body_with_reference, *self.profile.rehearsal.takes, "json" if call in _LINKED else ""}
        kind = content_type.partition(";")[0].strip().lower()
        known = [_ENCODINGS[word] for word in _ENCODINGS if word in taken]
        if kind not in (media_type for media_type, _ in known):
            wanted = " or ".join(name for _, name in known)
            raise Refused(415, f"Unsupported content type: '{content_type[:100]}'. Send {wanted}.", problem="rejected")

    @property
    def image(self) -> Place:
        """Where a submit has its image."""
        wire = self.profile.wire
        form = REFERENCE_JSON if wire.reference_json is None else wire.reference_json
        return Place(name=wire.fields["reference"].name, form=form)

    def asked(self, fields: Mapping[str, JSON], call: str) -> dict[str, JSON]:
        """What a submit says, by our names and in our forms."""
        return asked.asked(fields, self.profile, new=call not in _LINKED)

    def video(self, video: Mapping[str, JSON], call: str, **besides: JSON) -> dict[str, JSON]:
        """A video object in the answer to *call*; *besides*: what it has by words of `Wire.answers`."""
        if call == "look" and self.profile.rehearsal.other_id_on_look:
            video = {**video, "id": self._other_id(video)}
        return shown.shown(video, self.profile, call, **besides)

    def look_http(self, video: Mapping[str, JSON]) -> int:
        """The HTTP status of a look that shows *video*."""
        return self.profile.rehearsal.faces.get(str(video["status"]), Face()).http

    def deletion(self, video_id: str) -> dict[str, JSON]:
        """The answer that a video is deleted."""
        return shown.shown_deletion({"id": video_id, "object": "video.deleted", "deleted": True}, self.profile)

    def page(self, page: Mapping[str, JSON], videos: Sequence[Mapping[str, JSON]]) -> dict[str, JSON]:
        """A page of the list, which shows *videos*."""
        return shown.shown_page(page, videos, self.profile)

    def content(self, word: str, value: str, **besides: JSON) -> dict[str, JSON]:
        """The document that has (`bytes`) or names (`link`) a video's content."""
        document: dict[str, JSON] = dict(besides)
        shown.put(document, self.profile.wire.answers[word][0], value)
        return shown.wrapped(document, self.profile)

    def tells(self, problem: str, call: str) -> bool:
        """Whether it has words of its own for *problem*."""
        return said.said_of(problem, call, self.profile) is not None

    def refusal(self, refused: Refused, call: str = "", video_id: str = "") -> tuple[int, dict[str, JSON]]:
        """The HTTP status and the document of an answer to *call* that is not the one asked for."""
        return said.refusal(refused, call, video_id, self.profile)

    def _other_id(self, video: Mapping[str, JSON]) -> str:
        """The same at every look."""
        return new_id(self.profile.rehearsal.id, str(video["model"]), Random(str(video["id"])))  # noqa: S311 - no secret


def dress_of(profile: Profile) -> Dress:
    """The dress of *profile*. Raises `UsageError` where every video would have the same id."""
    pattern = profile.rehearsal.id
    one, other = (new_id(pattern, "", Random(seed)) for seed in (0, 1))  # noqa: S311 - no secret
    if one == other:
        raise UsageError(f"{profile.name}: rehearsal.id gives every video one id: put {{hex32}} or the like into it")
    return Dress(profile=profile)


@cache
def own_dress() -> Dress:
    """The sandbox as itself."""
    profile = find_profile("sandbox")
    assert profile is not None, "it ships with vidbatch"
    return dress_of(profile)
