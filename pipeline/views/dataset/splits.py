"""Which split of a dataset a video belongs to: by a rule, or by lot. Pure.

The lot is a hash of the seed and the job's key, so that a video stays where it is when others come. With a field it is
one of the field's value: what has the same value, such as the takes of one prompt, stays together.

A remix shows what its source shows: a video that builds on another is where the first of its chain is, whatever its own
key, value or the rules say, so that nothing is tested on what it was trained on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from pipeline.errors import UsageError
from pipeline.manifest.fields import shown
from pipeline.views.rows import Row
from pipeline.views.where import Condition, chosen, parse, value_of

TRAIN: Final = "train"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RULE = re.compile(rf"({_NAME.pattern}):(.+)", re.DOTALL)
_HOW = "write train=0.9,test=0.1, or NAME:CONDITION such as test:group=night"


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """How videos are told apart; by itself, all of them are `train`."""

    shares: Mapping[str, Decimal] = field(default_factory=lambda: {TRAIN: Decimal(1)})
    """By lot, in this order. They add up to 1."""
    rules: Sequence[tuple[str, Condition]] = ()
    """These come first, and the first that holds counts."""
    seed: int = 0
    by: str = ""
    """The field whose value draws the lot; empty: the job's key."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all splits, each once."""
        return tuple(dict.fromkeys((*self.shares, *(name for name, _ in self.rules))))

    def of(self, row: Row) -> str:
        """The split that *row*, which builds on no other, belongs to."""
        by_rule = next((name for name, condition in self.rules if condition.holds(row)), "")
        return by_rule or self._drawn(row)

    def parts(self, rows: Sequence[Row], firsts: Mapping[str, Row]) -> dict[str, list[Row]]:
        """*rows* by split, in their order; a split that gets none is not there. Raises `UsageError`.

        *firsts*: by the key of a row that builds on another, the row that its chain begins with, one of *rows* or not.
        """
        decisive = [firsts.get(row.key, row) for row in rows]
        for _, condition in self.rules:
            chosen([*rows, *decisive], [condition])  # whether any row has such a field
        if self.by and all(value_of(row, self.by) is None for row in (*rows, *decisive)):
            raise UsageError(f"--split-by {shown(self.by)}: none of these jobs has such a field")
        found: dict[str, list[Row]] = {name: [] for name in self.names}
        for row, first in zip(rows, decisive, strict=True):
            found[self.of(first)].append(row)
        return {name: some for name, some in found.items() if some}

    def _drawn(self, row: Row) -> str:
        if len(self.shares) == 1:
            return next(iter(self.shares))
        what = json.dumps(value_of(row, self.by), sort_keys=True, default=str) if self.by else row.key
        digest = hashlib.sha256(f"{self.seed}\0{what}".encode("utf-8", "surrogatepass")).digest()
        lot, reached = Decimal(int.from_bytes(digest[:8])) / 2**64, Decimal(0)
        for name, share in self.shares.items():
            reached += share
            if lot < reached:
                return name
        return name


def splits_of(texts: Iterable[str], *, seed: int = 0, by: str = "") -> Splits:
    """What *texts* say, as `--split` takes them. Raises `UsageError`."""
    shares: dict[str, Decimal] = {}
    rules: list[tuple[str, Condition]] = []
    for text in texts:
        if rule := _RULE.fullmatch(text.strip()):
            rules.append((rule[1], parse(rule[2], option="--split")))
        elif shares:
            raise UsageError("--split: shares are given once, such as train=0.9,test=0.1")
        else:
            shares = _shares(text)
    if by and len(shares) < 2:
        raise UsageError("--split-by says by what --split NAME=SHARE,NAME=SHARE draws lots: give both")
    return Splits(shares=shares or {TRAIN: Decimal(1)}, rules=tuple(rules), seed=seed, by=by)


def _shares(text: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition("="))
        if name in found:
            raise UsageError(f"--split '{shown(text)}': {name} stands twice")
        if not _NAME.fullmatch(name) or (amount := _number(share)) is None:
            raise UsageError(f"--split '{shown(text)}': {_HOW}")
        if not 0 < amount <= 1:
            raise UsageError(f"--split '{shown(text)}': shares are fractions, such as 0.9")
        found[name] = amount
    if sum(found.values()) != 1:
        raise UsageError(f"--split '{shown(text)}': the shares have to add up to 1, and are {sum(found.values()):f}")
    return found


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
