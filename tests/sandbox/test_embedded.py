"""A sandbox of one's own: it starts, it ends with its owner, and its jobs outlive both."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from pipeline.errors import MissingExtra, UsageError
from pipeline.model import JSON
from pipeline.sandbox.embedded import SandboxFailed, embedded
from pipeline.sandbox.store import Store
from tests.sandbox.conftest import WISH

pytestmark = pytest.mark.parametrize("backend", ["asyncio", "trio"])

OWNER = """
import anyio, json, sys
from pathlib import Path
from pipeline.sandbox.embedded import embedded
async def main():
    async with embedded(Path(sys.argv[1]), {"render_s": 0}) as sandbox:
        print(json.dumps([sandbox.base_url, sandbox.key]), flush=True)
        await anyio.sleep_forever()
anyio.run(main, backend=sys.argv[2])
"""


def ask(base_url: str, key: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    reply = httpx.post(f"{base_url}/videos", json=WISH, headers=headers, timeout=30)
    return str(reply.raise_for_status().json()["id"])


def is_reachable(base_url: str) -> bool:
    try:
        httpx.get(base_url, timeout=30)
    except httpx.TransportError:
        return False
    return True


def test_it_starts_with_its_settings_and_ends_with_the_block(tmp_path: Path, backend: str) -> None:
    ids, urls = [], []

    async def use_twice() -> None:
        for _ in range(2):
            async with embedded(tmp_path / "deep" / "sandbox", {"render_s": 0, "retention_s": 7}) as sandbox:
                ids.append(await anyio.to_thread.run_sync(ask, sandbox.base_url, sandbox.key))
                urls.append(sandbox.base_url)
                headers = {"Authorization": f"Bearer {sandbox.key}"}
                debug = sandbox.base_url.removesuffix("/v1") + "/debug"
                async with httpx.AsyncClient(headers=headers, timeout=30) as client:
                    settings = (await client.get(f"{debug}/settings")).json()
                    book = (await client.get(f"{debug}/book")).json()
                assert (settings["render_s"], settings["retention_s"]) == (0, 7)
                assert [entry["id"] for entry in book["entries"]] == ids

    anyio.run(use_twice, backend=backend)

    assert not any(is_reachable(url) for url in urls)
    assert (tmp_path / "deep" / "sandbox" / "sandbox.log").read_text() == ""


def test_it_ends_when_the_block_is_cancelled_or_fails(tmp_path: Path, backend: str) -> None:
    urls = []

    async def cancel() -> None:
        with anyio.CancelScope() as scope:
            async with embedded(tmp_path, {}) as sandbox:
                urls.append(sandbox.base_url)
                scope.cancel()
                await anyio.sleep_forever()

    async def fail() -> None:
        async with embedded(tmp_path, {}) as sandbox:
            urls.append(sandbox.base_url)
            raise KeyError("mine")

    anyio.run(cancel, backend=backend)
    with pytest.raises(KeyError, match="mine"):
        anyio.run(fail, backend=backend)

    assert len(urls) == 2
    assert not any(is_reachable(url) for url in urls)


def test_it_does_not_outlive_an_owner_that_was_killed(tmp_path: Path, backend: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), backend], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        base_url, key = json.loads(owner.stdout.readline())
        video_id = ask(base_url, key)
        owner.send_signal(signal.SIGKILL)
        owner.wait()

    with Store(tmp_path) as store:  # waits for the lock, which the sandbox holds as long as it lives
        assert [order.id for order in store.orders] == [video_id]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes in /proc")
def test_ctrl_c_is_for_the_owner_alone(tmp_path: Path, backend: str) -> None:
    groups: list[int] = []

    async def look() -> None:
        async with embedded(tmp_path, {}):
            groups.extend(os.getpgid(pid) for pid in _sandboxes_over(tmp_path))

    anyio.run(look, backend=backend)

    assert len(groups) == 1
    assert groups != [os.getpgid(0)]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes in /proc")
def test_it_gets_no_key_of_a_provider(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMXAPI_API_KEY", "canary-of-a-key")
    monkeypatch.setenv("MY_OWN_WORD", "canary-of-a-word")
    monkeypatch.setenv("LC_TIME", "C")
    seen: list[bytes] = []

    async def look() -> None:
        async with embedded(tmp_path, {}):
            seen.extend(Path(f"/proc/{pid}/environ").read_bytes() for pid in _sandboxes_over(tmp_path))

    anyio.run(look, backend=backend)

    [environment] = seen
    assert b"VIDBATCH_SANDBOX_KEY=" in environment
    assert b"LC_TIME=C" in environment
    assert b"canary" not in environment


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks at processes in /proc")
def test_its_owner_is_told_when_it_ends_by_itself(tmp_path: Path, backend: str) -> None:
    told: list[str] = []

    async def kill() -> None:
        with anyio.fail_after(30):
            for said in ("", "one\nno room left\n"):
                async with embedded(tmp_path, {}) as sandbox:
                    (tmp_path / "sandbox.log").write_text(said)
                    for pid in _sandboxes_over(tmp_path):
                        os.kill(pid, signal.SIGKILL)
                    told.append(await sandbox.ended())

    anyio.run(kill, backend=backend)

    assert told == ["signal 9 ended it", "no room left"]


def _sandboxes_over(folder: Path) -> Iterator[int]:
    """The processes that were started for *folder*."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended while we looked
            if str(folder).encode() in place.read_bytes().split(b"\0"):
                yield int(place.parent.name)


def test_a_folder_that_is_taken_is_said_so(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "book.jsonl").write_text("nonsense\n")

    async def start() -> None:
        async with embedded(tmp_path, {}):
            pytest.fail("it started")

    with pytest.raises(SandboxFailed, match=r"book\.jsonl:1"):
        anyio.run(start, backend=backend)


@pytest.mark.parametrize(("options", "message"), [({"rendr_s": 2}, "rendr_s"), ({"render_s": "x"}, "render_s")])
def test_an_option_that_cannot_be_is_refused_before_anything_starts(
    tmp_path: Path, backend: str, options: dict[str, JSON], message: str
) -> None:
    async def start() -> None:
        async with embedded(tmp_path / "new", options):
            pytest.fail("it started")

    with pytest.raises(UsageError, match=message):
        anyio.run(start, backend=backend)
    assert not (tmp_path / "new").exists()


def test_without_the_extra_one_line_says_what_to_install(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))

    async def start() -> None:
        async with embedded(tmp_path / "new", {}):
            pytest.fail("it started")

    with pytest.raises(MissingExtra, match=r"vidbatch\[sandbox\]"):
        anyio.run(start, backend=backend)
    assert not (tmp_path / "new").exists()
