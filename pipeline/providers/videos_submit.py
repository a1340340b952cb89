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
from urllib.parse import quote

from pipeline.model import JSON, Job, Link, Profile, Reference
from pipeline.providers.base import Inputs, Request
from pipeline.providers.multipart import File, encode

V = TypeVar("V")

_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def submit_request(job: Job, profile: Profile, *, key: str, inputs: Inputs) -> Request:
    """The POST that asks for *job*. The same *key* and *inputs* give the same bytes.

    Raises `ValueError` where the job builds on what *inputs* lacks.
    """
    if job.link is not None and not inputs.video_id:
        raise ValueError(f"{job.id} builds on a video, and has none to build on")
    if job.link is None and job.reference is not None and not inputs.reference:
        raise ValueError(f"{job.id} builds on an image, and has none to build on")
    match job.link:
        case Link.REMIX:
            path = f"{video_path(inputs.video_id)}/remix"
        case Link.EXTEND:
            path = "/videos/extensions"
        case None:
            path = "/videos"
    fields = wire_fields(job, inputs.video_id)
    if job.link is not None or profile.body == "json":
        content_type, body = _as_json(fields, job.reference, inputs.reference)
    else:
        content_type, body = _as_multipart(fields, job.reference, inputs.reference, key)
    headers = {"content-type": content_type, "idempotency-key": key}
    return Request(method="POST", path=path, headers=headers, body=body)


def wire_fields(job: Job, video_id: str = "") -> dict[str, JSON]:
    """What is asked for, field by field, in the SDK's order; `params` last and never over one of ours.

    An image is not among them: how it goes depends on the encoding. *video_id* is the source's.
    """
    seconds = str(job.seconds).removesuffix(".0")
    fields: dict[str, JSON]
    match job.link:
        case Link.REMIX:
            fields = {"prompt": job.prompt}
        case Link.EXTEND:
            fields = {"prompt": job.prompt, "seconds": seconds, "video": {"id": video_id}}
        case None:
            fields = {"prompt": job.prompt, "model": job.model, "seconds": seconds, "size": job.size}
    return fields | {name: value for name, value in job.params.items() if name not in fields}


def video_path(video_id: str) -> str:
    """The path of a video: its id as one segment, whatever it holds."""
    segment = quote(video_id, safe="", errors="surrogatepass")
    return f"/videos/{segment if segment.strip('.') else segment.replace('.', '%2E')}"  # `..` would climb


def _as_json(fields: Mapping[str, JSON], reference: Reference | None, image: bytes) -> tuple[str, bytes]:
    if reference is not None and image:
        url = f"data:{reference.media_type};base64,{b64encode(image).decode('ascii')}"
        fields = _after_prompt(fields, {"image_url": url})
    return "application/json", json.dumps(fields).encode()


def _as_multipart(fields: Mapping[str, JSON], reference: Reference | None, image: bytes, key: str) -> tuple[str, bytes]:
    parts: dict[str, str | File] = {name: _plain(value) for name, value in fields.items()}
    if reference is not None and image:
        name = f"reference.{_SUFFIXES.get(reference.media_type, 'bin')}"  # not its own: a new name is no new wish
        parts = _after_prompt(parts, File(name=name, media_type=reference.media_type, content=image))
    return encode(parts, key=key)


def _after_prompt(fields: Mapping[str, V], reference: V) -> dict[str, V]:
    """*fields* with the image in the SDK's place, and nothing else of its name."""
    rest = {name: value for name, value in fields.items() if name not in ("prompt", "input_reference")}
    return {"prompt": fields["prompt"], "input_reference": reference, **rest}


def _plain(value: JSON) -> str:
    """A field as a text part; what is no scalar goes as JSON."""
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value)
    return str(value)
