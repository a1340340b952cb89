"""Every fsync of ours, one by one: with it taken away, which check notices?

The sites are found in the source, so that a new one cannot be forgotten. To take one away is to drop what it did from
a recording: what the runner does next does not depend on it, only what a loss of power may take.
"""

from __future__ import annotations

import ast
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.crash.contracts import CONTRACTS
from tests.crash.cuts import DROPPED, SOME_NAMES
from tests.crash.power import Outage, suffer
from tests.crash.recording import HOME, Event, Site, Synced
from tests.crash.runs import lay_out, volume_after

SYNCS = ("sync", "sync_folder")


def sites() -> list[Site]:
    """Where our code makes something durable, in the order of its files and lines."""
    found = []
    for path in sorted(Path(HOME).rglob("*.py")):
        module = path.relative_to(HOME).as_posix()
        found += [Site(module=module, function=name, line=line) for name, line in _calls(ast.parse(path.read_bytes()))]
    return found


def without(events: Sequence[Event], site: Site) -> list[Event]:
    """What would have been recorded if *site* had done nothing."""
    return [event for event in events if not (isinstance(event, Synced) and event.site == site)]


async def noticed(
    site: Site | None, recordings: Mapping[str, Sequence[Event]], folder: Path, *, moments: int
) -> tuple[str, str]:
    """Which check notices that *site* does nothing, and its words; two empty strings: none does.

    Of each recording so many *moments* are looked at, spread evenly, the last ones first.
    """
    for name, contract in CONTRACTS.items():
        with tempfile.TemporaryDirectory(dir=folder) as place:
            events = _as_if(site, contract.record(Path(place)))
            left = folder / "left"
            lay_out(left, DROPPED.left(volume_after(events), random.Random(0)))
            kept = contract.kept(left)
            shutil.rmtree(left)
        if not kept:
            return name, "it is not there"
    for name, recorded in recordings.items():
        for outage in _outages(_as_if(site, recorded), moments):
            found = await suffer(outage, folder / "outputs")
            if found.faults:
                return name, f"{found.faults[0]} ({outage})"
    return "", ""


def _as_if(site: Site | None, events: Sequence[Event]) -> Sequence[Event]:
    return events if site is None else without(events, site)


def _outages(events: Sequence[Event], moments: int) -> Iterator[Outage]:
    step = max(len(events) // moments, 1)
    for cut in (DROPPED, SOME_NAMES):
        for at in range(len(events), 0, -step):
            yield Outage(events=events, at=at, cut=cut, seed=at, kills=1)


def _calls(node: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    """The functions and lines below *node* in which something is synced."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in SYNCS:
            yield within, child.lineno
        inner = within
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{within}.{child.name}".lstrip(".")
        yield from _calls(child, inner)
