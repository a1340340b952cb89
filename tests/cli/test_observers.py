"""What the observers show, on fake clocks and into strings."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline.cli.observers import Several, Watcher, choose_observer, keep_beating, run_log
from pipeline.cli.observers.json_lines import JsonLines
from pipeline.cli.observers.lines import Lines, Quiet
from pipeline.cli.observers.log import RunLog, log_line
from pipeline.cli.observers.tally import Tally, time_left_s
from pipeline.disk import Disk
from pipeline.lifecycle import State
from pipeline.progress import Deleted, Ended, Event, Moved, Notice, Received, Started

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def started(*, pending: int = 10, stored: int = 0, budget: str | None = "40") -> Started:
    return Started(
        run="harbour",
        folder="outputs/harbour",
        provider="sandbox",
        counts={State.PENDING: pending, State.STORED: stored},
        to_submit=pending,
        planned_cost=Decimal("0.80") * pending,
        spent=Decimal("1.6"),
        budget=None if budget is None else Decimal(budget),
        currency="USD",
        origin="http://127.0.0.1:8700/v1",
    )


def moved(id_: str, was: State, state: State, spent: str = "2.40", reason: str = "") -> Moved:
    return Moved(id=id_, key="0" * 32, was=was, state=state, spent=Decimal(spent), reason=reason)


def ended(*, stored: int = 10, stopped: str = "", interrupted: bool = False) -> Ended:
    return Ended(
        counts={State.STORED: stored},
        spent=Decimal("9.60"),
        stopped=stopped,
        interrupted=interrupted,
        elapsed_s=60.0,
    )


@pytest.mark.parametrize(
    ("left", "ended", "elapsed_s", "recent_per_s", "expected"),
    [
        (10, 0, 100.0, None, None),  # nothing seen yet
        (10, 5, 0.0, None, None),
        (0, 0, 0.0, None, 0.0),
        (10, 5, 100.0, None, 200.0),
        (10, 5, 100.0, 0.05, 200.0),
        (10, 5, 100.0, 0.15, 100.0),  # faster of late
        (10, 5, 100.0, 0.0, 400.0),  # standing still of late
    ],
)
def test_time_left_follows_the_pace(
    left: int, ended: int, elapsed_s: float, recent_per_s: float | None, expected: float | None
) -> None:
    assert time_left_s(left=left, ended=ended, elapsed_s=elapsed_s, recent_per_s=recent_per_s) == expected


def test_time_left_counts_what_ended_in_this_run_alone() -> None:
    tally = Tally()
    tally.note(started(pending=10, stored=90), 0.0)

    assert tally.left_s(50.0) is None
    tally.note(moved("a", State.PENDING, State.STORED), 50.0)
    assert tally.left_s(50.0) == pytest.approx(50.0 * 9)


def test_a_job_that_comes_back_is_owed_again() -> None:
    tally = Tally()
    tally.note(started(pending=0, stored=2), 0.0)

    tally.note(moved("a", State.STORED, State.FINISHED), 1.0)

    assert (tally.stored, tally.total, tally.ended) == (1, 2, -1)
    assert tally.left_s(1.0) is None


def test_money_is_a_lower_bound_as_long_as_a_price_is_not_known() -> None:
    tally, told = Tally(), []
    for event in (
        started(budget=None),
        replace(moved("a", State.PENDING, State.SUBMITTING, spent="0"), unpriced=1),
        moved("a", State.SUBMITTING, State.REJECTED, spent="0"),
        replace(ended(), unpriced=2),
    ):
        tally.note(event, 0.0)
        told.append(tally.money())

    assert told == ["$1.60 spent", "at least $0.00 spent", "$0.00 spent", "at least $9.60 spent"]
    assert log_line(replace(ended(), unpriced=2), str).endswith("; spent 9.60, and 2 at an unknown price")


def test_lines_come_every_few_seconds_and_at_the_end() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock=clock)

    lines(started())
    for n in range(12):
        clock.pass_(1.0)
        lines(moved(f"job-{n}", State.PENDING, State.IN_FLIGHT, spent="2.40")) if n < 3 else lines.beat()
    lines(moved("job-0", State.IN_FLIGHT, State.FAILED))
    clock.pass_(48)
    lines(ended())

    assert stream.getvalue().splitlines() == [
        "0:00:05 0 of 10 stored, 3 in flight, $2.40 of $40.00, 7 to submit",
        "0:00:10 0 of 10 stored, 3 in flight, $2.40 of $40.00, 7 to submit",
        "0:01:00 done: 10 of 10 stored",
    ]


def test_an_urgent_notice_is_told_at_once_and_the_latest_other_one_with_the_next_line() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock=clock)

    lines(started(pending=2))
    lines(Notice(lane="submit", message="pausing for 10 s"))
    lines(Notice(lane="submit", message="pausing for 30 s"))
    lines(Notice(lane="submit", message="the key\x1b[31m was\nrefused", urgent=True))
    for _ in range(2):
        clock.pass_(5)
        lines.beat()

    assert stream.getvalue().splitlines() == [
        "!! submit: the key was refused",
        "0:00:05 0 of 2 stored, $1.60 of $40.00, 2 to submit; submit: pausing for 30 s",
        "0:00:10 0 of 2 stored, $1.60 of $40.00, 2 to submit",
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ended(stored=4, stopped="the budget is used up"), "stopped: the budget is used up: 4 of 4 stored"),
        (ended(stored=4, interrupted=True), "interrupted: 4 of 4 stored"),
    ],
)
def test_the_last_line_says_how_it_ended(event: Ended, expected: str) -> None:
    stream = io.StringIO()
    lines = Lines(stream, clock=Clock())

    lines(started(pending=0, stored=4))
    lines(event)

    assert stream.getvalue().splitlines()[-1] == f"0:00:00 {expected}"


def test_quiet_tells_urgent_notices_and_nothing_else() -> None:
    stream = io.StringIO()
    quiet = Quiet(stream)

    for event in (started(), Notice(lane="run", message="hm"), Notice(lane="run", message="!", urgent=True), ended()):
        quiet(event)

    assert stream.getvalue() == "!! run: !\n"


def json_lines(clock: Clock) -> tuple[JsonLines, io.StringIO]:
    stream = io.StringIO()
    return JsonLines(stream, clock=clock, now=lambda: NOW), stream


def test_json_lines_hold_every_event_with_its_fields() -> None:
    watcher, stream = json_lines(Clock())

    for event in (
        started(pending=1, budget=None),
        moved("fox", State.PENDING, State.REJECTED, reason="no\x1b[2J\u202efoxes"),
        Notice(lane="run", message="look", urgent=True),
        ended(stored=0, stopped="quota"),
    ):
        watcher(event)

    time = "2026-01-02T03:04:05.678Z"
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {
            "time": time,
            "event": "started",
            "run": "harbour",
            "folder": "outputs/harbour",
            "provider": "sandbox",
            "counts": {"pending": 1, "stored": 0},
            "to_submit": 1,
            "planned_cost": "0.80",
            "spent": "1.6",
            "budget": None,
            "currency": "USD",
            "unpriced": 0,
            "origin": "http://127.0.0.1:8700/v1",
        },
        {
            "time": time,
            "event": "moved",
            "id": "fox",
            "key": "0" * 32,
            "was": "pending",
            "state": "rejected",
            "spent": "2.40",
            "reason": "nofoxes",
            "path": "",
            "video_id": "",
            "unpriced": 0,
        },
        {"time": time, "event": "notice", "lane": "run", "message": "look", "urgent": True, "kind": "other"},
        {
            "time": time,
            "event": "ended",
            "counts": {"stored": 0},
            "spent": "9.60",
            "stopped": "quota",
            "interrupted": False,
            "elapsed_s": 60.0,
            "unpriced": 0,
        },
    ]
    assert stream.getvalue().isascii()


def test_received_bytes_are_added_up_to_one_line_a_second_and_none_is_lost() -> None:
    clock = Clock()
    watcher, stream = json_lines(clock)

    for _ in range(20):
        clock.pass_(0.25)
        watcher(Received(id="fox", bytes=100))
    watcher(Received(id="owl", bytes=7))
    watcher(ended())

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["id"], line["bytes"]) for line in lines[:-1]] == [*[("fox", 400)] * 5, ("owl", 7)]
    assert lines[-1]["event"] == "ended"


def test_the_log_of_a_run_grows_over_runs_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    for _ in range(2):
        with RunLog(path, now=lambda: NOW) as log:
            log(started())
            log(moved("fox", State.IN_FLIGHT, State.FAILED, reason="no\nfoxes"))
            log(Received(id="fox", bytes=1))
            log(Deleted(id="heron", key="1" * 32, video_id="video_1"))
            log(Notice(lane="watch", message="slower now"))
            log(ended())

    one_run = [
        "start: harbour: 10 videos from sandbox at http://127.0.0.1:8700/v1, on this machine, into outputs/harbour; "
        "10 to submit for $8.00",
        "fox: in_flight -> failed no foxes",
        "heron: deleted at the provider, as asked: video_1",
        "watch: slower now",
        "end: done; 10 stored; spent 9.60",
    ]
    assert path.read_text(encoding="utf-8").splitlines() == [f"2026-01-02T03:04:05Z {line}" for line in one_run * 2]
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


class FullDisk(Disk):
    """Takes no byte while it is full."""

    full = True

    def write(self, descriptor: int, content: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(descriptor, content)


def test_a_full_disk_costs_lines_of_the_log_and_nothing_else(tmp_path: Path) -> None:
    disk = FullDisk()
    log = RunLog(tmp_path / "run.log", now=lambda: NOW, disk=disk)

    log(Notice(lane="run", message="there is none"))
    disk.full = False
    log(Notice(lane="run", message="there is room again"))
    log.close()

    assert (tmp_path / "run.log").read_text(encoding="utf-8") == "2026-01-02T03:04:05Z run: there is room again\n"


class CountingDisk(Disk):
    """Counts the writes."""

    writes = 0

    def write(self, descriptor: int, content: bytes) -> None:
        self.writes += 1
        super().write(descriptor, content)


def test_lines_of_the_log_are_written_together_at_a_beat_a_notice_or_the_end(tmp_path: Path) -> None:
    disk = CountingDisk()
    log = RunLog(tmp_path / "run.log", now=lambda: NOW, disk=disk)

    def move(count: int, reason: str = "") -> None:
        for n in range(count):
            log(moved(f"job-{n}", State.PENDING, State.SUBMITTING, reason=reason))

    doings: list[Callable[[], object]] = [
        lambda: move(50),
        log.beat,
        log.beat,
        lambda: move(50),
        lambda: log(Notice(lane="run", message="look")),
        lambda: move(70, reason="x" * 1000),
        lambda: log(ended()),
        lambda: move(1),
        log.close,
    ]
    writes = []
    for do in doings:
        do()
        writes.append(disk.writes)

    assert writes == [0, 1, 1, 1, 2, 3, 4, 4, 5]
    assert len((tmp_path / "run.log").read_text(encoding="utf-8").splitlines()) == 50 + 50 + 1 + 70 + 1 + 1


def test_a_log_that_cannot_be_opened_is_missing_no_more(tmp_path: Path) -> None:
    with run_log(tmp_path / "nowhere" / "run.log") as log:
        log(started())

    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_log_may_be_made_after_the_log_and_nothing_is_written_once_it_is_closed(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "later" / "run.log", now=lambda: NOW)
    (tmp_path / "later").mkdir()

    log(Notice(lane="run", message="one"))
    log.close()
    log(Notice(lane="run", message="two"))

    assert (tmp_path / "later" / "run.log").read_text(encoding="utf-8") == "2026-01-02T03:04:05Z run: one\n"


class Gone(io.StringIO):
    """A terminal whose other end went away."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError(f"nobody reads {text!r}")


MAKERS: list[Callable[[io.StringIO], Watcher]] = [
    lambda stream: Lines(stream, clock=Clock(), every_s=0.0),
    Quiet,
    lambda stream: JsonLines(stream, clock=Clock(), now=lambda: NOW),
    lambda stream: choose_observer(quiet=False, log_format="text", stream=stream, clock=Clock()),
]


@pytest.mark.parametrize("make", MAKERS, ids=["lines", "quiet", "json", "chosen"])
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "gone"])
def test_no_observer_ends_a_run(make: Callable[[io.StringIO], Watcher], closed: bool) -> None:
    stream = Gone()
    with make(stream) as watcher:
        if closed:
            stream.close()
        events: list[Event] = [
            started(),
            moved("a", State.PENDING, State.SUBMITTING),
            Received(id="a", bytes=5),
            Notice(lane="run", message="x", urgent=True),
            ended(),
        ]
        for event in events:
            watcher(event)
            watcher.beat()


def test_several_observers_are_told_in_order_even_where_one_fails() -> None:
    first, last = io.StringIO(), io.StringIO()

    with Several([Quiet(first), Quiet(Gone()), Quiet(last)]) as watcher:
        watcher(Notice(lane="run", message="hello", urgent=True))

    assert first.getvalue() == last.getvalue() == "!! run: hello\n"


@pytest.mark.parametrize(
    ("flags", "stream", "term", "expected"),
    [
        ({"quiet": True, "log_format": "text"}, Terminal(), "xterm", "Quiet"),
        ({"quiet": True, "log_format": "json"}, Terminal(), "xterm", "Quiet"),
        ({"quiet": False, "log_format": "json"}, Terminal(), "xterm", "JsonLines"),
        ({"quiet": False, "log_format": "text"}, Terminal(), "xterm", "Bars"),
        ({"quiet": False, "log_format": "text"}, Terminal(), "dumb", "Lines"),
        ({"quiet": False, "log_format": "text"}, io.StringIO(), "xterm", "Lines"),
    ],
)
def test_the_observer_fits_the_flags_and_the_stream(
    flags: dict[str, Any], stream: io.StringIO, term: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)

    chosen = choose_observer(**flags, stream=stream, clock=Clock())

    assert type(chosen).__name__ == expected


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_screen_beats_beside_a_run_until_the_run_ends(backend: str) -> None:
    class Heart(Watcher):
        def __init__(self) -> None:
            self.beats = 0
            self.enough = anyio.Event()

        def show(self) -> None:
            self.beats += 1
            if self.beats == 3:
                self.enough.set()

    async def run() -> int:
        heart = Heart()
        with anyio.fail_after(20):
            async with anyio.create_task_group() as beside:
                beside.start_soon(partial(keep_beating, heart, every_s=0.001))
                await heart.enough.wait()
                beside.cancel_scope.cancel()
        return heart.beats

    assert anyio.run(run, backend=backend) >= 3


def test_no_observer_shows_a_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "canary-5")
    stream = io.StringIO()
    watcher = choose_observer(quiet=False, log_format="text", stream=stream, clock=Clock())

    watcher(Notice(lane="submit", message="your key canary-5 (sk-abcdef123) is wrong", urgent=True))

    assert stream.getvalue() == "!! submit: your key [redacted] ([redacted]) is wrong\n"
