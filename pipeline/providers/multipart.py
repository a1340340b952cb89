"""multipart/form-data (RFC 7578), text fields only, the same bytes for the same fields and key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def encode(fields: Mapping[str, str], *, key: str) -> tuple[str, bytes]:
    """The content type and the body. The boundary comes from *key*, so a repeated request repeats its bytes.

    Text parts carry no Content-Type, as the official SDK sends them: some gateways refuse them otherwise.
    """
    boundary = f"vidbatch-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    lines: list[bytes] = []
    for name, value in fields.items():
        lines += [
            f"--{boundary}".encode(),
            f'Content-Disposition: form-data; name="{_quoted(name)}"'.encode(),
            b"",
            value.encode(),
        ]
    lines += [f"--{boundary}--".encode(), b""]
    return f"multipart/form-data; boundary={boundary}", b"\r\n".join(lines)


def _quoted(name: str) -> str:
    """A field's name as browsers write it (WHATWG HTML, multipart form data)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
