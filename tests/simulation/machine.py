"""The state machine: any order of runs, deaths, weathers, waits and words, and the oracle after each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from tests.simulation.oracle import check, check_calm, check_end, check_run
from tests.simulation.person import Person, Word
from tests.simulation.provider import ECHOES, House
from tests.simulation.sequence import Course, End, Lived, Sequence
from tests.simulation.weather import WEATHERS

CALM_RUNS_MAX = 4
SEEDS = st.integers(0, 2**32 - 1)
HOUSES = st.builds(
    House,
    lists=st.sampled_from([True, True, False]),
    honours_keys=st.sampled_from([False, False, True]),
    keys_s=st.sampled_from([86_400.0, 7200.0]),
    names_prompts=st.sampled_from([True, True, False]),
    echo=st.sampled_from(["whole", *ECHOES]),
    rewords=st.sampled_from([0.0, 0.0, 0.4]),
    renames=st.sampled_from([0.0, 0.0, 0.4]),
    busy=st.sampled_from([0.0, 0.0, 0.1]),
    quiet_s=st.sampled_from([0.0, 900.0, 900.0]),
    says_time=st.booleans(),
    page_rows=st.sampled_from([100, 3]),
    list_lag_s=st.sampled_from([0.0, 30.0]),
    id_lag_s=st.sampled_from([0.0, 20.0]),
    content_lag_s=st.sampled_from([0.0, 20.0]),
    keeps_s=st.sampled_from([7200.0, 3600.0]),
    says_expiry=st.booleans(),
    buries=st.booleans(),
    etag=st.sampled_from(['"{}"', 'W/"{}"', ""]),
    renders_s=st.sampled_from([60.0, 180.0, 600.0]),
    fails=st.sampled_from([0.0, 0.0, 0.2]),
    sticks=st.sampled_from([0.0, 0.0, 0.0, 0.1]),
)
LIMITS = st.builds(
    LimitsWish,
    in_flight=st.integers(1, 6),
    submits_per_minute=st.sampled_from([6.0, 60.0]),
    submit_slots=st.integers(1, 4),
    downloads=st.integers(1, 3),
)
RETRIES = (State.FAILED, State.EXPIRED, State.LOST, State.REJECTED, State.DROPPED)
OPERATIONS = st.sampled_from(range(1, 150))
MOMENTS = st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0, 8.0, 15.0, 22.0, 31.0, 45.0, 70.0, 100.0, 150.0, 400.0, 2000.0])
"""When a run is ended, after its start: most of it happens early."""
SPELLS = {
    "weather": st.sampled_from(sorted(WEATHERS)),
    "spell_s": st.sampled_from([120.0, 600.0, 3600.0, 4 * 3600.0]),
    "jump_s": st.sampled_from([0.0, 0.0, 0.0, 3600.0, -3600.0, 86400.0, -86400.0, -1.5e9]),
    "sleep_s": st.sampled_from([0.0, 0.0, 0.0, 3 * 3600.0]),
}
WISHES = {
    "retry": st.sets(st.sampled_from(RETRIES), max_size=2).map(frozenset),
    "limit": st.sampled_from([None, None, 2]),
}
DEATHS = {"loses": st.booleans()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """What happens between two runs."""

    wait_s: float
    forgets: str
    """What the provider forgets because it is started anew: nothing, its `list`, or its `work`."""
    word: Word | None
    """What a person says of an uncertain job, if there is one."""
    which: int


MEANWHILE = st.builds(
    Meanwhile,
    wait_s=st.sampled_from([0.0, 0.0, 30.0, 600.0, 3600.0, 4 * 3600.0]),
    forgets=st.sampled_from(["", "", "", "", "", "list", "list", "work"]),
    word=st.sampled_from([None, None, None, None, *Word]),
    which=st.integers(0, 4),
)


@dataclass(slots=True)
class Tally:
    """What all sequences came to."""

    figures: Counter[str] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)
    """Of each sequence: every request, and every record that is on disk."""


class SimulationMachine(RuleBasedStateMachine):
    """One sequence; at its end calm runs until nothing is left to do."""

    tally: ClassVar[Tally] = Tally()

    sequence: Sequence
    person: Person
    sound = False
    """Nothing was found wrong so far, so that the end is worth playing."""

    @initialize(house=HOUSES, limits=LIMITS, jobs=st.integers(1, 5), forbidden=st.integers(0, 1), seed=SEEDS)
    def begin(self, house: House, limits: LimitsWish, jobs: int, forbidden: int, seed: int) -> None:
        self.sequence = Sequence(house=house, limits=limits, jobs=jobs, forbidden=forbidden, seed=seed)
        self.person = Person(self.sequence)
        self.sequence.provider.sell_to_others("somebody else's cat")
        self.sequence.times.pass_by(house.quiet_s)
        self.sound = True

    # Every step is a run: hypothesis plays some rules far more often than others, and none must be played for nothing.

    @rule(meanwhile=MEANWHILE, course=st.builds(Course, seed=SEEDS, **SPELLS, **WISHES))
    def run(self, meanwhile: Meanwhile, course: Course) -> None:
        """One that ends by itself."""
        self._live(meanwhile, course)

    @rule(
        meanwhile=MEANWHILE,
        course=st.builds(Course, seed=SEEDS, **SPELLS, **DEATHS, end=st.just(End.KILLED), at_s=MOMENTS),
    )
    def die(self, meanwhile: Meanwhile, course: Course) -> None:
        """One that is killed at a moment, or the power goes."""
        self._live(meanwhile, course)

    @rule(
        meanwhile=MEANWHILE,
        course=st.builds(Course, seed=SEEDS, **SPELLS, **DEATHS, end=st.just(End.KILLED_AT_WORK), operation=OPERATIONS),
    )
    def die_at_work(self, meanwhile: Meanwhile, course: Course) -> None:
        """One that dies in an operation on the disk."""
        self._live(meanwhile, course)

    @rule(
        meanwhile=MEANWHILE,
        course=st.builds(
            Course, seed=SEEDS, **SPELLS, **WISHES, end=st.sampled_from([End.INTERRUPTED, End.CANCELLED]), at_s=MOMENTS
        ),
    )
    def stop(self, meanwhile: Meanwhile, course: Course) -> None:
        """One that a person stops."""
        self._live(meanwhile, course)

    def teardown(self) -> None:
        if not hasattr(self, "sequence"):
            return
        try:
            if self.sound:
                self._come_home()
        finally:
            self._count()
            self.sequence.close()

    def _come_home(self) -> None:
        """Calm runs until one changes nothing any more."""
        for n in range(CALM_RUNS_MAX):
            before = self.sequence.state.counts
            check_calm(self._run(Course(seed=n)))
            if self.sequence.state.counts == before:
                break
        check_end(self.sequence, self.person)

    def _live(self, meanwhile: Meanwhile, course: Course) -> None:
        self.sound = False
        self._pass_by(meanwhile)
        self._run(course)
        check(self.sequence, self.person)
        self.sound = True

    def _pass_by(self, meanwhile: Meanwhile) -> None:
        self.sequence.times.pass_by(meanwhile.wait_s)
        if meanwhile.forgets:
            self.sequence.restart_the_provider(meanwhile.forgets)
        if meanwhile.word is not None:
            self.person.settle(meanwhile.word, meanwhile.which)
            check(self.sequence, self.person)

    def _run(self, course: Course) -> Lived:
        self.person.ask_again(course.retry)
        lived = self.sequence.run(course)
        check_run(self.sequence, lived)
        return lived

    def _count(self) -> None:
        sequence, figures = self.sequence, self.tally.figures
        figures["sequences"] += 1
        figures["runs"] += len(sequence.lived)
        figures["virtual s"] += int(sequence.times.true_s)
        figures["deaths"] += sum(lived.died for lived in sequence.lived)
        figures["requests"] += sum(len(lived.requests) for lived in sequence.lived)
        figures["videos sold"] += sum(bool(sale.key) for sale in sequence.provider.book.values())
        figures["words of a person"] += sum(self.person.said.values())
        for lived in sequence.lived:
            figures.update(mishap.value for mishap in lived.mishaps.elements())
        figures.update(sequence.facts())
        self.tally.digests.append(sequence.digest)
