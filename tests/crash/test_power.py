"""T5: the power goes; short enough for every day. `python -m tests.soak power` has every moment."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from tests.crash.cuts import BLOCKWISE, CUTS, DROPPED, KEPT, SOME_NAMES, TORN, Cut
from tests.crash.power import Outage, suffer
from tests.crash.recording import Event, Site
from tests.crash.runs import a_town, volume_after
from tests.crash.syncs import noticed, sites
from tests.crash.volume import Volume, Write
from tests.soak.power import record_all

MOMENTS, RUNS = 24, 3


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.name.replace(" ", "-"))
def test_whatever_a_loss_of_power_leaves_nothing_is_paid_twice_or_lost(tmp_path: Path, cut: Cut) -> None:
    chance = random.SystemRandom()

    async def go_through() -> list[tuple[str, tuple[str, ...]]]:
        async with a_town() as town:
            (tmp_path / "plain").mkdir()
            events = await town.record(tmp_path / "plain")
            moments = sorted(chance.sample(range(len(events) + 1), MOMENTS))
            outages = [Outage(events=events, at=at, cut=cut, seed=chance.randrange(1 << 32)) for at in moments]
            found = [
                (str(outage), await suffer(outage, tmp_path / "outputs", None if n % (MOMENTS // RUNS) else town))
                for n, outage in enumerate(outages)
            ]
            return [(words, one.faults) for words, one in found if one.faults]

    assert anyio.run(go_through) == []


def test_an_fsync_that_does_nothing_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    async def take_away() -> tuple[str, dict[Site, str]]:
        async with a_town() as town:
            recordings = await record_all(town, tmp_path, random.Random(5))
        sound = await noticed(None, recordings, tmp_path, moments=4)
        return sound[0], {site: (await noticed(site, recordings, tmp_path, moments=12))[0] for site in sites()}

    sound, by_site = anyio.run(take_away)

    assert sound == "", "with every fsync in its place there is nothing to notice"
    assert [str(site) for site, name in by_site.items() if not name] == []
    assert len(by_site) >= 9


def test_the_model_of_the_disk_is_the_disk(tmp_path: Path) -> None:
    """What the model says that a program sees is what lies there; and a cut that keeps all is that."""

    async def record() -> Sequence[Event]:
        async with a_town() as town:
            (tmp_path / "plain").mkdir()
            return await town.record(tmp_path / "plain")

    volume = volume_after(anyio.run(record))
    there = {
        path.relative_to(tmp_path / "plain").as_posix(): None if path.is_dir() else path.read_bytes()
        for path in (tmp_path / "plain").rglob("*")
    }

    assert volume.now() == there
    assert KEPT.left(volume, random.Random(1)) == there


def synced(volume: Volume, *names: str) -> None:
    """Make files (or folders, with a slash at their end) durable."""
    for name in names:
        if name.endswith("/"):
            volume.folder(name).sync()
        else:
            volume.file(name).sync()


@pytest.mark.parametrize(
    ("durable", "kept"),
    [
        ((), {}),
        (("run/film",), {}),  # bytes without a name
        (("run/",), {}),  # a name in a folder that has none
        (("/",), {"run": None}),
        (("run/", "/"), {"run": None, "run/film": b""}),  # a name without bytes
        (("run/film", "run/", "/"), {"run": None, "run/film": b"abc"}),
    ],
)
def test_only_what_was_synced_is_sure_to_survive(durable: tuple[str, ...], kept: dict[str, bytes | None]) -> None:
    volume = Volume()
    volume.file("run/film").change(Write(offset=0, content=b"abc"))
    synced(volume, *durable)

    volume.file("run/film").change(Write(offset=3, content=b"def"))
    assert DROPPED.left(volume, random.Random(1)) == kept
    assert volume.now() == {"run": None, "run/film": b"abcdef"}


def test_a_rename_that_was_not_synced_is_done_or_undone_as_one() -> None:
    volume = Volume()
    volume.file("old").change(Write(offset=0, content=b"abc"))
    synced(volume, "old", "/")
    volume.rename("old", "new")

    left = {frozenset(SOME_NAMES.left(volume, random.Random(seed))) for seed in range(20)}

    assert left == {frozenset({"old"}), frozenset({"new"})}


def test_bytes_that_were_not_synced_are_torn_in_every_way_and_the_others_in_none() -> None:
    volume = Volume()
    file = volume.file("ledger")
    file.change(Write(offset=0, content=b"a" * 700))
    synced(volume, "ledger", "/")
    file.change(Write(offset=700, content=b"b" * 5000))

    contents = [dict(cut.left(volume, random.Random(n)))["ledger"] for cut in (TORN, BLOCKWISE) for n in range(60)]

    assert all(content and content[:700] == b"a" * 700 and len(content) <= 5700 for content in contents)
    tails = {bytes(sorted(set(content[700:]))) for content in contents if content}
    assert tails == {b"", b"b", b"\0", b"\0b"}
