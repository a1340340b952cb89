"""From a body to its fields: multipart or JSON, files by their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import anyio.to_thread

from pipeline.model import JSON
from pipeline.sandbox.reference import Place, kept
from pipeline.sandbox.refusal import Refused

KEPT_BYTES_MAX: Final = 64 * 1024
"""A longer value, such as a picture in a data URL, is kept by its digest."""


@dataclass(slots=True)
class _Part:
    """One part of a multipart body, as the parser comes by it."""

    headers: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)


async def read_fields(content_type: str, body: bytes, image: Place) -> dict[str, JSON]:
    """As `fields_of`, beside the event loop where there may be an image to look at."""
    if image.name and image.name.encode() in body:
        return await anyio.to_thread.run_sync(fields_of, content_type, body, image)
    return fields_of(content_type, body, image)


def fields_of(content_type: str, body: bytes, image: Place) -> dict[str, JSON]:
    """What *body*, multipart or JSON, says by field; an *image* is in its place. Raises `Refused` (400).

    A name that comes more than once holds a list.
    """
    if content_type.strip().lower().startswith("multipart/"):
        return _multipart(content_type, body, image)
    document = json_object(body)
    seen = {name: image.of_json(value) if name == image.name else value for name, value in document.items()}
    return {name: _kept(value) for name, value in seen.items()}


def json_object(body: bytes) -> dict[str, JSON]:
    """The JSON object in *body*. Raises `Refused` (400)."""
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "We could not parse the JSON body of your request.", problem="rejected") from None
    if not isinstance(document, dict):
        raise Refused(400, "The body must be a JSON object.", problem="rejected")
    return document


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is no JSON")


def _kept(value: JSON) -> JSON:
    if (isinstance(value, str) and len(value) < KEPT_BYTES_MAX) or isinstance(value, bool | int | float | None):
        return value
    written = json.dumps(value, sort_keys=True).encode()
    return value if len(written) <= KEPT_BYTES_MAX else _digest(written)


def _multipart(content_type: str, body: bytes, image: Place) -> dict[str, JSON]:
    fields: dict[str, JSON] = {}
    for part in _parts(content_type, body):
        options = _options(part.headers.get("content-disposition", ""))
        name = options.get("name", "")
        value: JSON = part.content.decode("utf-8", "replace")
        if "filename" in options:
            value = _file(part, name, options["filename"], image)
        if name in fields:
            earlier = fields[name]
            value = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        fields[name] = value
    return fields


@lru_cache(maxsize=512)
def _options(header: str) -> Mapping[str, str]:
    """The parameters of a header: the same few come with every create."""
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(header)
    return {name.decode("latin-1"): value.decode("utf-8", "replace") for name, value in options.items()}


def _file(part: _Part, name: str, filename: str, image: Place) -> JSON:
    content_type = part.headers.get("content-type")
    if name == image.name:
        return kept(bytes(part.content), content_type, filename, field=name)
    return {"filename": filename, "content_type": content_type, **_digest(part.content)}


def _digest(content: bytes | bytearray) -> dict[str, JSON]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _parts(content_type: str, body: bytes) -> Iterable[_Part]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser

    parts: list[_Part] = []
    name, value = bytearray(), bytearray()

    def end_of_header() -> None:
        parts[-1].headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
        name.clear()
        value.clear()

    try:
        parser = MultipartParser(
            _options(content_type).get("boundary", ""),
            {
                "on_part_begin": lambda: parts.append(_Part()),
                "on_header_field": lambda data, start, end: name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: value.extend(data[start:end]),
                "on_header_end": end_of_header,
                "on_part_data": lambda data, start, end: parts[-1].content.extend(data[start:end]),
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        message = f"We could not parse the multipart body of your request: {error}"
        raise Refused(400, message, problem="rejected") from None
    return parts
