"""An answer that the ledger cannot take is said aloud, kept elsewhere, and found again."""

from __future__ import annotations

import errno
import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.disk import DISK
from pipeline.errors import LedgerBroken, UsageError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.resolve import resolve
from pipeline.ledger.spill import Spilled, settle_spilled, spill, spill_folders, spilled
from pipeline.lifecycle import Fact, State
from tests.disk.faulty import FaultyDisk
from tests.ledger.histories import RUN, clock, key, live, opened, planned
from tests.runner.gateway import Answer, Gateway, Seen, serving
from tests.runner.night import NAME, Night, job, jobs

ROW = Spilled(
    run=RUN,
    folder="outputs/harbour",
    job=key(1),
    id="job-1",
    attempt=1,
    key="7f0c",
    video_id="video_77",
    price="0.80",
    at="2026-11-22T19:00:05.000Z",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger in which job 1 was caught in the middle of its POST, and job 2 as well."""
    path = tmp_path / "run" / "ledger.jsonl"
    with opened(path) as ledger:
        planned(ledger, 1, 2)
        live(ledger, 1, Fact.INTENT)
        live(ledger, 2, Fact.INTENT)
        ledger.commit_now()
    return path


def settled(path: Path, *folders: Path) -> dict[str, tuple[State, str]]:
    with Ledger.open(path, now=clock()) as ledger:
        ledger.settle_crash()
        settle_spilled(ledger, folders, DISK)
        return {job.id: (job.state, job.video_id) for job in ledger.state.jobs.values()}


def test_an_id_is_adopted_and_what_made_nothing_is_pending_and_the_spill_is_gone(path: Path, tmp_path: Path) -> None:
    for row in (ROW, replace(ROW, job=key(2), id="job-2", video_id="")):
        assert spill(row, [tmp_path / "state"], DISK) is not None

    assert settled(path, tmp_path / "state") == {
        "job-1": (State.IN_FLIGHT, "video_77"),
        "job-2": (State.PENDING, ""),
    }
    assert list((tmp_path / "state").iterdir()) == []
    assert '"how":"spill"' in path.read_text("ascii")


@pytest.mark.parametrize(
    "change",
    [{"run": "f" * 32}, {"job": key(9)}, {"attempt": 2}, {"key": "another"}, {"video_id": "x" * 600}],
    ids=lambda change: next(iter(change)),
)
def test_a_line_about_another_attempt_settles_nothing(path: Path, tmp_path: Path, change: dict[str, str]) -> None:
    strange = tmp_path / f"vidbatch-spill-{RUN}.jsonl"
    strange.write_text(json.dumps({**asdict(ROW), **change}) + "\n", encoding="ascii")
    if "run" in change:
        strange.rename(tmp_path / f"vidbatch-spill-{change['run']}.jsonl")

    assert settled(path, tmp_path) == {"job-1": (State.UNCERTAIN, ""), "job-2": (State.UNCERTAIN, "")}


def test_a_video_of_another_job_is_not_adopted(path: Path, tmp_path: Path) -> None:
    with Ledger.open(path, now=clock()) as ledger:
        live(ledger, 2, Fact.ACCEPTED)
        ledger.commit_now()
    spill(replace(ROW, video_id="video_2_1"), [tmp_path], DISK)

    assert settled(path, tmp_path)["job-1"] == (State.UNCERTAIN, "")


def test_lines_that_were_cut_off_or_are_none_of_ours_do_no_harm(path: Path, tmp_path: Path) -> None:
    lines = [
        "",
        "{",
        "[1]",
        "null",
        '{"run": 1}',
        json.dumps({**asdict(ROW), "video_id": 7}),
        "[" * 100_000,
        "\x00\xff",
    ]
    (tmp_path / f"vidbatch-spill-{RUN}.jsonl").write_text("\n".join(lines) + json.dumps(asdict(ROW))[:40], "latin-1")
    spill(ROW, [tmp_path], DISK)

    assert settled(path, tmp_path)["job-1"] == (State.IN_FLIGHT, "video_77")


def test_a_spill_is_kept_while_it_tells_of_an_id_that_the_ledger_never_saw(path: Path, tmp_path: Path) -> None:
    file = spill(replace(ROW, attempt=2, key="next"), [tmp_path], DISK)
    settled(path, tmp_path)

    assert file is not None
    assert file.exists()


def test_nothing_is_adopted_that_a_person_has_settled(path: Path, tmp_path: Path) -> None:
    resolve(path.parent, ["job-1"], Fact.DROPPED)
    spill(ROW, [tmp_path], DISK)

    assert settled(path, tmp_path)["job-1"] == (State.DROPPED, "")


def test_whose_id_is_kept_cannot_be_submitted_again_by_mistake(path: Path, tmp_path: Path) -> None:
    spill(ROW, [tmp_path], DISK)

    with pytest.raises(UsageError, match="job-1 is in_flight: only what is uncertain"):
        resolve(path.parent, ["job-1"], Fact.RESUBMIT, spills=[tmp_path])


def test_the_command_that_the_message_names_may_be_typed_before_the_next_run(path: Path, tmp_path: Path) -> None:
    spill(ROW, [tmp_path], DISK)

    assert [one.state for one in resolve(path.parent, ["job-1"], Fact.ADOPTED, video_id="video_77", spills=[tmp_path])]
    assert settled(path, tmp_path)["job-1"] == (State.IN_FLIGHT, "video_77")
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_a_spill_is_the_owners_alone_and_goes_to_the_next_folder_where_one_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = spill(ROW, [tmp_path / "file" / "vidbatch", tmp_path / "state"], DISK)

    assert kept is not None
    assert kept.parent == tmp_path / "state"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert spill(ROW, [tmp_path / "file" / "vidbatch"], DISK) is None


@pytest.mark.parametrize(
    ("environment", "folders"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h", "TMPDIR": "/t"}, ["/s/vidbatch", "/t"]),
        ({"HOME": "/h", "TMPDIR": "/t"}, ["/h/.local/state/vidbatch", "/t"]),
        ({"LOCALAPPDATA": "/l", "TMPDIR": "/t"}, ["/l/vidbatch", "/t"]),
        ({"TMPDIR": "/t"}, ["/t"]),
    ],
)
def test_a_spill_lies_with_the_users_state_or_with_temporary_files(
    environment: dict[str, str], folders: list[str]
) -> None:
    assert [folder.as_posix() for folder in spill_folders(environment)] == folders


@pytest.mark.anyio
@pytest.mark.parametrize("spills", [True, False], ids=["spilled", "nowhere to spill"])
async def test_every_open_post_is_answered_and_its_id_kept_when_the_disk_dies(
    small_film: bytes, tmp_path: Path, spills: bool
) -> None:
    gateway, wanted = Gateway(small_film), jobs(20)
    async with serving(gateway) as base_url:
        disk = FaultyDisk(tmp_path / NAME, 1 << 30, errno.EIO, stays=True)
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=disk)
        if not spills:
            (tmp_path / "state").touch()
            disk.home = tmp_path  # with the folder of temporary files as the last resort

        def die(seen: Seen) -> Answer | None:
            if len(gateway.of("submit")) == 7:  # one, two, and the fourth of four
                disk.at = 0
            return None

        gateway.always("submit", die)
        with pytest.raises(LedgerBroken, match=os.strerror(errno.EIO)):
            await night.run(wanted)

        assert 7 <= len(gateway.book) < 20
        told = {video_id for video_id in gateway.book if any(f"--adopt {video_id}" in said for said in night.urgent)}
        known = {one.video_id for one in night.state.jobs.values()}
        assert told | known >= gateway.book.keys()
        assert told - known

        night.disk = DISK
        gateway.behave()
        assert (await night.run(wanted)).counts == {State.STORED: 20}
    assert sorted(gateway.prompts_sold) == sorted(one.prompt for one in wanted)


@pytest.mark.anyio
async def test_an_id_that_was_spilled_is_listed_so(
    small_film: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(small_film)
    async with serving(gateway) as base_url:
        disk = FaultyDisk(tmp_path / NAME, 1 << 30, errno.EIO, stays=True)
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=disk)

        def die(seen: Seen) -> Answer | None:
            disk.at = 0
            return None

        gateway.always("submit", die)
        with pytest.raises(LedgerBroken):
            await night.run((job(0),))

    assert [row.video_id for row in spilled(night.state, [tmp_path / "state" / "vidbatch"]).values()] == ["video_1"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert main(["resolve", str(night.folder)]) == 0
    assert "its id is known, video_1: the next run adopts it" in capsys.readouterr().out
