"""Reference images: each file is read and examined once, and judged once for each size that a job wants of it."""

from __future__ import annotations

from dataclasses import replace

from pipeline.errors import MissingExtra
from pipeline.manifest.fields import shown
from pipeline.manifest.files import BadFile, Files
from pipeline.model import Reference
from pipeline.pictures import CROP, PAD, PIXELS_MAX, BadPicture, Picture, examine
from pipeline.text import plain

BYTES_MAX = 20 * 2**20


class Images:
    """The images that a manifest names; *fit* (`crop` or `pad`) brings all of another size to their job's.

    Their bytes are not held: *files* remembers where they are and what they were.
    """

    def __init__(self, files: Files, fit: str = "") -> None:
        self._files = files
        self._fit = fit
        self._examined: dict[str, tuple[Reference, Picture] | BadFile] = {}
        self._judged: dict[tuple[str, str, str], Reference | BadFile] = {}

    def reference(self, name: str, size: str, fit: str = "") -> Reference:
        """The image *name* for a job of *size* (`WIDTHxHEIGHT`; empty where it is not known), which asks for *fit*.

        Blocks. Raises `BadFile`, also without Pillow.
        """
        fit = self._fit or fit
        found = self._judged.get((name, size, fit))
        if found is None:
            found = self._judged[name, size, fit] = self._judge(name, size, fit)
        if isinstance(found, BadFile):
            raise BadFile(found.code, str(found))
        return found

    def _judge(self, name: str, size: str, fit: str) -> Reference | BadFile:
        known = self._known(name)
        if isinstance(known, BadFile):
            return known
        reference, picture = known
        if size in ("", picture.size):
            return reference
        if not fit:
            words = f"'{shown(name)}' is {picture.size}, the job {size}"
            remedy = f"let 'fit: {CROP}' or 'fit: {PAD}' do it, in the entry or in 'defaults', or --fit"
            return BadFile("image-size", f"{words}; make them alike, or {remedy}")
        width, _, height = size.partition("x")
        if int(width) * int(height) > PIXELS_MAX:
            words = f"'{shown(name)}' is not brought to {size}"
            return BadFile("image-size", f"{words}: {PIXELS_MAX:,} pixels are the most")
        return replace(reference, fit=fit)

    def _known(self, name: str) -> tuple[Reference, Picture] | BadFile:
        known = self._examined.get(name)
        if known is None:
            known = self._examined[name] = self._examine(name)
        return known

    def _examine(self, name: str) -> tuple[Reference, Picture] | BadFile:
        try:
            file, content = self._files.see(name, bytes_max=BYTES_MAX)
            picture = examine(content)
        except BadFile as fault:
            return fault
        except MissingExtra as error:
            return BadFile("missing-extra", str(error))
        except BadPicture as fault:
            return BadFile("bad-image", f"'{shown(name)}' {plain(str(fault))}")
        return Reference(name=name, sha256=file.sha256, media_type=picture.media_type), picture
