"""The gallery in a real browser: videos that play, alone, together and two against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.conftest import Opened, vidbatch

GRID = "#rows=subject&columns=light&tabs=seconds"
AMONG = "[...document.querySelectorAll('{where} video')]"
RUNNING = "videos.length === {count} && videos.every(v => !v.paused && v.currentTime > 0.3)"
APART_S = "Math.max(...videos.map(v => v.currentTime)) - Math.min(...videos.map(v => v.currentTime))"


def until(page: Any, where: str, condition: str) -> None:
    """Wait until *condition* holds of the `videos` below *where*."""
    page.wait_for_function(
        f"() => {{ const videos = {AMONG.format(where=where)}; return {condition} }}", timeout=15_000
    )


def of_videos(page: Any, where: str, wanted: str) -> Any:
    return page.evaluate(f"() => {{ const videos = {AMONG.format(where=where)}; return {wanted} }}")


def test_pointing_at_a_card_plays_it_and_leaving_lets_it_go(opened: Opened, expect: Any) -> None:
    page = opened(GRID).page
    assert page.locator(".card video").count() == 0

    page.locator(".card img.poster").first.hover()

    until(page, ".card", RUNNING.format(count=1))
    assert of_videos(page, ".card", "videos[0].muted && videos[0].loop")
    page.locator("h1").hover()
    expect(page.locator(".card video")).to_have_count(0)


def test_nothing_moves_by_itself_for_who_wants_it_calm_but_what_is_asked_for_plays(opened: Opened, expect: Any) -> None:
    page = opened(GRID, reduced_motion="reduce").page
    card = page.locator(".card", has=page.locator("img.poster")).first

    card.hover()
    card.focus()
    page.keyboard.press(" ")

    until(page, ".card", RUNNING.format(count=1))
    page.locator(".card", has=page.locator("img.poster")).nth(2).hover()
    page.keyboard.press(" ")
    expect(page.locator(".card video")).to_have_count(0)


def test_a_row_plays_in_step_and_begins_again_together(opened: Opened, expect: Any) -> None:
    page = opened(GRID).page
    row = page.locator(".row", has=page.locator(".rowhead", has_text="a tug"))

    row.get_by_role("button", name="Play subject a tug together").click()

    until(page, ".card", RUNNING.format(count=4))
    until(page, ".card", f"{APART_S} < 0.15 && videos[0].currentTime > 1")
    expect(page.locator("#together-words")).to_have_text("4 playing together: subject a tug")
    page.locator("#together-speed").select_option("2")
    until(page, ".card", "videos.some(v => v.currentTime > 3.5)")
    until(
        page, ".card", f"videos.every(v => !v.paused && v.currentTime < 3 && v.currentTime > 0.5) && {APART_S} < 0.15"
    )
    page.keyboard.press("Escape")
    expect(page.locator(".card video")).to_have_count(0)
    expect(page.locator("#together")).to_be_hidden()


def test_a_video_that_fell_behind_is_brought_back(opened: Opened) -> None:
    page = opened(GRID).page
    page.get_by_role("button", name="Play subject a tug together").click()
    until(page, ".card", RUNNING.format(count=4))

    of_videos(page, ".card", "videos.at(-1).pause()")
    of_videos(page, ".card", "videos.at(-2).currentTime += 0.15")  # less than a jump would be worth

    until(page, ".card", f"videos.every(v => !v.paused && v.currentTime > 0.5) && {APART_S} < 0.08")


def test_videos_of_a_column_are_paused_and_moved_as_one(opened: Opened, expect: Any) -> None:
    page = opened("#rows=seconds&columns=light&tabs=take").page
    page.get_by_role("button", name="Play light dawn together").click()
    until(page, ".card", "videos.length > 2 && videos.every(v => !v.paused && v.currentTime > 0.2)")

    page.locator("#together").get_by_role("button", name="Pause").click()
    page.locator("#together-scrub").fill("6")

    # The short ones hold their last picture where the long ones go on.
    until(page, ".card", "videos.every(v => v.paused && Math.abs(v.currentTime - Math.min(6, v.duration)) < 0.15)")
    assert set(of_videos(page, ".card", "videos.map(v => Math.round(v.duration))")) == {4, 8}


def test_what_scrolls_into_view_falls_in_and_what_leaves_is_let_go_of(opened: Opened) -> None:
    page = opened("#as=sheet&width=480", viewport={"width": 1280, "height": 520}).page
    page.keyboard.press("a")
    until(page, ".card", "videos.length > 0 && videos.every(v => v.currentTime > 0.2)")
    before = page.locator(".card:has(video)").evaluate_all("cards => cards.map(card => card.dataset.card)")

    page.evaluate("document.getElementById('scroller').scrollTo(0, 1e6)")

    until(page, ".card", f"videos.length > 0 && videos.every(v => v.currentTime > 0.2) && {APART_S} < 0.15")
    page.wait_for_function(
        "before => [...document.querySelectorAll('.card:has(video)')].every(c => !before.includes(c.dataset.card))",
        arg=before,
    )
    assert page.locator("video[src]").count() <= 24


def test_two_cards_are_compared_in_step_with_what_differs_marked(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=take").page
    one, other = (page.locator(".card", has_text=f"a tug at {light}").first for light in ("dawn", "noon"))
    for card in (one, other):
        card.hover()
        card.get_by_role("button", name="Compare with another").click()

    page.locator("#tray-compare").click()

    until(page, "#compare", f"{RUNNING.format(count=2)} && {APART_S} < 0.15")
    expect(page.locator("#compare tr.other mark")).to_have_text(["dawn", "noon"])
    expect(page.locator("#compare tr.other", has_text="light")).to_contain_text("noon")
    expect(page.locator("#compare tr.same", has_text="model")).to_contain_text("sketch")
    page.locator("#compare-wipe").click()
    expect(page.locator("#compare-swipe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()
    assert page.locator("#compare video").count() == 0


def test_without_posters_the_cards_show_their_videos_first_frame(opened: Opened, run: Path, expect: Any) -> None:
    for poster in (run / "report/posters").iterdir():
        poster.unlink()
    vidbatch(run.parent.parent, "report", "outputs/harbour", "--no-posters")

    page = opened(GRID, folder=run).page

    expect(page.locator(".card canvas.poster").first).to_be_visible()
    page.wait_for_function("() => !document.querySelector('.card:not(:has(.panel)):not(:has(canvas))')")
    assert page.locator("video[src]").count() == 0
    assert page.locator("canvas.poster").first.evaluate("c => [c.width, c.height]") == [320, 180]


def test_a_file_that_cannot_be_played_says_so(opened: Opened, run: Path, expect: Any) -> None:
    for film in (run / "videos").rglob("*.mp4"):
        film.write_bytes(b"no film at all" * 99)
    page = opened(GRID, folder=run).page
    card = page.locator(".card", has=page.locator("img.poster")).first

    card.hover()

    expect(card.get_by_text("This file is not there, or cannot be played here.")).to_be_visible()
