"""The gallery in a real browser: by keyboard, on a phone, in the dark, and with thousands of cards."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opened

GRID = "#rows=subject&columns=light&tabs=take"
FOCUSED = "document.activeElement.closest('.card')?.querySelector('.label').title"
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


def test_the_keyboard_alone_is_enough(opened: Opened, expect: Any) -> None:
    page = opened(GRID).page
    names = page.locator(".card .label").evaluate_all("labels => labels.map(label => label.title)")

    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == names[0]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == names[1]
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    assert page.evaluate(FOCUSED) == "harbour-a-tug-dawn-4s-t1"

    page.keyboard.press("Enter")
    expect(page.locator("#detail-name")).to_have_text("harbour-a-tug-dawn-4s-t1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#detail-name")).not_to_have_text("harbour-a-tug-dawn-4s-t1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    assert page.evaluate(FOCUSED) == "harbour-a-tug-dawn-4s-t1"


def test_two_cards_are_picked_and_compared_by_keys(opened: Opened, expect: Any) -> None:
    page = opened(GRID).page
    page.locator(".card", has_text="a tug at dawn").first.focus()

    for key in ("c", "ArrowRight", "c", "v"):
        page.keyboard.press(key)

    expect(page.locator("#compare figure")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#tray")).to_be_visible()


def test_letters_search_filter_swap_and_explain_themselves(opened: Opened, expect: Any) -> None:
    page = opened(GRID).page

    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.get_by_role("tab").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("x")
    expect(page.locator("#choose-rows")).to_have_value("light")
    page.keyboard.press("f")
    expect(page.locator("#filters")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("a tug")  # letters are text there
    expect(page.locator("#search")).to_have_value("a tug")
    expect(page.locator("#together")).to_be_hidden()


def test_tab_reaches_one_card_and_every_control_has_a_name(opened: Opened) -> None:
    page = opened(GRID).page

    assert page.locator('.card[tabindex="0"]').count() == 1
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, [role=group], [role=img]')]
            .filter(e => !(e.ariaLabel || e.labels?.length || e.textContent.trim()))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_a_phone_scrolls_the_grid_under_its_heads_and_never_the_page(opened: Opened, expect: Any) -> None:
    page = opened(GRID, **PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    scroller = page.locator("#scroller")
    assert scroller.evaluate("s => s.scrollWidth > s.clientWidth")
    column, row = page.locator(".columnhead").nth(1), page.locator(".rowhead").first
    place = column.bounding_box()

    scroller.evaluate("s => s.scrollTo(100, 60)")

    assert column.bounding_box()["y"] == place["y"]  # the heads stay above
    assert column.bounding_box()["x"] == place["x"] - 100
    assert row.bounding_box()["x"] == 0
    page.locator(".card", has=page.locator("img.poster")).first.tap()
    expect(page.locator("#detail")).to_be_visible()
    assert page.locator("#detail").bounding_box()["width"] == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_until_they_are_chosen_and_are_remembered(opened: Opened, scheme: str) -> None:
    gallery = opened(GRID, color_scheme=scheme)
    page = gallery.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = "rgb(247, 247, 245)"
    assert (page.evaluate(ground) == light) is (scheme == "light")

    page.locator("#theme").click()  # dark, whatever the system says
    gallery.open(GRID)

    assert page.evaluate(ground) == "rgb(18, 19, 22)"
    page.locator("#theme").click()
    assert page.evaluate(ground) == light


def test_a_browser_without_storage_shows_the_page_all_the_same(opened: Opened) -> None:
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied') }})"

    page = opened(GRID, setup=denied).page
    page.locator("#theme").click()

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(opened: Opened, scheme: str) -> None:
    page = opened(GRID, color_scheme=scheme).page

    contrasts = page.evaluate(CONTRASTS)

    assert len(contrasts) > 10
    assert {words: ratio for words, ratio in contrasts.items() if ratio < 4.5} == {}


CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = (e) => { const c = numbers(getComputedStyle(e).backgroundColor);
    return (c[3] ?? 1) > 0.99 ? c : ground(e.parentElement); };
  const found = {};
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest('svg, :disabled, .pick')) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(ground(e))];
    found[e.textContent.trim().slice(0, 40)] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""


def five_thousand(report: Path) -> None:
    """Make of the page at *report* one with as many cards, all of them of its own videos."""
    text = (report / "index.html").read_text(encoding="utf-8")
    (told,) = re.findall(r'<script type="application/json" id="run">(.*?)</script>', text)
    document = json.loads(told)
    stored = [card for card in document["cards"] if card["video"]]
    document["axes"] = [
        {"name": "subject", "values": [f"subject {n}" for n in range(500)]},
        {"name": "seed", "values": list(range(10))},
    ]
    document["x"], document["y"] = "seed", "subject"
    document["cards"] = [
        stored[n % len(stored)] | {"id": f"job-{n}", "key": f"{n:032x}"[::-1], "at": [n // 10, n % 10]}
        for n in range(5_000)
    ]
    made = json.dumps(document).replace("<", "\\u003c")
    (report / "index.html").write_text(text.replace(told, made), encoding="utf-8")


@pytest.mark.parametrize("hash_", ["", "#as=sheet"])
def test_of_thousands_of_cards_only_those_near_the_view_are_there(
    opened: Opened, run: Path, expect: Any, hash_: str
) -> None:
    five_thousand(run / "report")
    page = opened(hash_, folder=run).page
    expect(page.locator("#count")).to_have_text("5,000 videos")
    height = page.locator("#scroller").evaluate("s => s.scrollHeight")
    assert page.locator(".card").count() < 400

    page.locator("#scroller").evaluate("s => s.scrollTo(s.scrollWidth, s.scrollHeight)")

    expect(page.locator('.card:has([title="job-4999"])')).to_have_count(1)
    assert page.locator(".card").count() < 400
    assert page.locator("#scroller").evaluate("s => s.scrollHeight") == height  # nothing jumped
