"""The image that a create may send along: what is kept of it, and whether it has the size of the video."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final

from pipeline.errors import MissingExtra
from pipeline.model import JSON
from pipeline.pictures import BadPicture, examine
from pipeline.sandbox.refusal import Refused, invalid

FIELD: Final = "input_reference"

_DATA_URL: Final = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+);base64,", re.ASCII)


def kept(content: bytes, content_type: str | None, filename: str | None = None) -> dict[str, JSON]:
    """An image by its digest and, where that can be told, its size in pixels. Blocks. Raises `Refused` (400)."""
    told: dict[str, JSON] = {} if filename is None else {"filename": filename}
    told |= {"content_type": content_type, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    try:
        return told | {"size": examine(content).size}
    except MissingExtra:
        return told
    except BadPicture as error:
        message = f"Invalid value for '{FIELD}': the image {error}. Expected a JPEG, PNG or WebP."
        raise invalid(FIELD, message, "invalid_value") from None


def of_object(reference: JSON) -> JSON:
    """The image in the data URL of a JSON object; what is no object is left to be refused as such. Blocks.

    Raises `Refused` (400) for a link and a `file_id`: nothing is fetched here, and no files are kept.
    """
    if not isinstance(reference, dict):
        return reference
    url = reference.get("image_url")
    head = _DATA_URL.match(url) if isinstance(url, str) else None
    if head is None or not isinstance(url, str) or len(reference) > 1:
        raise invalid(
            FIELD, f"Invalid value for '{FIELD}': this server takes 'image_url', a data URL.", "invalid_value"
        )
    try:
        content = base64.b64decode(url[head.end() :], validate=True)
    except binascii.Error:
        raise invalid(FIELD, f"Invalid value for '{FIELD}': the data URL is no base64.", "invalid_value") from None
    return kept(content, head["type"])


def check_size(reference: JSON, size: str) -> None:
    """Raise `Refused` (400), in the API's words, where an image has another size than the video."""
    if isinstance(reference, dict) and reference.get("size", size) != size:
        raise Refused(400, "Inpaint image must match the requested width and height")
