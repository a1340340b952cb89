"""OpenAI Batch lines as entries: `{"custom_id": …, "method": "POST", "url": "/v1/videos", "body": {…}}`. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.manifest.document import Path
from pipeline.manifest.fields import BATCH_METHOD, BATCH_URL, did_you_mean, shown
from pipeline.manifest.identity import ID_FORM, quick_slug
from pipeline.manifest.wording import Fault
from pipeline.model import JSON

NAMES: Final = ("custom_id", "method", "url", "body")
SETTINGS: Final = ("prompt", "model", "seconds", "size")
"""What the body says of the video itself; all else in it is sent as it is."""

_ID_BYTES_MAX = 80


def is_request(line: Mapping[str, JSON]) -> bool:
    """Whether *line* is one of a batch: it has three of the four names, so that one that is missing can be told."""
    return ("body" in line or "url" in line) and sum(name in line for name in NAMES) >= 3


def fields_of(line: Mapping[str, JSON]) -> dict[str, JSON]:
    """The fields of an entry that asks for the same as *line*, whose body is an object."""
    fields: dict[str, JSON] = {}
    name, body = line.get("custom_id"), line["body"]
    if isinstance(name, str) and name:
        if ID_FORM.fullmatch(name):
            fields["id"] = name
        else:
            fields |= {"id": quick_slug(name, bytes_max=_ID_BYTES_MAX), "meta": {"custom_id": name}}
    assert isinstance(body, dict), "what has no body is refused before"
    fields |= {name: body[name] for name in SETTINGS if name in body}
    params = {name: value for name, value in body.items() if name not in SETTINGS and name != "input_reference"}
    return {**fields, "params": params} if params else fields


def written_at(path: Path) -> Path:
    """Where the field at *path* of an entry stands in its line."""
    if not path:
        return path
    first, *rest = path
    if first in SETTINGS:
        return ("body", *path)
    if first == "params":
        return ("body", *rest)
    return ("custom_id",) if first in ("id", "meta") else path


def faults_of(line: Mapping[str, JSON]) -> Sequence[Fault]:
    """What is wrong with *line* as a request; its body is an entry and is judged as one."""
    faults = [_unknown(name) for name in line if name not in NAMES]
    for name, check in (("custom_id", _custom_id), ("method", _method), ("url", _url), ("body", _body)):
        if name in line:
            faults += check(line[name])
        else:
            faults.append(Fault(path=(), code="missing-field", message=f"missing: '{name}'"))
    return faults


class Takes:
    """Counts the lines that ask for the same: each is another take of it."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def number(self, fields: Mapping[str, Any]) -> int:
        """Which take of their wish *fields* ask for, from 1."""
        wish = hash(json.dumps([fields.get(name) for name in (*SETTINGS, "params")], sort_keys=True))
        self._seen[wish] += 1
        return self._seen[wish]


def _unknown(name: str) -> Fault:
    message = f"unknown key '{shown(name)}'{did_you_mean(name, NAMES) or '; fields of the video stand in body'}"
    return Fault(path=(name,), code="unknown-key", message=message, key=True)


def _custom_id(value: JSON) -> list[Fault]:
    if isinstance(value, str) and value:
        return []
    message = "custom_id is a text that tells this line from the others"
    return [Fault(path=("custom_id",), code="empty" if value == "" else "wrong-type", message=message)]


def _method(value: JSON) -> list[Fault]:
    return _other("method", value, BATCH_METHOD)


def _url(value: JSON) -> list[Fault]:
    return _other("url", value, BATCH_URL)


def _other(name: str, value: JSON, wanted: str) -> list[Fault]:
    if value == wanted:
        return []
    message = f"'{shown(value)}': only requests that make a video can be read here; they say \"{wanted}\""
    return [Fault(path=(name,), code="batch-request", message=message)]


def _body(value: JSON) -> list[Fault]:
    if not isinstance(value, dict):
        return [Fault(path=("body",), code="wrong-type", message='body is an object: {"prompt": "…"}')]
    if "input_reference" not in value:
        return []
    message = (
        "an image cannot be read from a batch line; put the job into a manifest of your own, with the image's file "
        "name as 'input_reference'"
    )
    return [Fault(path=("body", "input_reference"), code="batch-reference", message=message, key=True)]
