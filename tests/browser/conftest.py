"""A run of real films, and a real browser that opens its gallery from disk."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import without_keys

CHROMIUM = Path("/usr/bin/chromium")
IN_CI = "VIDBATCH_CI" in os.environ
"""Read before the tests lose their settings: with it, what is missing fails instead of being skipped."""

HOSTILE = "</script><img src=x onerror=alert(1)>"
MANIFEST = f"""\
name: harbour
provider:
  profile: sandbox
  sandbox: {{render_s: 0}}
  faults: {{submit: {{script: [behave, behave, refused]}}}}
defaults: {{model: sketch, size: 320x180}}
jobs:
  - id: harbour
    group: coast
    prompt: "{{{{ subject }}}} at {{{{ light }}}}"
    matrix:
      subject: [a heron, a tug, "{HOSTILE}"]
      light: [dawn, noon]
      seconds: [4, 8]
      exclude: [{{subject: a tug, light: noon, seconds: 8}}]
    takes: 2
"""


@dataclass
class Gallery:
    """The gallery of a run folder, open in a page of its own, and all that it asked for or complained of."""

    page: Any
    folder: Path
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, hash_: str = "") -> Any:
        """The page at the view *hash_*, once there are cards."""
        self.page.goto("about:blank")  # else another hash is no new page
        self.page.goto((self.folder / "report/index.html").as_uri() + hash_)
        self.page.locator(".card").first.wait_for()
        return self.page

    def left_the_folder(self) -> list[str]:
        """What it asked for that is not in the run folder."""
        return [url for url in self.asked if not url.startswith((self.folder.as_uri() + "/", "about:blank"))]


Opened = Callable[..., Gallery]


@pytest.fixture(scope="session")
def api() -> Any:
    """Playwright, where that and a browser are here."""
    if not IN_CI:
        pytest.importorskip("playwright", reason="playwright is not installed (vidbatch[browser]); .ci/run has it")
        if not CHROMIUM.exists():
            pytest.skip(f"there is no {CHROMIUM} (apt-get install chromium); .ci/run has it")
    return importlib.import_module("playwright.sync_api")


@pytest.fixture(scope="module")
def browser(api: Any) -> Iterator[Any]:
    """Debian's Chromium. It plays H.264, which the browsers that Playwright brings need not.

    Of each module its own: while it is there, its thread has an event loop, and no other test could have one.
    """
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def expect(api: Any) -> Any:
    """What a page comes to show; it waits until it does."""
    api.expect.set_options(timeout=15_000)
    return api.expect


def vidbatch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder,
        env=without_keys({}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def made(api: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 22 jobs: two subjects, one name that is an attack, one refusal and one hole."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "harbour.yaml").write_text(MANIFEST, encoding="utf-8")
    ended = vidbatch(folder, "run", "harbour.yaml")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    return folder / "outputs/harbour"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "outputs/harbour"))


@pytest.fixture
def opened(browser: Any, made: Path) -> Iterator[Opened]:
    """Opens galleries. None of them may complain, or ask for what is not in its folder."""
    galleries: list[Gallery] = []

    def hear(dialog: Any, gallery: Gallery) -> None:
        gallery.complaints.append(dialog.message)
        dialog.dismiss()

    def open_gallery(hash_: str = "", *, folder: Path = made, setup: str = "", **context: Any) -> Gallery:
        context.setdefault("viewport", {"width": 1280, "height": 800})
        page = browser.new_context(**context).new_page()
        gallery = Gallery(page=page, folder=folder)
        page.on("console", lambda message: gallery.complaints.append(message.text))
        page.on("pageerror", lambda error: gallery.complaints.append(str(error)))
        page.on("dialog", lambda dialog: hear(dialog, gallery))
        page.on("request", lambda request: gallery.asked.append(request.url))
        if setup:
            page.add_init_script(setup)
        galleries.append(gallery)
        gallery.open(hash_)
        return gallery

    yield open_gallery
    told = [(gallery.complaints, gallery.left_the_folder()) for gallery in galleries]
    for gallery in galleries:
        gallery.page.context.close()
    assert told == [([], [])] * len(told)
