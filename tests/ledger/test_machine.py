"""Any order of facts, commits, crashes and resumptions, against a model of what was promised."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.errors import LedgerBroken
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.lifecycle import AFTER, BY_CONSENT, Fact, State
from tests.ledger.disks import ForgetfulDisk
from tests.ledger.histories import PRICE, clock, key, live, opened, planned

NUMBERS = st.integers(0, 4)
PROOFS = {Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY, Fact.NOT_CREATED}
MADE_NOTHING = PROOFS | {Fact.REJECTED}


class LedgerMachine(RuleBasedStateMachine):
    """What is true of a ledger between any two steps.

    `happened` is each job's facts as the caller gave them; `promised` how many of them a commit confirmed. After a
    crash, those that are left must be a beginning of `happened` that holds all that was promised.
    """

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="ledger-machine-"))
        self.lives = 0
        self.happened: dict[int, list[Fact]] = {}
        self.promised: dict[int, int] = {}
        self.posts: dict[int, int] = {}
        """POSTs that the provider took, whatever we know of them."""

    @initialize()
    def begin(self) -> None:
        self.disk = ForgetfulDisk()
        self.ledger = opened(self.path, self.disk)
        self.ledger.commit_now()

    @property
    def path(self) -> Path:
        return self.root / str(self.lives) / "ledger.jsonl"

    @rule(number=NUMBERS)
    def plan(self, number: int) -> None:
        planned(self.ledger, number)
        self.happened.setdefault(number, [])

    @rule(number=NUMBERS, data=st.data())
    def happen(self, number: int, data: st.DataObject) -> None:
        """Any fact that the table allows; but a POST goes out only after its intent was promised."""
        if number not in self.happened:
            return
        state = self.ledger.state.jobs[key(number)].state
        facts = sorted(fact for was, fact in AFTER if was is state)
        if not facts:
            return
        fact = data.draw(st.sampled_from(facts))
        live(self.ledger, number, fact)
        self.happened[number].append(fact)
        if fact is Fact.INTENT and data.draw(st.booleans()):
            self.commit()
            self.posts[number] = self.posts.get(number, 0) + 1
        if fact in MADE_NOTHING and self.posts.get(number, 0) > self.ledger.state.jobs[key(number)].submits:
            self.posts[number] -= 1  # the provider's word, or proof: nothing was made

    @rule()
    def commit(self) -> None:
        self.ledger.commit_now()
        self.promised = {number: len(facts) for number, facts in self.happened.items()}

    @rule(part=st.floats(0, 1))
    def crash(self, part: float) -> None:
        """The process ends; of what was written and not synced, a part is on the disk."""
        self.ledger.close()
        size = self.path.stat().st_size
        synced = self.disk.synced[self.path.stat().st_ino]
        self.resume(synced + round((size - synced) * part))

    @rule(torn=st.integers(0, 4000), part=st.floats(0, 1))
    def crash_in_a_commit(self, torn: int, part: float) -> None:
        """The power goes in the middle of a write."""
        self.disk.tearing = torn
        try:
            self.ledger.commit_now()
        except LedgerBroken:
            pass
        else:
            self.promised = {number: len(facts) for number, facts in self.happened.items()}
        self.disk.tearing = None
        self.crash(part)

    def resume(self, length: int) -> None:
        content = self.path.read_bytes()[:length]
        self.lives += 1
        self.path.parent.mkdir()
        self.path.write_bytes(content)
        before = read_run(self.path)
        self.disk = ForgetfulDisk()
        self.ledger = Ledger.open(self.path, now=clock(), disk=self.disk)
        settled = {job.key for job in self.ledger.settle_crash()}
        for number, facts in list(self.happened.items()):
            job = before.jobs.get(key(number))
            if job is None:
                assert number not in self.promised
                del self.happened[number]
                continue
            kept = self.kept(facts, job.state, self.promised.get(number, 0))
            assert kept is not None, f"what was promised of job {number} is gone"
            self.happened[number] = [*facts[:kept], *([Fact.UNCERTAIN] if key(number) in settled else [])]
        self.promised = {number: len(facts) for number, facts in self.happened.items()}

    def kept(self, facts: list[Fact], state: State, promised: int) -> int | None:
        """How many of *facts* lead to *state*, if that are all those promised."""
        return next((n for n in range(promised, len(facts) + 1) if follow(facts[:n]) is state), None)

    @invariant()
    def nothing_paid_becomes_pending_without_consent_or_proof(self) -> None:
        for facts in self.happened.values():
            for n, fact in enumerate(facts):
                was, then = follow(facts[:n]), follow(facts[: n + 1])
                if was in (State.UNCERTAIN, State.SUBMITTING, State.IN_FLIGHT) and then is State.PENDING:
                    assert fact in PROOFS | BY_CONSENT

    @invariant()
    def the_state_is_what_the_facts_add_up_to(self) -> None:
        for number, facts in self.happened.items():
            assert self.ledger.state.jobs[key(number)].state is follow(facts)

    @invariant()
    def submits_are_never_undercounted(self) -> None:
        for number, posts in self.posts.items():
            assert self.ledger.state.jobs[key(number)].submits >= posts

    @invariant()
    def money_and_counts_agree_with_the_jobs(self) -> None:
        if not hasattr(self, "ledger"):
            return
        state = self.ledger.state
        jobs = state.jobs.values()
        assert state.spent == sum(job.submits for job in jobs) * PRICE
        assert state.unpriced == 0
        assert all(state.counts[s] == sum(job.state is s for job in jobs) for s in State)

    @precondition(lambda self: self.lives > 3)
    @rule()
    def what_is_on_disk_can_be_read_by_anybody(self) -> None:
        read_run(self.path)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
        shutil.rmtree(self.root)


def follow(facts: list[Fact]) -> State:
    state = State.PENDING
    for fact in facts:
        state = AFTER[state, fact]
    return state


LedgerMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLedgerMachine = LedgerMachine.TestCase
