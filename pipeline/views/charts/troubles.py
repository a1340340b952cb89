"""What went wrong, and how often: by the fact, and by its code or the first words of its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Final

from pipeline.lifecycle import Fact
from pipeline.text import plain, plural
from pipeline.views.charts.chart import WIDTH, Chart, chart
from pipeline.views.charts.marks import CELL, area, box, label, shortened
from pipeline.views.charts.phases import WRONG

KINDS_MAX: Final = 8
WORDS_MAX: Final = 6
"""So much of a reason is its beginning; what follows is often an id."""
_PITCH: Final = 30.0
_BAR: Final = 9.0
_NAMES: Final[Mapping[Fact, str]] = {
    Fact.THROTTLED: "throttled",
    Fact.NOT_SENT: "not sent",
    Fact.TURNED_AWAY: "turned away",
    Fact.DOWNLOAD_FAILED: "download failed",
    Fact.MISSING: "file missing",
}
"""Of the facts whose own word is not plain English."""


def kinds_of(troubles: Mapping[tuple[str, Fact, str], int], jobs: Container[str]) -> Counter[str]:
    """How often what went wrong with *jobs*, by words."""
    kinds: Counter[str] = Counter()
    for (job, fact, cause), count in troubles.items():
        if job in jobs:
            kinds[_words(fact, cause)] += count
    return kinds


def _words(fact: Fact, cause: str) -> str:
    words = plain(cause).split()
    beginning = " ".join(words[:WORDS_MAX]).rstrip(",.:;") + ("…" if len(words) > WORDS_MAX else "")
    name = _NAMES.get(fact, fact.value)
    return f"{name}: {beginning}" if beginning else name


def troubles(kinds: Counter[str]) -> Chart:
    """A bar for each of *kinds* (at least one), the most frequent first, and one for all that are rare."""
    ranked = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    shown_max = KINDS_MAX if len(ranked) > KINDS_MAX + 1 else KINDS_MAX + 1
    bars, rest = ranked[:shown_max], ranked[shown_max:]
    if rest:
        bars.append((f"{len(rest):,} other kinds", sum(count for _, count in rest)))
    total = sum(kinds.values())
    return chart(
        "troubles",
        title="What went wrong",
        told=f"{plural(total, 'time')} in all. " + " ".join(f"{words}: {count:,}." for words, count in bars),
        height=_PITCH * len(bars),
        marks=[part for n, bar in enumerate(bars) for part in _bar(n, *bar, high=max(count for _, count in bars))],
        note=f"{plural(total, 'time')} in all; a job may be counted more than once.",
    )


def _bar(n: int, words: str, count: int, *, high: int) -> Sequence[str]:
    top, figures = _PITCH * n, f"{count:,}"
    room = WIDTH - (len(figures) + 1) * CELL
    return (
        label(0, top + 11, shortened(words, room)),
        label(WIDTH, top + 11, figures, "end"),
        area(WRONG, box(0, top + 16, max(1.0, WIDTH * count / high), top + 16 + _BAR), words),
    )
