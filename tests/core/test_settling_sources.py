"""Uncertain submits that build on another video: a remix is never taken for its source's like, nor the reverse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.policy.submit import Streak, after_submit
from pipeline.policy.verdict import Backoff, Stop
from pipeline.providers.base import Observation, Problem, Refusal
from pipeline.settling.fit import Doubt
from pipeline.settling.reading import Owned
from pipeline.settling.replay import Turn, after_replay
from tests.core.test_settling import NOON, Asked, at, doubt, found, own, read, row

BACKOFF = Backoff(base_s=1.0, cap_s=60.0)
PLAIN = doubt("plain")
REMIX = replace(doubt("remix", source="s", link="remix"), made_from="video_s")
OTHER = replace(doubt("other", source="t", link="remix"), made_from="video_t")
EDIT = replace(doubt("edit", source="s", link="edit"), made_from="video_s")
LONGER = replace(doubt("longer", seconds=8, source="s", link="extend"), made_from="video_s")
SOURCE = {"video_s": own(-900.0, -890.0)}


def seen(made_from: str | None, video_id: str = "v", **told: Any) -> Observation:
    return row(video_id, **told, made_from=made_from)


@pytest.mark.parametrize(
    ("case", "made_from", "expected"),
    [
        (PLAIN, None, "v"),
        (PLAIN, "", "v"),
        (PLAIN, "video_s", "?"),
        (REMIX, "video_s", "v"),
        (REMIX, None, "v"),
        (REMIX, "", "?"),
        (REMIX, "video_t", "?"),
        (EDIT, "video_s", "v"),
        (EDIT, "", "?"),
        (EDIT, "video_t", "?"),
        (LONGER, "", "v"),
        (LONGER, "video_s", "v"),
        (LONGER, "video_t", "?"),
    ],
)
def test_what_a_row_says_of_its_source_is_held_against_ours(case: Doubt, made_from: str | None, expected: str) -> None:
    [verdict] = found(case, reading=read(seen(made_from))).values()
    assert verdict.split()[0] == expected


@pytest.mark.parametrize("told", [{}, {"prompt": None}])
def test_a_server_that_names_no_source_where_it_is_due_proves_no_absence(told: dict[str, Any]) -> None:
    owned = {"ours": own(-900.0, -890.0)}
    [verdict] = found(REMIX, reading=read(seen("", **told), row("ours", -895.0)), owned=owned).values()
    assert verdict.startswith("?")


def test_a_server_that_names_no_source_of_our_own_remix_is_not_asked_about_sources() -> None:
    ours = Owned(wish=Asked(source="s", link="remix"), began_at=at(-900), ended_at=at(-890), made_from="video_s")
    reading = read(seen(""), seen("", "ours", created=-895.0))
    assert found(REMIX, reading=reading, owned={"ours": ours}) == {"remix": "v"}


def test_a_source_and_its_remix_of_the_same_words_each_get_their_own() -> None:
    reading = read(seen("", "v1"), seen("video_s", "v2"), row("video_s", -895.0))
    assert found(PLAIN, REMIX, reading=reading, owned=SOURCE) == {"plain": "v1", "remix": "v2"}


def test_remixes_of_two_sources_are_not_interchangeable() -> None:
    reading = read(seen(None, "v1"), seen(None, "v2"))
    assert all(verdict.startswith("?") for verdict in found(REMIX, OTHER, reading=reading).values())
    told = read(seen("video_t", "v1"), seen("video_s", "v2"))
    assert found(REMIX, OTHER, reading=told) == {"remix": "v2", "other": "v1"}


def test_takes_with_another_image_are_not_interchangeable() -> None:
    first, second = (doubt(name, reference={"sha256": name}) for name in "ab")
    reading = read(row("v1"), row("v2"))
    assert all(verdict.startswith("?") for verdict in found(first, second, reading=reading).values())
    alike = (doubt(name, reference={"sha256": "a"}) for name in "ab")
    assert found(*alike, reading=reading) == {"a": "v1", "b": "v2"}


@pytest.mark.parametrize(("linked", "turn"), [(False, Turn.NOT_CREATED), (True, Turn.NEVER)])
def test_a_refusal_of_a_repeated_key_proves_nothing_where_the_source_may_be_gone(linked: bool, turn: Turn) -> None:
    refusal = Refusal(problem=Problem.REJECTED, http=400, message="Video 'video_s' is not completed.")
    replayed = after_replay(refusal, 1, backoff=BACKOFF, now=NOON, spread=0.5, linked=linked)
    assert (replayed.turn, replayed.stop) == (turn, Stop.NOTHING)


@pytest.mark.parametrize("link", ["extend", "edit"])
def test_what_is_perhaps_called_no_remix_is_no_reason_to_doubt_what_is_said_of_remixes(link: str) -> None:
    ours = Owned(wish=Asked(source="s", link=link), began_at=at(-900), ended_at=at(-890), made_from="video_s")
    reading = read(seen("video_t"), seen("", "ours", created=-895.0))
    assert found(REMIX, reading=reading, owned={"ours": ours})["remix"].startswith("?")


@pytest.mark.parametrize("link", ["remix", "extend", "edit"])
def test_a_list_that_never_showed_such_a_video_proves_no_absence_of_one(link: str) -> None:
    case = replace(doubt("night", source="s", link=link), made_from="video_s")
    like = Owned(wish=Asked(source="r", link=link), began_at=at(-900), ended_at=at(-890), made_from="video_r")
    of_plain = found(case, reading=read(row("ours", -895.0)), owned={"ours": own(-900.0, -890.0)})
    of_like = found(case, reading=read(seen("video_r", "ours", created=-895.0)), owned={"ours": like})

    assert of_plain["night"].startswith("?")
    assert not of_like["night"].startswith("?")


@pytest.mark.parametrize(
    ("http", "linked", "fact", "stop"),
    [
        (404, False, "turned_away", Stop.SUBMITS),
        (405, False, "turned_away", Stop.SUBMITS),
        (404, True, "rejected", Stop.NOTHING),
        (405, True, "turned_away", Stop.WAY),
    ],
)
def test_not_found_speaks_of_the_source_and_no_such_method_of_the_provider(
    http: int, linked: bool, fact: str, stop: Stop
) -> None:
    refusal = Refusal(problem=Problem.REJECTED, http=http)
    way = Streak() if linked else None
    verdict = after_submit(refusal, Streak(), settles=False, backoff=BACKOFF, now=NOON, spread=0.5, way=way)
    assert (verdict.fact, verdict.stop) == (fact, stop)
