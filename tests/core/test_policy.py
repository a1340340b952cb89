"""docs/reliability.md as a table: what came back → what is written, what stops, who waits, who tries again.

The rows speak HTTP: each answer goes through the dialect that reads it, as in a run. `spread` is 1 wherever a wait
stands, so a backoff is its ceiling.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ArtifactError, NotAVideo, NotSent, OutcomeUnknown, ProviderError, Truncated, Untrusted
from pipeline.lifecycle import Fact
from pipeline.model import JSON
from pipeline.policy.collect import NO_CONTENT_TRIES, WRONG_CONTENT_TRIES, Fetches, after_fetch, fetching_s
from pipeline.policy.submit import (
    NO_CHANNEL_AT_START,
    REJECTED_AT_START,
    UNCERTAIN_IN_A_ROW,
    UNREACHABLE_AT_START,
    Streak,
    after_submit,
)
from pipeline.policy.verdict import PATIENCE, Stop, Verdict
from pipeline.policy.watch import LOST_GRACE_S, LOST_TRIES, SLOW_S, UNREADABLE_TRIES, Looks, after_look
from pipeline.profile import Profile
from pipeline.providers.base import Observation, Problem, Refusal, Reply, Submission
from pipeline.providers.videos import Videos

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
IN_40_S = "Sun, 22 Nov 2026 20:00:40 GMT"
PROFILE = Profile(name="some", title="Some")
DEADLINE_S, KEPT_S = 3600.0, 7200.0

Row: TypeAlias = "tuple[Fact | None, Stop]"
Outcome: TypeAlias = "Reply | Refusal | ProviderError"

NOTHING, WAY, MODEL, SUBMITS, RUN = Stop.NOTHING, Stop.WAY, Stop.MODEL, Stop.SUBMITS, Stop.RUN
FRESH, YOUNG, FIRST = Streak(), Looks(age_s=60.0), Fetches()


def reply(status: int, document: JSON = None, **headers: str) -> Reply:
    """An answer, with a JSON document where one is given."""
    body = b"" if document is None else json.dumps(document).encode()
    return Reply(status=status, headers={n.replace("_", "-"): v for n, v in headers.items()}, body=body)


def error(status: int, code: str, **headers: str) -> Reply:
    """An answer with an error object."""
    return reply(status, {"error": {"code": code, "message": "so it is"}}, **headers)


def video(status: str, **fields: JSON) -> Reply:
    """An answer with a video object."""
    return reply(200, {"id": "video_1", "object": "video", "status": status, **fields})


NO_CHANNEL = error(503, "model_not_found")
"""What the new-api family says where no channel serves the model, before it has asked anybody."""


def submitted(outcome: Outcome, streak: Streak = FRESH, way: Streak | None = None) -> Verdict:
    read = Videos().read_submit(outcome, PROFILE) if isinstance(outcome, Reply) else outcome
    return after_submit(read, streak, way=way, settles=False, backoff=PATIENCE.submit, now=NOW, spread=1.0)


def looked(outcome: Outcome, looks: Looks = YOUNG) -> Verdict:
    read = Videos().read_look(outcome, PROFILE) if isinstance(outcome, Reply) else outcome
    return after_look(
        read, looks, deadline_s=DEADLINE_S, retention_s=KEPT_S, backoff=PATIENCE.look, now=NOW, spread=1.0
    )


def fetched(
    outcome: Reply | ProviderError | ArtifactError | OSError,
    fetches: Fetches = FIRST,
    *,
    left_s: float = 3600.0,
    kept_s: float = 0.0,
) -> Verdict:
    read = Videos().read_no_content(outcome, PROFILE) if isinstance(outcome, Reply) else outcome
    return after_fetch(read, fetches, left_s=left_s, kept_s=kept_s, backoff=PATIENCE.fetch, now=NOW, spread=1.0)


class TestSubmit:
    """The only request that costs money."""

    @pytest.mark.parametrize(
        ("outcome", "fact", "stop", "pause_s"),
        [
            (video("queued"), Fact.ACCEPTED, NOTHING, 0.0),
            (reply(202, {"id": "video_1"}), Fact.ACCEPTED, NOTHING, 0.0),
            (reply(200, {"task_id": "task_1"}), Fact.ACCEPTED, NOTHING, 0.0),
            # provably nothing was made: it is sent again
            (NotSent("cannot connect"), Fact.NOT_SENT, NOTHING, 2.0),
            (error(429, "rate_limit_exceeded"), Fact.THROTTLED, NOTHING, 2.0),
            (error(429, "rate_limit_exceeded", retry_after="7"), Fact.THROTTLED, NOTHING, 7.7),
            (error(429, "", retry_after=IN_40_S), Fact.THROTTLED, NOTHING, 44.0),
            (error(429, "", retry_after="86400"), Fact.THROTTLED, NOTHING, 2.0),
            (error(429, "", retry_after="soon"), Fact.THROTTLED, NOTHING, 2.0),
            (reply(425), Fact.THROTTLED, NOTHING, 2.0),
            (reply(503, retry_after="7"), Fact.THROTTLED, NOTHING, 7.7),
            (NO_CHANNEL, Fact.THROTTLED, NOTHING, 2.0),
            (error(503, "service_unavailable"), Fact.UNCERTAIN, NOTHING, 0.0),
            (error(429, "", retry_after="0"), Fact.THROTTLED, NOTHING, 2.0),
            (error(429, "", retry_after="1"), Fact.THROTTLED, NOTHING, 2.0),  # our own patience is the longer one
            # made nothing, and asking again would not help
            (error(400, "invalid_value"), Fact.REJECTED, NOTHING, 0.0),
            (reply(410), Fact.REJECTED, NOTHING, 0.0),
            (reply(413), Fact.REJECTED, NOTHING, 0.0),
            (reply(415), Fact.REJECTED, NOTHING, 0.0),
            (reply(422), Fact.REJECTED, NOTHING, 0.0),
            # no money: buy no more, bring home what was bought
            (reply(402), Fact.TURNED_AWAY, SUBMITS, 0.0),
            # the model is not to be had: others may be
            (error(404, "model_not_found"), Fact.TURNED_AWAY, MODEL, 0.0),
            (error(400, "model_not_found"), Fact.TURNED_AWAY, MODEL, 0.0),
            # the address is wrong: the next wish would fare no better
            (reply(404), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (reply(405), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (error(429, "insufficient_quota"), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (error(400, "billing_hard_limit_reached"), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (reply(403, {"code": "quota_not_enough", "message": "no"}), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (error(403, "insufficient_user_quota"), Fact.TURNED_AWAY, SUBMITS, 0.0),
            (error(403, "pre_consume_token_quota_failed"), Fact.TURNED_AWAY, SUBMITS, 0.0),
            # no request will do better
            (Untrusted("self-signed"), Fact.NOT_SENT, RUN, 0.0),
            (error(401, "invalid_api_key"), Fact.TURNED_AWAY, RUN, 0.0),
            (reply(403), Fact.TURNED_AWAY, RUN, 0.0),
            (reply(301), Fact.TURNED_AWAY, RUN, 0.0),
            (reply(302), Fact.TURNED_AWAY, RUN, 0.0),
            (reply(307), Fact.TURNED_AWAY, RUN, 0.0),
            (reply(308), Fact.TURNED_AWAY, RUN, 0.0),
            # perhaps accepted and billed: never repeated by itself
            (OutcomeUnknown("no answer in time"), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(408), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(409), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(500), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(502), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(503), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(504, retry_after="7"), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(524), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(200), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(200, {}), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(200, {"id": None}), Fact.UNCERTAIN, NOTHING, 0.0),
            (reply(200, ["video_1"]), Fact.UNCERTAIN, NOTHING, 0.0),
            (Reply(status=200, body=b"<html>please log in</html>"), Fact.UNCERTAIN, NOTHING, 0.0),
        ],
    )
    def test_each_outcome_has_one_meaning(self, outcome: Outcome, fact: Fact, stop: Stop, pause_s: float) -> None:
        verdict = submitted(outcome)

        assert (verdict.fact, verdict.stop, verdict.again_s) == (fact, stop, None)
        assert verdict.pause_s == pytest.approx(pause_s)
        assert bool(verdict.reason) is (fact is not Fact.ACCEPTED)

    @pytest.mark.parametrize(
        ("outcome", "streak", "fact", "stop"),
        [
            (NotSent(""), Streak(unreachable=UNREACHABLE_AT_START - 2), Fact.NOT_SENT, NOTHING),
            (NotSent(""), Streak(unreachable=UNREACHABLE_AT_START - 1), Fact.NOT_SENT, SUBMITS),
            # once somebody has answered, an outage is sat out: the breaker sees to it
            (NotSent(""), Streak(unreachable=10_000, accepted=1), Fact.NOT_SENT, NOTHING),
            # a gateway that has no channel for a model at first most likely has none at all
            (NO_CHANNEL, Streak(throttled=NO_CHANNEL_AT_START - 2), Fact.THROTTLED, NOTHING),
            (NO_CHANNEL, Streak(throttled=NO_CHANNEL_AT_START - 1), Fact.THROTTLED, MODEL),
            (NO_CHANNEL, Streak(throttled=10_000, accepted=1), Fact.THROTTLED, NOTHING),
            (reply(503, retry_after="7"), Streak(throttled=10_000), Fact.THROTTLED, NOTHING),
            (reply(429), Streak(throttled=10_000), Fact.THROTTLED, NOTHING),
            (reply(404), Streak(accepted=1), Fact.REJECTED, NOTHING),
            (reply(400), Streak(rejected=REJECTED_AT_START - 2), Fact.REJECTED, NOTHING),
            (reply(400), Streak(rejected=REJECTED_AT_START - 1), Fact.REJECTED, SUBMITS),
            (reply(400), Streak(rejected=99, accepted=1), Fact.REJECTED, NOTHING),  # some prompts are just refused
            (reply(500), Streak(uncertain=UNCERTAIN_IN_A_ROW - 2), Fact.UNCERTAIN, NOTHING),
            (reply(500), Streak(uncertain=UNCERTAIN_IN_A_ROW - 1), Fact.UNCERTAIN, SUBMITS),
            (OutcomeUnknown(""), Streak(uncertain=UNCERTAIN_IN_A_ROW - 1, accepted=99), Fact.UNCERTAIN, SUBMITS),
        ],
    )
    def test_the_same_again_and_again_stops_more_than_the_job(
        self, outcome: Outcome, streak: Streak, fact: Fact, stop: Stop
    ) -> None:
        verdict = submitted(outcome, streak)

        assert (verdict.fact, verdict.stop) == (fact, stop)

    @pytest.mark.parametrize(
        ("outcome", "way", "fact", "stop", "words"),
        [
            (reply(404), FRESH, Fact.REJECTED, NOTHING, "the video that it builds on may be gone"),
            (reply(410), FRESH, Fact.REJECTED, NOTHING, "may be gone"),
            (error(400, "task_not_exist"), FRESH, Fact.REJECTED, NOTHING, "task_not_exist"),
            (error(400, ""), Streak(rejected=REJECTED_AT_START - 2), Fact.REJECTED, NOTHING, "400"),
            # none was ever made in this way: the others of its kind stay pending, and what stands alone goes on
            (reply(404), Streak(rejected=REJECTED_AT_START - 1), Fact.TURNED_AWAY, WAY, "5 in a row"),
            (error(400, ""), Streak(rejected=REJECTED_AT_START - 1), Fact.TURNED_AWAY, WAY, "5 in a row"),
            (reply(404), Streak(rejected=99, accepted=1), Fact.REJECTED, NOTHING, "may be gone"),
            (reply(405), Streak(accepted=1), Fact.TURNED_AWAY, WAY, "cannot make one video from another"),
            # this is not said of the way, nor of the source
            (reply(402), FRESH, Fact.TURNED_AWAY, SUBMITS, "402"),
            (reply(401), FRESH, Fact.TURNED_AWAY, RUN, "401"),
            (NO_CHANNEL, Streak(throttled=99), Fact.THROTTLED, MODEL, "model_not_found"),
            (reply(500), FRESH, Fact.UNCERTAIN, NOTHING, "500"),
        ],
    )
    def test_a_refusal_of_what_builds_on_a_video_stops_no_more_than_what_is_made_in_that_way(
        self, outcome: Outcome, way: Streak, fact: Fact, stop: Stop, words: str
    ) -> None:
        streak = Streak(rejected=99, throttled=99)  # the lane's

        verdict = submitted(outcome, streak, way)

        assert (verdict.fact, verdict.stop) == (fact, stop)
        assert words in verdict.reason

    def test_the_waits_double_up_to_five_minutes(self) -> None:
        unsent = [submitted(NotSent(""), Streak(unreachable=n)).pause_s for n in (0, 1, 2, 7, 20)]
        throttled = [submitted(reply(429), Streak(throttled=n)).pause_s for n in (0, 1, 2, 7, 20)]

        assert unsent == throttled == [2.0, 4.0, 8.0, 256.0, 300.0]

    def test_a_streak_counts_what_is_in_a_row(self) -> None:
        streak = Streak()
        for fact, expected in [
            (Fact.REJECTED, Streak(rejected=1)),
            (Fact.UNCERTAIN, Streak(rejected=1, uncertain=1)),
            (Fact.NOT_SENT, Streak(uncertain=1, unreachable=1)),
            (Fact.NOT_SENT, Streak(uncertain=1, unreachable=2)),
            (Fact.THROTTLED, Streak(uncertain=1, throttled=1)),
            (Fact.TURNED_AWAY, Streak(uncertain=1, throttled=1)),
            (None, Streak(uncertain=1, throttled=1)),
            (Fact.UNCERTAIN, Streak(uncertain=2)),
            (Fact.ACCEPTED, Streak(accepted=1)),
            (Fact.REJECTED, Streak(accepted=1, rejected=1)),
            (Fact.ACCEPTED, Streak(accepted=2)),
        ]:
            streak = streak.after(fact)
            assert streak == expected

    @pytest.mark.parametrize(
        ("lane", "model", "stop", "pause_s"),
        [
            (Streak(accepted=9), Streak(throttled=NO_CHANNEL_AT_START - 1), MODEL, 0.0),
            (Streak(throttled=3, accepted=9), Streak(throttled=3, accepted=1), NOTHING, 16.0),
            (Streak(throttled=99), FRESH, NOTHING, 300.0),
        ],
    )
    def test_no_channel_for_one_model_says_nothing_of_the_others(
        self, lane: Streak, model: Streak, stop: Stop, pause_s: float
    ) -> None:
        read = Videos().read_submit(NO_CHANNEL, PROFILE)

        verdict = after_submit(read, lane, model=model, settles=False, backoff=PATIENCE.submit, now=NOW, spread=1.0)

        assert (verdict.fact, verdict.stop, verdict.pause_s, verdict.last) == (Fact.THROTTLED, stop, pause_s, True)

    @pytest.mark.parametrize(
        ("status", "fact", "stop"),
        [(404, Fact.TURNED_AWAY, Stop.SOURCE), (410, Fact.TURNED_AWAY, Stop.SOURCE), (400, Fact.REJECTED, NOTHING)],
    )
    def test_what_builds_on_an_aged_video_and_is_refused_says_nothing_of_the_others(
        self, status: int, fact: Fact, stop: Stop
    ) -> None:
        read = Videos().read_submit(error(status, ""), PROFILE)

        verdict = after_submit(
            read,
            FRESH,
            way=Streak(rejected=9),
            is_aged=True,
            settles=False,
            backoff=PATIENCE.submit,
            now=NOW,
            spread=1.0,
        )

        assert (verdict.fact, verdict.stop) == (fact, stop)

    def test_what_builds_on_a_video_and_is_refused_says_nothing_of_the_settings(self) -> None:
        streak = Streak(rejected=4, uncertain=4, unreachable=4)

        assert streak.after(Fact.REJECTED, excused=True) == Streak(rejected=4)
        assert streak.after(Fact.ACCEPTED, excused=True) == Streak(accepted=1)

    @given(st.integers(100, 599), st.booleans(), st.sampled_from(["", "7"]), st.integers(0, 9), st.integers(0, 9))
    def test_only_what_made_nothing_may_be_sent_again(
        self, status: int, has_id: bool, retry_after: str, accepted: int, uncertain: int
    ) -> None:
        headers = {"retry_after": retry_after} if retry_after else {}
        outcome = reply(status, {"id": "video_1"} if has_id else {}, **headers)

        verdict = submitted(outcome, Streak(accepted=accepted, uncertain=uncertain))

        if verdict.fact in (Fact.NOT_SENT, Fact.THROTTLED):
            assert status in (425, 429) or (status == 503 and retry_after)
        assert (verdict.fact is Fact.ACCEPTED) is (200 <= status < 300 and has_id)


class TestLook:
    """Looking is free: no look that fails makes a job fail."""

    @pytest.mark.parametrize(
        ("outcome", "fact", "stop", "pause_s", "again_s"),
        [
            (video("queued"), Fact.STATUS, NOTHING, 0.0, None),
            (video("in_progress"), Fact.STATUS, NOTHING, 0.0, None),
            (video("marinating"), Fact.STATUS, NOTHING, 0.0, None),
            (reply(200, {"id": "video_1"}), Fact.STATUS, NOTHING, 0.0, None),
            (video("SUCCESS"), Fact.FINISHED, NOTHING, 0.0, None),
            (video("failed", error={"code": "moderation_blocked"}), Fact.FAILED, NOTHING, 0.0, None),
            (video("cancelled"), Fact.FAILED, NOTHING, 0.0, None),
            (video("expired"), Fact.EXPIRED, NOTHING, 0.0, None),
            (reply(410), Fact.LOST, NOTHING, 0.0, None),
            # perhaps the gateway's database lags: this video alone waits
            (reply(404), None, NOTHING, 0.0, 2.0),
            (reply(400, {"code": "task_not_exist", "message": "?"}), None, NOTHING, 0.0, 2.0),
            # the lane waits
            (OutcomeUnknown("no answer in time"), None, NOTHING, 2.0, None),
            (NotSent("cannot connect"), None, NOTHING, 2.0, None),
            (reply(429), None, NOTHING, 2.0, None),
            (reply(425), None, NOTHING, 2.0, None),
            (reply(429, retry_after="7"), None, NOTHING, 7.7, None),
            (reply(429, retry_after=IN_40_S), None, NOTHING, 44.0, None),
            (reply(503, retry_after="7"), None, NOTHING, 7.7, None),
            (reply(408), None, NOTHING, 2.0, None),
            (reply(409), None, NOTHING, 2.0, None),
            (reply(400), None, NOTHING, 0.0, None),
            (reply(402), None, NOTHING, 0.0, None),
            (reply(500), None, NOTHING, 2.0, None),
            (reply(502), None, NOTHING, 2.0, None),
            (reply(524), None, NOTHING, 2.0, None),
            (Reply(status=200, body=b"<html>"), None, NOTHING, 2.0, None),
            # no request will do better
            (reply(401), None, RUN, 0.0, None),
            (reply(403), None, RUN, 0.0, None),
            (reply(302), None, RUN, 0.0, None),
            (Untrusted("self-signed"), None, RUN, 0.0, None),
        ],
    )
    def test_each_answer_has_one_meaning(
        self, outcome: Outcome, fact: Fact | None, stop: Stop, pause_s: float, again_s: float | None
    ) -> None:
        verdict = looked(outcome)

        assert (verdict.fact, verdict.stop, verdict.again_s) == (fact, stop, again_s)
        assert verdict.pause_s == pytest.approx(pause_s)

    @pytest.mark.parametrize("unknown", [reply(404), reply(400, {"code": "task_not_exist"})])
    @pytest.mark.parametrize(
        ("age_s", "old_s", "seen_before", "fact"),
        [
            (LOST_GRACE_S, KEPT_S, LOST_TRIES - 1, Fact.LOST),
            (LOST_GRACE_S, KEPT_S, LOST_TRIES - 2, None),
            (LOST_GRACE_S - 1, KEPT_S, LOST_TRIES + 50, None),
            (LOST_GRACE_S, KEPT_S - 1, LOST_TRIES - 1, Fact.STALLED),
            (LOST_GRACE_S, LOST_GRACE_S, LOST_TRIES + 50, Fact.STALLED),
        ],
    )
    def test_an_unknown_id_is_waited_for_ten_minutes_and_believed_when_it_would_be_gone_anyway(
        self, unknown: Reply, age_s: float, old_s: float, seen_before: int, fact: Fact | None
    ) -> None:
        verdict = looked(unknown, Looks(age_s=age_s, old_s=old_s, unknown=seen_before))

        assert verdict.fact is fact
        assert (verdict.again_s is None) is (fact is Fact.LOST)

    @pytest.mark.parametrize(
        ("outcome", "fact"),
        [
            (video("in_progress"), Fact.STALLED),
            (reply(404), Fact.STALLED),
            (reply(500), Fact.STALLED),
            (reply(429, retry_after="7"), Fact.STALLED),
            (OutcomeUnknown(""), Fact.STALLED),
            (video("completed"), Fact.FINISHED),
            (video("failed"), Fact.FAILED),
            (reply(410), Fact.LOST),
            (reply(401), None),
        ],
    )
    def test_past_its_deadline_a_video_without_an_end_is_stalled(self, outcome: Outcome, fact: Fact | None) -> None:
        verdict = looked(outcome, Looks(age_s=DEADLINE_S + 1))

        assert verdict.fact is fact
        assert verdict.again_s == (SLOW_S if fact is Fact.STALLED else None)
        assert verdict.reason or fact is Fact.FINISHED

    @pytest.mark.parametrize("unreadable", [Reply(status=200, body=b"<html>"), reply(200, ["video_1"]), reply(204)])
    def test_a_video_of_which_nobody_can_read_ten_answers_is_stalled(self, unreadable: Reply) -> None:
        assert looked(unreadable, Looks(age_s=60.0, unreadable=UNREADABLE_TRIES - 2)).fact is None
        stalled = looked(unreadable, Looks(age_s=60.0, unreadable=UNREADABLE_TRIES - 1))
        assert (stalled.fact, stalled.again_s, stalled.pause_s) == (Fact.STALLED, SLOW_S, 2.0)

    @pytest.mark.parametrize("trouble", [reply(500), reply(408), reply(429), reply(400), OutcomeUnknown("x")])
    def test_a_fault_at_their_side_is_no_unreadable_answer(self, trouble: Outcome) -> None:
        assert looked(trouble, Looks(age_s=60.0, unreadable=10_000)).fact is None

    def test_a_pause_is_kept_when_the_video_that_learned_of_it_stalls(self) -> None:
        verdict = looked(reply(429, retry_after="40"), Looks(age_s=DEADLINE_S + 1))
        assert (verdict.fact, verdict.pause_s) == (Fact.STALLED, 44.0)

    def test_the_waits_double_up_to_a_minute(self) -> None:
        lane = [looked(reply(500), Looks(age_s=60.0, failures=n)).pause_s for n in (0, 1, 2, 5, 20)]
        alone = [looked(reply(404), Looks(age_s=60.0, unknown=n)).again_s for n in (0, 1, 2, 5, 20)]

        assert lane == alone == [2.0, 4.0, 8.0, 60.0, 60.0]

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"error": {"code": "moderation_blocked", "message": "refused"}}, "moderation_blocked: refused"),
            ({"error": {"code": 400, "message": "refused"}}, "400: refused"),
            ({"error": "refused"}, "refused"),
            ({"error": None}, "the provider gave no reason"),
            ({"error": None, "fail_reason": "refused"}, "refused"),
            ({}, "the provider gave no reason"),
        ],
    )
    def test_a_failure_keeps_the_providers_words(self, fields: dict[str, JSON], reason: str) -> None:
        assert looked(video("failed", **fields)).reason == reason

    @given(st.integers(100, 599), st.floats(0, 2 * DEADLINE_S), st.integers(0, 50))
    def test_no_http_status_makes_a_job_fail(self, status: int, age_s: float, unknown: int) -> None:
        verdict = looked(reply(status), Looks(age_s=age_s, unknown=unknown))

        assert verdict.fact in (None, Fact.LOST, Fact.STALLED)
        if verdict.fact is Fact.LOST:
            assert status in (404, 410)


class TestFetch:
    """Fetching is free, but the files expire."""

    @pytest.mark.parametrize(
        ("outcome", "fact", "stop", "pause_s", "again_s"),
        [
            # the rest, or all of it, is fetched again
            (Truncated("cut"), None, NOTHING, 0.0, 1.0),
            (NotAVideo("HTML"), None, NOTHING, 0.0, 1.0),
            (OutcomeUnknown("the connection broke"), None, NOTHING, 0.0, 1.0),
            (NotSent("cannot connect"), None, NOTHING, 0.0, 1.0),
            (reply(202), None, NOTHING, 0.0, 1.0),
            (reply(400), None, NOTHING, 0.0, 1.0),
            (reply(409), None, NOTHING, 0.0, 1.0),
            (reply(425), None, NOTHING, 0.0, 1.0),
            (reply(404, {"error": {"message": "Video is not ready yet, use GET …"}}), None, NOTHING, 0.0, 1.0),
            (reply(404, {"detail": "Generation is still in-progress"}), None, NOTHING, 0.0, 1.0),
            (reply(404), None, NOTHING, 0.0, 100.0),
            (reply(500), None, NOTHING, 0.0, 1.0),
            (reply(502), None, NOTHING, 0.0, 1.0),
            (reply(429), None, NOTHING, 0.0, 1.0),
            (reply(429, retry_after="7"), None, NOTHING, 7.0, 1.0),
            (reply(503, retry_after="7"), None, NOTHING, 7.0, 1.0),
            # our own disk: nothing more is bought, what was bought is tried again
            (OSError(28, "No space left on device"), None, SUBMITS, 0.0, 1.0),
            # it is there no more
            (reply(410), Fact.EXPIRED, NOTHING, 0.0, None),
            (reply(404, {"error": {"message": "The video is no longer available."}}), Fact.EXPIRED, NOTHING, 0.0, None),
            (reply(404, {"error": {"message": "Downloads expire after 1 hours."}}), Fact.EXPIRED, NOTHING, 0.0, None),
            # a later run may do better
            (reply(302), Fact.DOWNLOAD_FAILED, NOTHING, 0.0, None),
            (Untrusted("self-signed"), Fact.DOWNLOAD_FAILED, RUN, 0.0, None),
            (reply(401), None, RUN, 0.0, None),
            (reply(403), None, RUN, 0.0, None),
        ],
    )
    def test_each_answer_has_one_meaning(
        self,
        outcome: Reply | ProviderError | ArtifactError | OSError,
        fact: Fact | None,
        stop: Stop,
        pause_s: float,
        again_s: float | None,
    ) -> None:
        verdict = fetched(outcome)

        assert (verdict.fact, verdict.stop, verdict.pause_s, verdict.again_s) == (fact, stop, pause_s, again_s)
        assert verdict.reason

    @pytest.mark.parametrize(
        "outcome",
        [Truncated("cut"), OutcomeUnknown("x"), NotSent("x"), OSError(28, "full"), reply(400), reply(500), reply(429)],
    )
    def test_what_may_pass_is_tried_until_the_videos_time_is_up(
        self, outcome: Reply | ProviderError | ArtifactError | OSError
    ) -> None:
        weary = Fetches(tries=10_000, wrong=WRONG_CONTENT_TRIES - 1)
        assert fetched(outcome, weary, left_s=7200.0).again_s == 60.0
        assert fetched(outcome, weary, left_s=2.5).again_s == 2.5
        over = fetched(outcome, weary, left_s=0.0)
        assert (over.fact, over.again_s) == (Fact.DOWNLOAD_FAILED, None)

    def test_a_retry_after_does_not_outlast_the_video(self) -> None:
        assert fetched(reply(429, retry_after="600"), left_s=45.0).pause_s == 45.0

    def test_a_few_whole_downloads_that_are_no_video_are_left_to_a_later_run(self) -> None:
        fetches = Fetches(tries=99)
        for _ in range(WRONG_CONTENT_TRIES - 1):
            assert fetched(NotAVideo("HTML"), fetches).fact is None
            fetches = fetches.after(NotAVideo("HTML")).after(OutcomeUnknown("the connection broke"))
        assert fetched(NotAVideo("HTML"), fetches).fact is Fact.DOWNLOAD_FAILED

    @pytest.mark.parametrize("left_s", [3600.0, 0.0, -5.0])
    def test_only_the_provider_can_say_that_it_expired(self, left_s: float) -> None:
        assert fetched(reply(410), left_s=left_s).fact is Fact.EXPIRED
        assert fetched(reply(404), left_s=left_s).again_s == 100.0
        assert fetched(reply(500), left_s=left_s).fact is not Fact.EXPIRED

    @pytest.mark.parametrize(
        ("kept_s", "tried_s"), [(-1e9, 600.0), (0.0, 600.0), (7200.0, 7200.0), (float("inf"), 86_400.0)]
    )
    def test_a_clock_that_is_wrong_discards_nothing_and_a_run_has_an_end(self, kept_s: float, tried_s: float) -> None:
        assert fetching_s(kept_s) == tried_s

    @pytest.mark.parametrize(
        ("kept_s", "fact"), [(0.0, Fact.EXPIRED), (-1e9, Fact.EXPIRED), (1.0, Fact.DOWNLOAD_FAILED)]
    )
    def test_a_404_is_believed_the_third_time_minutes_later_and_not_while_it_should_be_kept(
        self, kept_s: float, fact: Fact
    ) -> None:
        assert fetched(reply(404), Fetches(tries=99, absent=NO_CONTENT_TRIES - 2), kept_s=kept_s).again_s == 200.0
        assert fetched(reply(404), Fetches(tries=2, absent=NO_CONTENT_TRIES - 1), kept_s=kept_s).fact is fact

    def test_being_throttled_is_no_try_that_counts(self) -> None:
        assert fetched(reply(429), Fetches(tries=99)).fact is None

    def test_the_waits_double_up_to_a_minute(self) -> None:
        assert [fetched(Truncated(""), Fetches(tries=n)).again_s for n in (0, 1, 2, 6)] == [1.0, 2.0, 4.0, 60.0]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal(problem=Problem.REJECTED, http=400, message="no such model"), "400 no such model"),
        (Refusal(problem=Problem.REJECTED, http=400, code="bad", message="no such model"), "400 bad: no such model"),
        (Refusal(problem=Problem.REJECTED, http=400, code="bad", message="bad: model"), "400 bad: model"),
        (Refusal(problem=Problem.TROUBLE, http=502, message="502 Bad Gateway"), "502 Bad Gateway"),
        (Refusal(problem=Problem.TROUBLE, http=200, message="no id: HTTP 200"), "no id: HTTP 200"),
    ],
)
def test_a_reason_says_the_status_and_each_word_once(refusal: Refusal, reason: str) -> None:
    assert after_submit(refusal, Streak(), settles=False, backoff=PATIENCE.submit, now=NOW, spread=0.5).reason == reason


UNKNOWN, REJECTED, AWAY, THROTTLED = Fact.UNCERTAIN, Fact.REJECTED, Fact.TURNED_AWAY, Fact.THROTTLED
ALL: dict[Problem, tuple[Row, Row, Row, Row]] = {
    # alone, on another video, on one that may be gone by now; and of a look
    Problem.REJECTED: ((REJECTED, NOTHING), (REJECTED, NOTHING), (REJECTED, NOTHING), (None, NOTHING)),
    Problem.BAD_KEY: ((AWAY, RUN), (AWAY, RUN), (AWAY, RUN), (None, RUN)),
    Problem.NO_SUCH_MODEL: ((AWAY, MODEL), (AWAY, MODEL), (AWAY, MODEL), (None, NOTHING)),
    Problem.NO_MONEY: ((AWAY, SUBMITS), (AWAY, SUBMITS), (AWAY, SUBMITS), (None, NOTHING)),
    Problem.WRONG_ADDRESS: ((AWAY, RUN), (AWAY, RUN), (AWAY, RUN), (None, RUN)),
    Problem.THROTTLED: ((THROTTLED, NOTHING), (THROTTLED, NOTHING), (THROTTLED, NOTHING), (None, NOTHING)),
    Problem.UNKNOWN_ID: ((UNKNOWN, NOTHING), (REJECTED, NOTHING), (AWAY, Stop.SOURCE), (None, NOTHING)),
    Problem.GONE: ((UNKNOWN, NOTHING), (REJECTED, NOTHING), (AWAY, Stop.SOURCE), (Fact.LOST, NOTHING)),
    Problem.NOT_READY: ((UNKNOWN, NOTHING), (REJECTED, NOTHING), (REJECTED, NOTHING), (None, NOTHING)),
    Problem.FAILED: ((UNKNOWN, NOTHING), (REJECTED, NOTHING), (REJECTED, NOTHING), (Fact.FAILED, NOTHING)),
    Problem.STALE_LINK: ((UNKNOWN, NOTHING), (UNKNOWN, NOTHING), (UNKNOWN, NOTHING), (None, NOTHING)),
    Problem.TROUBLE: ((UNKNOWN, NOTHING), (UNKNOWN, NOTHING), (UNKNOWN, NOTHING), (None, NOTHING)),
}


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_has_one_meaning_for_each_call_whatever_its_status(problem: Problem) -> None:
    """A profile's rule may read any problem into any answer."""
    refusal = Refusal(problem=problem, http=400, message="so it is")
    alone, sequel, aged, look = ALL[problem]

    told = [
        after_submit(
            refusal, FRESH, way=way, is_aged=is_aged, settles=False, backoff=PATIENCE.submit, now=NOW, spread=1.0
        )
        for way, is_aged in ((None, False), (FRESH, False), (FRESH, True))
    ]

    assert [(verdict.fact, verdict.stop) for verdict in (*told, looked(refusal))] == [alone, sequel, aged, look]
    assert all(verdict.reason for verdict in told)


@given(
    problem=st.sampled_from(list(Problem)),
    http=st.sampled_from([200, 302, 400, 404, 405, 410, 429, 500, 503]),
    way=st.sampled_from([None, FRESH, Streak(rejected=9)]),
    is_aged=st.booleans(),
    spread=st.floats(0.0, 1.0, exclude_max=True),
    header=st.text(max_size=40),
)
def test_no_wait_is_ever_negative_or_endless_and_no_doubt_is_ever_dispelled(
    *, problem: Problem, http: int, way: Streak | None, is_aged: bool, spread: float, header: str
) -> None:
    refusal = Refusal(problem=problem, http=http, message="x", retry_after=header)
    verdicts = [
        after_submit(
            refusal,
            Streak(),
            way=way,
            is_aged=is_aged,
            settles=False,
            backoff=PATIENCE.submit,
            now=NOW,
            spread=spread,
        ),
        after_look(
            refusal,
            Looks(age_s=1.0),
            deadline_s=DEADLINE_S,
            retention_s=KEPT_S,
            backoff=PATIENCE.look,
            now=NOW,
            spread=spread,
        ),
        after_fetch(refusal, Fetches(), left_s=60.0, kept_s=60.0, backoff=PATIENCE.fetch, now=NOW, spread=spread),
    ]

    known, _ = ALL[problem][0 if way is None else 1]
    assert (verdicts[0].fact is Fact.UNCERTAIN) is (known is Fact.UNCERTAIN)
    for verdict in verdicts:
        assert 0.0 <= verdict.pause_s <= 3600.0 * 1.1
        assert verdict.again_s is None or 0.0 < verdict.again_s <= 3600.0


def test_a_receipt_is_an_acceptance_whatever_its_status_says() -> None:
    receipt = Videos().read_submit(video("failed"), PROFILE)
    assert isinstance(receipt, Submission)
    assert isinstance(receipt.observation, Observation)
    assert submitted(video("failed")).fact is Fact.ACCEPTED
