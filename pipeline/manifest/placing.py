"""Where each video goes: the output template, with every value made portable before it enters the path. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from pipeline.manifest.identity import quick_slug
from pipeline.manifest.template import Template, written
from pipeline.model import JSON
from pipeline.naming import UnsafePath, portable_path

DEFAULT_PATH = "{{ group }}/{{ id }}.mp4"

_VALUE_BYTES_MAX = 80
_LEAVES = re.compile(r"^[/~]|^[A-Za-z]:|(?:^|/)\s*\.\.?\s*(?:/|$)|\\")


class Folders(str):
    """A group: its `/` make folders."""

    __slots__ = ()


@lru_cache(maxsize=10_000)
def portable(value: str) -> str:
    """*value* as one word of a path."""
    return quick_slug(value, bytes_max=_VALUE_BYTES_MAX)


@lru_cache(maxsize=10_000)
def portable_folders(value: str) -> str:
    """*value* as folders; empty ones vanish."""
    return "/".join(portable(part) for part in value.split("/") if part.strip())


def portable_value(value: Any) -> str:
    """Any variable's value as part of a path."""
    text = written(value)
    if isinstance(value, Folders):
        return portable_folders(text)
    return portable(text) if text else ""


class Placing:
    """An output template, read once. Raises `BadTemplate` or `UnsafePath` where no job could use it."""

    def __init__(self, text: str = DEFAULT_PATH) -> None:
        if _LEAVES.search(text):
            raise UnsafePath("it leaves the run's folder: write it relative, with '/', without '~', '.' or '..'")
        self.is_default = text.replace(" ", "") == DEFAULT_PATH.replace(" ", "")
        """It needs no variables."""
        self._template = Template(text, portable_value)

    @property
    def asked(self) -> Collection[str]:
        """The variables that it asks for."""
        return self._template.names

    def path(self, variables: Mapping[str, JSON], *, group: str, name: str) -> str:
        """Where the job called *name* goes. Raises `BadTemplate` or `UnsafePath`."""
        if self.is_default:
            folder, stem = portable_folders(group) if group else "", quick_slug(name, bytes_max=_VALUE_BYTES_MAX)
            path = f"{folder}/{stem}.mp4" if folder else f"{stem}.mp4"
            return path if len(stem) <= _VALUE_BYTES_MAX and len(folder) <= 60 else portable_path(path)
        return portable_path(self._template.render({**variables, "group": Folders(group), "id": name}))
