"""The POSTs of the `/v1/videos` dialect: a video from words, from an image, or from a video made before.

Rules with a source:
- `seconds` and `size` of a new video are always sent: where they are left out, a gateway may bill one length and render
  another (new-api issue 5498). A remix states neither: it has its source's (OpenAI's API reference, "Remix video").
- `seconds` is a string on the wire (OpenAI's API reference, "Create video"); an extension's is that of the new part.
- An image is a file part with a filename and a type, before `model` as the SDK sends it: without a filename it is taken
  for text and refused (openai-java issue 640). In JSON it is an object with a data URL.
- A remix and an extension are JSON whatever else the server takes: the reference shows them so, and an object such as
  `video` has no one form as a text part.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import TypeVar

from pipeline.model import JSON, Job, Link, Reference
from pipeline.profile import Profile
from pipeline.providers.base import Inputs, Request
from pipeline.providers.calls import path_of
from pipeline.providers.multipart import File, encode
from pipeline.wire import REFERENCE_JSON, Sent

V = TypeVar("V")

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_STATED: Mapping[Link | None, tuple[str, ...]] = {
    None: ("prompt", "model", "seconds", "size"),
    Link.REMIX: ("prompt",),
    Link.EXTEND: ("prompt", "seconds"),
    Link.EDIT: ("prompt",),
}
"""What each asks for; the rest is the source's."""
CALLS: Mapping[Link | None, str] = {None: "submit", Link.REMIX: "remix", Link.EXTEND: "extend", Link.EDIT: "edit"}


def submit_request(job: Job, profile: Profile, *, key: str, inputs: Inputs) -> Request:
    """The POST that asks for *job*. The same *key* and *inputs* give the same bytes.

    Raises `ValueError` where the job builds on what *inputs* lacks.
    """
    if job.link is not None and not inputs.video_id:
        raise ValueError(f"{job.id} builds on a video, and has none to build on")
    if job.link is None and job.reference is not None and not inputs.reference:
        raise ValueError(f"{job.id} builds on an image, and has none to build on")
    wire, call = profile.wire, CALLS[job.link]
    fields = wire_fields(job, profile, inputs.video_id)
    image = inputs.reference if job.reference is not None else b""
    encoding = (image and wire.body_with_reference) or wire.body
    if job.link is not None or encoding == "json":
        content_type, body = _as_json(fields, profile, job.reference, image)
    else:
        content_type, body = _as_multipart(fields, profile, job.reference, image, key)
    headers = {**wire.headers.get(call, {}), "content-type": content_type, "idempotency-key": key}
    path = path_of(call, profile, inputs.video_id)
    return Request(method="POST", path=path, query=wire.queries.get(call, {}), headers=headers, body=body)


def wire_fields(job: Job, profile: Profile, video_id: str = "") -> dict[str, JSON]:
    """What is asked for, field by field, in the SDK's order; then the profile's own, then `params`, and none of them
    over one of ours.

    An image is not among them: how it goes depends on the encoding. *video_id* is the source's.
    """
    own = {"prompt": job.prompt, "model": job.model, "seconds": job.seconds, "size": job.size}
    fields: dict[str, JSON] = {}
    for name in _STATED[job.link]:
        fields |= _sent(own[name], profile.wire.fields[name])
    if job.link in (Link.EXTEND, Link.EDIT):
        fields["video"] = {"id": video_id}
    besides = {**(profile.wire.constants if job.link is None else {}), **job.params}
    return fields | {name: value for name, value in besides.items() if name not in fields}


def _sent(value: str | float, how: Sent) -> dict[str, JSON]:
    """One of our fields as the server wants it."""
    if not how.name:
        return {}
    match how.form:
        case "integer" | "number" if isinstance(value, int | float):
            return {how.name: int(value) if value == int(value) else value}
        case "sides" if isinstance(value, str) and value.count("x") == 1:
            width, height = value.split("x")
            return {"width": int(width), "height": int(height)}
        case _:
            return {how.name: str(value).removesuffix(".0")}


def _as_json(
    fields: Mapping[str, JSON], profile: Profile, reference: Reference | None, image: bytes
) -> tuple[str, bytes]:
    if reference is not None and image:
        text = b64encode(image).decode("ascii")
        url = f"data:{reference.media_type};base64,{text}"
        form = profile.wire.reference_json
        fields = _after_prompt(fields, profile, _filled(REFERENCE_JSON if form is None else form, url, text))
    return "application/json", json.dumps(fields).encode()


def _filled(form: JSON, url: str, base64: str) -> JSON:
    """*form* with the image in its place."""
    if isinstance(form, dict):
        return {name: _filled(value, url, base64) for name, value in form.items()}
    if isinstance(form, list):
        return [_filled(value, url, base64) for value in form]
    return form.replace("{url}", url).replace("{base64}", base64) if isinstance(form, str) else form


def _as_multipart(
    fields: Mapping[str, JSON], profile: Profile, reference: Reference | None, image: bytes, key: str
) -> tuple[str, bytes]:
    parts: dict[str, str | File] = {name: _plain(value) for name, value in fields.items()}
    if reference is not None and image:
        name = f"reference.{_SUFFIXES.get(reference.media_type, 'bin')}"  # not its own: a new name is no new wish
        parts = _after_prompt(parts, profile, File(name=name, media_type=reference.media_type, content=image))
    return encode(parts, key=key)


def _after_prompt(fields: Mapping[str, V], profile: Profile, reference: V) -> dict[str, V]:
    """*fields* with the image in the SDK's place, and nothing else of its name."""
    prompt, image = (profile.wire.fields[name].name for name in ("prompt", "reference"))
    rest = {name: value for name, value in fields.items() if name not in (prompt, image)}
    return {prompt: fields[prompt], image: reference, **rest}


def _plain(value: JSON) -> str:
    """A field as a text part; what is no scalar goes as JSON."""
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value)
    return str(value)
