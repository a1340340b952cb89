"""What parts of ours promise to be durable, whoever uses them: each recorded, and looked at after an outage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.spill import Spilled, spill
from pipeline.storage import RunFolder
from pipeline.views.dataset.draft import drafting
from pipeline.views.dataset.mark import is_marked
from tests.crash.recording import Changed, Event, Made, RecordingDisk
from tests.crash.runs import lay_out, volume_after

RUN = f"{7:032x}"
LEDGER = "ledger.jsonl"
FOLDERS = ("harbour", "harbour/videos", "harbour/videos/coast", "harbour/videos/coast/north")
ROW = Spilled(
    run=RUN, folder="", job="", id="job-1", attempt=1, key="", video_id="video_1", price=None, at="2026-11-22T19:00:00Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A promise."""

    says: str
    record: Callable[[Path], Sequence[Event]]
    """Do it in an empty folder; all that happened up to the moment at which it is promised."""
    kept: Callable[[Path], bool]
    """Whether what an outage left keeps it."""


def _told_a_ledger(folder: Path) -> Sequence[Event]:
    disk = RecordingDisk(folder)
    with Ledger.open(folder / LEDGER, disk=disk) as ledger:
        ledger.header(run=RUN, provider="sandbox", origin="", currency="USD", name="harbour", retention_s=None)
        ledger.commit_now()
        return list(disk.events)


def _opened_a_ledger(folder: Path) -> Sequence[Event]:
    """A process was killed after it had written, before it synced; the next one reads what it wrote."""
    first = folder / "first"
    first.mkdir()
    told = _told_a_ledger(first)
    written = max(at for at, event in enumerate(told) if isinstance(event, Changed) and event.path == LEDGER)
    lay_out(folder / "second", volume_after(told[: written + 1]).now())
    disk = RecordingDisk(folder / "second", told[: written + 1])
    with Ledger.open(folder / "second" / LEDGER, disk=disk) as ledger:
        assert ledger.state.records == 1
        return list(disk.events)


def _has_its_header(folder: Path) -> bool:
    return (folder / LEDGER).exists() and read_run(folder).records == 1


def _spilled_an_answer(folder: Path) -> Sequence[Event]:
    disk = RecordingDisk(folder)
    assert spill(ROW, (folder / "spills",), disk) is not None
    return disk.events


def _tells_the_answer(folder: Path) -> bool:
    return any(ROW.video_id in path.read_text("ascii") for path in folder.glob("spills/*"))


def _went_on_in_folders(folder: Path) -> Sequence[Event]:
    """A process was killed after it had made them, before it synced; the next one finds them there."""
    for path in FOLDERS:
        (folder / path).mkdir()
    disk = RecordingDisk(folder, [Made(path=path) for path in FOLDERS])
    RunFolder(folder / FOLDERS[0], disk).make_names_durable()
    return disk.events


def _has_its_folders(folder: Path) -> bool:
    return all((folder / path).is_dir() for path in FOLDERS)


def _began_an_export(folder: Path) -> Sequence[Event]:
    disk = RecordingDisk(folder)
    with drafting(folder / "set", force=False, disk=disk):
        return list(disk.events)


def _is_known_for_ours(folder: Path) -> bool:
    return is_marked(folder / ".set.part")


def _exported(folder: Path) -> Sequence[Event]:
    disk = RecordingDisk(folder)
    with drafting(folder / "set", force=False, disk=disk) as draft:
        draft.write("train/a", (b"film",))
    return disk.events


def _has_the_export(folder: Path) -> bool:
    film = folder / "set" / "train" / "a"
    return film.is_file() and film.read_bytes() == b"film"


def _put_aside(folder: Path) -> Sequence[Event]:
    disk = RecordingDisk(folder)
    run = RunFolder(folder, disk)
    for name in ("fox.json", "fox.mp4"):
        run.make_room_for(run.videos / name)
        disk.write_whole(run.videos / name, b"film")
    run.put_aside("fox.mp4", "0" * 64)
    return disk.events


def _is_aside(folder: Path) -> bool:
    """It was paid for, so it is there; and it is not where videos are read."""
    names = ("fox.json", "fox.mp4")
    return all((folder / "wrong" / name).is_file() and not (folder / "videos" / name).exists() for name in names)


CONTRACTS: Mapping[str, Contract] = {
    contract.says: contract
    for contract in (
        Contract(says="what a ledger was told is there", record=_told_a_ledger, kept=_has_its_header),
        Contract(says="what an opened ledger read is there", record=_opened_a_ledger, kept=_has_its_header),
        Contract(says="a run's folders are there", record=_went_on_in_folders, kept=_has_its_folders),
        Contract(says="a spilled answer is there", record=_spilled_an_answer, kept=_tells_the_answer),
        Contract(says="a draft has its mark", record=_began_an_export, kept=_is_known_for_ours),
        Contract(says="an export is there", record=_exported, kept=_has_the_export),
        Contract(says="an unfit video is put aside", record=_put_aside, kept=_is_aside),
    )
}
