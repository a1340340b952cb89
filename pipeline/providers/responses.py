"""The `/v1/responses` dialect: a POST to a model that makes videos, and the same POST to a model that hands them out.

- What is asked for the result is told by the id: it is base64 of `{"model": …, "id": …}` with the number of a channel
  behind it. It stays the id, whole; only its model is read.
- A look is a POST to where videos are bought. So it carries nothing but the id, and a model that the profile names as
  one that hands out (`result_models`); a profile where such a one could be one that makes is refused (`sense`).
- Mostly there is no status: the result is asked for until it comes. What comes is a document with the video as base64
  or with its URL, or its bytes.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from binascii import Error as NoBase64
from collections.abc import Collection, Mapping
from dataclasses import replace

from pipeline.profile import Profile
from pipeline.providers.base import Observation, Refusal, Reply, Request
from pipeline.providers.calls import path_of
from pipeline.providers.content_looks import read_look_at_content
from pipeline.providers.documents import DOCUMENT_BYTES_MAX, LOOK_BYTES
from pipeline.providers.replies import mapping, text
from pipeline.providers.results import folded
from pipeline.providers.videos import Videos

_CHANNEL = re.compile(r"channel[0-9]*$")


class Responses(Videos):
    """The dialect. Where nothing else is said here it is as the other one, with a wire of its own (`wire.SHAPES`)."""

    def look(self, video_id: str, profile: Profile) -> Request:
        return replace(self.content(video_id, profile), enough_bytes=LOOK_BYTES)

    def status(self, video_id: str, profile: Profile) -> None:  # noqa: ARG002 - it has no such call
        return None

    def read_look(self, reply: Reply, profile: Profile, video_id: str = "") -> Observation | Refusal:  # noqa: ARG002
        return read_look_at_content(reply, profile)

    def content(self, video_id: str, profile: Profile, variant: str = "") -> Request:
        if variant:
            return super().content(video_id, profile, variant)
        call, wire = profile.wire.content_in, profile.wire
        model, told = wire.fields["model"].name, wire.fields["prompt"].name
        makers = (*profile.models, profile.default_model)
        asked = {model: result_model(video_id, wire.result_models, makers), told: video_id}
        return Request(
            method="POST",
            path=path_of(call, profile, video_id),
            query=wire.queries.get(call, {}),
            headers={**wire.headers.get(call, {}), "content-type": "application/json"},
            body=json.dumps(asked).encode(),
            reply_bytes_max=DOCUMENT_BYTES_MAX,
        )


def result_model(video_id: str, result_models: Mapping[str, str], makers: Collection[str] = ()) -> str:
    """The model that is asked for the result of *video_id*; *makers* are some that make videos.

    By the model that the id names: its own entry, else the longest that it begins with (`*` fits any). Where none fits,
    the first there is: one that hands out makes nothing, and what it answers can be judged. Never the model that made
    the video, nor another that makes some, whatever the profile says: rather one that there is not.
    """
    model = model_in(video_id)
    fitting = [name for name in result_models if name.endswith("*") and model.startswith(name[:-1])]
    named = ([model] if model in result_models else []) + sorted(fitting, key=len, reverse=True)
    hands_out = (result_models[name] for name in (*named, *result_models))
    never = {folded(model), *map(folded, makers)}
    return next((asked for asked in hands_out if folded(asked) not in never), model and _none_such(model, never))


def _none_such(model: str, never: Collection[str]) -> str:
    """A name that is none of *never*."""
    asked = f"{model}-get"
    while folded(asked) in never:
        asked += "-get"
    return asked


def model_in(video_id: str) -> str:
    """The model that an id names; empty where it cannot be read."""
    code = _CHANNEL.sub("", video_id).rstrip("=").replace("+", "-").replace("/", "_")
    try:
        told = mapping(urlsafe_b64decode(code + "=" * (-len(code) % 4)))
    except (NoBase64, ValueError):
        return ""
    return text(told.get("model")) if told is not None else ""
