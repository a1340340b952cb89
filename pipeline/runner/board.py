"""What the lanes of one run share: the ledger, who is where, and why we stop."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import anyio

from pipeline.chains import kept_until
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Value
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.limits import Limits
from pipeline.model import EMBEDDED, JSON
from pipeline.pacing import RenderTimes
from pipeline.policy.unknown import settles
from pipeline.policy.verdict import PATIENCE, Patience, Stop, Verdict
from pipeline.profile import Profile
from pipeline.progress import Kind, Notice, Observer, unfailing
from pipeline.providers.base import Dialect
from pipeline.runner.lanes import Agenda, Bell, Count, Gate, Load
from pipeline.runner.room import Room
from pipeline.runner.temper import Temper
from pipeline.runner.told import moved
from pipeline.runner.turns import Turns
from pipeline.storage import RunFolder
from pipeline.text import plural
from pipeline.transport import Transport


@dataclass(slots=True, kw_only=True)
class Watched:
    """A video that is being rendered, and what looking at it has told."""

    key: str
    video_id: str
    since_s: float
    """When this run began to watch it, by the monotonic clock: its deadline counts from here."""
    age_s: float
    """How old it was then, by the wall clock; 0 for what this run submitted."""
    away_s: float
    """How long nobody had answered the watch lane by then: such time does not count against its deadline."""
    unknown: int = 0
    unreadable: int = 0
    word: str = ""


@dataclass(slots=True, kw_only=True)
class Wanted:
    """A finished video on its way home."""

    key: str
    video_id: str


@dataclass(slots=True, kw_only=True)
class Board:
    """One run's shared state. Every method that is not a coroutine is quick and never waits."""

    ledger: Ledger
    folder: RunFolder
    profile: Profile
    dialect: Dialect
    transport: Transport
    limits: Limits
    origin: str
    observer: Observer
    now: Callable[[], datetime]
    chance: random.Random
    patience: Patience = PATIENCE
    max_duplicate_cost: Decimal | None = None
    """What may be paid twice for submits of unknown outcome; `None`: none of them is sent again."""
    repeats_keys: bool = True
    """Where the provider honours them. A repeated key may buy: not in a run that buys nothing."""
    spills: Sequence[Path] = ()
    """Where an answer is kept that the ledger does not take."""

    gate: Gate = field(init=False)
    room: Room = field(init=False)
    tempers: dict[str, Temper] = field(init=False)
    """By lane: `submit`, `watch`, `collect`."""
    turns: Turns = field(init=False)
    """What is to be submitted."""
    watching: Agenda[Watched] = field(default_factory=Agenda)
    backlog: Agenda[Wanted] = field(default_factory=Agenda)
    new_rows: list[Mapping[str, JSON]] = field(default_factory=list)
    """Of what was stored since `videos/metadata.jsonl` was last added to."""
    owners: dict[str, str] = field(default_factory=dict)
    """Whose an id is: video id to key."""
    renders: RenderTimes = field(default_factory=RenderTimes)
    bell: Bell = field(default_factory=Bell)
    posting: Count = field(init=False)
    looking: Count = field(init=False)
    fetching: Count = field(init=False)
    reserved: Decimal = Decimal(0)
    """Promised to submits that have passed the gate and have no intent on disk yet."""
    behind: str = ""
    """Why finished videos would expire before their turn to be fetched comes; empty while none would."""
    unpacking: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))
    """Documents that may hold a video are taken apart one at a time: each takes many times its bytes meanwhile."""
    shared: set[str] = field(default_factory=set)
    """Ids that more than one job was given."""
    on_stored: list[Callable[[str], object]] = field(default_factory=list)
    """Told of every job that is stored, by its key."""
    on_examined: list[Callable[[str], object]] = field(default_factory=list)
    """Told of every stored video that was decoded to its end, or as far as that went."""
    examines: bool = False
    """What is stored is examined in this run, as far as its time goes."""
    examining: bool = False
    """It is, still."""
    unsettled: dict[str, float] = field(default_factory=dict)
    """Jobs of unknown outcome that may still be settled in this run, and since when they are uncertain."""
    granted: dict[str, str] = field(default_factory=dict)
    """Uncertain jobs that are due again by leave to pay twice, and how it came to that. It is written down right before
    the submit: what is not sent after all (budget, disk, an interrupt) stays uncertain, and needs leave again.
    """
    settles: bool = False
    """Somebody is at work on these, and may succeed."""
    proving: Count = field(init=False)
    """Readings and replays under way, for their sake."""
    stop: Stop = Stop.NOTHING
    stopped: str = ""
    """Why; empty while nothing stops us."""
    interrupted: bool = False
    home: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """Around the lanes that can be left at any moment: watch and collect."""

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits)
        self.turns = Turns(self)
        self.tempers = {lane: Temper(self, lane) for lane in ("submit", "watch", "collect")}
        self.room = Room(self.folder.path, self.ledger.state, self.folder.disk)
        self.observer = unfailing(self.observer)
        self.owners = {job.video_id: job.key for job in self.ledger.state.jobs.values() if job.video_id}
        self.posting, self.looking, self.fetching, self.proving = (Count(self.bell.ring) for _ in range(4))
        self.settles = settles(self.profile, self.max_duplicate_cost, repeats_keys=self.repeats_keys)

    # --- who is where

    @property
    def load(self) -> Load:
        return Load(
            open_posts=self.posting.value,
            rendering=self.ledger.state.counts[State.IN_FLIGHT],
            backlog=len(self.backlog) + self.fetching.value,
            spent=self.ledger.state.spent + self.reserved,
            unpriced=self.ledger.state.unpriced,
            behind=bool(self.behind),
            settling=self.settling,
        )

    @property
    def submits_over(self) -> bool:
        """No submit will follow. What waits for a video that nobody watches any more waits for a later run."""
        coming = self.turns.some_wait and (len(self.watching) or self.looking.value)
        due = self.turns or self.posting.value or self.settling or coming
        return self.stop is not Stop.NOTHING or not due

    @property
    def watch_over(self) -> bool:
        busy = self.posting.value or self.settling or len(self.watching) or self.looking.value
        return self.submits_over and not busy

    @property
    def settling(self) -> bool:
        """What is uncertain may turn out to be a video to watch, or one to submit again."""
        return bool(self.proving.value or (self.unsettled and self.settles))

    @property
    def collect_over(self) -> bool:
        return self.watch_over and not len(self.backlog) and not self.fetching.value

    def job(self, key: str) -> JobState:
        return self.ledger.state.jobs[key]

    def is_due(self, key: str) -> bool:
        """Whether a job is to be submitted, still: what is uncertain by leave to pay twice alone."""
        return self.job(key).state is State.PENDING or key in self.granted

    @property
    def where(self) -> str:
        """The provider's address, for a person."""
        return "the sandbox of this run" if self.origin == EMBEDDED else self.origin

    # --- what happened

    def record(self, fact: Fact, key: str, /, **fields: Value) -> None:
        """Note a fact and tell the observer where it leads. Durable only after `ledger.commit`."""
        job = self.job(key)
        was = job.state
        self.ledger.record(fact, key, **fields)
        if fact is Fact.STORED:
            self.room.took(job.bytes or 0)
            for told in tuple(self.on_stored):
                told(key)
        if job.state is not was:
            self._mark_doubt(job, was)
            self.observer(moved(job, was, self.ledger.state))
            self.turns.heard(key)
        self.bell.ring()

    def doubt(self, key: str) -> None:
        """A job is uncertain, and may be settled."""
        self.unsettled[key] = anyio.current_time()

    def _mark_doubt(self, job: JobState, was: State) -> None:
        if job.state is State.UNCERTAIN:
            self.doubt(job.key)
        elif was is State.UNCERTAIN:
            self.unsettled.pop(job.key, None)
            self.granted.pop(job.key, None)

    def notice(self, lane: str, message: str, *, urgent: bool = False, kind: Kind = Kind.OTHER) -> None:
        self.observer(Notice(lane=lane, message=message, urgent=urgent, kind=kind))

    def watch(self, key: str, *, in_s: float, age_s: float) -> None:
        """Look at a job, which was accepted *age_s* ago, from *in_s* seconds on."""
        job = self.job(key)
        now_s = anyio.current_time()
        watched = Watched(
            key=key,
            video_id=job.video_id or "",
            since_s=now_s,
            age_s=age_s,
            away_s=self.tempers["watch"].away_s,
            word=job.word or "",
        )
        self.watching.add(watched, from_s=now_s + in_s)
        self.bell.ring()

    def want(self, key: str) -> None:
        """Fetch a finished job; the one that will be dropped first goes first."""
        wanted = Wanted(key=key, video_id=self.job(key).video_id or "")
        self.backlog.add(wanted, from_s=anyio.current_time(), rank=self.expires(key))
        self.bell.ring()

    def expires(self, key: str) -> float:
        """When the provider drops a finished video, as a UNIX time."""
        until = kept_until(self.job(key), self.profile.retention_s)
        return self.now().timestamp() + self.profile.retention_s if until is None else until.timestamp()

    def claim(self, video_id: str, key: str) -> None:
        """Note whose an id is. Two jobs with one id are one video paid for twice, or a provider in disorder."""
        owner = self.owners.setdefault(video_id, key)
        if owner != key:
            self.shared.add(video_id)
            names = f"{self.job(key).id} and {self.job(owner).id}"
            self.notice("submit", f"the provider gave {names} the same id, {video_id}: one video for both", urgent=True)

    # --- stopping

    def hope(self) -> None:
        """Somebody answers again: the other lanes need not wait long to find out for themselves."""
        for temper in self.tempers.values():
            temper.hope()
        self.bell.ring()

    def heed(self, verdict: Verdict, lane: str) -> None:
        """Do what a verdict says about the run as a whole."""
        if verdict.stop is Stop.RUN:
            self.leave(verdict.reason)
        elif verdict.stop is Stop.SUBMITS:
            self.buy_no_more(verdict.reason)
        elif verdict.pause_s >= 5.0:
            self.notice(lane, f"waiting {verdict.pause_s:.0f} s: {verdict.reason}")

    def mind_the_disk(self) -> None:
        """Buy no more where the disk could not take it."""
        if self.stop is Stop.NOTHING:
            squeezed = self.ledger.squeezed
            full = f"the disk is full ({squeezed}); what is bought is still written down, in the room kept for it"
            lack = full if squeezed else self.room.lack(anyio.current_time())
            if lack:
                self.buy_no_more(lack)

    def buy_no_more(self, reason: str) -> None:
        """No further submits; what was bought is brought home."""
        if self.stop is Stop.NOTHING:
            self.stop, self.stopped = Stop.SUBMITS, reason
            self.notice("submit", f"no more submits: {reason}", urgent=True, kind=Kind.STOPPED)
            self.bell.ring()

    def leave(self, reason: str) -> None:
        """No further requests; open POSTs are answered first."""
        if self.stop is not Stop.RUN:
            self.stop, self.stopped = Stop.RUN, self.stopped or reason
            if not self.interrupted:
                self.notice("run", f"stopping: {reason}", urgent=True, kind=Kind.ENDING)
            self.home.cancel()
            self.bell.ring()

    def interrupt(self) -> None:
        """A person asks us to stop."""
        self.interrupted = True
        count = self.ledger.state.counts[State.SUBMITTING]
        posts = plural(count, "open submit")
        message = f"interrupted: {posts} may take two minutes to be answered; once more leaves at once"
        self.notice("run", message if count else "interrupted", urgent=True, kind=Kind.ENDING)
        self.leave("interrupted")
