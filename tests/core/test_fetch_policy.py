"""The collect lane's newer rows: links, redirects, how long a download may take, and the try just before the end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.errors import Misled, NotSent, Untrusted
from pipeline.lifecycle import Fact
from pipeline.policy.breaker import Toll, toll_of
from pipeline.policy.collect import LAST_TRY_S, NEW_LINKS, Fetches, NoVideo, after_fetch, whole_s
from pipeline.policy.verdict import Backoff, Stop, Verdict
from pipeline.providers.base import Problem, Refusal

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR_S = 3600.0
STALE = Refusal(problem=Problem.STALE_LINK, http=403, message="Request has expired")
LONG = Backoff(base_s=60.0, cap_s=60.0)


def verdict(
    outcome: NoVideo, fetches: Fetches | None = None, *, left_s: float = HOUR_S, kept_s: float = HOUR_S
) -> Verdict:
    return after_fetch(outcome, fetches or Fetches(), left_s=left_s, kept_s=kept_s, backoff=LONG, now=NOW, spread=1.0)


def test_a_place_where_we_do_not_go_ends_this_download_and_no_other() -> None:
    said = verdict(Misled("it is redirected to http://10.0.0.1/, and is not followed"))

    assert (said.fact, said.stop, said.again_s) == (Fact.DOWNLOAD_FAILED, Stop.NOTHING, None)
    assert toll_of(Misled("x")) is Toll.CLEAN


def test_the_providers_own_bad_certificate_stops_the_run() -> None:
    assert verdict(Untrusted("x")).stop is Stop.RUN


def test_so_many_new_links_are_asked_for_and_no_more() -> None:
    fetches, tries = Fetches(), 1
    while verdict(STALE, fetches).fact is None:
        fetches, tries = fetches.after(STALE), tries + 1

    assert tries == NEW_LINKS + 1
    assert verdict(STALE, fetches).fact is Fact.DOWNLOAD_FAILED
    assert verdict(STALE, fetches).stop is Stop.NOTHING


@pytest.mark.parametrize(("kept_s", "fact"), [(HOUR_S, Fact.DOWNLOAD_FAILED), (0.0, Fact.EXPIRED)])
def test_a_video_that_failed_after_all_is_asked_for_once_a_run_and_not_for_ever(kept_s: float, fact: Fact) -> None:
    said = verdict(Refusal(problem=Problem.FAILED, http=200, message="moderated"), kept_s=kept_s)

    assert (said.fact, said.again_s, said.stop) == (fact, None, Stop.NOTHING)
    assert "moderated" in said.reason


@pytest.mark.parametrize(
    ("length", "allowed_s"),
    [(None, 1800.0), (0, 600.0), (30_000_000, 600.0), (30_000_001, 600.00002), (1_000_000_000, 20_000.0)],
)
def test_a_download_has_ten_minutes_or_as_long_as_50_kb_a_second_take(length: int | None, allowed_s: float) -> None:
    assert whole_s(length) == pytest.approx(allowed_s)


@pytest.mark.parametrize(
    ("left_s", "again_s"),
    [
        (HOUR_S, 60.0),
        (60.0 + LAST_TRY_S, 60.0),
        (50.0, 50.0 - LAST_TRY_S),  # not past the last moments
        (LAST_TRY_S, LAST_TRY_S),
        (5.0, 5.0),
        (0.0, None),
        (-HOUR_S, None),
    ],
)
def test_a_video_is_tried_for_once_more_just_before_its_end(left_s: float, again_s: float | None) -> None:
    said = verdict(NotSent("refused"), left_s=left_s)

    assert said.again_s == again_s
    assert (said.fact is Fact.DOWNLOAD_FAILED) is (again_s is None)
