"""The person in front of it: what they decide, and what they must then not be surprised by."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from pipeline.ledger.resolve import resolve
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from tests.simulation.provider import Sale
from tests.simulation.sequence import Sequence

OPEN = (State.UNCERTAIN, State.SUBMITTING)
"""States of a job of which nobody knows whether its video was made."""


class Word(Enum):
    """What a person may say of an uncertain job."""

    FINDING = "what the console shows"  # the id, or that nothing was made
    NOTHING_MADE = "not created"  # whether that is so or not
    AGAIN = "resubmit"
    DROP = "drop"


class Person:
    """Says things about jobs, and keeps count of what follows from them, by job key."""

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self.said: Counter[Word] = Counter()
        self.asked_again: Counter[str] = Counter()
        """How often another attempt was asked for, of a job whose last one had ended."""
        self.risked: Counter[str] = Counter()
        """How often a job of unknown outcome was allowed to be paid for again."""
        self.given_up: Counter[str] = Counter()
        """Outcomes that nobody wanted to know."""
        self.disowned: set[str] = set()
        """Sales of which a person said that they are none, or that they do not matter."""
        self.denied: Counter[str] = Counter()
        """Sales that the person said were none."""

    def ask_again(self, states: frozenset[State]) -> None:
        """Note that the next run is told to `--retry` these."""
        for job in self._sequence.state.jobs.values():
            self.asked_again[job.key] += job.state in states

    def settle(self, word: Word, which: int) -> None:
        """Say *word* about one of the uncertain jobs, if there is any."""
        uncertain = [job for job in self._sequence.state.jobs.values() if job.state in OPEN]
        if not uncertain:
            return
        job = uncertain[which % len(uncertain)]
        orphan = next((sale for sale in self._sequence.sales_of(job) if sale.video_id not in self._sequence.ids), None)
        fact, video_id = _said(word, orphan)
        self._sequence.disk.boot()
        resolve(
            self._sequence.folder,
            [job.key],
            fact,
            video_id=video_id,
            now=self._sequence.times.now,
            disk=self._sequence.disk,
        )
        self._note(job, fact, orphan)
        self.said[word] += 1

    def _note(self, job: JobState, fact: Fact, orphan: Sale | None) -> None:
        self.risked[job.key] += fact in (Fact.RESUBMIT, Fact.NOT_CREATED)
        self.given_up[job.key] += fact is not Fact.ADOPTED and orphan is not None
        self.denied[job.key] += fact is Fact.NOT_CREATED and orphan is not None
        if fact is not Fact.ADOPTED and orphan is not None:
            self.disowned.add(orphan.video_id)
        if fact is Fact.ADOPTED and orphan is not None:
            self._sequence.known_s[orphan.video_id] = self._sequence.times.true_s


def _said(word: Word, orphan: Sale | None) -> tuple[Fact, str]:
    if word is Word.FINDING:
        return (Fact.NOT_CREATED, "") if orphan is None else (Fact.ADOPTED, orphan.video_id)
    return {Word.NOTHING_MADE: Fact.NOT_CREATED, Word.AGAIN: Fact.RESUBMIT, Word.DROP: Fact.DROPPED}[word], ""
