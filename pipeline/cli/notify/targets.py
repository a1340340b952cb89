"""Where a notice goes: an address, or a command. From the command line and the environment alone."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from pipeline.errors import UsageError
from pipeline.loopback import is_loopback
from pipeline.text import plain

VARIABLE: Final = "VIDBATCH_NOTIFY"
"""Targets besides those of the command line, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An address that takes a POST."""

    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """What is shown of it: its path and its query may be all that keeps others from writing there."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/…"

    @property
    def secrets(self) -> Sequence[str]:
        """What must not be shown."""
        parts = urlsplit(self.url)
        return [self.url, self.url.partition(parts.netloc)[2], parts.path, parts.query]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments; no shell reads them."""

    words: tuple[str, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """What is shown of it: arguments may hold a secret."""
        return plain(Path(self.words[0]).name)

    @property
    def secrets(self) -> Sequence[str]:
        """Addresses among its arguments, as those of a `Hook`."""
        return [secret for word in self.words[1:] if _is_address(word) for secret in Hook(url=word).secrets]


Target: TypeAlias = Hook | Command


def targets_of(words: Sequence[str], environment: Mapping[str, str]) -> list[Target]:
    """The targets that the command line's *words* name, then those of the variable `VIDBATCH_NOTIFY`, each once.

    Raises `UsageError` where one can be none.
    """
    lines = environment.get(VARIABLE, "").splitlines()
    named = [*(("--notify", word) for word in words), *((VARIABLE, line) for line in lines if line.strip())]
    return list(dict.fromkeys(_target(text.strip(), source) for source, text in named))


def _target(text: str, source: str) -> Target:
    return Hook(url=_checked(text, source)) if _is_address(text) else _command(text, source)


def _is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _checked(url: str, source: str) -> str:
    """*url*, if a notice can go there; what is said of it does not repeat it. Raises `UsageError`."""
    if faults := list(_faults(url)):
        raise UsageError(f"{source}: the address {faults[0]}")
    return url


def _faults(url: str) -> Iterator[str]:
    if not url.isprintable() or " " in url or "\\" in url:
        yield "holds a blank, a line break or a backslash"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield "is no URL"
        return
    if not host:
        yield "names no host"
    elif parts.scheme == "http" and not is_loopback(host):
        yield f"is http://{plain(host)}/…, which everybody on the way can read; use https://, or a command"
    if parts.username is not None:
        yield "holds a password; let a command send it"


def _command(text: str, source: str) -> Command:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{source}: not a command: {str(error).lower()}") from None
    if not words or not words[0]:
        raise UsageError(f"{source}: neither an address nor a command")
    if shutil.which(words[0]) is None:
        scheme, is_url, rest = words[0].partition("://")
        name = f"{scheme}://{rest.partition('/')[0]}/…" if is_url else words[0]  # an address, misspelt
        raise UsageError(f"{source}: there is no program '{plain(name)}' (nor is it an address: https://…)")
    return Command(words=words)
