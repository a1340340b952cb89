"""What a job builds on, in the ledger: told whole where there is something, and not at all where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.ledger.claims import claims, in_all
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import BadRecord, Record, decode
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import reference_of
from pipeline.lifecycle import Fact
from pipeline.model import Job, Link, Reference
from pipeline.paths import schemas_folder
from tests.ledger.histories import BEGINNING, ORIGIN, PRICE, SAID, a_job, key, live, opened

FOX = Reference(name="images/fox.png", sha256="c" * 64, media_type="image/png", fit="crop")
VALIDATOR = Draft202012Validator(json.loads((schemas_folder() / "ledger.schema.json").read_text("utf-8")))


def linked(number: int, source: int, link: Link = Link.REMIX, seconds: int = 8) -> Job:
    return replace(a_job(number), source=key(source), link=link, seconds=seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def plans(path: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    for record in records:
        VALIDATOR.validate(record)
    return [record["wish"] for record in records if record["t"] == "plan"]


def bought(ledger: Ledger, number: int, made_from: str = "") -> None:
    """Let a job be accepted, from a source."""
    said = dict(SAID[Fact.INTENT])
    ledger.record(Fact.INTENT, key(number), **said, made_from=made_from or None)
    live(ledger, number, Fact.ACCEPTED)


def test_what_builds_on_nothing_is_written_as_ever(path: Path) -> None:
    with opened(path) as ledger:
        ledger.plan(a_job(0), price=PRICE)
        bought(ledger, 0)
        ledger.commit_now()
    assert plans(path)[0].keys() == {
        *("prompt", "model", "seconds", "size", "params", "group", "take", "axes", "meta"),
    }
    assert b"made_from" not in path.read_bytes()


@pytest.mark.parametrize("link", Link)
def test_a_source_and_an_image_are_read_as_they_were_written(link: Link, path: Path) -> None:
    job = replace(linked(1, 0, link), reference=FOX)
    with opened(path) as ledger:
        assert ledger.plan(job, price=PRICE)
        assert not ledger.plan(job, price=PRICE)
        bought(ledger, 1, made_from="video_0")
        ledger.commit_now()
        there = ledger.state.jobs[key(1)]
    again = read_run(path).jobs[key(1)]
    assert again.wish == there.wish
    assert (again.wish.source, again.wish.link, reference_of(again.wish)) == (key(0), link, FOX)
    assert again.attempts[0].made_from == "video_0"
    assert plans(path)[0]["reference"] == {
        "name": "images/fox.png",
        "sha256": "c" * 64,
        "media_type": "image/png",
        "fit": "crop",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"source": "f" * 32},
        {"link": "remix"},
        {"source": "f" * 32, "link": "sequel"},
        {"reference": {"sha256": "c" * 64}},
        {"reference": {"name": "a", "sha256": "c", "media_type": "b", "fit": 1}},
        {"reference": "fox.png"},
        {"colour": "red"},
    ],
)
def test_half_of_it_is_no_record(path: Path, change: dict[str, Any]) -> None:
    with opened(path) as ledger:
        ledger.plan(a_job(0), price=PRICE)
        ledger.commit_now()
    header, plan = path.read_bytes().splitlines(keepends=True)
    record = decode(plan)
    state = RunState()
    state.apply(decode(header))
    wish = {**record.fields["wish"], **change}
    assert not VALIDATOR.is_valid({**json.loads(plan), "wish": wish})
    with pytest.raises(BadRecord, match="wish"):
        state.apply(Record(2, "plan", BEGINNING, {**record.fields, "wish": wish}))


def test_the_length_of_a_chain_is_that_of_the_whole_video(path: Path) -> None:
    jobs = [a_job(0), linked(1, 0, Link.EXTEND, 4), linked(2, 1, Link.REMIX, 12), linked(3, 2, Link.EXTEND, 12)]
    jobs.append(linked(4, 3, Link.EDIT, 24))
    with opened(path) as ledger:
        for job in reversed(jobs):
            ledger.plan(job, price=PRICE)
        state = ledger.state
        assert [in_all(state.jobs[job.key], state).seconds for job in jobs] == [8, 12, 12, 24, 24]
        bought(ledger, 3, made_from="video_2")
        owned = claims(state, ORIGIN).owned["video_3_1"]
        assert (owned.wish.seconds, owned.made_from) == (24, "video_2")
