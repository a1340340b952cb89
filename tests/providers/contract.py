"""What every provider's profile must do with its dialect, over recorded replies. A subclass names the profile.

`replies/<profile>/` holds what that provider says, in its own words; `replies/any/` what any server, or a proxy
before it, may say to anybody. Each profile meets both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
import yaml

from pipeline.model import Job, Link, Position
from pipeline.paths import schemas_folder
from pipeline.profile import Profile
from pipeline.providers.base import Dialect, Found, Observation, Page, Problem, Refusal, Reply, Status, Submission
from pipeline.providers.registry import dialect_of, find_profile
from pipeline.providers.words import SYNONYMS
from tests.providers.expectations import ANY_CONTENT, ANY_FAILURE, ANY_LOOK, ANY_SUBMIT, MEANINGS, REQUIRED
from tests.providers.recorded import names_in, recorded

LINKS = {"submit": None, "remix": Link.REMIX, "extend": Link.EXTEND, "edit": Link.EDIT}


def outcome(call: str, reply: Reply, profile: Profile) -> object:
    """What *reply* to *call* is read as: a problem, a status, or that it is what was asked for."""
    dialect = dialect_of(profile)
    match call:
        case "look":
            read: object = dialect.read_look(reply, profile)
        case "content":
            read = dialect.read_no_content(reply, profile)
        case "document":
            read = dialect.read_content(reply, profile)
        case "list":
            read = dialect.read_page(reply, profile)
        case "delete":
            read = dialect.read_delete(reply, profile) or "deleted"
        case _:
            read = dialect.read_submit(reply, profile, LINKS[call])
    match read:
        case Refusal():
            assert read.message
            return read.problem
        case Observation():
            assert read.progress is None or 0.0 <= read.progress <= 100.0
            return read.status if read.known_word else f"unknown word {read.word}"
        case Submission():
            return "accepted"
        case Page():
            return "a page"
        case Found():
            return "found"
        case _:
            return read


def meaning_of(name: str) -> tuple[str, object] | None:
    """What a recorded reply of that name must be read as; the longest known beginning counts."""
    known = [stem for stem in MEANINGS if name == stem or name.startswith(f"{stem}-")]
    return MEANINGS[max(known, key=len)] if known else None


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
    lacks: ClassVar[Mapping[str, str]] = {}
    """What was not recorded of it, and why."""
    quirks: ClassVar[Mapping[str, tuple[str, object]]] = {}
    """Replies that mean something else than their names say, or have names of their own: call and outcome."""

    any_content: ClassVar[Mapping[str, Problem]] = {}
    """What anybody's answers to a look for the content mean of this one, where that differs."""

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

    def test_it_is_tested_for_all_that_it_claims(self, profile: Profile) -> None:
        assert isinstance(self, SpeaksVideos) is (profile.dialect == "videos")
        assert isinstance(self, LooksAtStatus) is (profile.wire.looks == "status")
        assert isinstance(self, Lists) is profile.lists

    def test_all_that_we_must_know_of_it_was_recorded(self, profile: Profile) -> None:
        wanted = REQUIRED | ({"last-page"} if profile.lists else set())
        stems = {stem for name in names_in(self.name) for stem in wanted if name == stem or name.startswith(f"{stem}-")}
        assert wanted - stems == set(self.lacks)

    def test_all_that_was_recorded_of_it_is_read_as_what_it_is(self, profile: Profile) -> None:
        expected = {name: self.quirks.get(name) or meaning_of(name) for name in names_in(self.name)}
        assert [name for name, meaning in expected.items() if meaning is None] == []
        assert set(self.quirks) <= set(expected)

        read = {name: outcome(meaning[0], self.own(name), profile) for name, meaning in expected.items() if meaning}

        assert read == {name: meaning[1] for name, meaning in expected.items() if meaning}

    # -- submit ------------------------------------------------------------------------------------------------

    def test_a_submit_is_one_post_that_states_everything(self, profile: Profile, dialect: Dialect) -> None:
        request = dialect.submit(a_job(profile), profile, key="key-1")

        assert (request.method, request.path, dict(request.query)) == ("POST", profile.wire.paths["submit"], {})
        assert request.headers["idempotency-key"] == "key-1"
        for part in ("a heron at dawn", profile.default_model, str(profile.default_seconds), profile.default_size):
            assert part.encode() in request.body

    def test_the_same_key_gives_the_same_bytes_and_another_key_others(self, profile: Profile, dialect: Dialect) -> None:
        def asked(key: str) -> tuple[bytes, str, str]:
            request = dialect.submit(a_job(profile), profile, key=key)
            return request.body, request.headers["content-type"], request.headers["idempotency-key"]

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

    # -- looks and content -------------------------------------------------------------------------------------

    @pytest.mark.parametrize("reply", ANY_CONTENT)
    def test_an_answer_that_is_no_content_says_why(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        problem = dialect.read_no_content(recorded(f"any/{reply}"), profile).problem
        assert problem is self.any_content.get(reply, ANY_CONTENT[reply])


class SpeaksVideos(Contract):
    """Of a provider of the `/v1/videos` shape."""

    def test_an_id_is_one_opaque_segment_of_a_path(self, profile: Profile, dialect: Dialect) -> None:
        for video_id in (self.video_id, LONG_ID, "a b/../c?d#e%2F", "狐", "\ud800"):
            for asked in (dialect.look(video_id, profile), dialect.content(video_id, profile)):
                head, _, last = asked.path.removesuffix("/content").rpartition("/")
                assert head == "/videos"
                assert unquote(last, errors="surrogatepass") == video_id
                assert urlsplit(f"https://api.example/v1{asked.path}").path == f"/v1{asked.path}"
                assert asked.method == "GET"


class LooksAtStatus(SpeaksVideos):
    """Of a provider that answers how a video is doing."""

    @pytest.mark.parametrize("reply", ANY_LOOK)
    def test_any_other_answer_to_a_look_is_a_refusal(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        refusal = dialect.read_look(recorded(f"any/{reply}"), profile)

        assert isinstance(refusal, Refusal)
        assert refusal.problem is ANY_LOOK[reply]

    @pytest.mark.parametrize("reply", ANY_FAILURE)
    def test_a_failure_is_read_in_every_shape(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        answer = recorded(f"any/{reply}")
        seen = dialect.read_look(answer, profile, json.loads(answer.body)["id"])

        assert isinstance(seen, Observation)
        assert seen.status is Status.FAILED
        assert (seen.code, seen.message) == ANY_FAILURE[reply]

    @pytest.mark.parametrize("word", sorted(SYNONYMS))
    def test_every_word_met_in_the_field_is_known(self, word: str, profile: Profile, dialect: Dialect) -> None:
        meant = Status(profile.status_words.get(word, SYNONYMS[word]))
        for written in (word, word.upper(), f" {word} "):
            seen = dialect.read_look(_video(status=written), profile)
            assert isinstance(seen, Observation)
            assert (seen.status, seen.known_word) == (meant, True)

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


class Lists(SpeaksVideos):
    """Of a provider that lists its videos."""

    def test_a_page_tells_of_many_and_where_the_next_begins(self, profile: Profile, dialect: Dialect) -> None:
        pages = [
            dialect.read_page(self.own(name), profile) for name in ("page", "last-page") if name in names_in(self.name)
        ]

        seen = [row.video_id for page in pages if isinstance(page, Page) for row in page.observations]
        assert len(set(seen)) == len(seen) >= 2
        *earlier, last = pages
        assert all(isinstance(page, Page) and page.after == page.observations[-1].video_id for page in earlier)
        assert isinstance(last, Page)
        assert (last.after, last.is_last) == (None, True)

    def test_the_list_is_asked_for_newest_first(self, profile: Profile, dialect: Dialect) -> None:
        first, then = dialect.look_at_page(None, profile), dialect.look_at_page("video_2", profile)
        asked = {**profile.wire.queries.get("list", {}), "limit": "100", "order": "desc"}
        assert (first.method, first.path, dict(first.query)) == ("GET", "/videos", asked)
        assert dict(then.query) == {**asked, "after": "video_2"}

    @pytest.mark.parametrize("reply", [*ANY_LOOK, "no-id"])
    def test_an_answer_that_is_no_page_is_a_refusal(self, reply: str, profile: Profile, dialect: Dialect) -> None:
        refusal = dialect.read_page(recorded(f"any/{reply}"), profile)

        assert isinstance(refusal, Refusal)
        if recorded(f"any/{reply}").status != 400:
            assert refusal.problem is ANY_LOOK.get(reply, Problem.TROUBLE)


LONG_ID = (
    "video_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDpzb3JhLTI7dmlkZW9faWQ6dmlkZW9fNjhkNzUxMmQwNzg0"
    "ODE5MGIzZTQ1ZGEwZWNi/+4f8A=="
)
"""As LiteLLM makes them: base64, with `/`, `+` and `=`."""
assert len(LONG_ID) == 138


def _video(**fields: object) -> Reply:
    return Reply(status=200, body=json.dumps({"id": "video_1", "object": "video", **fields}).encode())
