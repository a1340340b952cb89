"""`python -m benchmarks.gallery`: what a run of 5,000 videos takes to be seen and handed on.

The gallery is made, with a poster of each video, and opened from disk in Debian's Chromium. The videos are exported and
read back, beside what others have for that: `cp -al` for a folder of links, webdataset's own `ShardWriter` for tars.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.chromium import Opened, opened
from benchmarks.ground import Spent, table, vidbatch
from benchmarks.stock import stocked
from pipeline.storage import RunFolder

SHARD_MB = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=5000, help="a multiple of 200 (default: 5000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began_s = time.perf_counter()
        run = stocked(folder, args.videos)
        print(f"{args.videos:,} videos in {time.perf_counter() - began_s:.0f} s\n", flush=True)
        print(_report(run, args.videos), flush=True)
        print(_shown(opened(run.report / "index.html")), flush=True)
        print(_handed_on(run, folder, args.videos))


def _report(run: RunFolder, count: int) -> str:
    made = vidbatch(["report", str(run.path)])
    assert len(list(run.posters.iterdir())) == count
    assert f": {count} videos" in made.said.replace(",", "")
    again = _timed("again, posters kept", vidbatch(["report", str(run.path)]))
    return table(("vidbatch report", "wall s", "cpu s", "peak MiB"), [_timed("with all posters", made), again]) + "\n"


def _timed(name: str, spent: Spent) -> tuple[str, ...]:
    return name, f"{spent.wall_s:.1f}", f"{spent.cpu_s:.1f}", f"{spent.rss_mib:.0f}"


def _shown(page: Opened) -> str:
    held = (
        ("opened", page.opened_mib),
        ("scrolled through", page.scrolled_mib),
        ("under pressure", page.released_mib),
    )
    rows = [(name, f"{mib:.0f}", f"{mib - page.empty_mib:.0f}", f"{mib / page.empty_mib:.2f}") for name, mib in held]
    heads = ("Chromium, PSS", "MiB", "beyond an empty page's", "ratio")
    return f"first card seen after {page.usable_s:.2f} s\n\n{table(heads, rows)}\n"


def _handed_on(run: RunFolder, folder: Path, count: int) -> str:
    ours, theirs = folder / "ours", folder / "theirs"
    ours.mkdir()
    theirs.mkdir()
    linked_s = vidbatch(["export", str(run.path), "videofolder", str(ours / "folder")]).wall_s
    cp_s = _seconds(lambda: subprocess.run(["cp", "-al", run.videos, theirs / "folder"], check=True))
    words = ["export", str(run.path), "webdataset", str(ours / "tars"), "--shard-mb", str(SHARD_MB)]
    sharded_s = vidbatch(words).wall_s
    writer_s = _seconds(lambda: _shards(run, theirs))
    read_s = _seconds(lambda: _read(sorted((ours / "tars").rglob("*.tar")), count))
    peer_read_s = _seconds(lambda: _read(sorted(theirs.glob("*.tar")), count))
    rows = [
        ("videofolder, beside `cp -al`", linked_s, cp_s),
        ("webdataset, beside ShardWriter", sharded_s, writer_s),
        ("those tars read by webdataset", read_s, peer_read_s),
    ]
    cells = [(name, f"{ours_s:.1f}", f"{peer_s:.1f}", f"{ours_s / peer_s:.2f}") for name, ours_s, peer_s in rows]
    return table(("export", "ours s", "peer s", "ratio"), cells)


def _seconds(work: Any) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def _shards(run: RunFolder, folder: Path) -> None:
    """The same samples by webdataset's own writer."""
    import webdataset

    with webdataset.ShardWriter(str(folder / "%06d.tar"), maxsize=SHARD_MB * 10**6, verbose=0) as sink:
        for n, row in enumerate(_rows(run)):
            film = (run.videos / row["file_name"]).read_bytes()
            sink.write({"__key__": f"{n:08}", "mp4": film, "txt": row["text"], "json": row})


def _rows(run: RunFolder) -> Iterator[dict[str, Any]]:
    with run.metadata.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _read(tars: Iterable[Path], count: int) -> None:
    import webdataset

    samples = webdataset.WebDataset([str(path) for path in tars], shardshuffle=False)
    films = sum(1 for sample in samples if sample["mp4"][4:8] == b"ftyp")
    assert films == count, f"{films} of {count} films were read"


if __name__ == "__main__":
    main()
