"""multipart/form-data (RFC 7578): text fields and files, the same bytes for the same fields and key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A field that is a file. Servers tell it from a text by its filename."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


def encode(fields: Mapping[str, str | File], *, key: str) -> tuple[str, bytes]:
    """The content type and the body. The boundary comes from *key*, so a repeated request repeats its bytes.

    Text parts carry no Content-Type, as the official SDK sends them: some gateways refuse them otherwise.
    """
    boundary = f"vidbatch-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    lines: list[bytes] = []
    for name, value in fields.items():
        lines.append(f"--{boundary}".encode())
        lines += _file(name, value) if isinstance(value, File) else _text(name, value)
    lines += [f"--{boundary}--".encode(), b""]
    return f"multipart/form-data; boundary={boundary}", b"\r\n".join(lines)


def _text(name: str, value: str) -> list[bytes]:
    return [f'Content-Disposition: form-data; name="{_quoted(name)}"'.encode(), b"", value.encode()]


def _file(name: str, file: File) -> list[bytes]:
    return [
        f'Content-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(file.name)}"'.encode(),
        f"Content-Type: {file.media_type}".encode(),
        b"",
        file.content,
    ]


def _quoted(name: str) -> str:
    """A field's name as browsers write it (WHATWG HTML, multipart form data)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
