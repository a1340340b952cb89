"""Gateways as a person meets them: a profile, a server that speaks as it says, and the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent
VIDBATCH = [sys.executable, "-m", "pipeline"]
PAGE = {"API_TOKEN": "of-a-page", "VIDBATCH_SANDBOX_KEY": "of-a-page"}
"""The key, in the variable of DMXAPI's page, and for the sandbox in its place."""


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **more}


@contextmanager
def served(folder: Path, profile: str, *options: str, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """`vidbatch sandbox --profile`, and the address that it prints."""
    command = [*VIDBATCH, "sandbox", "--profile", profile, "--port", "0", "--folder", "box", *options]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment(**(variables or {}))
    ) as server:
        assert server.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line
        address = re.search(r"base_url: (\S+)\}", said)
        assert address is not None, said
        try:
            yield address[1]
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=30) == 0


def vidbatch(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VIDBATCH, *words], cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False
    )


def told(address: str, what: str, key: str) -> list[dict[str, object]]:
    """The sandbox's book, or its count of requests."""
    root = address[: address.index("/", len("http://"))]
    document = httpx.get(
        f"{root}/debug/{what}", headers={"authorization": f"Bearer {key}", "x-heron-key": key}, timeout=30
    ).json()
    rows: list[dict[str, object]] = document["entries" if what == "book" else "counts"]
    return rows


def stored(folder: Path, run: str, outputs: str = "outputs") -> list[dict[str, object]]:
    status = json.loads(vidbatch(folder, "status", f"{outputs}/{run}", "--json").stdout)
    return [job for job in status["jobs"] if job["state"] == "stored"]


@pytest.fixture(scope="module")
def walk() -> str:
    """The walk-through of docs/providers.md."""
    text = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    return text[text.index("## A profile of your own") : text.index("## A profile, field by field")]


def test_a_gateway_that_nobody_knows_takes_a_file_and_no_code(tmp_path: Path, walk: str) -> None:
    """Every line of the walk-through: its files as they stand, but for the port, then its commands."""
    profile, manifest, heir = re.findall(r"```yaml\n(.*?)```", walk, re.DOTALL)
    lines = re.findall(r"^(?:[A-Z_]+=\S+ )*vidbatch .*$", walk, re.M)
    commands = [line[line.index("vidbatch") :].partition("#")[0].split() for line in lines]
    variables = dict(word.split("=", 1) for word in lines[2].split() if "=" in word)
    (tmp_path / "heron.yaml").write_text(profile, encoding="utf-8")
    (tmp_path / "heir.yaml").write_text(heir, encoding="utf-8")
    assert [words[1] for words in commands] == ["profiles", "sandbox", "run", "doctor"]
    assert (variables["HERON_URL"], variables["HERON_KEY"]) == ("http://127.0.0.1:8700/v2", "sandbox")

    shown = vidbatch(tmp_path, *commands[0][1:])
    assert (shown.returncode, "0.06 EUR a second" in shown.stdout) == (0, True)
    assert vidbatch(tmp_path, "profiles", "./heir.yaml").returncode == 0

    with served(tmp_path, commands[1][-1], "--render-s", "0.2") as address:
        (tmp_path / "night.yaml").write_text(manifest, encoding="utf-8")
        night = vidbatch(tmp_path, *commands[2][1:], **{**variables, "HERON_URL": address})
        asked = vidbatch(tmp_path, *commands[3][1:], "--base-url", address, HERON_KEY="sandbox")
        book = told(address, "book", "sandbox")

    assert night.returncode == 0, night.stderr
    assert "1.20 EUR" in night.stdout
    assert f"at      {address}, on this machine, from the variable HERON_URL\n" in night.stderr
    assert len(stored(tmp_path, "night", commands[2][-1])) == len(book) == 3
    assert all(str(order["id"]).startswith("HRN-") for order in book)
    assert asked.returncode == 0, asked.stdout

    real = vidbatch(tmp_path, *commands[2][1:], HERON_KEY="theirs")
    assert (real.returncode, "a rehearsal shares no folder" in real.stderr) == (2, True)


def test_twenty_videos_come_home_from_dmxapi_as_its_page_shows_it(tmp_path: Path) -> None:
    """Four form fields, an id with a channel, no status: the content is asked for until it comes."""
    (tmp_path / "quick.yaml").write_text(
        "name: quick\ntitle: DMXAPI in a hurry\nbased_on: dmxapi\npace: {first_s: 0.3, interval_s: 0.3, typical_s: 1}\n"
    )
    (tmp_path / "page.yaml").write_text(
        "provider: ./quick.yaml\n"
        "limits: {in_flight: 20, submits_per_minute: 6000}\n"
        "defaults: {model: sora-2, seconds: 12, size: 720x1280}\n"
        'jobs: [{id: shop, prompt: "一个充满科技感的店铺 {{ n }}", matrix: {n: [1, 2, 3, 4]}, takes: 5}]\n',
        encoding="utf-8",
    )
    with served(tmp_path, "dmxapi", "--render-s", "0.5", "1.5", "--film-bytes", "4096", variables=PAGE) as address:
        run = vidbatch(tmp_path, "run", "page.yaml", API_TOKEN=PAGE["API_TOKEN"], API_URL=f"{address}/videos")
        wrong = vidbatch(tmp_path, "run", "page.yaml", "--outputs", "other", API_TOKEN="x", API_URL=f"{address}/videos")
        book, counts = told(address, "book", PAGE["API_TOKEN"]), told(address, "requests", PAGE["API_TOKEN"])

    assert run.returncode == 0, run.stderr
    videos = stored(tmp_path, "page")
    assert len(videos) == len(book) == 20
    assert all(re.fullmatch(r"video_[0-9a-f]{32}channel[0-9]{4}", str(video["video_id"])) for video in videos)
    assert {frozenset(dict(order["fields"])) for order in book} == {frozenset(("prompt", "model", "seconds", "size"))}  # type: ignore[call-overload]
    asked = {(count["method"], count["route"], count["status"]) for count in counts}
    assert {(method, route) for method, route, _ in asked} == {
        ("POST", "/v1/videos"),
        ("GET", "/v1/videos/{id}/content"),
    }
    assert ("GET", "/v1/videos/{id}/content", 400) in asked  # not ready yet, as its relatives say it
    assert (wrong.returncode, "the key is refused" in wrong.stderr) == (3, True)
