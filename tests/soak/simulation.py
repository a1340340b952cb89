"""T3: sequences of runs, deaths, lost answers, waits and words in virtual time, each held against the book."""

from __future__ import annotations

from tests.simulation.play import play
from tests.simulation.weather import Mishap
from tests.soak.proof import Proof

WHAT = "sequences of runs, deaths, lost answers, waits and words, in virtual time"
SIZE = 10_000


def prove(*, size: int, seed: int) -> Proof:
    """Play so many sequences."""
    played = play(size, seed)
    told = played.tally.figures
    lost = sum(told[mishap.value] for mishap in (Mishap.UNANSWERED, Mishap.CUT, Mishap.GARBLED, Mishap.FELL))
    figures: dict[str, object] = {
        "sequences": f"{told['sequences']:,}, {told['runs']:,} runs",
        "virtual hours": f"{told['virtual s'] / 3600:,.0f}",
        "deaths of a run": f"{told['deaths']:,}",
        "requests; refused, throttled, never arrived": (
            f"{told['requests']:,}; {told['refused']:,}, {told['throttled']:,}, {told['sunk']:,}"
        ),
        "answers that were lost or made no sense": f"{lost:,}",
        "videos sold": f"{told['videos sold']:,}",
        "stored; failed, expired, lost": (
            f"{told['stored']:,}; {told['failed']:,}, {told['expired']:,}, {told['lost']:,}"
        ),
        "of unknown outcome": f"{told['uncertain']:,}",
        "adopted; proven not created": f"{told['adopted']:,}; {told['not_created']:,}",
        "words of a person": f"{told['words of a person']:,}",
    }
    return Proof(figures=figures, faults=(played.words,) if played.failure else ())
