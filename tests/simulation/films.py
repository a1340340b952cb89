"""The smallest films that pass for videos, each another one: written box by box, no encoder needed."""

from __future__ import annotations

import struct


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def film(label: str, weight: int = 3000) -> bytes:
    """An MP4 of one frame of *weight* bytes that is like no other *label*'s (ISO/IEC 14496-12)."""
    frame = (label.encode() + b"\0") * (weight // (len(label) + 1) + 1)
    head = _box(b"ftyp", b"isom\0\0\0\1isom")
    at = len(head) + len(_moov(0, weight)) + 8
    return head + _moov(at, weight) + _box(b"mdat", frame[:weight])


def _moov(at: int, weight: int) -> bytes:
    index = _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), _box(b"avc1", bytes(78))),
        _box(b"stts", struct.pack(">IIII", 0, 1, 1, 4000)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        _box(b"stsz", struct.pack(">III", 0, weight, 1)),
        _box(b"stco", struct.pack(">III", 0, 1, at)),
    )
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, 4000, 0, 0)),
        _box(b"hdlr", struct.pack(">II", 0, 0), b"vide", bytes(13)),
        _box(b"minf", index),
    )
    size = struct.pack(">II", 1280 << 16, 720 << 16)
    return _box(b"moov", _box(b"trak", _box(b"tkhd", bytes(76), size), media))
