"""A run in the formats of others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import Fact, State
from pipeline.manifest.load import Wishes, load
from pipeline.model import Job, Link, Position, Reference
from pipeline.providers.registry import find_profile, profile_names
from pipeline.views.export import export
from tests.ledger.histories import a_job, key, live, opened

HERE = Position(file="m.yaml", line=1, column=1)
MANIFEST = """\
jobs:
  - id: heron
    group: coast
    prompt: "a heron at {{ time }},\\nin \\"35mm\\" ✓"
    vars: {time: dawn}
    seconds: 8
    params: {seed: 7, note: "a: b"}
    takes: 3
  - prompt: a tug
    size: 720x1280
    meta: {scene: 2}
"""


def lines(state: RunState, *states: State) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(export(state, "openai-batch", states).parts()).splitlines()]


def planned(ledger: Ledger, *jobs: Job) -> None:
    for job in jobs:
        ledger.plan(job, price=None)


def read(path: Path) -> tuple[Job, ...]:
    found = load(path, find_profile=find_profile, profile_names=profile_names(), wishes=Wishes(provider="sandbox"))
    return found.jobs


def test_a_job_is_a_request_to_make_the_same_video(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, a_job(1))

        assert lines(ledger.state) == [
            {
                "custom_id": "job-1",
                "method": "POST",
                "url": "/v1/videos",
                "body": {
                    "model": "sora-2",
                    "prompt": "a fox in the snow, number 1 ✓",
                    "seconds": "8",
                    "size": "1280x720",
                    "seed": 1,
                },
            }
        ]


def test_what_was_exported_is_a_manifest_of_the_same_jobs_under_the_same_keys(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(MANIFEST, encoding="utf-8")
    jobs = read(tmp_path / "first.yaml")
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *jobs)
        content = b"".join(export(ledger.state, "openai-batch").parts())
        again = b"".join(export(ledger.state, "openai-batch").parts())
    (tmp_path / "second.jsonl").write_bytes(content)

    back = read(tmp_path / "second.jsonl")

    assert [job.key for job in back] == [job.key for job in jobs]
    assert [(job.id, job.take) for job in back] == [(job.id, job.take) for job in jobs]
    assert content == again


def test_only_jobs_in_the_named_states_are_there(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, a_job(1), a_job(2), a_job(3))
        live(ledger, 2, Fact.INTENT, Fact.REJECTED)
        state = ledger.state

    assert [line["custom_id"] for line in lines(state, State.REJECTED)] == ["job-2"]
    assert [line["custom_id"] for line in lines(state, State.PENDING, State.REJECTED)] == ["job-1", "job-2", "job-3"]


def test_what_no_batch_line_can_say_is_left_out_and_named(tmp_path: Path) -> None:
    image = Reference(name="fox.png", sha256="0" * 64, media_type="image/png")
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(
            ledger,
            a_job(1),
            replace(a_job(2), source=key(1), link=Link.REMIX),
            replace(a_job(3), source=key(1), link=Link.EXTEND),
            replace(a_job(4), reference=image),
            replace(a_job(5), id="job-2", source=key(4), link=Link.REMIX),  # as an edited manifest has it
        )
        found = export(ledger.state, "openai-batch")

    assert [job.id for job in found.jobs] == ["job-1"]
    assert found.left_out == {
        "it is made from another video": ["job-2", "job-3"],
        "an image goes with it": ["job-4"],
    }


@pytest.mark.parametrize("name", ["heron", "x" * 80])
def test_no_two_lines_have_one_custom_id_even_where_an_edited_manifest_gave_it_to_another_job(
    name: str, tmp_path: Path
) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *(replace(a_job(n), id=name, key=f"{n:x}" * 32) for n in (1, 2, 3)))
        ids = [line["custom_id"] for line in lines(ledger.state)]

    assert ids == [f"{name[:71]}-11111111", f"{name[:71]}-22222222", name]


@pytest.mark.parametrize(
    ("takes", "said", "left"),
    [
        ((2,), (), ("job-1-t2",)),
        ((1, 3, 4), (1,), ("job-1-t3", "job-1-t4")),
        ((2, 1, 3), (1, 2, 3), ()),
        ((4, 2, 1), (1, 2), ("job-1-t4",)),
    ],
)
def test_a_take_is_only_there_behind_all_earlier_ones_for_it_would_come_back_as_one_of_them(
    takes: tuple[int, ...], said: tuple[int, ...], left: tuple[str, ...], tmp_path: Path
) -> None:
    jobs = {take: replace(a_job(1), id=f"job-1-t{take}", take=take, key=f"{take}" * 32) for take in takes}
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, a_job(8), *jobs.values(), a_job(9))
        found = export(ledger.state, "openai-batch")

    assert [job.key for job in found.jobs] == [key(8), *(jobs[take].key for take in said), key(9)]
    reason = "it is a later take of a video whose earlier ones are not there"
    assert found.left_out == ({reason: list(left)} if left else {})


def test_takes_that_were_planned_out_of_order_come_back_under_their_keys(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("jobs: [{id: p, prompt: a fox, takes: 3}]\n", encoding="utf-8")
    first, second, third = read(tmp_path / "first.yaml")
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, third, first, second)
        (tmp_path / "second.jsonl").write_bytes(b"".join(export(ledger.state, "openai-batch").parts()))

    back = read(tmp_path / "second.jsonl")

    assert [(job.id, job.take, job.key) for job in back] == [(j.id, j.take, j.key) for j in (first, second, third)]
