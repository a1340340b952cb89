"""Which profile a manifest means: by its name, by its file, or the one that it was run with before."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.document import Place
from pipeline.manifest.fields import did_you_mean, is_file_name, shown
from pipeline.manifest.files import BadFile, Files
from pipeline.model import Issue
from pipeline.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The profiles there are for one manifest."""

    find: Callable[[str], Profile | None]
    """By its name, or by its file from the working folder."""
    names: Sequence[str]
    files: Files
    folder: pathlib.Path
    """The manifest's."""
    refuse: Callable[[Sequence[Issue]], None]
    """Is given what is wrong in a profile's own file."""
    kept: Profile | None = None
    """What the manifest was run with: nothing is looked for then."""

    def named(self, name: str, place: Place | None) -> Profile | None:
        """The profile *name*, as the manifest says at *place* (`None`: somebody else does); `None`: that is an issue.

        Raises `UsageError` for what the manifest does not say.
        """
        try:
            profile = self.kept or self.find(name if place is None else self._from_here(name))
        except BadFile as fault:
            assert place is not None, "only a manifest's files are looked for in a folder"
            place.about(fault.code, str(fault))
            return None
        except InvalidManifest as refused:
            self.refuse(refused.issues)
            return None
        if profile is None:
            message = f"there is no provider '{shown(name)}'{did_you_mean(name, self.names)}"
            if place is None:
                raise UsageError(f"{message} (known: {', '.join(self.names)})")
            place.about("unknown-profile", message)
        return profile

    def _from_here(self, name: str) -> str:
        """A file that the manifest names, from the working folder. Raises `BadFile`."""
        if not is_file_name(name):
            return name
        self.files.find(name)
        return str(self.folder / name)
