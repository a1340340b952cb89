"""The image that a create may send along: where it stands, what is kept of it, and whether it has the video's size."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.errors import MissingExtra
from pipeline.model import JSON
from pipeline.pictures import BadPicture, examine
from pipeline.sandbox.refusal import Refused, invalid
from pipeline.wire import REFERENCE_JSON

FIELD: Final = "input_reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a create has its image."""

    name: str
    """The field; empty: in none."""
    form: JSON
    """Of its value in JSON: `{url}` or `{base64}` stands where the image does."""

    def of_json(self, value: JSON) -> JSON:
        """The image in the value of a JSON field; what is no object where one belongs is left to be refused as such.

        Blocks. Raises `Refused` (400) for a link and a `file_id`: nothing is fetched here, and no files are kept.
        """
        if isinstance(self.form, dict) and not isinstance(value, dict):
            return value
        text, form = _at_image(self.form, value) or ("", "")
        if "{base64}" in form:
            return kept(self._decoded(_between(text, form, "{base64}")), None, field=self.name)
        url = _between(text, form, "{url}")
        head = _DATA_URL.match(url)
        if head is None:
            shape = json.dumps(self.form)
            wanted = "'image_url', a data URL" if self.form == REFERENCE_JSON else f"an image as {shape}"
            raise invalid(self.name, f"Invalid value for '{self.name}': this server takes {wanted}.", "invalid_value")
        return kept(self._decoded(url[head.end() :]), head["type"], field=self.name)

    def _decoded(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            message = f"Invalid value for '{self.name}': the data URL is no base64."
            raise invalid(self.name, message, "invalid_value") from None


_DATA_URL: Final = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+);base64,", re.ASCII)


def kept(
    content: bytes, content_type: str | None, filename: str | None = None, *, field: str = FIELD
) -> dict[str, JSON]:
    """An image by its digest and, where that can be told, its size in pixels. Blocks. Raises `Refused` (400)."""
    told: dict[str, JSON] = {} if filename is None else {"filename": filename}
    told |= {"content_type": content_type, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    try:
        return told | {"size": examine(content).size}
    except MissingExtra:
        return told
    except BadPicture as error:
        message = f"Invalid value for '{field}': the image {error}. Expected a JPEG, PNG or WebP."
        raise invalid(field, message, "invalid_value") from None


def _at_image(form: JSON, value: JSON) -> tuple[str, str] | None:
    """The text of *value* that stands where *form* has the image, and its form; `None`: *value* has another one."""
    if isinstance(form, str):
        return (value, form) if "{" in form and isinstance(value, str) else None
    pairs: Iterable[tuple[JSON, JSON]] = ()
    if isinstance(form, dict) and isinstance(value, dict) and form.keys() == value.keys():
        pairs = ((form[name], value[name]) for name in form)
    elif isinstance(form, list) and isinstance(value, list) and len(form) == len(value):
        pairs = zip(form, value, strict=True)
    return next((found for inner, there in pairs if (found := _at_image(inner, there))), None)


def _between(text: str, form: str, mark: str) -> str:
    """What *text* has in the place of *mark*."""
    before, _, behind = form.partition(mark)
    return text.removeprefix(before).removesuffix(behind)


def check_size(reference: JSON, size: str) -> None:
    """Raise `Refused` (400), in the API's words, where an image has another size than the video."""
    if isinstance(reference, dict) and reference.get("size", size) != size:
        raise Refused(400, "Inpaint image must match the requested width and height")
