"""How soon Debian's Chromium shows a gallery from disk, and what that takes of the memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHROMIUM = "/usr/bin/chromium"
SCREENS = 25
"""So many screens are scrolled through before the memory is measured again."""

RELEASE_S = 2.0
"""So long a browser may take to give memory back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One page, once it could be used."""

    usable_s: float
    """From the call until the first card is seen."""
    empty_mib: float
    """What all processes of the browser hold with an empty page (PSS: what they share is counted once)."""
    opened_mib: float
    scrolled_mib: float
    """At the most, from the top of all cards to their end."""
    released_mib: float
    """Then, when the system has wanted memory back: what was held of decoded pictures to be quick alone is gone."""


def opened(page_path: Path) -> Opened:
    """Open *page_path* in a new browser, and scroll through it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto("about:blank")
        empty_mib = _held_mib()
        began_s = time.perf_counter()
        page.goto(page_path.as_uri(), wait_until="commit")
        page.locator(".card").first.wait_for()
        usable_s = time.perf_counter() - began_s
        page.wait_for_load_state("load")
        opened_mib = _held_mib()
        scrolled_mib = max(_scrolled(page, page_path.as_uri()))
        browser.new_browser_cdp_session().send("Memory.simulatePressureNotification", {"level": "critical"})
        time.sleep(RELEASE_S)
        released_mib = _held_mib()
        browser.close()
    return Opened(
        usable_s=usable_s,
        empty_mib=empty_mib,
        opened_mib=opened_mib,
        scrolled_mib=scrolled_mib,
        released_mib=released_mib,
    )


def _scrolled(page: Any, url: str) -> Iterator[float]:
    """What the browser holds at each of many places of the sheet that has all cards, from its top to its end."""
    page.goto("about:blank")
    page.goto(f"{url}#as=sheet")
    page.locator(".card").first.wait_for()
    for n in range(SCREENS + 1):
        page.evaluate(
            "share => { const s = document.getElementById('scroller'); s.scrollTo(0, share * s.scrollHeight); }",
            n / SCREENS,
        )
        page.wait_for_load_state("networkidle")
        yield _held_mib()


def _held_mib() -> float:
    """The PSS of every process of a browser that this one started."""
    return sum(map(_pss_mib, filter(_is_chromium, _descendants(os.getpid()))))


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text(encoding="ascii").split()):
            yield child
            yield from _descendants(child)


def _is_chromium(pid: int) -> bool:
    return b"chromium" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
