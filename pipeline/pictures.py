"""Pictures that a video begins with: what the bytes of one hold, and one brought to a size. Bytes in, bytes out.

Pillow decodes them. The bytes are a stranger's, so they are told by how they begin, never by a name; what they would
grow to is asked before they are decoded; and one is decoded at a time, for the sake of memory.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from pipeline.errors import MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

PIXELS_MAX = 50_000_000
SCANS_MAX = 50
"""A progressive JPEG is painted over so often; encoders make a dozen scans, and each may cost a tenth of a second."""
PARTS_MAX = 10_000
"""Of a JPEG; each costs a few microseconds, and a file could hold five million."""

CROP, PAD = "crop", "pad"
PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
_WORDS = {PNG: "PNG", JPEG: "JPEG", WEBP: "WebP"}
_OTHERS = (
    (re.compile(rb"GIF8"), "a GIF"),
    (re.compile(rb"BM"), "a BMP"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF"),
    (re.compile(rb"....ftyp(?:heic|heix|mif1|msf1)", re.DOTALL), "a HEIC"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "an AVIF"),
    (re.compile(rb"%PDF"), "a PDF"),
)
"""Pictures that people have, and that providers do not take."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
"""Where a part of a JPEG begins, with its length: within the data of a scan, no such byte stands after 0xFF."""
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_PROFILE_OF = {"RGB": b"RGB ", "L": b"GRAY"}
_ALONE = Lock()


class BadPicture(ValueError):
    """Bytes that are no picture that can be sent; the message says why, and goes on after the file's name."""


_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, EOFError, AttributeError),
    *(RuntimeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow's readers raise over damaged bytes; there is no class of its own for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is known of a picture."""

    media_type: str
    width: int
    height: int
    """In pixels, as it is shown: turned as its EXIF says."""

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


def examine(content: bytes) -> Picture:
    """What *content* holds, decoded to the end. Blocks. Raises `BadPicture`, and `MissingExtra` without Pillow."""
    media_type = _media_type(content)
    with _reading(media_type):
        image = _decoded(content, media_type)
        turned = image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    width, height = reversed(image.size) if turned else image.size
    return Picture(media_type=media_type, width=width, height=height)


def fitted(content: bytes, fit: str, size: tuple[int, int]) -> bytes:
    """The picture at *size* (width, height), in the same format and without metadata but its colour profile.

    `crop` covers the size and cuts what stands over, `pad` shows all of it between black bars; both keep the middle.
    The same bytes for the same Pillow. Blocks. Raises `BadPicture`, and `MissingExtra` without Pillow.
    """
    media_type = _media_type(content)
    with _reading(media_type):
        upright = _upright(_decoded(content, media_type))
        return _encoded(_cropped(upright, size) if fit == CROP else _padded(upright, size), media_type)


@contextmanager
def _reading(media_type: str) -> Iterator[None]:
    """One picture at a time, and what Pillow complains of in our words.

    Python's warnings are off meanwhile: Pillow warns of what is odd, and a picture is either good or bad.
    """
    try:
        from PIL.Image import DecompressionBombError
    except ImportError:
        raise MissingExtra("images", "a reference image") from None
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except BadPicture:
            raise
        except DecompressionBombError:  # the reader of a WebP asks before we can
            raise BadPicture(f"has more than {PIXELS_MAX:,} pixels") from None
        except _BROKEN as error:
            raise BadPicture(f"is a damaged {_WORDS[media_type]}: {str(error)[:100]}") from error


def _media_type(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    known = next((f" but {words}" for form, words in _OTHERS if form.match(content)), "")
    raise BadPicture(f"is no JPEG, PNG or WebP picture{known}")


def _decoded(content: bytes, media_type: str) -> ImageFile:
    """The picture with all its pixels, unless they are too many or too slow to come by."""
    if media_type == JPEG:
        _check_parts(content)
    image = _opened(content, media_type)
    width, height = image.size
    if width * height > PIXELS_MAX:
        raise BadPicture(f"has {width * height:,} pixels ({width}x{height}); {PIXELS_MAX:,} are the most")
    if getattr(image, "is_animated", False):
        raise BadPicture("is animated; a reference image is a single picture")
    image.load()
    return image


def _opened(content: bytes, media_type: str) -> ImageFile:
    """Its format's own reader, which knows no further pictures that a telephone hides in a JPEG."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    readers: dict[str, type[ImageFile]] = {PNG: PngImageFile, JPEG: JpegImageFile, WEBP: WebPImageFile}
    return readers[media_type](io.BytesIO(content))


def _check_parts(content: bytes) -> None:
    """Whether a JPEG takes no absurd time, up to its end; what may follow there, such as a film, is another's."""
    at, parts, scans = 2, 0, 0
    while (found := _MARKER.search(content, at)) and found.group() != b"\xff\xd9":
        parts += 1
        scans += found.group() == b"\xff\xda"
        if parts > PARTS_MAX or scans > SCANS_MAX:
            raise BadPicture("is a JPEG of absurdly many parts; save it anew")
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2])


def _upright(image: Image) -> Image:
    """*image* as it is shown, in a mode in which it can be scaled and saved."""
    from PIL import ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # 16 bits of grey
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _cropped(image: Image, size: tuple[int, int]) -> Image:
    from PIL import ImageOps
    from PIL.Image import Resampling

    return ImageOps.fit(image, size, method=Resampling.LANCZOS)


def _padded(image: Image, size: tuple[int, int]) -> Image:
    from PIL.Image import Resampling, new

    scale = min(size[0] / image.width, size[1] / image.height)
    width, height = (max(1, round(side * scale)) for side in image.size)
    canvas = new(image.mode, size, (0, 0, 0, 255) if image.mode == "RGBA" else 0)
    canvas.info = image.info
    canvas.paste(image.resize((width, height), Resampling.LANCZOS), ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


def _encoded(image: Image, media_type: str) -> bytes:
    from PIL.Image import getmodebase

    profile = image.info.get("icc_profile") or b""
    if profile[16:20] != _PROFILE_OF[getmodebase(image.mode)]:  # of the colours before they were converted
        profile = b""
    image.info = {}
    file = io.BytesIO()
    if media_type == JPEG:
        image.save(file, "JPEG", quality=95, subsampling=0, icc_profile=profile)
    elif media_type == WEBP:
        image.save(file, "WEBP", lossless=True, method=1, quality=20, icc_profile=profile)
    else:
        image.save(file, "PNG", icc_profile=profile or None)
    return file.getvalue()
