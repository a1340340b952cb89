"""A run against a provider that behaves: everything is stored, and asking again sends nothing."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import httpx
import jsonschema
import pytest

from pipeline import api
from pipeline.lifecycle import State
from pipeline.paths import schemas_folder
from pipeline.prepare import Choice, has_work
from pipeline.progress import Ended, Moved, Started
from pipeline.sandbox.embedded import Embedded, embedded
from tests.runner.night import Night, job, jobs, manifest, quick_profile

pytestmark = pytest.mark.anyio


async def test_every_video_is_stored_with_its_digest_its_sidecar_and_its_row(night: Night, a_film: bytes) -> None:
    wanted = jobs(6)
    outcome = await night.run(wanted)

    assert outcome.counts == {State.STORED: 6}
    assert (outcome.stopped, outcome.interrupted) == ("", False)
    schema = json.loads((schemas_folder() / "sidecar.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for one in wanted:
        stored = night.of(one)
        assert night.video(one).read_bytes() == a_film
        assert (stored.bytes, stored.sha256) == (len(a_film), hashlib.sha256(a_film).hexdigest())
        sidecar = json.loads(night.video(one).with_suffix(".json").read_text())
        assert list(validator.iter_errors(sidecar)) == []
        assert (sidecar["key"], sidecar["video_id"]) == (one.key, stored.video_id)
    rows = [json.loads(line) for line in (night.folder / "videos/metadata.jsonl").read_text().splitlines()]
    assert {row["file_name"]: (row["text"], row["sha256"]) for row in rows} == {
        one.path: (one.prompt, night.of(one).sha256) for one in wanted
    }
    assert not list(night.folder.rglob("*.part*"))


async def test_the_same_run_again_sends_nothing_and_changes_no_state(night: Night) -> None:
    wanted = jobs(6)
    first = await night.run(wanted)
    sent = len(night.gateway.seen)
    again = await night.run(wanted)

    assert len(night.gateway.seen) == sent
    assert (again.counts, again.stopped, again.interrupted) == (first.counts, first.stopped, first.interrupted)
    assert not has_work(again.outlook, again.state, night.base_url)


async def test_the_facts_of_a_job_are_in_the_order_that_a_crash_relies_on(night: Night) -> None:
    night.gateway.looks = 2
    await night.run(jobs(1))
    assert night.facts(job(0)) == ["intent", "accepted", "status", "finished", "stored"]


async def test_an_intent_is_on_disk_before_its_post_and_an_id_before_its_first_use(night: Night) -> None:
    at_request: dict[str, list[str]] = {}

    def note(seen: object) -> None:
        kind = getattr(seen, "kind", "")
        at_request.setdefault(kind, night.facts(job(0)))

    for kind in ("submit", "look", "content"):
        night.gateway.always(kind, note)
    await night.run(jobs(1))
    assert at_request["submit"] == ["intent"]
    assert at_request["look"] == ["intent", "accepted"]


async def test_a_provider_that_is_done_at_once_is_not_looked_at(night: Night) -> None:
    night.gateway.done_at_once = True
    outcome = await night.run(jobs(3))
    assert outcome.counts == {State.STORED: 3}
    assert night.gateway.of("look") == []


async def test_an_observer_hears_of_the_start_of_every_move_and_of_the_end(night: Night) -> None:
    await night.run(jobs(2))
    started, ended = night.events[0], night.events[-1]
    assert isinstance(started, Started)
    assert started.to_submit == 2
    assert isinstance(ended, Ended)
    assert ended.counts == {State.STORED: 2}
    moves = [event.state for event in night.events if isinstance(event, Moved) and event.id == "job-0"]
    assert moves == [State.SUBMITTING, State.IN_FLIGHT, State.FINISHED, State.STORED]


async def test_a_run_without_jobs_sends_nothing(night: Night) -> None:
    outcome = await night.run(())
    assert outcome.counts == {}
    assert night.gateway.seen == []


async def test_the_sandbox_sees_one_create_a_job_and_no_request_the_second_time(tmp_path: Path) -> None:
    profile = replace(quick_profile(), lists=True, key_default="", key_env=("SANDBOX_KEY",))
    sizes = ("1280x720", "720x1280")
    wanted = tuple(replace(job(n), size=sizes[n % 2], seconds=8 if n % 3 else 4) for n in range(6))
    async with embedded(tmp_path / "sandbox", {"render_s": 0.1}) as server:
        asked = manifest(wanted, server.base_url, profile)
        world = api.World(environment={**os.environ, "SANDBOX_KEY": server.key})
        outcome = await api.run(asked, Choice(outputs=tmp_path), world=world)
        assert outcome.counts == {State.STORED: 6}
        before = await _debug(server, "requests"), await _debug(server, "book")
        again = await api.run(asked, Choice(outputs=tmp_path), world=world)
        assert again.counts == outcome.counts
        assert (await _debug(server, "requests"), await _debug(server, "book")) == before
    book = before[1]["entries"]
    assert {entry["id"] for entry in book} == {state.video_id for state in outcome.state.jobs.values()}
    assert len(book) == 6
    for one in wanted:
        stored = outcome.state.jobs[one.key]
        assert stored.media_size == one.size
        assert stored.media_seconds == pytest.approx(one.seconds, abs=0.1)


async def _debug(server: Embedded, what: str) -> dict[str, list[dict[str, object]]]:
    url = server.base_url.removesuffix("/v1") + f"/debug/{what}"
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(url, headers={"authorization": f"Bearer {server.key}"})
    document: dict[str, list[dict[str, object]]] = reply.json()
    return document
