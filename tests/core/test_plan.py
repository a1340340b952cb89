"""What an invocation will do, and where its videos go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.changes import Edit
from pipeline.forecast import duration_s, longest_chain
from pipeline.ledger.state import Wish
from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, State
from pipeline.limits import Limits
from pipeline.model import Job, Link, Position
from pipeline.naming import beside
from pipeline.plan import Action, Plan, make_plan
from pipeline.profile import Pace

FREE = Decimal(0)
WISH = Wish("a heron", "sora-2", 4, "1280x720")
UNKNOWN = {State.UNCERTAIN, State.SUBMITTING}
UNSENT = {State.PENDING, State.BLOCKED}
"""Nothing was sent for it: there is no file that it could be the name of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A job as the ledger has it."""

    id: str
    path: str
    state: State
    price: Decimal | None = FREE
    wish: Wish = WISH
    video_id: str = ""
    origin: str = ""
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    reason: str = ""


def job(n: int, path: str = "", *, name: str = "", group: str = "") -> Job:
    """The job with the n-th key."""
    return Job(
        key=f"{n:032x}"[::-1],
        id=name or f"job-{n}",
        prompt="a heron",
        model="sora-2",
        seconds=4,
        size="1280x720",
        group=group,
        path=path or f"job-{n}.mp4",
        position=Position(file="m.yaml", line=n + 1, column=1),
    )


def known(state: State, path: str) -> Known:
    return Known(id="", path=path, state=state)


def plan_of(
    jobs: list[Job],
    ledger: Mapping[str, Known] | None = None,
    *,
    on_disk: frozenset[str] = frozenset(),
    retry: frozenset[State] = frozenset(),
    only: str = "",
    limit: int | None = None,
    price: Decimal | None = FREE,
    unsettled: Mapping[str, str] | None = None,
) -> Plan:
    return make_plan(
        jobs,
        ledger or {},
        price_of=lambda _: price,
        occupied=lambda path: path in on_disk,
        retry=retry,
        only=only,
        limit=limit,
        unsettled=unsettled or {},
    )


def paths(plan: Plan) -> list[str]:
    return [step.job.path for step in plan.steps]


ROWS: list[tuple[State | None, str, str]] = [
    (None, "new", "new"),
    (State.PENDING, "new", "new"),
    (State.SUBMITTING, "uncertain", "uncertain"),
    (State.IN_FLIGHT, "resumes", "resumes"),
    (State.FINISHED, "resumes", "resumes"),
    (State.STALLED, "resumes", "resumes"),
    (State.STORED, "stored", "stored"),
    (State.UNCERTAIN, "uncertain", "uncertain"),
    (State.BLOCKED, "new", "new"),  # it stands alone here; what builds on another: TestChains
    (State.REJECTED, "ended", "retried"),
    (State.FAILED, "ended", "retried"),
    (State.EXPIRED, "ended", "retried"),
    (State.LOST, "ended", "retried"),
    (State.DROPPED, "ended", "retried"),
]
"""A job's state, what is done for it, and what if `--retry` names every state."""


@pytest.mark.parametrize(("state", "action", "retried"), ROWS)
def test_what_is_done_for_a_job_follows_from_its_state(state: State | None, action: str, retried: str) -> None:
    ledger = {} if state is None else {job(1).key: known(state, "job-1.mp4")}

    assert plan_of([job(1)], ledger).steps[0].action == action
    assert plan_of([job(1)], ledger, retry=frozenset(State)).steps[0].action == retried


def test_every_state_has_its_row_above() -> None:
    assert {state for state, _, _ in ROWS} == {None, *State}


def test_only_what_is_submitted_costs() -> None:
    jobs = [job(n) for n in range(4)]
    ledger = {
        jobs[1].key: known(State.STORED, "job-1.mp4"),
        jobs[2].key: known(State.FAILED, "job-2.mp4"),
        jobs[3].key: known(State.IN_FLIGHT, "job-3.mp4"),
    }

    assert plan_of(jobs, ledger, price=Decimal("0.40")).cost == Decimal("0.40")
    assert plan_of(jobs, ledger, price=Decimal("0.40"), retry=frozenset({State.FAILED})).cost == Decimal("0.80")
    assert plan_of(jobs, ledger, price=None).cost is None
    assert plan_of(jobs[1:2], ledger, price=None).cost == 0


def test_what_the_manifest_no_longer_asks_for_is_an_orphan() -> None:
    ledger = {job(n).key: known(State.STORED, f"job-{n}.mp4") for n in (1, 2)}

    plan = plan_of([job(1), job(3)], ledger, only="job-3")

    assert plan.orphans == (job(2).key,)
    assert [step.job.id for step in plan.steps] == ["job-3"]


@pytest.mark.parametrize(
    ("only", "limit", "ids"),
    [
        ("", None, ["a-heron", "a-tug", "b-heron"]),
        ("", 2, ["a-heron", "a-tug"]),
        ("", 0, []),
        ("", 99, ["a-heron", "a-tug", "b-heron"]),
        ("*-heron", None, ["a-heron", "b-heron"]),
        ("*-heron", 1, ["a-heron"]),
        ("coast", None, ["b-heron"]),
        ("A-*", None, []),  # as the shell: letters count
        ("nothing", None, []),
    ],
)
def test_only_and_limit_choose(only: str, limit: int | None, ids: list[str]) -> None:
    jobs = [job(1, name="a-heron"), job(2, name="a-tug"), job(3, name="b-heron", group="coast")]

    plan = plan_of(jobs, only=only, limit=limit)

    assert [step.job.id for step in plan.steps] == ids
    assert plan.left_out == 3 - len(ids)


class TestPaths:
    """Where a video goes: never over another."""

    def test_a_newcomer_has_its_own_name(self) -> None:
        assert paths(plan_of([job(1, "coast/fox.mp4")])) == ["coast/fox.mp4"]

    @pytest.mark.parametrize("state", sorted(set(State) - UNSENT))
    def test_a_newcomer_yields_to_what_was_sent_for(self, state: State) -> None:
        plan = plan_of([job(1, "fox.mp4")], {job(2).key: known(state, "fox.mp4")})
        assert paths(plan) == [beside("fox.mp4", job(1).key[:8])]

    def test_what_was_planned_but_never_sent_for_holds_no_name(self) -> None:
        plan = plan_of([job(1, "fox.mp4")], {job(2).key: known(State.PENDING, "fox.mp4")})
        assert paths(plan) == ["fox.mp4"]

    @pytest.mark.parametrize("held", ["FOX.mp4", "Fox.MP4", "fox.mp4"])
    def test_names_that_differ_in_case_are_one_name(self, held: str) -> None:
        plan = plan_of([job(1, "fox.mp4")], {job(2).key: known(State.STORED, held)})
        assert paths(plan) == [beside("fox.mp4", job(1).key[:8])]

    @pytest.mark.parametrize("state", [None, *sorted(UNSENT)])
    def test_a_file_that_the_ledger_does_not_know_is_left_alone(self, state: State | None) -> None:
        ledger = {} if state is None else {job(1).key: known(state, "fox.mp4")}
        plan = plan_of([job(1, "fox.mp4")], ledger, on_disk=frozenset({"fox.mp4"}))
        assert paths(plan) == [beside("fox.mp4", job(1).key[:8])]

    @pytest.mark.parametrize("state", sorted(set(State) - UNSENT))
    def test_what_was_sent_for_keeps_its_name(self, state: State) -> None:
        ledger = {job(1).key: known(state, "old.mp4"), job(2).key: known(State.STORED, "new.mp4")}
        plan = plan_of([job(1, "new.mp4")], ledger, on_disk=frozenset({"old.mp4"}))
        assert paths(plan) == ["old.mp4"]

    def test_a_retried_job_takes_its_name_again_unless_a_stranger_stands_there(self) -> None:
        ledger = {job(1).key: known(State.FAILED, "fox.mp4")}
        failed = frozenset({State.FAILED})
        assert paths(plan_of([job(1, "fox.mp4")], ledger, retry=failed)) == ["fox.mp4"]
        assert paths(plan_of([job(1, "fox.mp4")], ledger, retry=failed, on_disk=frozenset({"fox.mp4"}))) == [
            beside("fox.mp4", job(1).key[:8])
        ]

    def test_even_the_name_beside_is_not_taken_where_it_is_anothers(self) -> None:
        mine = job(1, "fox.mp4")
        first = beside("fox.mp4", mine.key[:8])
        ledger = {job(2).key: known(State.STORED, "fox.mp4"), job(3).key: known(State.STORED, first)}

        once = paths(plan_of([mine], ledger))
        twice = paths(plan_of([mine], ledger, on_disk=frozenset(once)))

        assert len({"fox.mp4", first, *once, *twice}) == 4

    def test_two_jobs_of_one_name_go_beside_each_other_in_order(self) -> None:
        jobs = [job(1, "fox.mp4"), job(2, "fox.mp4"), job(3, beside("fox.mp4", job(2).key[:8]))]
        made = paths(plan_of(jobs))
        assert made[:2] == ["fox.mp4", beside("fox.mp4", job(2).key[:8])]
        assert len(set(made)) == 3


class TestEdits:
    """A job that takes the place of one that the manifest asked for before."""

    OLD = Known(id="fox", path="fox.mp4", state=State.STORED, price=Decimal("0.40"), wish=WISH)

    @pytest.mark.parametrize("state", list(State))
    def test_a_new_job_with_an_orphans_id_is_an_edit_and_is_bought_beside_it(self, state: State) -> None:
        mine = replace(job(1, "fox.mp4", name="fox"), prompt="a tug", meta={"scene": 3})
        ledger = {job(2).key: replace(self.OLD, state=state)}

        plan = plan_of([mine], ledger, price=Decimal("0.80"))

        assert plan.counts == {Action.CHANGED: 1}
        assert plan.submits == plan.steps
        assert plan.cost == Decimal("0.80")
        assert paths(plan) == ["fox.mp4" if state in UNSENT else beside("fox.mp4", mine.key[:8])]
        change = plan.changes[mine.key]
        assert (change.was, change.was_id, change.was_price) == (job(2).key, "fox", Decimal("0.40"))
        assert change.edits == (
            Edit(field="prompt", old="a heron", new="a tug"),
            Edit(field="meta.scene", old=None, new=3),
        )
        assert plan.orphans == (job(2).key,)

    def test_it_stays_an_edit_until_it_was_sent_for(self) -> None:
        mine = replace(job(1, name="fox"), seconds=8)
        for state, action in ((State.PENDING, Action.CHANGED), (State.IN_FLIGHT, Action.RESUME)):
            ledger = {job(2).key: self.OLD, mine.key: replace(self.OLD, state=state)}
            assert plan_of([mine], ledger).steps[0].action is action

    def test_an_id_that_a_wish_of_the_manifest_has_had_is_no_edit(self) -> None:
        swapped = [job(1, name="fox"), job(2, name="heron")]
        plan = plan_of(swapped, {job(2).key: self.OLD})
        assert [step.action for step in plan.steps] == [Action.SUBMIT, Action.STORED]
        assert (plan.orphans, plan.renamed) == ((), 1)

    def test_what_is_left_out_is_an_edit_all_the_same(self) -> None:
        mine = replace(job(1, name="fox"), seconds=8)
        plan = plan_of([job(3, name="first"), mine], {job(2).key: self.OLD}, limit=1)
        assert [step.action for step in plan.steps] == [Action.SUBMIT]
        assert set(plan.changes) == {mine.key}


NEW, HELD = Action.SUBMIT, Action.HELD
WAITS, RESUME, STORED, ENDED = Action.WAITS, Action.RESUME, Action.STORED, Action.ENDED
UNSURE = {1: State.UNCERTAIN}


class TestWaiting:
    """What builds on a submit of unknown outcome, which nobody but a person can settle."""

    STORY = (job(1), *(replace(job(n), source=job(n - 1).key, link=Link.REMIX) for n in (2, 3)), job(4))

    def plan(self, states: Mapping[int, State], *, backwards: bool = False, settled: bool = False) -> Plan:
        return plan_of(
            list(self.STORY[::-1] if backwards else self.STORY),
            {job(n).key: replace(known(state, f"job-{n}.mp4"), id=f"job-{n}") for n, state in states.items()},
            price=Decimal("0.40"),
            retry=frozenset({State.FAILED}),
            unsettled={} if settled else {job(n).key: "a person is asked" for n, at in states.items() if at in UNKNOWN},
        )

    @pytest.mark.parametrize(
        ("states", "settled", "actions"),
        [
            (UNSURE, False, (HELD, WAITS, WAITS, NEW)),
            (UNSURE, True, (HELD, NEW, NEW, NEW)),
            ({1: State.SUBMITTING}, False, (HELD, WAITS, WAITS, NEW)),
            ({**UNSURE, 2: State.FAILED}, False, (HELD, WAITS, WAITS, NEW)),
            ({**UNSURE, 2: State.BLOCKED, 3: State.BLOCKED}, False, (HELD, WAITS, WAITS, NEW)),
            ({**UNSURE, 2: State.REJECTED}, False, (HELD, ENDED, NEW, NEW)),
            ({**UNSURE, 2: State.STORED}, False, (HELD, STORED, NEW, NEW)),
            ({**UNSURE, 2: State.IN_FLIGHT, 4: State.UNCERTAIN}, False, (HELD, RESUME, NEW, HELD)),
            ({1: State.STORED, 2: State.UNCERTAIN}, False, (STORED, HELD, WAITS, NEW)),
            ({4: State.UNCERTAIN}, False, (NEW, NEW, NEW, HELD)),
        ],
    )
    def test_all_that_builds_on_it_waits_and_is_not_paid_for(
        self, states: Mapping[int, State], settled: bool, actions: tuple[Action, ...]
    ) -> None:
        plan = self.plan(states, settled=settled)
        assert tuple(step.action for step in plan.steps) == actions
        assert {step.reason for step in plan.of(WAITS)} <= {"a person is asked"}
        assert {step.reason for step in plan.steps if step.action is not WAITS} == {""}
        assert [step.action for step in plan.submits] == [one for one in actions if one is NEW]
        assert plan.cost == Decimal("0.40") * actions.count(NEW)
        assert {step.action for step in self.plan(states, backwards=True, settled=settled).steps} == set(actions)

    def test_a_plan_without_buying_has_nothing_that_might_be_submitted(self) -> None:
        plan = self.plan({**UNSURE, 4: State.FINISHED}).without_buying()
        assert [step.job.id for step in plan.steps] == ["job-4"]
        assert plan.counts == {RESUME: 1}
        assert not plan.submits
        assert plan.cost == 0


names = st.sampled_from(["a.mp4", "b.mp4", "c.mp4", "A.mp4"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Job], dict[str, Known], frozenset[str]]:
    """A manifest, a ledger that vidbatch could have written (sent-for names are its jobs' own), files on disk."""
    numbers = draw(st.lists(st.integers(0, 7), unique=True))
    jobs = [job(n, draw(names)) for n in numbers]
    ledger: dict[str, Known] = {}
    for n in draw(st.lists(st.integers(0, 9), unique=True)):
        name = draw(names)
        taken = {one.path.casefold() for one in ledger.values() if one.state not in UNSENT}
        path = name if name.casefold() not in taken else beside(name, job(n).key[:8])
        ledger[job(n).key] = known(draw(st.sampled_from(State)), path)
    return jobs, ledger, frozenset(draw(st.sets(names)))


@given(situations(), st.sets(st.sampled_from(sorted(ENDED_WITHOUT_VIDEO))), st.none() | st.integers(0, 8))
def test_no_video_ever_goes_where_another_is(
    situation: tuple[list[Job], dict[str, Known], frozenset[str]], retry: set[State], limit: int | None
) -> None:
    jobs, ledger, on_disk = situation
    plan = plan_of(jobs, ledger, on_disk=on_disk, retry=frozenset(retry), limit=limit)

    planned = {step.job.key: step.job.path.casefold() for step in plan.steps}
    others = {one.path.casefold() for key, one in ledger.items() if key not in planned and one.state not in UNSENT}
    assert len(set(planned.values())) == len(planned)
    assert not others & set(planned.values())
    assert not {step.job.path for step in plan.submits} & on_disk
    assert sum(plan.counts.values()) == len(plan.steps)


@given(situations(), st.integers(0, 8))
def test_the_same_asked_again_is_the_same_plan(
    situation: tuple[list[Job], dict[str, Known], frozenset[str]], limit: int
) -> None:
    jobs, ledger, on_disk = situation
    plan = plan_of(jobs, ledger, on_disk=on_disk, limit=limit)
    written = ledger | {
        step.job.key: known(ledger[step.job.key].state if step.job.key in ledger else State.PENDING, step.job.path)
        for step in plan.steps
    }

    again = plan_of(jobs, written, on_disk=on_disk, limit=limit)

    assert again.steps == plan.steps
    assert again.left_out == plan.left_out


@pytest.mark.parametrize(
    ("submits", "resumes", "seconds"),
    [
        (0, 0, 0.0),
        (1, 0, 100.0),
        (4, 0, 106.0),  # two seconds between two submits
        (0, 4, 100.0),
        (5, 0, 200.0),  # four at once
        (0, 9, 300.0),
        (301, 0, 7600.0),
    ],
)
def test_a_runs_length_is_foretold_from_its_limits(submits: int, resumes: int, seconds: float) -> None:
    limits = Limits(in_flight=4, submits_per_minute=30.0)
    assert duration_s(submits, resumes, limits, Pace(typical_s=100.0)) == seconds


def test_a_run_takes_as_long_as_its_longest_chain() -> None:
    limits, pace = Limits(in_flight=8, submits_per_minute=60.0), Pace(typical_s=100.0)
    assert duration_s(3, 0, limits, pace, chain=3) == 302.0


@pytest.mark.parametrize(
    ("states", "length"),
    [
        ({}, 3),
        ({1: State.STORED}, 2),
        ({1: State.IN_FLIGHT}, 3),
        ({1: State.STORED, 2: State.STORED}, 1),
        ({1: State.STORED, 2: State.STORED, 3: State.STORED}, 1),
    ],
)
def test_a_chain_is_as_long_as_what_is_still_to_come_of_it(states: dict[int, State], length: int) -> None:
    story = [job(1), *(replace(job(n), source=job(n - 1).key, link=Link.REMIX) for n in (2, 3)), job(4)]
    ledger = {job(n).key: known(state, f"job-{n}.mp4") for n, state in states.items()}
    for jobs in (story, story[::-1]):
        assert longest_chain(plan_of(jobs, ledger).steps) == length
