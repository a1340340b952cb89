"""The sandbox in a provider's place, over real HTTP: what our own dialects make of what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.model import Link, Reference
from pipeline.providers.base import (
    Inputs,
    Observation,
    Page,
    Problem,
    Refusal,
    Status,
    Submission,
)
from pipeline.providers.registry import dialect_of
from pipeline.sandbox.dress import dress_of
from tests.sandbox.conftest import Clock, running
from tests.sandbox.dresses import every_profile
from tests.sandbox.pictures import PICTURE
from tests.sandbox.visit import OVER, Visit, a_job

RENDER_S = 10.0


@pytest.fixture(scope="module", params=every_profile())
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """A server in each dress there is; its faults are those that a test demands last."""
    profile = every_profile()[request.param]
    folder = tmp_path_factory.mktemp("dress")
    with running(folder, Clock(), dress=dress_of(profile), render_s=RENDER_S, film={"constant_bytes": 5000}) as gateway:
        yield Visit(gateway, profile)


@pytest.fixture(autouse=True)
def well_behaved(visit: Visit) -> Iterator[None]:
    yield
    if visit.is_faulty:
        visit.demand()


def test_a_video_is_asked_for_looked_at_and_brought_home(visit: Visit) -> None:
    video_id = visit.video()

    assert visit.status(video_id) in (Status.WAITING, Status.RUNNING)
    assert visit.film(video_id) is Problem.NOT_READY
    visit.clock.now += RENDER_S / 2
    assert visit.status(video_id) in (Status.WAITING, Status.RUNNING)
    visit.clock.now += RENDER_S / 2
    assert visit.status(video_id) is Status.DONE
    film = visit.film(video_id)
    assert isinstance(film, bytes)
    assert (len(film), film[4:8]) == (5000, b"ftyp")
    visit.clock.now += visit.profile.retention_s
    assert visit.film(video_id) in OVER


def test_the_book_has_what_was_asked_for_by_our_names(visit: Visit) -> None:
    video_id, profile = visit.video(), visit.profile

    entry = visit.gateway.debug("book")["entries"][-1]

    assert entry["id"] == video_id
    assert entry["fields"] == {
        "prompt": "a heron at dawn",
        "model": profile.default_model,
        "seconds": str(profile.default_seconds),
        "size": profile.default_size,
    }


PICTURES = {"thumbnail": b"RIFF", "spritesheet": b"\xff\xd8\xff"}
REFUSED = ("429", "no_money", "refused")


def test_a_refused_submit_is_understood(visit: Visit) -> None:
    visit.demand(submit={"script": [*REFUSED]})

    refusals = [visit.submit() for _ in REFUSED]

    problems = [refusal.problem for refusal in refusals if isinstance(refusal, Refusal) and refusal.message]
    errors = visit.profile.rehearsal.errors
    has_code = errors in ("", "object", "flat", "text") or "{code}" in str(errors)
    has_code = has_code or dress_of(visit.profile).tells("no_money", "submit")
    no_money = Problem.NO_MONEY if has_code else Problem.THROTTLED  # the words alone do not tell
    assert problems == [Problem.THROTTLED, no_money, Problem.REJECTED]


def test_an_unknown_id_is_told_from_a_wrong_key(visit: Visit) -> None:
    profile = visit.profile
    looked = visit.look("video_of_nobody")
    assert isinstance(looked, Refusal | Observation)
    # where only the content tells, a profile may take what is not known for what is not there yet
    assert isinstance(looked, Observation) or looked.problem is Problem.UNKNOWN_ID
    header = profile.wire.auth.header
    if header:
        key = visit.gateway.client.headers.pop(header)
        refusal = visit.submit()
        visit.gateway.client.headers[header] = key
        assert isinstance(refusal, Refusal)
        assert refusal.problem is Problem.BAD_KEY


def test_a_video_that_failed_says_so_where_there_is_a_way(visit: Visit) -> None:
    visit.demand(videos={"chance": {"moderated": 1}})
    video_id = visit.video()
    visit.clock.now += RENDER_S

    dress = dress_of(visit.profile)
    if visit.profile.wire.looks == "status":
        assert visit.status(video_id) is Status.FAILED
    elif dress.tells("failed", dress.content_call):
        assert visit.status(video_id) is Status.FAILED
        assert visit.film(video_id) is Problem.FAILED
    else:
        assert visit.status(video_id) is Status.RUNNING


def test_a_video_is_made_from_another_only_where_the_profile_says_so(visit: Visit) -> None:
    source, profile = visit.video(), visit.profile
    visit.clock.now += RENDER_S
    before = len(visit.gateway.debug("book")["entries"])

    made = {link for link in Link if isinstance(visit.submit(link=link, inputs=Inputs(video_id=source)), Submission)}

    flags = {Link.REMIX: profile.remixes, Link.EXTEND: profile.extends, Link.EDIT: profile.edits}
    assert made == {link for link, has in flags.items() if has}
    booked = visit.gateway.debug("book")["entries"][before:]
    assert {entry["source"]["link"] for entry in booked} == made
    assert all(isinstance(visit.submit(link=link, inputs=Inputs(video_id="nobody")), Refusal) for link in made)


def test_a_list_is_there_where_the_profile_has_one(visit: Visit) -> None:
    videos = [visit.video(), visit.video()]
    dialect = dialect_of(visit.profile)

    page = dialect.read_page(visit.ask(dialect.look_at_page(None, visit.profile)), visit.profile)

    assert isinstance(page, Page) is visit.profile.lists
    if isinstance(page, Page):
        assert [seen.video_id for seen in page.observations[:2]] == videos[::-1]


def test_a_video_is_deleted_or_ended_as_the_profile_says(visit: Visit) -> None:
    profile, dialect = visit.profile, dialect_of(visit.profile)
    done = visit.video()
    visit.clock.now += RENDER_S
    young = visit.video()

    gone = dialect.read_delete(visit.ask(dialect.delete(done, profile)), profile)
    ended = dialect.read_delete(visit.ask(dialect.delete(young, profile)), profile)

    assert (gone is None, ended is None) == (profile.deletes, profile.cancels)
    if profile.cancels and profile.wire.looks == "status":
        left = visit.look(young)
        is_gone = isinstance(left, Refusal) and left.problem is Problem.UNKNOWN_ID
        assert is_gone or visit.status(young) is Status.CANCELLED
        assert is_gone is profile.rehearsal.cancelled_is_gone
    if profile.deletes and profile.wire.looks == "status":
        left = visit.look(done)
        assert isinstance(left, Refusal)
        assert left.problem is Problem.UNKNOWN_ID


def test_a_picture_of_a_video_is_there_where_the_profile_has_it(visit: Visit) -> None:
    video_id = visit.video()
    visit.clock.now += RENDER_S

    replies = {
        variant: visit.ask(dialect_of(visit.profile).content(video_id, visit.profile, variant)) for variant in PICTURES
    }

    found = {name for name, reply in replies.items() if reply.status == 200 and reply.body.startswith(PICTURES[name])}
    assert found == set(visit.profile.variants)


def test_an_image_goes_along_as_the_profile_sends_it(visit: Visit) -> None:
    if not visit.profile.references:
        pytest.skip("it takes none")
    reference = Reference(name="r.png", sha256="0" * 64, media_type="image/png")

    visit.video(reference=reference, inputs=Inputs(reference=PICTURE), size="64x64")

    kept = visit.gateway.debug("book")["entries"][-1]["fields"]["input_reference"]
    assert kept["bytes"] == len(PICTURE)


def test_a_submit_in_another_encoding_is_refused(visit: Visit) -> None:
    profile = visit.profile
    other = "multipart" if profile.wire.body == "json" else "json"
    takes = other in (profile.wire.body_with_reference, *profile.rehearsal.takes)
    turned = replace(profile, wire=replace(profile.wire, body=other))

    reply = visit.ask(dialect_of(profile).submit(a_job(profile), turned, key="key-1"))

    assert (reply.status // 100 == 2) is takes


def test_every_fault_of_a_film_reaches_the_client_in_every_style(visit: Visit) -> None:
    video_id = visit.video()
    visit.clock.now += RENDER_S
    visit.demand(content={"script": ["429", "gone", "empty"]})

    seen = [visit.fetched(video_id) for _ in range(4)]

    assert seen == ["429", "gone", "empty", "film"]
