"""What every provider's profile must do with its dialect, over recorded replies. A subclass names the profile.

`replies/<profile>/` holds what that provider says, in its own words; `replies/any/` what any server, or a proxy
before it, may say to anybody. Each profile meets both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
import yaml

from pipeline.model import Job, Position
from pipeline.paths import schemas_folder
from pipeline.profile import Profile
from pipeline.providers.base import Dialect, Observation, Page, Problem, Refusal, Reply, Status, Submission
from pipeline.providers.registry import dialect_of, find_profile
from pipeline.providers.words import SYNONYMS
from tests.providers.recorded import names_in, recorded

Expected: TypeAlias = "tuple[Problem, str, str]"

REQUIRED = {
    *("created", "queued", "in-progress", "completed"),
    *("refused", "bad-key", "throttled", "unknown-id", "not-ready", "gone"),
}
"""What must have been recorded of a provider before we say that we speak to it."""

OWN_STATUS = {
    "queued": Status.WAITING,
    "in-progress": Status.RUNNING,
    "completed": Status.DONE,
    "failed": Status.FAILED,
}

OWN_PROBLEM = {
    "refused": ("read_submit", Problem.REJECTED),
    "bad-key": ("read_submit", Problem.BAD_KEY),
    "no-money": ("read_submit", Problem.NO_MONEY),
    "throttled": ("read_submit", Problem.THROTTLED),
    "unknown-id": ("read_look", Problem.UNKNOWN_ID),
    "not-ready": ("read_no_content", Problem.NOT_READY),
    "gone": ("read_no_content", Problem.GONE),
}

ANY_SUBMIT: dict[str, Expected] = {
    "refused-object": (Problem.REJECTED, "invalid_type", "expected a file"),
    "refused-object-without-code": (Problem.REJECTED, "invalid_request_error", "Inpaint image"),
    "refused-flat": (Problem.REJECTED, "invalid_request", "seconds is not supported"),
    "refused-detail-list": (Problem.REJECTED, "", "Field required; Input should be a valid integer"),
    "refused-detail-text": (Problem.REJECTED, "", "prompt is required"),
    "refused-text": (Problem.REJECTED, "", "Unsupported resolution"),
    "refused-number": (Problem.REJECTED, "1400", "no such size"),
    "refused-plain": (Problem.REJECTED, "", "Bad Request"),
    "refused-too-large": (Problem.REJECTED, "", "413 Request Entity Too Large"),
    "gone-410": (Problem.REJECTED, "", "HTTP 410"),
    "bad-gateway": (Problem.TROUBLE, "", "502 Bad Gateway"),
    "timed-out": (Problem.TROUBLE, "", "524: A timeout occurred"),
    "trouble-empty": (Problem.TROUBLE, "", "HTTP 500"),
    "trouble-unavailable": (Problem.TROUBLE, "upstream_saturated", "当前分组上游负载已饱和"),
    "conflict": (Problem.TROUBLE, "idempotency_error", "under way"),
    "throttled-seconds": (Problem.THROTTLED, "rate_limit_exceeded", "Rate limit"),
    "throttled-date": (Problem.THROTTLED, "429", "Too many running tasks"),
    "throttled-unavailable": (Problem.THROTTLED, "", "busy"),
    "no-money-object": (Problem.NO_MONEY, "insufficient_quota", "exceeded your current quota"),
    "no-money-type": (Problem.NO_MONEY, "insufficient_quota", "exceeded your current quota"),
    "no-money-flat": (Problem.NO_MONEY, "quota_not_enough", "not enough"),
    "no-money-402": (Problem.NO_MONEY, "", "HTTP 402"),
    "forbidden": (Problem.BAD_KEY, "invalid_request_error", "must be verified"),
    "moved": (Problem.WRONG_ADDRESS, "", "Moved"),
    "redirected": (Problem.WRONG_ADDRESS, "", "HTTP 307"),
    "nothing-said": (Problem.TROUBLE, "", "HTTP 200"),
    "no-id": (Problem.TROUBLE, "", "HTTP 200"),
    "null-id": (Problem.TROUBLE, "", "HTTP 200"),
    "wrapped": (Problem.TROUBLE, "success", "HTTP 200"),
    "a-list": (Problem.TROUBLE, "", "video_1"),
    "login-page": (Problem.TROUBLE, "", "Log in"),
    "cut-short": (Problem.TROUBLE, "", '{"id": "video_1"'),
}

ANY_LOOK: dict[str, Problem] = {
    "unknown-id-detail": Problem.UNKNOWN_ID,
    "unknown-id-400": Problem.UNKNOWN_ID,
    "gone-410": Problem.GONE,
    "refused-flat": Problem.TROUBLE,
    "bad-gateway": Problem.TROUBLE,
    "timed-out": Problem.TROUBLE,
    "trouble-empty": Problem.TROUBLE,
    "conflict": Problem.TROUBLE,
    "throttled-seconds": Problem.THROTTLED,
    "throttled-unavailable": Problem.THROTTLED,
    "forbidden": Problem.BAD_KEY,
    "moved": Problem.WRONG_ADDRESS,
    "login-page": Problem.TROUBLE,
    "nothing-said": Problem.TROUBLE,
    "a-list": Problem.TROUBLE,
}

ANY_FAILURE: dict[str, tuple[str, str]] = {
    "failed-null": ("", ""),
    "failed-text": ("", "the upstream gave up"),
    "failed-object": ("moderation_blocked", "Your request was blocked by our moderation system."),
    "failed-number": ("400", "guardrail"),
    "failed-reason": ("", "no capacity"),
    "failed-in-a-400": ("400", "guardrail"),
}

ANY_CONTENT: dict[str, Problem] = {
    "not-ready-202": Problem.NOT_READY,
    "not-ready-400": Problem.NOT_READY,
    "not-ready-404": Problem.NOT_READY,
    "not-ready-409": Problem.NOT_READY,
    "not-ready-425": Problem.NOT_READY,
    "gone-410": Problem.GONE,
    "unknown-id-detail": Problem.UNKNOWN_ID,
    "throttled-seconds": Problem.THROTTLED,
    "bad-gateway": Problem.TROUBLE,
    "trouble-empty": Problem.TROUBLE,
    "forbidden": Problem.BAD_KEY,
    "moved": Problem.WRONG_ADDRESS,
    "content-json": Problem.TROUBLE,
}


def a_job(profile: Profile, **changes: Any) -> Job:
    """A job that asks for what *profile* has by default."""
    assert profile.default_seconds is not None
    wish = {
        "prompt": "a heron at dawn",
        "model": profile.default_model,
        "seconds": profile.default_seconds,
        "size": profile.default_size,
    }
    position = Position(file="m.yaml", line=1, column=1)
    return Job(**{"key": "0" * 32, "id": "heron", "position": position, **wish, **changes})


def wired(profile: Profile, **changes: Any) -> Profile:
    """*profile* with another wire."""
    return replace(profile, wire=replace(profile.wire, **changes))


class Contract:
    """The tests. A subclass sets `name`, and `video_id` to the id in its `created` reply."""

    name: ClassVar[str]
    video_id: ClassVar[str]

    @pytest.fixture
    def profile(self) -> Profile:
        profile = find_profile(self.name)
        assert profile is not None
        return profile

    @pytest.fixture
    def dialect(self, profile: Profile) -> Dialect:
        return dialect_of(profile)

    def own(self, reply: str) -> Reply:
        return recorded(f"{self.name}/{reply}")

    # -- the profile -------------------------------------------------------------------------------------------

    def test_its_file_keeps_to_the_schema(self) -> None:
        from importlib.resources import files

        schema = json.loads((schemas_folder() / "profile.schema.json").read_text(encoding="utf-8"))
        document = yaml.safe_load(
            (files("pipeline.providers") / "profiles" / f"{self.name}.yaml").read_text(encoding="utf-8")
        )

        assert [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
        assert document["name"] == self.name

    def test_its_defaults_are_among_what_it_offers(self, profile: Profile) -> None:
        offer = profile.offer(profile.default_model)
        assert offer is not None
        assert not offer.seconds or profile.default_seconds in offer.seconds
        assert not offer.sizes or profile.default_size in offer.sizes

    def test_all_that_we_must_know_of_it_was_recorded(self, profile: Profile) -> None:
        lists = {"page", "last-page"} if profile.lists else set()
        assert REQUIRED | lists <= set(names_in(self.name)) <= REQUIRED | lists | {"failed", "no-money"}

    # -- submit ------------------------------------------------------------------------------------------------

    def test_a_submit_is_one_post_that_states_everything(self, profile: Profile, dialect: Dialect) -> None:
        request = dialect.submit(a_job(profile), profile, key="key-1")

        assert (request.method, request.path, dict(request.query)) == ("POST", "/videos", {})
        assert request.headers["idempotency-key"] == "key-1"
        for part in ("a heron at dawn", profile.default_model, str(profile.default_seconds), profile.default_size):
            assert part.encode() in request.body

    def test_the_same_key_gives_the_same_bytes_and_another_key_others(self, profile: Profile, dialect: Dialect) -> None:
        def asked(key: str) -> tuple[bytes, str]:
            request = dialect.submit(a_job(profile), profile, key=key)
            return request.body, request.headers["content-type"]

        assert asked("key-1") == asked("key-1")
        assert asked("key-1") != asked("key-2")

    @pytest.mark.parametrize("reply", ["own", "any/created-202", "any/created-task"])
    def test_an_answer_with_an_id_is_a_receipt(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        answer = self.own("created") if reply == "own" else recorded(reply)

        receipt = dialect.read_submit(answer, profile)

        assert isinstance(receipt, Submission)
        expected = {"own": self.video_id, "any/created-202": "video_1", "any/created-task": "task_abc"}[reply]
        assert receipt.video_id == receipt.observation.video_id == expected
        assert receipt.observation.status is Status.WAITING
        assert receipt.raw == json.loads(answer.body)

    @pytest.mark.parametrize("reply", ANY_SUBMIT)
    def test_any_other_answer_to_a_submit_is_a_refusal(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        problem, code, words = ANY_SUBMIT[reply]

        refusal = dialect.read_submit(recorded(f"any/{reply}"), profile)

        assert isinstance(refusal, Refusal)
        assert (refusal.problem, refusal.code) == (problem, code)
        assert words in refusal.message
        assert refusal.http == recorded(f"any/{reply}").status
        assert refusal.retry_after == recorded(f"any/{reply}").headers.get("retry-after", "")

    # -- looks -------------------------------------------------------------------------------------------------

    def test_an_id_is_one_opaque_segment_of_a_path(self, profile: Profile, dialect: Dialect) -> None:
        for video_id in (self.video_id, LONG_ID, "a b/../c?d#e%2F", "狐", "\ud800"):
            look, content = dialect.look(video_id, profile), dialect.content(video_id, profile)
            for path in (look.path, content.path.removesuffix("/content")):
                head, _, last = path.rpartition("/")
                assert head == "/videos"
                assert unquote(last, errors="surrogatepass") == video_id
                assert urlsplit(f"https://api.example/v1{path}").path == f"/v1{path}"
            assert content.path.endswith("/content")
            assert look.method == content.method == "GET"

    @pytest.mark.parametrize("reply", OWN_STATUS)
    def test_its_own_status_is_read(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        if reply not in names_in(self.name):
            pytest.skip("never recorded of this provider")

        seen = dialect.read_look(self.own(reply), profile)

        assert isinstance(seen, Observation)
        assert (seen.status, seen.known_word) == (OWN_STATUS[reply], True)
        assert seen.progress is None or 0.0 <= seen.progress <= 100.0
        assert bool(seen.message) is (seen.status is Status.FAILED)

    @pytest.mark.parametrize("reply", OWN_PROBLEM)
    def test_its_own_refusal_is_understood(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        if reply not in names_in(self.name):
            pytest.skip("never recorded of this provider")
        reader, problem = OWN_PROBLEM[reply]
        read: Callable[[Reply, Profile], object] = getattr(dialect, reader)

        refusal = read(self.own(reply), profile)

        assert isinstance(refusal, Refusal)
        assert refusal.problem is problem
        assert refusal.message

    @pytest.mark.parametrize("reply", ANY_LOOK)
    def test_any_other_answer_to_a_look_is_a_refusal(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        refusal = dialect.read_look(recorded(f"any/{reply}"), profile)

        assert isinstance(refusal, Refusal)
        assert refusal.problem is ANY_LOOK[reply]

    @pytest.mark.parametrize("reply", ANY_FAILURE)
    def test_a_failure_is_read_in_every_shape(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        seen = dialect.read_look(recorded(f"any/{reply}"), profile)

        assert isinstance(seen, Observation)
        assert seen.status is Status.FAILED
        assert (seen.code, seen.message) == ANY_FAILURE[reply]

    @pytest.mark.parametrize("word", sorted(SYNONYMS))
    def test_every_word_met_in_the_field_is_known(self, word: str, profile: Profile, dialect: Dialect) -> None:
        for written in (word, word.upper(), f" {word} "):
            seen = dialect.read_look(_video(status=written), profile)
            assert isinstance(seen, Observation)
            assert (seen.status, seen.known_word) == (SYNONYMS[word], True)

    @pytest.mark.parametrize("word", ["marinating", "", None, 7, True, {"a": 1}])
    def test_an_unknown_word_is_still_running(self, word: object, profile: Profile, dialect: Dialect) -> None:
        seen = dialect.read_look(_video(status=word), profile)

        assert isinstance(seen, Observation)
        assert (seen.status, seen.known_word) == (Status.RUNNING, False)

    @pytest.mark.parametrize(
        ("written", "progress"),
        [
            *((0, 0.0), (33, 33.0), (33.5, 33.5), (120, 100.0), (-4, 0.0), ("30%", 30.0), ("30 %", 30.0), ("7", 7.0)),
            *((None, None), ("", None), ("half", None), (True, None), ([30], None), ("nan", None), ("inf", 100.0)),
        ],
    )
    def test_progress_is_a_share_of_a_hundred_or_nothing(
        self, written: object, progress: float | None, profile: Profile, dialect: Dialect
    ) -> None:
        seen = dialect.read_look(_video(status="running", progress=written), profile)

        assert isinstance(seen, Observation)
        assert seen.progress == progress

    @pytest.mark.parametrize(
        ("written", "expires_at"),
        [
            (1758945191, datetime(2025, 9, 27, 3, 53, 11, tzinfo=UTC)),
            (1758945191.0, datetime(2025, 9, 27, 3, 53, 11, tzinfo=UTC)),
            *((None, None), (0, None), (-1, None), (True, None), ("soon", None), (1758945191000, None), (1e300, None)),
        ],
    )
    def test_a_time_is_read_where_it_is_one(
        self, written: object, expires_at: datetime | None, profile: Profile, dialect: Dialect
    ) -> None:
        seen = dialect.read_look(_video(status="completed", expires_at=written), profile)

        assert isinstance(seen, Observation)
        assert seen.expires_at == expires_at

    # -- the list ----------------------------------------------------------------------------------------------

    def test_a_page_tells_of_many_and_where_the_next_begins(self, profile: Profile, dialect: Dialect) -> None:
        if not profile.lists:
            pytest.skip("it has no list")

        page, last = (dialect.read_page(self.own(name), profile) for name in ("page", "last-page"))

        assert isinstance(page, Page)
        assert isinstance(last, Page)
        assert page.after == page.observations[-1].video_id
        assert last.after is None
        assert len({seen.video_id for seen in (*page.observations, *last.observations)}) >= 3

    def test_the_list_is_asked_for_newest_first(self, profile: Profile, dialect: Dialect) -> None:
        first, then = dialect.look_at_page(None, profile), dialect.look_at_page("video_2", profile)
        assert (first.method, first.path, dict(first.query)) == ("GET", "/videos", {"limit": "100", "order": "desc"})
        assert dict(then.query) == {"limit": "100", "order": "desc", "after": "video_2"}

    @pytest.mark.parametrize("reply", [*ANY_LOOK, "no-id"])
    def test_an_answer_that_is_no_page_is_a_refusal(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        refusal = dialect.read_page(recorded(f"any/{reply}"), profile)

        assert isinstance(refusal, Refusal)
        if recorded(f"any/{reply}").status != 400:
            assert refusal.problem is ANY_LOOK.get(reply, Problem.TROUBLE)

    # -- the content -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("reply", ANY_CONTENT)
    def test_an_answer_that_is_no_content_says_why(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        assert dialect.read_no_content(recorded(f"any/{reply}"), profile).problem is ANY_CONTENT[reply]


LONG_ID = (
    "video_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDpzb3JhLTI7dmlkZW9faWQ6dmlkZW9fNjhkNzUxMmQwNzg0"
    "ODE5MGIzZTQ1ZGEwZWNi/+4f8A=="
)
"""As LiteLLM makes them: base64, with `/`, `+` and `=`."""
assert len(LONG_ID) == 138


def _video(**fields: object) -> Reply:
    return Reply(status=200, body=json.dumps({"id": "video_1", "object": "video", **fields}).encode())
