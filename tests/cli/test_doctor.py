"""`vidbatch doctor` as it is typed, at a sandbox that is there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.text import cells
from tests.sandbox.conftest import KEY, Clock, Gateway, running

Vidbatch = Callable[..., Any]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    clock = Clock()
    clock.now = time.time()
    with running(tmp_path / "there", clock, render_s=0, film={"constant_bytes": 4096}) as there:
        yield there


def address_of(gateway: Gateway) -> str:
    return str(gateway.client.base_url).rstrip("/")


def test_it_tells_each_question_and_what_was_found_in_80_columns(gateway: Gateway, in_process: Vidbatch) -> None:
    done = in_process("doctor", "--base-url", address_of(gateway), VIDBATCH_SANDBOX_KEY=KEY)

    assert done.returncode == 0
    said, unasked = " ".join(done.stdout.split()).rsplit(" Not asked: ", 1)
    assert said.endswith(" Nothing that was asked differs from what the profile sandbox says.")
    assert unasked.startswith(
        "body, models, prices, content, retention_s, limits, references, remixes, extends, edits,"
    )
    assert "profile says: lists; found: a list: 0 videos" in said
    assert "profile says: auth: bearer; found: there, from the variable VIDBATCH_SANDBOX_KEY" in said
    assert f"→ GET {address_of(gateway)}/videos?limit=100&order=desc\n  does it list its videos?\n" in done.stderr
    assert max(map(cells, (done.stdout + done.stderr).splitlines())) <= 80
    assert KEY not in done.stdout + done.stderr


def test_a_paid_probe_names_its_price_buys_one_video_and_never_a_second(
    gateway: Gateway, in_process: Vidbatch, tmp_path: Path
) -> None:
    words = ("doctor", "--paid-probe", "--json", "--base-url", address_of(gateway))

    first, second = (in_process(*words, VIDBATCH_SANDBOX_KEY=KEY) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "paid probe: one video (sketch, 4 s, 1280x720) for $0.04 (play money" in first.stderr
    assert "was asked for before; nothing more is" in " ".join(second.stderr.split())
    (video,) = gateway.debug("book")["entries"]
    for told in (json.loads(first.stdout), json.loads(second.stdout)):
        found = {one["about"]: one for one in told["findings"]}
        assert {one["verdict"] for one in told["findings"]} == {"as claimed"}
        assert video["id"] in found["video"]["found"]
        assert {"look", "kept", "list", "thumbnail", "spritesheet"} <= found.keys()
        assert [one["method"] for one in told["requests"] if one["method"] not in ("GET", "CONNECT")] == []
        assert told["exit_code"] == 0
    assert (tmp_path / "outputs" / "doctor-sandbox" / "videos" / "probe.mp4").stat().st_size == 4096


def test_a_refused_key_ends_with_3_and_buys_nothing(gateway: Gateway, in_process: Vidbatch, tmp_path: Path) -> None:
    words = ("doctor", "--paid-probe", "--base-url", address_of(gateway))

    done = in_process(*words, VIDBATCH_SANDBOX_KEY="the-wrong-one")

    assert done.returncode == 3
    assert "✗ key" in done.stdout
    assert done.stderr.endswith("vidbatch: not reached or refused; no video was bought\n")
    assert gateway.debug("book")["entries"] == []
    assert not (tmp_path / "outputs").exists()


def test_a_manifest_names_the_provider_that_is_looked_over(
    gateway: Gateway, in_process: Vidbatch, tmp_path: Path
) -> None:
    provider = f"{{profile: sandbox, base_url: {address_of(gateway)}, api_key_env: MINE}}"
    (tmp_path / "m.yaml").write_text(f"provider: {provider}\njobs: [{{prompt: a heron}}]\n", encoding="utf-8")

    done = in_process("doctor", "--manifest", "m.yaml", MINE=KEY)

    assert done.returncode == 0
    assert "from the manifest m.yaml" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sandbocks",), "there is no profile 'sandbocks'; did you mean 'sandbox'?"),
        (("sandbox", "--manifest", "m.yaml"), "--manifest names a provider already: leave out 'sandbox'"),
        (("--base-url", "http://gateway.example/v1"), "--base-url: over http the key would travel readable"),
        (("newapi", "--base-url", "https://gateway.example/v1"), "no key: set the environment variable NEWAPI_API_KEY"),
        (("azure",), "no address: set the environment variable AZURE_OPENAI_BASE_URL or OPENAI_BASE_URL"),
        (("azure",), "Azure OpenAI (Microsoft Foundry) retired this on 2026-11-02"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_before_anything_is_sent(
    words: tuple[str, ...], said: str, in_process: Vidbatch
) -> None:
    done = in_process("doctor", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "→" not in done.stderr
