"""`videos/metadata.jsonl`: what the run folder is as a dataset, after edits and accidents."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.lifecycle import State
from pipeline.progress import Event, Moved
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


def rows(night: Night) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (night.folder / "videos/metadata.jsonl").read_text("utf-8").splitlines()]


def told(night: Night) -> list[tuple[str, bool]]:
    return [(row["text"], row["orphaned"]) for row in rows(night)]


async def test_a_video_whose_prompt_was_edited_stays_and_stands_behind_and_is_told_apart(night: Night) -> None:
    edited = job(0, "tug 0 at dusk")
    await night.run(jobs(2))
    assert told(night) == [("tug 0 at dawn", False), ("tug 1 at dawn", False)]

    await night.run((edited, job(1)))

    assert told(night) == [("tug 1 at dawn", False), ("tug 0 at dusk", False), ("tug 0 at dawn", True)]
    assert [row["id"] for row in rows(night)] == ["job-1", "job-0", "job-0"]
    assert len({row["file_name"] for row in rows(night)}) == 3
    assert all((night.folder / "videos" / row["file_name"]).is_file() for row in rows(night))


async def test_what_is_asked_for_again_is_no_orphan_any_more(night: Night) -> None:
    edited = job(0, "tug 0 at dusk")
    for wanted in (job(0), edited, job(0)):
        await night.run((wanted,))

    assert told(night) == [("tug 0 at dawn", False), ("tug 0 at dusk", True)]
    assert len(night.gateway.book) == 2


async def test_what_a_run_leaves_out_is_no_orphan_and_running_again_writes_no_note(night: Night) -> None:
    await night.run(jobs(3))
    night.choice = replace(night.choice, only="job-1")
    await night.run(jobs(2))
    await night.run(jobs(2))

    assert told(night) == [("tug 0 at dawn", False), ("tug 1 at dawn", False), ("tug 2 at dawn", True)]
    assert (night.folder / "ledger.jsonl").read_text("ascii").count('"what":"orphaned"') == 1


async def test_no_row_names_a_file_that_was_taken_away_while_the_run_went_on(night: Night) -> None:
    def take_away(event: Event) -> None:
        if isinstance(event, Moved) and (event.id, event.state) == ("job-0", State.STORED):
            (night.folder / "videos" / job(0).path).unlink()

    await night.run(jobs(2), observer=take_away)

    assert night.of(job(0)).state is State.STORED  # the next run will see
    assert told(night) == [("tug 1 at dawn", False)]


async def test_values_of_one_name_are_of_one_kind_or_no_reader_would_open_the_folder(night: Night) -> None:
    calm = replace(job(0), axes={"mood": "calm"}, meta={"image_file_name": "a.png"})
    two = replace(job(1), axes={"mood": 2}, params={"seed": 7})

    await night.run((calm, two))

    assert [row["axes"] for row in rows(night)] == [{"mood": "calm"}, {"mood": "2"}]
    assert [row["meta"] for row in rows(night)] == [{"image_file_name_": "a.png"}, {}]
    assert [row["params"] for row in rows(night)] == [{}, {"seed": 7}]
