"""The gallery in a real browser: what a card says of its video's past, of what is in it, and of what is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.browser.conftest import Opened

SHEET = "#as=sheet"
OLD = "no longer asked for"
STORED = '.card[data-state="stored"]'


def change(folder: Path, edit: Callable[[list[dict[str, Any]]], object]) -> None:
    """Let *edit* change the cards that the page in *folder* is told of."""
    page = folder / "report/index.html"
    text = page.read_text(encoding="utf-8")
    (told,) = re.findall(r'<script type="application/json" id="run">(.*?)</script>', text)
    document = json.loads(told)
    edit(document["cards"])
    page.write_text(text.replace(told, json.dumps(document).replace("<", "\\u003c")), encoding="utf-8")


def known(page: Any) -> dict[str, str]:
    """What the card that is open says of its video."""
    lines = page.locator("#detail dl > div").all()
    return {line.locator("dt").inner_text(): line.locator("dd").inner_text() for line in lines}


def test_a_video_of_an_old_prompt_is_told_from_that_of_the_new_one(opened: Opened, run: Path, expect: Any) -> None:
    def edited(cards: list[dict[str, Any]]) -> None:
        cards[0].update(orphaned=True, id=cards[1]["id"])
        cards[2].update(source=cards[1]["id"], link="remix")

    change(run, edited)
    gallery = opened(SHEET, folder=run)
    page = gallery.page
    old, new = page.locator(".card").nth(0), page.locator(".card").nth(1)

    expect(old.locator(".badge.old")).to_have_text(OLD)
    expect(new.locator(".badge.old")).to_have_count(0)
    assert OLD in str(old.get_attribute("aria-label"))
    for card in (old, new):
        card.hover()
        page.wait_for_function("() => document.querySelector('.card.live')")  # what plays does not cover the button
        card.locator(".pick").click()
    page.locator("#tray-compare").click()
    expect(page.locator("#compare figcaption .old")).to_have_text([OLD])
    expect(page.locator("#compare tr.other", has_text="manifest")).to_contain_text("asked for")
    page.keyboard.press("Escape")
    old.click()
    assert known(page)["manifest"] == OLD
    expect(page.locator("#detail p.old")).to_contain_text(OLD)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Its source").click()
    assert known(page)["manifest"] == "asked for"  # its name is that of the old one, too

    gallery.open(SHEET + "&asked=" + OLD.replace(" ", "+"))
    expect(page.locator("#count")).to_have_text("1 of 22 videos")


def test_a_run_of_one_manifest_says_nothing_of_old_ones(opened: Opened, expect: Any) -> None:
    page = opened(SHEET).page
    page.keyboard.press("f")

    expect(page.locator('fieldset[data-facet="state"]')).to_be_visible()
    expect(page.locator('fieldset[data-facet="asked"]')).to_have_count(0)
    assert page.get_by_text(OLD).count() == 0


def test_a_card_says_what_was_found_in_its_video_and_what_each_attempt_cost(opened: Opened, run: Path) -> None:
    media = {
        "frame_rate": 23.976, "codec": "h264", "audio": "aac", "silent": True, "decodes": False, "c2pa": True,
        "problems": ["its picture is damaged"],
    }  # fmt: skip
    paid = ["nothing (429 Too Many Requests)", "$0.40"]
    changed = {"media": media, "attempts": paid, "submitted_at": "2026-11-23T23:50:01.5+00:00"}
    change(run, lambda cards: cards[0].update(changed))

    page = opened(SHEET, folder=run, timezone_id="Asia/Tokyo").page
    page.locator(".card").first.click()

    told = known(page)
    expected = {
        "problems": "its picture is damaged",
        "decodes": "not to its end",
        "codec": "h264",
        "frame rate": "23.98 a second",
        "sound": "aac, silent",
        "origin": "says where it comes from (C2PA)",
        "attempts": "2: nothing (429 Too Many Requests); $0.40",
        "submitted": "2026-11-23 23:50:01 UTC",
    }
    assert {name: told.get(name) for name in expected} == expected
    page.keyboard.press("ArrowRight")
    assert known(page)["sound"] == "no sound"
    assert "attempts" not in known(page)


def test_a_video_that_was_put_aside_is_shown_where_it_is(opened: Opened, run: Path, expect: Any) -> None:
    film = next((run / "videos").rglob("*.mp4"))
    aside = run / "wrong" / film.name
    aside.parent.mkdir()
    film.rename(aside)
    unfit = {"state": "failed", "reason": "it is 2 s long", "video": "", "aside": f"../wrong/{film.name}"}
    change(run, lambda cards: cards[0].update(unfit))

    page = opened(SHEET, folder=run).page
    card = page.locator(".card").first

    expect(card.locator(".badge")).to_have_text("failed: it is 2 s long")
    assert card.locator(".files a").first.get_attribute("href") == unfit["aside"]
    card.click()
    expect(page.locator("#detail .links a").first).to_have_attribute("href", unfit["aside"])
    page.wait_for_function("() => document.querySelector('#detail video').currentTime > 0")


def test_a_file_that_is_not_there_is_not_waited_for(opened: Opened, run: Path, expect: Any) -> None:
    for film in (run / "videos").rglob("*.mp4"):
        film.unlink()
    gallery = opened(SHEET, folder=run)

    gallery.page.locator(STORED).first.click()

    expect(gallery.page.locator("#detail .unplayable")).to_have_text(
        "This file is not there, or cannot be played here."
    )
    expect(gallery.page.locator("#detail .unplayable")).to_be_visible()
    expect(gallery.page.locator("#detail video")).to_have_count(0)
    gallery.complaints[:] = [words for words in gallery.complaints if "ERR_FILE_NOT_FOUND" not in words]


def test_escape_empties_the_search_before_it_leaves_it(opened: Opened, expect: Any) -> None:
    page = opened(SHEET).page
    page.locator("#search").fill("tug")
    expect(page.locator("#count")).to_have_text("6 of 22 videos")

    page.keyboard.press("Escape")

    expect(page.locator("#count")).to_have_text("22 videos")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#search")).not_to_be_focused()


def test_a_name_that_does_not_fit_keeps_its_end(opened: Opened) -> None:
    page = opened(SHEET + "&width=120").page
    label = page.locator(".card .label").first

    assert label.inner_text().replace("\n", "") == label.get_attribute("title")
    assert label.evaluate("e => e.firstChild.scrollWidth > e.firstChild.clientWidth")
    assert label.evaluate("e => e.lastChild.getBoundingClientRect().right <= e.getBoundingClientRect().right + 1")


def test_a_toolbar_that_goes_on_beyond_the_edge_fades_there(opened: Opened) -> None:
    page = opened(SHEET, viewport={"width": 600, "height": 640}).page
    bar = page.locator(".bar")

    assert bar.evaluate("bar => bar.scrollWidth > bar.clientWidth")
    assert "gradient" in bar.evaluate("bar => getComputedStyle(bar).maskImage")
