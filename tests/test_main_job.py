"""The main job, end to end, by the real command line: a manifest in, videos out, and a run that resumes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import av
import httpx
import pytest
from jsonschema import Draft202012Validator

import pipeline
from pipeline.paths import example_folder, schemas_folder
from pipeline.sandbox.embedded import Embedded, embedded

ROOT = Path(pipeline.__file__).parent.parent
TWELVE = ROOT / "tests/cases/manifests/invalid/twelve-mistakes.yaml"


def vidbatch(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def shape(path: Path) -> tuple[float, int, int]:
    """The length and size of a film, by decoding every frame of it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video=0))
        assert stream.average_rate is not None
        return float(frames / stream.average_rate), stream.width, stream.height


def book(run: Path) -> list[str]:
    """The prompts of all creates that the embedded sandbox accepted."""
    lines = [json.loads(line) for line in (run / "sandbox/book.jsonl").read_text("utf-8").splitlines()]
    return [line["fields"]["prompt"] for line in lines if "fields" in line]


def test_the_quickstart_makes_six_films_as_asked_and_again_makes_none(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_bytes((example_folder() / "quickstart.yaml").read_bytes())
    run = tmp_path / "outputs/quickstart"

    first, sold = vidbatch(tmp_path, "run", "quickstart.yaml"), book(run)
    again = vidbatch(tmp_path, "run", "quickstart.yaml")
    told = vidbatch(tmp_path, "status", "outputs/quickstart", "--json")

    assert [first.returncode, again.returncode, told.returncode] == [0, 0, 0], first.stderr
    assert len(sold) == len(set(sold)) == 6
    assert book(run) == sold
    status = json.loads(told.stdout)
    Draft202012Validator(json.loads((schemas_folder() / "status.schema.json").read_text("utf-8"))).validate(status)
    assert status["counts"]["stored"] == len(status["jobs"]) == 6
    assert [job["submits"] for job in status["jobs"]] == [1] * 6
    for job in status["jobs"]:
        content = (run / job["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (job["bytes"], job["sha256"])
        wish = json.loads((run / job["path"]).with_suffix(".json").read_text("utf-8"))["request"]
        seconds, width, height = shape(run / job["path"])
        assert seconds == pytest.approx(wish["seconds"], abs=0.1)
        assert f"{width}x{height}" == wish["size"]
    on_disk = {path.relative_to(run).as_posix() for path in (run / "videos").rglob("*.mp4")}
    assert on_disk == {job["path"] for job in status["jobs"]}


def test_twelve_mistakes_are_twelve_issues_and_no_request(tmp_path: Path) -> None:
    (tmp_path / "twelve.yaml").write_bytes(TWELVE.read_bytes())

    async def tried() -> tuple[subprocess.CompletedProcess[str], object]:
        async with embedded(tmp_path / "sandbox", {}) as server:
            here = {"VIDBATCH_SANDBOX_URL": server.base_url, "VIDBATCH_SANDBOX_KEY": server.key}
            ran = await anyio.to_thread.run_sync(lambda: vidbatch(tmp_path, "run", "twelve.yaml", **here))
            return ran, await requests_seen(server)

    ran, seen = anyio.run(tried)

    assert ran.returncode == 2
    places = [line for line in ran.stderr.splitlines() if line.startswith("twelve.yaml:")]
    assert len(places) == 12
    assert places == sorted(places, key=lambda line: [int(part) for part in line.split(":")[1:3]])
    assert "12 issues; nothing was sent" in ran.stderr
    assert seen == []
    assert not (tmp_path / "outputs").exists()


async def requests_seen(server: Embedded) -> object:
    """What the sandbox counted."""
    url = server.base_url.removesuffix("/v1") + "/debug/requests"
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(url, headers={"authorization": f"Bearer {server.key}"})
    return reply.json()["counts"]
