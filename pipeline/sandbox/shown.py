"""Our documents as another server would answer them: its words, its names, its places. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.sandbox.filled import filled, filled_in
from pipeline.wire import Face, Rehearsal

_WORDS: Final = {"remixed_from_video_id": "made_from"}
"""Where a field of our video object has another name than `Wire.answers` has for it."""
_OF_A_FAILURE: Final = {"error_code": "code", "error_text": "message"}


def shown(video: Mapping[str, JSON], profile: Profile, call: str = "", **besides: JSON) -> dict[str, JSON]:
    """A video object in answer to *call*; *besides*: what it has by words of `Wire.answers`, such as `link`."""
    return wrapped(_object(video, profile, call, besides), profile)


def shown_page(page: Mapping[str, JSON], videos: Sequence[Mapping[str, JSON]], profile: Profile) -> dict[str, JSON]:
    """A page of the list, with *videos* as its rows. A list that is whole does not speak of other pages."""
    document: dict[str, JSON] = {}
    for name, value in page.items():
        if name == "data":
            put(document, profile.wire.answers["rows"][0], [_object(video, profile, "list", {}) for video in videos])
        elif name == "object" or not profile.wire.list_is_whole:
            document[name] = value
    return document


def shown_deletion(deleted: Mapping[str, JSON], profile: Profile) -> dict[str, JSON]:
    """The answer that a video is deleted."""
    face = profile.rehearsal.faces.get("delete", Face())
    return _without(deleted, face.leaves_out) | filled(face.adds, deleted)


def wrapped(document: dict[str, JSON], profile: Profile) -> dict[str, JSON]:
    """*document* where a reply has its video."""
    if not (paths := profile.wire.answers["video"]) or not profile.rehearsal.wraps:
        return document
    outer: dict[str, JSON] = {}
    put(outer, paths[0], document)
    return outer


def put(document: dict[str, JSON], path: str, value: JSON) -> None:
    """Set what stands at *path* in *document*, which grows as it must: `answers.at` finds it there."""
    here: Any = document
    steps = path.split(".")
    for step, then in zip(steps, [*steps[1:], ""], strict=True):
        below: Any = ([] if then.isdecimal() else {}) if then else value
        at: Any = int(step) if isinstance(here, list) else step
        if isinstance(here, list):
            here.extend([None] * (at + 1 - len(here)))
        if not then or not isinstance(_found(here, at), list | dict):
            here[at] = below
        here = here[at]


def _found(here: Any, at: Any) -> Any:
    return here[at] if isinstance(here, list) else here.get(at)


def _object(video: Mapping[str, JSON], profile: Profile, call: str, besides: Mapping[str, JSON]) -> dict[str, JSON]:
    rehearsal, answers = profile.rehearsal, profile.wire.answers
    faces = [rehearsal.faces[where] for where in (call, str(video["status"])) if where in rehearsal.faces]
    document = filled(_added(rehearsal, faces), video)
    left_out = [name for face in faces for name in face.leaves_out]
    for name, value in {**_without(_told(video, profile), left_out), **besides}.items():
        paths = answers.get(_WORDS.get(name, name), ())
        if paths or name not in document:
            put(document, paths[0] if paths else name, value)
    return document


def _added(rehearsal: Rehearsal, faces: Sequence[Face]) -> dict[str, JSON]:
    added = dict(rehearsal.adds)
    for face in faces:
        added = _without(added, face.leaves_out) | dict(face.adds)
    return added


def _without(document: Mapping[str, JSON], names: Collection[str]) -> dict[str, JSON]:
    return {name: value for name, value in document.items() if name not in names}


def _told(video: Mapping[str, JSON], profile: Profile) -> dict[str, JSON]:
    """What it says at all, in its words."""
    rehearsal = profile.rehearsal
    told = _without(video, rehearsal.leaves_out)
    if not video["id"]:  # a receipt that does not say for what
        del told["id"]
    if "status" in told:
        told["status"] = rehearsal.words.get(str(told["status"]), told["status"])
    if rehearsal.progress == "none":
        told.pop("progress", None)
    elif rehearsal.progress == "percent" and "progress" in told:
        told["progress"] = f"{told['progress']}%"
    if isinstance(error := told.get("error"), dict):
        del told["error"]
        told |= _failure(error, profile)
    return told


def _failure(error: Mapping[str, JSON], profile: Profile) -> dict[str, JSON]:
    """Why it failed, by words of `Wire.answers`."""
    if profile.rehearsal.failure is not None:
        return {"error": filled_in(profile.rehearsal.failure, error)}
    stated = {word: name for word, name in _OF_A_FAILURE.items() if profile.wire.answers[word]}
    told = {word: error.get(name) for word, name in stated.items()}
    return told if len(told) == len(_OF_A_FAILURE) else {"error": _without(error, stated.values()), **told}
