"""Keeping secrets out of what people paste: keys by their value, and whatever has a secret's shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from pipeline.spellings import SECRET_LENGTH_MIN, spellings

HIDDEN = "[redacted]"

_SECRET_NAME = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
_SECRET_OPTION = re.compile(rf"{_SECRET_NAME.pattern}|^--notify$", re.IGNORECASE)
"""An address of `--notify` is a secret by itself: whoever has it can write there."""
_PROVIDER_KEY = re.compile(r"(.*_)?API_(KEY|TOKEN)|VIDBATCH_(.*_KEY|NOTIFY)", re.IGNORECASE)
"""How the profiles call the variables of their keys; what is no command's business is beside it."""
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"""(authorization['"]?\s*[:=,]\s*(?:b?['"])?(?:(?:bearer|basic)\s+)?)[^\s'",;)\]}]+""", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"""(\bbearer\s+)(?!\[redacted\])[^\s'",;)\]}]+""", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_\-*.]{5,}"), HIDDEN),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@'\"]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (  # signed links: the stores of files that servers use all name these parameters so
        re.compile(
            r"([?&;][\w.-]*(?:sig|signature|token|key|secret|passw|credential|auth|policy|q-ak)[\w.-]*=)[^&\s'\"<>]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


_named: set[str] = set()
"""Variables that a manifest or a profile names as those of its key, whatever they are called."""


_told: set[str] = set()
"""Secrets by their value: what the command line named."""


def holds_secret(*values: str) -> None:
    """From now on these *values* are secret: in every message and report of this process."""
    _told.update(value for value in values if len(value.strip()) >= SECRET_LENGTH_MIN)


def holds_key(*names: str) -> None:
    """From now on the variables with these *names* are secret: in every message and report of this process."""
    _named.update(names)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values in *environ* that are secret by the name of their variable, or because it was named as a key's; and
    what `holds_secret` was told.
    """
    named = (
        value
        for name, value in environ.items()
        if (name in _named or _SECRET_NAME.search(name)) and len(value.strip()) >= SECRET_LENGTH_MIN
    )
    return (*named, *sorted(_told))


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """*environ* for somebody else's program: no variable that holds a provider's key, whatever it is called.

    What else is secret in it stays: the program may be there for that.
    """
    ours = {name for name in environ if name in _named or _PROVIDER_KEY.fullmatch(name)}
    keys = [key for name in ours if len(key := environ[name].strip()) >= SECRET_LENGTH_MIN]
    return {
        name: value for name, value in environ.items() if name not in ours and not any(key in value for key in keys)
    }


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """*text* without *secrets*, however they are written in it, and without anything shaped like one."""
    for spelling in _all_spellings(tuple(secrets)):
        text = text.replace(spelling, HIDDEN)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def redact_words(words: Sequence[str]) -> list[str]:
    """A command line without the values of options that are named like a secret."""
    shown: list[str] = []
    hide = False
    for word in words:
        name, equals, _ = word.partition("=")
        secret = bool(_SECRET_OPTION.search(name)) and word.startswith("-")
        shown.append(HIDDEN if hide else f"{name}={HIDDEN}" if secret and equals else word)
        hide = secret and not equals and not hide
    return shown


@lru_cache(maxsize=8)
def _all_spellings(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Every spelling of every secret, the longest first; made once, for a run redacts every line it shows."""
    values = {value for secret in secrets for value in (secret, secret.strip())}
    return tuple(sorted({s for value in values for s in spellings(value)}, key=len, reverse=True))
