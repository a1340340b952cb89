"""Ids as a provider makes them: a pattern, and what differs from video to video. Chance is an argument."""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from random import Random
from string import ascii_letters, digits
from typing import Final

_DIFFERS: Final = re.compile(r"\{(?:(hex|alnum|digits)([1-9][0-9]{0,2})|(uuid|model))\}")
_WRAPPED: Final = re.compile(r"\{base64:(.*)\}", re.DOTALL)
_LETTERS: Final = {"hex": "0123456789abcdef", "alnum": ascii_letters + digits, "digits": digits}


def new_id(pattern: str, model: str, chance: Random) -> str:
    """An id after *pattern* of a video by *model*: see `Rehearsal.id`. Equal chances give equal ids."""

    def drawn(match: re.Match[str]) -> str:
        letters, count, word = match.groups()
        if word == "model":
            return model
        if word == "uuid":
            return str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return "".join(chance.choices(_LETTERS[letters], k=int(count)))

    return _WRAPPED.sub(_encoded, _DIFFERS.sub(drawn, pattern))


def _encoded(match: re.Match[str]) -> str:
    return b64encode(match[1].encode()).decode().rstrip("=")
