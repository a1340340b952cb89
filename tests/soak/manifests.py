"""Check 9: hostile manifests by the thousand, each in a process of its own.

Every one is read or refused with a place, within 2 s of processor time and 1 GiB; none ends in a traceback or a crash,
opens a connection, starts a program or writes a file. Of the refused ones a sample is given to `vidbatch run`, with
every way out (the provider's address, the proxies) leading to a server that counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.soak.proof import Proof

WHAT = "hostile manifests: refused or read, never a crash, a traceback or a request"
SIZE = 10_000
NURSERIES = 2
PLACED_MIN = 0.95
_ROOT = Path(__file__).parents[2]


def prove(*, size: int, seed: int) -> Proof:
    """*size* hostile manifests; what fails is kept in a folder, whose name is told, and can be replayed."""
    with counting() as (url, connections):
        verdicts = _verdicts(size, seed, url)
        sent = len(connections)
    found = _Found(verdicts)
    faults = [f"{v['what']}: {v['fault']} (python -m tests.manifest.nursery {seed} {v['n']})" for v in found.wrong]
    if len(verdicts) != size:
        faults.append(f"{size - len(verdicts)} of {size} have no verdict")
    if sent:
        faults.append(f"{sent} connections were opened")
    if min(found.placed, found.named) < PLACED_MIN:
        faults.append(f"a place in the file in {found.placed:.1%}, the right line in {found.named:.1%}")
    if found.wrong:
        faults.append(f"kept in {_keep(found.wrong, seed)}")
    return Proof(figures={**found.figures, "connections opened": sent}, faults=tuple(faults))


class _Found:
    """What the verdicts come to."""

    def __init__(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        self.wrong = [verdict for verdict in verdicts if verdict["fault"]]
        self._all = verdicts
        self._refused = [verdict for verdict in verdicts if verdict["code"] == 2]
        self._known = [verdict for verdict in self._refused if verdict["line"]]
        self.placed = _share(self._refused, lambda v: v["placed"] == v["issues"] > 0)
        """The share of those refused of which every issue has a place that is in the file."""
        self.named = _share(self._known, lambda v: v["line"] in v["said"])
        """The share of those of which the wrong line is known and named."""

    @property
    def figures(self) -> dict[str, object]:
        slowest = max(self._all, key=lambda v: v["cpu_s"])
        largest = max(self._all, key=lambda v: v["rss_mib"])
        return {
            "read, refused": f"{sum(v['code'] == 0 for v in self._all):,}, {len(self._refused):,}",
            "crashes, tracebacks, overruns": len(self.wrong),
            "refused with every issue at a place in the file": f"{self.placed:.1%}",
            "the right line named, where it is known": f"{self.named:.1%} of {len(self._known):,}",
            "also refused by vidbatch run": sum(v["ran"] for v in self._all),
            "slowest, s of processor time": f"{slowest['cpu_s']:.2f} ({slowest['what']})",
            "peak memory, MiB": f"{largest['rss_mib']:.0f} ({largest['what']})",
        }


def _share(verdicts: Sequence[Mapping[str, Any]], holds: Callable[[Mapping[str, Any]], bool]) -> float:
    return sum(map(holds, verdicts)) / max(1, len(verdicts))


def _verdicts(size: int, seed: int, url: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        nurseries = [_nursery(seed, first, size, url, Path(folder)) for first in range(NURSERIES)]
        for nursery in nurseries:
            nursery.wait()
        spoken = [path.read_text("utf-8").splitlines() for path in Path(folder).glob("*.jsonl")]
    verdicts: list[dict[str, Any]] = [json.loads(line) for lines in spoken for line in lines]
    return sorted(verdicts, key=lambda verdict: verdict["n"])


def _nursery(seed: int, first: int, size: int, url: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process that goes through every n-th manifest. It has one thread, so that its forks are sound."""
    proxies = {f"{scheme}_PROXY": url for scheme in ("HTTP", "HTTPS", "ALL")}
    keys = dict.fromkeys(("DMXAPI_API_KEY", "OPENAI_API_KEY", "API_TOKEN"), "sk-canary-0123456789")
    environment = {**os.environ, **proxies, **keys, "PYTHONPATH": str(_ROOT), "VIDBATCH_SANDBOX_URL": f"{url}/v1"}
    numbers = [str(number) for number in (seed, first, size, NURSERIES)]
    with (folder / f"{first}.jsonl").open("wb") as told:
        words = [sys.executable, "-m", "tests.manifest.nursery", *numbers, url]
        return subprocess.Popen(words, cwd=folder, env=environment, stdout=told)


@contextmanager
def counting() -> Iterator[tuple[str, list[Any]]]:
    """A server that remembers every connection and answers none; its URL and what it saw."""
    seen: list[Any] = []

    class Remember(StreamRequestHandler):
        def handle(self) -> None:
            seen.append(self.client_address)

    with ThreadingTCPServer(("127.0.0.1", 0), Remember) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def _keep(verdicts: Sequence[Mapping[str, Any]], seed: int) -> Path:
    """The manifests at fault, for a look at them."""
    from tests.manifest.hostile import make

    folder = Path(tempfile.mkdtemp(prefix="hostile-manifests-"))
    for verdict in verdicts:
        hostile = make(seed, verdict["n"])
        (folder / f"{seed}-{verdict['n']}.{hostile.suffix}").write_bytes(hostile.content)
    return folder
