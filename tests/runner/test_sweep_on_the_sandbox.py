"""A sweep on the embedded sandbox: what a plan says of its money, and what an edit does to what is there already."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from pipeline import api
from pipeline.lifecycle import State
from pipeline.manifest.load import Wishes
from pipeline.model import Link
from pipeline.outlook import Outlook
from pipeline.paths import schemas_folder
from pipeline.plan import Action
from pipeline.prepare import Choice
from tests.runner.night import HUNG_S

SWEEP = """\
name: harbour
provider: {profile: sandbox, sandbox: {render_s: 0}}
jobs:
  - id: harbour
    prompt: "{{ subject }} at dawn"
    matrix:
      subject: [a heron]
      model: [sora-2, sora-2-pro]
      seconds: [4, 8, 12]
  - {id: tug, prompt: a tug, size: 720x1280, takes: 2}
  - {id: night, remix_of: tug-t1, prompt: the same at night}
  - {id: later, extend_of: harbour-a-heron-sora-2-pro-12s, prompt: it goes on, seconds: 8}
  - {id: rain, extend_of: night, prompt: it rains, seconds: 4}
  - {id: snow, edit_of: rain, prompt: snow in place of rain}
"""
CENTS: Mapping[tuple[str, str], int] = {
    ("sora-2", "1280x720"): 10,
    ("sora-2", "720x1280"): 10,
    ("sora-2-pro", "1280x720"): 30,
}
"""What a second costs by the profile's published prices."""
SIDECAR = Draft202012Validator(json.loads((schemas_folder() / "sidecar.schema.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sweep was run once."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "harbour.yaml").write_text(SWEEP, encoding="utf-8")
    run(folder)
    return folder


def planned(folder: Path, *settings: str) -> Outlook:
    return api.plan_run(api.load(folder / "harbour.yaml", Wishes(settings=settings)), Choice(outputs=folder))


def run(folder: Path) -> api.Outcome:
    """Run what the manifest in *folder* says by now."""

    async def main() -> api.Outcome:
        with anyio.fail_after(HUNG_S):
            manifest = api.load(folder / "harbour.yaml")
            return await api.run(manifest, Choice(outputs=folder), world=api.World(environment={}))

    return anyio.run(main)


def orders(folder: Path) -> list[dict[str, Any]]:
    """What was ordered of the sandbox, line by line."""
    lines = (folder / "harbour" / "sandbox" / "book.jsonl").read_text(encoding="utf-8").splitlines()
    return [order for order in map(json.loads, lines) if order["type"] == "created"]


def book(folder: Path) -> list[Mapping[str, str]]:
    """What was ordered of the sandbox, and so would have been billed."""
    return [order["fields"] for order in orders(folder)]


def billed(folder: Path) -> Decimal:
    cents = sum(CENTS[order["model"], order["size"]] * int(order["seconds"]) for order in book(folder))
    return Decimal(cents) / 100


def test_the_money_of_the_plan_is_that_of_the_book_to_the_cent(outputs: Path, tmp_path: Path) -> None:
    (tmp_path / "harbour.yaml").write_text(SWEEP, encoding="utf-8")
    before, after = planned(tmp_path), planned(outputs)

    assert len(before.plan.submits) == len(book(outputs)) == 12
    assert before.plan.cost == billed(outputs) == Decimal("14.40")
    assert (after.plan.cost, after.spent) == (Decimal(0), Decimal("14.40"))
    assert Counter(step.action for step in after.plan.steps) == {Action.STORED: 12}


def test_a_chain_of_remix_extension_and_edit_is_made_link_by_link_and_each_says_from_what(outputs: Path) -> None:
    ordered = {order["fields"]["prompt"]: order for order in orders(outputs)}
    chain = [ordered[prompt] for prompt in ("a tug", "the same at night", "it rains", "snow in place of rain")]
    sidecar = json.loads((outputs / "harbour" / "videos" / "snow.json").read_text(encoding="utf-8"))
    rows = (outputs / "harbour" / "videos" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()

    sources = [(order["source"]["link"], order["source"]["video_id"]) for order in chain[1:]]
    assert [link for link, _ in sources] == list(Link)
    assert [made_from for _, made_from in sources[1:]] == [order["id"] for order in chain[1:-1]]
    assert [order["fields"]["seconds"] for order in chain] == ["4", "4", "4", "8"]
    assert (sidecar["source"]["link"], sidecar["source"]["video_id"]) == ("edit", chain[2]["id"])
    assert [error.message for error in SIDECAR.iter_errors(sidecar)] == []
    assert Counter(json.loads(row)["link"] for row in rows) == {None: 8, "extend": 2, "remix": 1, "edit": 1}


def test_an_edited_manifest_buys_what_was_edited_and_leaves_all_videos_as_they_are(outputs: Path) -> None:
    videos = outputs / "harbour" / "videos"
    there = {path.name: path.read_bytes() for path in videos.glob("**/*.mp4")}
    spent = billed(outputs)

    (outputs / "harbour.yaml").write_text(SWEEP.replace("the same at night", "the same at noon"), encoding="utf-8")
    outlook = planned(outputs)
    changed = outlook.plan.of(Action.CHANGED)
    done = run(outputs)

    assert [step.job.id for step in changed] == ["night", "rain", "snow"]  # what builds on it is another video, too
    assert changed[0].job.prompt == "the same at noon"
    assert outlook.plan.counts == {Action.STORED: 9, Action.CHANGED: 3}
    assert (done.stopped, billed(outputs) - spent) == ("", outlook.plan.cost)
    now = {path.name: path.read_bytes() for path in videos.glob("**/*.mp4")}
    assert there.items() <= now.items()
    assert now.keys() - there.keys() == {f"{step.job.id}-{step.job.key[:8]}.mp4" for step in changed}
    assert done.counts[State.STORED] == 12


@pytest.mark.parametrize(("setting", "fresh"), [("subject=a heron,a wren", 6), ("takes=3", 15), ("subject=a heron", 0)])
def test_more_of_a_sweep_buys_only_what_is_more(setting: str, fresh: int, outputs: Path) -> None:
    swept = SWEEP.partition("  - {id: later")[0]  # without what names one job of it, which would have another id
    (outputs / "harbour.yaml").write_text(swept, encoding="utf-8")

    assert len(planned(outputs, setting).plan.submits) == fresh
