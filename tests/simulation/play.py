"""Playing many sequences from one seed; the same seed and size play the same again, in any process."""

from __future__ import annotations

from collections.abc import Sequence as Row
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import SimulationMachine, Tally

STEPS = 3
"""Runs, waits and words in a sequence, at most; calm runs follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the sequences came to."""

    tally: Tally = field(default_factory=Tally)
    failure: BaseException | None = None
    """What was found wrong, with the shortest sequence that shows it in its notes."""

    @property
    def words(self) -> str:
        """The failure and how to come by it, for a reader."""
        return "\n".join([str(self.failure), *_notes(self.failure)]) if self.failure else ""


def play(size: int, seed_of_all: int, *, shrinks: bool = True) -> Played:
    """Play at least *size* sequences, or until something is wrong; *shrinks*: then look for a shorter one."""
    tally = Tally()
    machine = type("Simulation", (SimulationMachine,), {"tally": tally})
    whole = settings(
        max_examples=size,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
    )
    # Hypothesis strews in constants from whatever modules are loaded: one seed would play one thing alone and
    # another after other tests.
    with patch.object(HypothesisProvider, "_maybe_draw_constant", lambda *_, **__: None, create=True):
        try:
            run_state_machine_as_test(seed(seed_of_all)(machine), settings=whole)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is a finding
            return Played(tally=tally, failure=failure)
    return Played(tally=tally)


def _notes(failure: BaseException) -> Row[str]:
    notes: Row[str] = getattr(failure, "__notes__", ())
    return notes
