"""A folder with a manifest in it, and what becomes of that: its jobs on one line each, or its issues."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import Wishes, load
from pipeline.model import Job, Manifest
from pipeline.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where the files of one test lie."""

    path: Path
    profiles: Mapping[str, Profile]

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Put *files* there, by name."""
        for name, content in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())

    def load(self, text: str, files: Mapping[str, str | bytes] | None = None, /, **wishes: object) -> Manifest:
        """The manifest `m.yaml` of this *text*, with *files* beside it."""
        self.write({**(files or {}), "m.yaml": text})
        return load(
            self.path / "m.yaml",
            find_profile=self.profiles.get,
            profile_names=sorted(self.profiles),
            wishes=Wishes(**wishes),  # type: ignore[arg-type]
        )

    def told(self, text: str, files: Mapping[str, str | bytes] | None = None, /, **wishes: object) -> list[str]:
        """Its jobs: id and prompt, and the seconds where they are not 4."""
        return [told(job) for job in self.load(text, files, **wishes).jobs]

    def issues(self, text: str, files: Mapping[str, str | bytes] | None = None, /, **wishes: object) -> list[str]:
        """What is wrong with it, as `file:line:column code message`."""
        with pytest.raises(InvalidManifest) as caught:
            self.load(text, files, **wishes)
        home = f"{self.path.as_posix()}/"
        return [f"{issue.position} {issue.code} {issue.message}".replace(home, "") for issue in caught.value.issues]

    def codes(self, text: str, files: Mapping[str, str | bytes] | None = None, /, **wishes: object) -> list[str]:
        """Where it is wrong, and in which way: `file:line:column code`."""
        return [" ".join(issue.split(" ")[:2]) for issue in self.issues(text, files, **wishes)]


def picture(mode: str, colour: int) -> bytes:
    """A picture of one *colour* in the size that jobs have here."""
    file = io.BytesIO()
    Image.new(mode, (1280, 720), colour).save(file, "PNG")
    return file.getvalue()


def told(job: Job) -> str:
    """A job on one line."""
    seconds = "" if job.seconds == 4 else f" | {job.seconds}s"
    return f"{job.id} | {job.prompt}{seconds}"
