"""`python -m tests.manifest.nursery SEED FIRST LAST STEP [URL]`: `vidbatch validate` on hostile manifests.

Everything is imported once; each manifest then has a forked child of its own with 1 GiB of memory, so that a crash of
the interpreter, an endless loop and a blow of memory are each seen for what they are. One JSON line a manifest.

`python -m tests.manifest.nursery SEED N` replays one, shows what it says, and cuts it down to what still fails.
"""

from __future__ import annotations

import gc
import io
import json
import os
import re
import resource
import select
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

CPU_S_MAX = 2.0
WALL_S_MAX = 60.0
"""On a machine that does nothing else, the processor's time; this one only finds what sleeps."""
MEMORY_BYTES_MAX = 1 << 30
RUN_EVERY = 20
"""So often an invalid one is also given to `vidbatch run`."""
OBEYED = 99
_NETWORK = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
_COMMANDS = frozenset({"os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "pickle.find_class"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one manifest."""

    n: int
    what: str
    code: int
    """The exit code; a signal's number as a negative one."""
    issues: int
    placed: int
    """Issues with a line and a column that are in the file."""
    line: int | None
    """The line that is wrong, where that is known; `said` are the lines that were named."""
    said: tuple[int, ...]
    cpu_s: float
    wall_s: float
    rss_mib: float
    ran: bool
    """It was given to `vidbatch run`, too."""
    fault: str
    """What should not be; empty where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended."""

    code: int
    stdout: str
    stderr: str
    cpu_s: float
    wall_s: float
    rss_mib: float

    @property
    def fault(self) -> str:
        if self.code not in (0, 2):
            return f"exit {self.code}"
        if "Traceback" in self.stdout + self.stderr:
            return "a traceback"
        return f"{self.cpu_s:.1f} s of processor time" if self.cpu_s > CPU_S_MAX else ""


def child(words: Sequence[str], *, folder: Path, may_connect: bool) -> Ended:
    """`vidbatch` with *words* in a process of its own."""
    out, err, began_s = folder / "stdout", folder / "stderr", time.monotonic()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _live(words, out, err, may_connect=may_connect)
    watch = os.pidfd_open(pid)
    if not select.select([watch], [], [], WALL_S_MAX)[0]:
        os.kill(pid, 9)
    os.close(watch)
    _, status, used = os.wait4(pid, 0)
    return Ended(
        code=os.waitstatus_to_exitcode(status),
        stdout=out.read_text("utf-8", "replace"),
        stderr=err.read_text("utf-8", "replace"),
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=time.monotonic() - began_s,
        rss_mib=used.ru_maxrss / 1024,
    )


def _live(words: Sequence[str], out: Path, err: Path, *, may_connect: bool) -> None:
    """The child: never returns."""
    from pipeline.cli.main import main

    code = OBEYED
    try:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.chdir(out.parent)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.addaudithook(partial(_forbid, may_connect=may_connect))
        code = main(words)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _forbid(event: str, arguments: tuple[Any, ...], *, may_connect: bool) -> None:
    """End the child that does what a manifest made it do."""
    opens = event == "open" and arguments[0] != os.devnull and isinstance(arguments[2], int)
    writes = opens and not may_connect and arguments[2] & _WRITES
    if event in _COMMANDS or writes or (event in _NETWORK and not may_connect):
        os.write(2, f"OBEYED {event} {arguments!r}"[:500].encode())
        os._exit(OBEYED)


def tried(seed: int, n: int, folder: Path, *, url: str = "") -> Verdict:
    """The verdict on the *n*-th manifest of *seed*. *url* is where a run would go, were it to send anything."""
    from tests.manifest.hostile import make

    hostile = make(seed, n)
    path = folder / f"m{n}.{hostile.suffix}"
    path.write_bytes(hostile.content)
    as_json = n % 2 == 0
    ended = child(["validate", str(path), *(("--format", "json") if as_json else ())], folder=folder, may_connect=False)
    fault = ended.fault
    places = [] if fault else _places(ended, path, as_json=as_json)
    if not fault and (ended.code == 2) != bool(places):
        fault = f"exit {ended.code} with {len(places)} issues"
    if not fault and hostile.line and ended.code == 0:
        fault = "a wrong manifest passes"
    ran = not fault and ended.code == 2 and url != "" and n % RUN_EVERY == 0
    if ran:
        fault = _refused_by_run(path, folder)
    path.unlink()
    return Verdict(
        n=n,
        what=hostile.what,
        code=ended.code,
        issues=len(places),
        placed=_in_file(places, hostile.content),
        line=hostile.line,
        said=tuple(line for line, _ in places[:5]),
        cpu_s=round(ended.cpu_s, 3),
        wall_s=round(ended.wall_s, 3),
        rss_mib=round(ended.rss_mib, 1),
        ran=ran,
        fault=fault,
    )


def _refused_by_run(path: Path, folder: Path) -> str:
    """A fault where `vidbatch run` does anything but refuse."""
    outputs = folder / "outputs"
    ended = child(["run", str(path), "--outputs", str(outputs)], folder=folder, may_connect=True)
    if ended.fault or ended.code != 2:
        return f"run: {ended.fault or f'exit {ended.code}'}"
    return "run: something was written" if outputs.exists() else ""


def _in_file(places: Sequence[tuple[int, int]], content: bytes) -> int:
    """How many of *places* are in the file. Nothing behind the last of them is looked at: some files have millions
    of lines, and are refused at their first.
    """
    if not places:
        return 0
    named, text = {line for line, _ in places}, content.decode("utf-8", "replace").removeprefix("\ufeff")
    last = max(named)
    chars: dict[int, int] = {}
    from_char = 0
    for number, end in enumerate(re.finditer(r"\r\n|\n|\r|\Z", text), 1):
        if number > last:
            break
        if number in named:
            chars[number] = end.start() - from_char
        from_char = end.end()
    return sum(line in chars and 1 <= column <= chars[line] + 1 for line, column in places)


def _places(ended: Ended, path: Path, *, as_json: bool) -> list[tuple[int, int]]:
    """Line and column of every issue that stops a run."""
    if as_json:
        issues = json.loads(ended.stdout)
        return [(i["line"], i["column"]) for i in issues if i["file"] == str(path) and not i["warning"]]
    found = re.finditer(rf"^{re.escape(str(path))}:(\d+):(\d+): (?!warning: )", ended.stdout, re.MULTILINE)
    return [(int(match[1]), int(match[2])) for match in found]


def preload() -> None:
    """Import what `validate` and `run` import, so that no child has to."""
    import platform

    import jinja2

    from pipeline import api, prepare  # noqa: F401
    from pipeline.cli import run, validate  # noqa: F401
    from pipeline.cli.main import main
    from pipeline.manifest.form import form
    from pipeline.providers.registry import find_profile
    from tests.manifest import hostile  # noqa: F401
    from tests.manifest.warped import seeds

    platform.platform()  # asks other programs; a report of a bug wants it
    form()
    find_profile("sandbox")
    jinja2.Environment().from_string("{{ a }}{% if a %}{% endif %}")
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        for n, (suffix, content) in enumerate(seeds()):  # whatever is made at its first use
            path = Path(folder) / f"{n}.{suffix}"
            path.write_bytes(content)
            main(["validate", str(path), "--format", ("text", "json")[n % 2]])
    gc.freeze()
    sys.dont_write_bytecode = True


def shrunk(content: bytes, fails: Callable[[bytes], bool], *, tries: int = 400) -> bytes:
    """The least of *content* that still *fails*: ever smaller pieces are left out."""
    size = len(content) // 2
    while size and tries > 0:
        at = 0
        while at < len(content) and tries > 0:
            tries -= 1
            less = content[:at] + content[at + size :]
            if fails(less):
                content = less
            else:
                at += size
        size //= 2
    return content


def replay(seed: int, n: int, folder: Path) -> None:
    """Show one manifest, what is said of it, and where it is at fault the least of it that still is."""
    from tests.manifest.hostile import make

    verdict, hostile = tried(seed, n, folder), make(seed, n)

    def again(content: bytes) -> Ended:
        path = folder / f"m.{hostile.suffix}"
        path.write_bytes(content)
        return child(["validate", str(path)], folder=folder, may_connect=False)

    least = shrunk(hostile.content, lambda less: bool(again(less).fault)) if again(hostile.content).fault else b""
    ended = again(least or hostile.content)
    say = sys.stdout.write
    say(f"{verdict}\n{ended.stdout[:3000]}\n{ended.stderr[-3000:]}\n")
    say(f"{hostile.suffix}, {len(least or hostile.content)} bytes: {(least or hostile.content)[:2000]!r}\n")


def main(words: Sequence[str]) -> None:
    preload()
    with tempfile.TemporaryDirectory() as name:
        seed, first, *rest = words
        if not rest:
            replay(int(seed), int(first), Path(name))
            return
        last, step, *url = rest
        starter = os.getppid()
        for n in range(int(first), int(last), int(step)):
            if os.getppid() != starter:
                return  # nobody reads this any more
            verdict = tried(int(seed), n, Path(name), url="".join(url))
            sys.stdout.write(json.dumps(asdict(verdict)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
