"""The profiles that one person has: those that ship with vidbatch, those in a folder of one's own, and any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.manifest.fields import is_file_name
from pipeline.profile import Profile
from pipeline.providers.registry import find_profile, profile_names


def own_folder(environment: Mapping[str, str]) -> Path | None:
    """Where a person's own profiles are looked for; `None` where the environment has no home."""
    config = Path(environment.get("XDG_CONFIG_HOME", ""))
    if config.is_absolute():
        return config / "vidbatch" / "profiles"
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) / ".config" / "vidbatch" / "profiles" if home else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What there is to choose from."""

    folder: Path | None = None
    """Of a person's own profiles: `NAME.yaml` each."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Catalogue:
        """The catalogue of whoever has this *environment*."""
        return cls(folder=own_folder(environment))

    def own_names(self) -> Sequence[str]:
        """The names of this person's own profiles, in order."""
        if self.folder is None or not self.folder.is_dir():
            return ()
        return sorted(path.stem for path in self.folder.glob("*.yaml") if path.is_file())

    def names(self) -> Sequence[str]:
        """Every name there is, in order."""
        return sorted({*profile_names(), *self.own_names()})

    def find(self, name: str) -> Profile | None:
        """The profile called *name*, or in the file *name*; `None` where there is none of this name.

        Raises `UsageError` where a file is not there, and `InvalidManifest` with every issue in one of a person's own.
        """
        path = Path(name) if is_file_name(name) else self._place(name)
        if path is None:
            return find_profile(name)
        from pipeline.providers.own import read_own

        called = "" if is_file_name(name) else name
        return read_own(path, place=self._place, names=self.names(), called=called)

    def _place(self, name: str) -> Path | None:
        """The file of a person's own profile of that name."""
        return self.folder / f"{name}.yaml" if name in self.own_names() and self.folder is not None else None
