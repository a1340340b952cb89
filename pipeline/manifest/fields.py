"""The fields of an entry by what they are, and names that look like one."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable
from functools import lru_cache

LINK_FIELDS = ("remix_of", "extend_of", "edit_of")
"""What names the video that another is made from."""

DATA_FIELDS = (
    *("id", "group", "prompt", "prompt_file", "model", "seconds", "size", "takes"),
    *("input_reference", "fit", *LINK_FIELDS),
)
"""What a column of a data file may set."""

MAPPING_FIELDS = ("params", "meta")
"""Fields that a column sets one name of: `params.seed`."""

NOT_OF_DATA = frozenset({"matrix", "sample", "from", "include"})
"""Words of a YAML manifest that would mean nothing in a row of data."""

NOT_HERE = "'{}' stands in a YAML manifest, which can take its rows from this file with 'from'"

BATCH_METHOD = "POST"
BATCH_URL = "/v1/videos"
"""What a line of an OpenAI batch says that makes a video."""

RESERVED = frozenset({"id", "group", "model", "seconds", "size", "take", "key"})
"""What templates call the job's own settings; no variable may take the name."""


_OTHERS_WORDS = {
    **dict.fromkeys(("caption", "text", "description", "prompttext"), "prompt"),
    **dict.fromkeys(("sec", "secs", "duration", "durations", "length"), "seconds"),
    **dict.fromkeys(("image", "img", "imagefile", "imagepath", "referenceimage", "firstframe"), "input_reference"),
    **dict.fromkeys(("resolution", "dimensions"), "size"),
    "seed": "params.seed",
    "negativeprompt": "params.negative_prompt",
}
"""Names that other tools have for a field, without their case and joints."""

_OTHERS_KEYS = {
    **_OTHERS_WORDS,
    **dict.fromkeys(("n", "num", "count", "repeat", "repeats", "variations"), "takes"),
    **dict.fromkeys(("variable", "variables"), "vars"),
}
"""The same for keys. A column that is called so may well be a count of the user's own."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word that *word* was probably meant to be; empty where none is near."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.7)
    return close[0] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'seconds'?`, or nothing."""
    near = suggestion(word, known)
    return f"; did you mean '{near}'?" if near else ""


def meant_key(word: str, known: Collection[str]) -> str:
    """Which of the *known* keys *word* was probably meant to be, or be below; empty where none is near."""
    others = _OTHERS_KEYS.get(_bare(word), "")
    return others if others.partition(".")[0] in known else suggestion(word, known)


@lru_cache(maxsize=1_000)
def near_miss(column: str) -> str:
    """The field whose name *column* misses by a letter, its case or its joints; empty for a name of its own."""
    bare = _bare(column)
    for name in (*DATA_FIELDS, *MAPPING_FIELDS):
        plain = name.replace("_", "")
        if bare == plain or (len(plain) >= 4 and _one_slip(bare, plain)):
            return name
    return ""


def others_word(column: str) -> str:
    """The field that a column of this name holds in other tools; empty where it is just a name."""
    return _OTHERS_WORDS.get(_bare(column), "")


def _bare(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name.lower())


def _one_slip(a: str, b: str) -> bool:
    """Whether one letter was left out, added, changed or swapped with its neighbour."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:] and len(rest_a) >= 2
    changed = rest_a[1:] == rest_b[1:] and len(b) > 4  # of four letters it is another word: site, side, beta
    return swapped or changed or rest_a[1:] == rest_b or rest_a == rest_b[1:]


def is_file_name(profile: str) -> bool:
    """Whether a *profile* is named by its file, not by its own name."""
    return "/" in profile or os.sep in profile or profile.lower().endswith((".yaml", ".yml"))


def shown(value: object) -> str:
    """*value* for a message: short, on one line, without control characters."""
    text = "".join(c if c.isprintable() else "·" for c in str(value)[:60])
    return text if len(str(value)) <= 40 else text[:39] + "…"
