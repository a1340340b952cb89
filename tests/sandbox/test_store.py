"""The book on disk: what was answered is there again, whatever happened to the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pipeline.errors import UsageError
from pipeline.sandbox.store import BookDamaged, Store
from tests.sandbox.conftest import KEY, WISH, Clock, running


def fill(folder: Path, count: int) -> list[str]:
    with Store(folder) as store:
        return [store.accept(WISH, body_sha256="00", idempotency_key=f"k{n}", now=float(n)).id for n in range(count)]


def test_orders_and_deletes_are_there_after_a_restart(tmp_path: Path) -> None:
    ids = fill(tmp_path, 3)
    with Store(tmp_path) as store:
        first = store.find(ids[0])
        assert first is not None
        store.delete(first, now=9.0)
    with Store(tmp_path) as store:
        assert [order.id for order in store.orders] == ids
        assert store.find(ids[0]) is None
        assert store.find(ids[1]) == store.orders[1] == store.find_by_key("k1")


def test_a_torn_last_line_is_cut_wherever_it_was_torn(tmp_path: Path) -> None:
    ids = fill(tmp_path, 3)
    book = tmp_path / "book.jsonl"
    whole = book.read_bytes()
    ends = [n + 1 for n, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(ends[1], ends[2]):
        book.write_bytes(whole[:length])
        with Store(tmp_path) as store:
            assert [order.id for order in store.orders] == ids[:2]
        assert book.read_bytes() == whole[: ends[1]]


def test_a_new_order_follows_cleanly_on_a_cut_line(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    book = tmp_path / "book.jsonl"
    book.write_bytes(book.read_bytes()[:-5])
    fill(tmp_path, 1)

    assert [json.loads(line)["n"] for line in book.read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b"{}\n", b'{"type":"created"}\n', b"\xff\n"])
def test_a_bad_line_is_named_and_nothing_is_changed(tmp_path: Path, line: bytes) -> None:
    fill(tmp_path, 1)
    book = tmp_path / "book.jsonl"
    content = book.read_bytes() + line + book.read_bytes()
    book.write_bytes(content)
    for _ in range(2):  # the refused attempt gave the folder free again
        with pytest.raises(BookDamaged, match=r"book\.jsonl:2: "):
            Store(tmp_path, lock_wait_s=0)

    assert book.read_bytes() == content


def test_a_clock_that_was_set_back_does_not_disorder_the_book(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        orders = [store.accept(WISH, body_sha256="", idempotency_key=None, now=now) for now in (100.0, 50.0, 101.0)]

    assert [order.at for order in orders] == [100.0, 100.0, 101.0]


def test_a_folder_has_one_sandbox_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(UsageError, match="another sandbox is using this folder"):
        Store(tmp_path, lock_wait_s=0.05)
    Store(tmp_path, lock_wait_s=0).close()


def test_the_gateway_answers_for_the_jobs_of_the_one_before(tmp_path: Path, clock: Clock) -> None:
    with running(tmp_path, clock) as gateway:
        before = gateway.create()
    clock.now += 2
    with running(tmp_path, clock) as gateway:
        after = gateway.get(f"/videos/{before['id']}")
        film = gateway.client.get(f"/videos/{before['id']}/content")
        book = gateway.debug("book")["entries"]

    assert after["status"] == "completed"
    assert film.status_code == 200
    assert [entry["id"] for entry in book] == [before["id"]]


def test_what_was_answered_before_a_kill_is_in_the_book(tmp_path: Path, clock: Clock) -> None:
    answered = []
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "pipeline.sandbox", str(tmp_path), "{}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "VIDBATCH_SANDBOX_KEY": KEY},
        )
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin, child.stdout:
            url = json.loads(child.stdout.readline())["base_url"]
            with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as client:
                replies = [client.post(f"{url}/videos", json=WISH).raise_for_status() for _ in range(5)]
                answered += [reply.json()["id"] for reply in replies]
                child.send_signal(signal.SIGKILL)
                child.wait()
    with running(tmp_path, clock) as gateway:
        book = gateway.debug("book")["entries"]

    assert [entry["id"] for entry in book] == answered
    assert [entry["n"] for entry in book] == list(range(1, 16))
