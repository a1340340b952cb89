"""Whether what is finished will be home before it expires, and what is lost where it cannot all be (T14)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

import pytest

from pipeline.expiry import MARGIN, WORK_S_MAX, Homeward, behind, by_our_clock, prospect
from pipeline.runner.lanes import Agenda

HOUR_S = 3600.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("expires", "created", "ours"),
    [
        (at(60), at(0), at(60)),
        (at(60), at(1), at(60)),  # it was ordered at noon, and it is two minutes past
        (at(60), NOON.replace(microsecond=0), at(60)),
        (at(-60), at(-120), at(60) - timedelta(seconds=1)),  # two hours slow; its times are whole seconds
        (at(540), at(482), at(60)),  # eight hours fast
        (at(60), None, at(60)),
        (None, at(0), None),
        (at(60), datetime(1970, 1, 1, tzinfo=UTC), at(60)),  # that is no clock
    ],
)
def test_an_expiry_is_told_by_our_clock(
    expires: datetime | None, created: datetime | None, ours: datetime | None
) -> None:
    assert by_our_clock(expires, created, since=at(0), now=at(2)) == ours


@pytest.mark.parametrize(
    ("left_s", "under_way", "each_s", "late"),
    [
        ([], 0, 60.0, 0),
        ([HOUR_S] * 10, 0, 60.0, 0),
        ([100.0, 200.0, 300.0], 0, 60.0, 0),
        ([60.0, 200.0, 300.0], 0, 60.0, 1),  # the first needs its 60 s and a margin
        ([300.0, 60.0, 200.0], 0, 60.0, 1),  # in whatever order they are told
        ([200.0, 350.0, 400.0], 2, 60.0, 1),  # those under way come first
        ([-5.0, 0.0], 0, 60.0, 0),  # waiting cannot help these, and perhaps it is the clock that is wrong
        ([200.0] * 10, 0, 60.0, 8),
    ],
)
def test_late_is_what_would_expire_before_its_turn(
    left_s: list[float], under_way: int, each_s: float, late: int
) -> None:
    seen = prospect(left_s, under_way=under_way, each_s=each_s)

    assert (seen.late, seen.videos, seen.work_s) == (late, len(left_s) + under_way, (len(left_s) + under_way) * each_s)


def test_a_backlog_of_half_an_hour_is_too_long_whatever_its_expiry() -> None:
    day = [24 * HOUR_S] * 30
    assert behind(day, under_way=0, each_s=WORK_S_MAX / 30, already=False) == ""
    words = behind(day, under_way=0, each_s=WORK_S_MAX / 29, already=False)
    assert words == "30 finished videos wait to be fetched, about 31 min 2 s of work"


def test_what_would_expire_is_said() -> None:
    words = behind([100.0] * 5, under_way=1, each_s=20.0, already=False)
    assert words == (
        "6 finished videos wait to be fetched, about 2 min of work, and 2 of them would expire before their turn comes"
    )


def test_what_is_behind_stays_so_until_there_is_some_room_again() -> None:
    just_so = [MARGIN * 60.0]
    assert behind(just_so, under_way=0, each_s=60.0, already=False) == ""
    assert behind(just_so, under_way=0, each_s=60.0, already=True) != ""
    assert behind([2 * MARGIN * 60.0], under_way=0, each_s=60.0, already=True) == ""


class TestHomeward:
    """How long the lane takes for a video, with all its slots."""

    def test_full_slots_share_what_they_bring(self) -> None:
        homeward = Homeward(4)
        homeward.note(0.0, 40)
        for n in range(1, 33):
            homeward.came(n * 2.0)
        assert homeward.each_s == pytest.approx(2.0, rel=0.2)

    def test_one_video_now_and_then_says_how_long_one_takes_in_one_slot(self) -> None:
        homeward = Homeward(4)
        for n in range(40):
            homeward.note(n * 100.0, 1)
            homeward.came(n * 100.0 + 8.0)
        assert homeward.each_s == pytest.approx(2.0)

    def test_an_outage_counts(self) -> None:
        homeward = Homeward(4)
        homeward.note(0.0, 40)
        for n in range(1, 33):
            homeward.came(n * 2.0)
        homeward.note(64.0 + HOUR_S, 40)
        assert homeward.each_s > 60.0

    def test_nothing_came_yet_and_all_of_it_may_come_this_moment(self) -> None:
        homeward = Homeward(4)
        assert homeward.each_s == 0.0
        homeward.note(0.0, 40)
        homeward.note(60.0, 40)
        assert homeward.each_s == 15.0

    def test_a_lane_with_nothing_to_do_is_not_slow(self) -> None:
        homeward = Homeward(4)
        homeward.note(0.0, 1)
        homeward.came(8.0)
        homeward.note(8.0 + HOUR_S, 0)
        assert homeward.each_s == 2.0


@dataclass(frozen=True, slots=True)
class _Video:
    finished_s: float
    expires_s: float


@dataclass(slots=True)
class _Flood:
    """Videos that finish within minutes, downloads that take *each_s*, and what became of them."""

    each_s: float
    slots: int
    taken: list[_Video]
    lost: list[_Video]
    behind_from_s: float | None = None
    behind_to_s: float | None = None


def flood(videos: list[_Video], *, each_s: float, slots: int) -> _Flood:
    """Fetch *videos* as the lane does: the agenda gives out the next, what has expired by then is lost at no cost."""
    agenda: Agenda[_Video] = Agenda()
    for made in videos:
        agenda.add(made, from_s=made.finished_s, rank=made.expires_s)
    came, homeward = _Flood(each_s, slots, [], []), Homeward(slots)
    free_s, now_s, looked_s = [0.0] * slots, 0.0, 0.0
    while len(agenda):
        now_s = max(min(free_s), agenda.next_s())
        video = agenda.take(now_s)
        assert video is not None, "nothing is due at a time at which something should be"
        due = agenda.due_count(now_s)
        if now_s >= video.expires_s:
            came.lost.append(video)
            continue
        came.taken.append(video)
        homeward.note(now_s, due + slots)
        homeward.came(now_s)
        free_s[free_s.index(min(free_s))] = now_s + each_s
        if now_s >= looked_s + 60.0:
            looked_s = now_s
            was = came.behind_from_s is not None and came.behind_to_s is None
            waiting = [rank - now_s for rank in agenda.ranks() if rank - 2 * HOUR_S <= now_s]
            words = behind(waiting, under_way=slots, each_s=homeward.each_s, already=was)
            if words and not was:
                came.behind_from_s = now_s
            elif was and not words:
                came.behind_to_s = now_s
    return came


def turns(videos: list[_Video], *, each_s: float, slots: int) -> int:
    """How many downloads can begin at all between the first finish and the last expiry, in whatever order."""
    open_s = max(video.expires_s for video in videos) - min(video.finished_s for video in videos)
    return slots * ceil(open_s / each_s)


@pytest.mark.parametrize(
    ("each_s", "loses", "waits"), [(0.5, False, False), (2.5, False, True), (4.0, True, True), (12.0, True, True)]
)
def test_of_ten_thousand_videos_only_those_are_lost_that_arithmetic_takes(
    each_s: float, loses: bool, waits: bool
) -> None:
    chance = random.Random(14)
    ends = sorted(chance.uniform(0.0, 300.0) for _ in range(10_000))
    videos = [_Video(end_s, end_s + 2 * HOUR_S) for end_s in ends]
    chance.shuffle(videos)

    came = flood(videos, each_s=each_s, slots=4)

    forced = max(10_000 - turns(videos, each_s=each_s, slots=4), 0)
    assert len(came.taken) + len(came.lost) == 10_000
    assert forced <= len(came.lost) <= forced + 4  # as many turns as slots may fall into the very last moment
    assert bool(came.lost) is loses
    expiries = [video.expires_s for video in came.taken]
    assert all(a <= b + each_s for a, b in pairwise(expiries))  # the earliest of what is there
    assert (came.behind_from_s is not None) is waits
    assert came.behind_from_s is None or came.behind_from_s <= 300.0
    assert (came.behind_to_s is not None) is (waits and not loses)
