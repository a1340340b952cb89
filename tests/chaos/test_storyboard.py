"""A storyboard of real processes: text, remix, remix, four times; a source is refused, and a runner killed midway."""

from __future__ import annotations

import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx

from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import State
from pipeline.sandbox.embedded import Embedded, embedded
from tests.chaos.driver import Driver

PLACES = ("harbour", "bridge", "market", "forest")
SANDBOX: dict[str, Any] = {
    "render_s": [0.05, 0.3],
    "film": {"constant_bytes": 65_536},
    "faults": {"videos": {"script": ["moderated"]}},  # the first video of the book
}
MANIFEST = """\
version: 1
name: night
provider: {{profile: sandbox, base_url: "{url}"}}
limits: {{in_flight: 8, submits_per_minute: 60000, submit_slots: 2, downloads: 4}}
jobs:
  - id: day
    remix_of: dusk
    prompt: "{{{{ place }}}} the next morning"
  - id: scene
    prompt: "{{{{ place }}}} at dawn"
    matrix: {{place: [{places}]}}
  - id: dusk
    remix_of: scene
    prompt: "{{{{ place }}}} at dusk"
"""


def test_every_scene_is_made_once_from_its_own_source_and_what_cannot_be_is_blocked(tmp_path: Path) -> None:
    anyio.run(partial(_play, tmp_path, seed=random.SystemRandom().randrange(1 << 32)))


async def _play(folder: Path, *, seed: int) -> None:
    async with embedded(folder / "sandbox", SANDBOX) as server:
        text = MANIFEST.format(url=server.base_url, places=", ".join(PLACES))
        (folder / "night.yaml").write_text(text, encoding="utf-8")
        driver = Driver(folder=folder, server=server, jobs=3 * len(PLACES), chance=random.Random(seed))
        while not driver.live:
            await anyio.to_thread.run_sync(driver.hit, signal.SIGKILL, 1)
        ended = await anyio.to_thread.run_sync(driver.again)
        assert ended.returncode == 1, f"seed {seed}: {ended.stderr}"
        book = await _asked(server, "book")
        refused = book[0]["fields"]["prompt"].split()[0]
        whole = {place: 3 for place in PLACES if place != refused}
        _check(book, {**whole, refused: 1})
        jobs = read_run(driver.run_folder).jobs.values()
        assert Counter(job.state for job in jobs) == {State.STORED: 9, State.FAILED: 1, State.BLOCKED: 2}, seed
        blocked = {job.id: job.reason for job in jobs if job.state is State.BLOCKED}
        assert blocked.keys() == {f"dusk-{refused}", f"day-{refused}"}
        assert f"its source scene-{refused} failed: moderation_blocked" in blocked[f"dusk-{refused}"]

        retried = await anyio.to_thread.run_sync(partial(driver.again, "--retry", "failed"))
        assert retried.returncode == 0, f"seed {seed}: {retried.stderr}"
        book = await _asked(server, "book")
        _check([entry for entry in book if entry["n"] > 1], dict.fromkeys(PLACES, 3))
        assert read_run(driver.run_folder).counts[State.STORED] == 12
        asked = await _asked(server, "requests")
        assert not [one for one in asked if one["route"].endswith("/remix") and one["status"] not in (0, 200)], seed


def _check(book: list[dict[str, Any]], made: dict[str, int]) -> None:
    """Each prompt is in the book once, and each remix comes from the scene before it, in its own place."""
    prompts = {entry["id"]: entry["fields"]["prompt"] for entry in book}
    assert Counter(prompts.values()).most_common(1)[0][1] == 1
    assert Counter(prompt.split()[0] for prompt in prompts.values()) == made
    for entry in book:
        place, _, scene = prompts[entry["id"]].partition(" ")
        before = {"at dawn": None, "at dusk": f"{place} at dawn", "the next morning": f"{place} at dusk"}[scene]
        assert (prompts[entry["source"]["video_id"]] if "source" in entry else None) == before
        assert before is None or entry["source"]["link"] == "remix"


async def _asked(server: Embedded, what: str) -> list[dict[str, Any]]:
    url = f"{server.base_url.removesuffix('/v1')}/debug/{what}"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        document = (await client.get(url, timeout=60.0)).json()
    entries: list[dict[str, Any]] = document["entries" if what == "book" else "counts"]
    return entries
