"""The gallery in a real browser: what stands where, and fewer of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.browser.conftest import HOSTILE, Opened

CARDS = 22


def heads(page: Any, kind: str) -> list[str]:
    return [text for text in page.locator(f".{kind}head .value").all_inner_texts() if text]


def chosen(page: Any) -> dict[str, str]:
    return {name: page.locator(f"#choose-{name}").input_value() for name in ("rows", "columns", "tabs")}


def test_the_gallery_opens_from_disk_with_all_jobs_in_a_grid_of_two_axes(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    assert heads(page, "row") == ["a heron", "a tug", HOSTILE]
    assert heads(page, "column") == ["dawn", "noon"]
    expect(page.locator("#count")).to_have_text(f"{CARDS} videos")
    expect(page.locator(".card")).to_have_count(CARDS)
    poster = page.locator(".card img.poster").first
    expect(poster).to_have_js_property("complete", True)
    assert poster.evaluate("image => image.naturalWidth") > 0


def test_a_job_without_a_video_stands_in_the_grid_with_its_reason(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    refused = page.locator('.card[data-state="rejected"]')

    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("content policy")
    expect(refused.locator(".panel strong")).to_have_text("rejected")


def test_a_cell_without_a_job_says_so_and_one_that_is_filtered_out_says_that(opened: Opened, expect: Any) -> None:
    gallery = opened("#rows=subject&columns=light&tabs=seconds&tab=8")

    expect(gallery.page.locator(".none")).to_have_text(["no job"])
    gallery.open("#rows=subject&columns=seconds&tabs=-&axis.light=noon")
    expect(gallery.page.locator(".none")).to_have_text(["2 filtered out"])


def test_axes_are_chosen_from_menus_and_change_places_rather_than_stand_twice(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    page.locator("#choose-rows").select_option("seconds")
    assert heads(page, "row") == ["4 s", "8 s"]
    page.locator("#choose-columns").select_option("seconds")
    assert (chosen(page)["rows"], chosen(page)["columns"]) == ("light", "seconds")
    page.locator("#swap").click()
    assert (heads(page, "row"), heads(page, "column")) == (["4 s", "8 s"], ["dawn", "noon"])


def test_a_third_axis_stands_as_tabs_each_with_its_cards(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    page.locator("#choose-tabs").select_option("take")

    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["111", "211"])  # the value and its count
    tabs.nth(1).click()
    expect(page.locator(".card")).to_have_count(11)
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")


def test_a_contact_sheet_shows_all_cards_in_order(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    page.locator("#as-sheet").click()

    expect(page.locator(".card")).to_have_count(CARDS)
    assert page.locator(".rowhead").count() == 0
    page.locator("#as-grid").click()
    assert heads(page, "row") == ["a heron", "a tug", HOSTILE]


def test_a_view_is_a_link_and_back_goes_back(opened: Opened, expect: Any) -> None:
    gallery = opened("#rows=subject&columns=light&tabs=-")
    page = gallery.page
    page.locator("#choose-columns").select_option("seconds")
    page.locator('#counts [data-state="stored"]').click()
    page.locator("#search").fill("tug")
    expect(page.locator("#count")).to_have_text(f"6 of {CARDS} videos")

    sent = page.evaluate("location.hash")
    gallery.open(sent)

    expect(page.locator("#count")).to_have_text(f"6 of {CARDS} videos")
    assert heads(page, "column") == ["4 s", "8 s"]
    page.locator("#choose-rows").select_option("take")
    page.go_back()
    expect(page.locator("#choose-rows")).to_have_value("subject")


def test_the_search_narrows_as_one_types(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    for words, count in (
        ("heron", 8),
        ("HERON Dawn", 4),  # all words, in any case
        ("dawn heron", 4),  # in any order
        ("onerror=alert(1)", 8),
    ):
        page.locator("#search").fill("")
        page.locator("#search").press_sequentially(words)

        expect(page.locator("#count")).to_have_text(f"{count} of {CARDS} videos")
        expect(page.locator(".card")).to_have_count(count)
        expect(page.locator(".card .prompt mark").first).to_be_visible()


def test_a_search_for_what_is_not_there_says_so_and_offers_all(opened: Opened, expect: Any) -> None:
    page = opened().page
    page.locator("#search").fill("walrus")

    expect(page.locator("#nothing")).to_be_visible()
    page.locator("#nothing-clear").click()

    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator("#search")).to_have_value("")


def test_filters_take_values_of_any_axis_and_say_how_many_each_would_leave(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page
    page.get_by_role("button", name="Filter").click()
    subjects = page.locator('fieldset[data-facet="axis.subject"]')
    expect(subjects.locator(".count")).to_have_text(["8", "6", "8"])

    subjects.get_by_label("a tug").check()

    expect(page.locator("#count")).to_have_text(f"6 of {CARDS} videos")
    expect(page.locator('fieldset[data-facet="axis.light"] .count')).to_have_text(["4", "2"])
    expect(subjects.get_by_label("a tug")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator(".chip").click()
    expect(page.locator("#count")).to_have_text(f"{CARDS} videos")


def test_a_cell_of_very_many_shows_the_first_and_leads_to_the_rest(opened: Opened, expect: Any) -> None:
    page = opened("#rows=-&columns=light&tabs=-").page

    page.locator(".more").first.click()

    expect(page.locator("#chips .chip")).to_have_text(["lightdawn"])
    expect(page.locator(".card")).to_have_count(12)


def test_a_card_opens_whole_with_its_settings_and_its_files(opened: Opened, run: Path, expect: Any) -> None:
    index = run / "report/index.html"
    told = index.read_text(encoding="utf-8")
    index.write_text(told.replace('"differs":[]', '"differs":["it is 5 s long, not 8"]'), encoding="utf-8")
    page = opened("#rows=subject&columns=light&tabs=-", folder=run).page
    card = page.locator(".card", has_text="a tug at noon").first
    expect(card.locator(".badge")).to_have_text("it is 5 s long, not 8")

    card.click()

    detail = page.locator("#detail")
    expect(detail.locator(".whole")).to_have_text("a tug at noon")
    expect(detail.locator("dl")).to_contain_text("320x180")
    expect(detail.locator("dl")).to_contain_text("it is 5 s long, not 8")
    linked = [detail.get_by_role("link", name=name).get_attribute("href") for name in ("Video", "Sidecar")]
    assert [(run / "report" / unquote(link)).resolve().suffix for link in linked] == [".mp4", ".json"]
    assert all((run / "report" / unquote(link)).is_file() for link in linked)


def test_an_axis_may_be_called_what_every_object_of_the_page_has(opened: Opened, run: Path, expect: Any) -> None:
    index = run / "report/index.html"
    told = index.read_text(encoding="utf-8")
    for axis, name in {"subject": "constructor", "light": "toString", "take": "valueOf"}.items():
        told = told.replace(f'"name":"{axis}"', f'"name":"{name}"')
    index.write_text(told, encoding="utf-8")
    page = opened("#rows=constructor&columns=toString&tabs=valueOf", folder=run).page

    page.locator(".card", has_text="a tug at noon").first.click()

    values = page.locator("#detail dl")
    expect(values).to_contain_text("constructora tug")
    expect(values).to_contain_text("toStringnoon")
    expect(page.locator("body")).not_to_contain_text("native code")


def test_a_hostile_prompt_stays_text(opened: Opened, expect: Any) -> None:
    page = opened("#rows=subject&columns=light&tabs=-").page

    page.locator(".card", has_text=HOSTILE).first.click()

    expect(page.locator("#detail .whole")).to_contain_text(HOSTILE)
    assert page.locator("[onerror], [src='x']").count() == 0


def test_the_page_takes_no_markup_even_from_its_own_scripts(opened: Opened) -> None:
    gallery = opened()

    refused = gallery.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>no</b>'; return false } catch { return true } }"
    )

    assert refused
    assert all("TrustedHTML" in complaint for complaint in gallery.complaints)
    gallery.complaints.clear()


def test_the_picture_of_the_run_is_a_view_of_its_own(opened: Opened, expect: Any) -> None:
    page = opened().page

    page.get_by_role("button", name="The run").click()

    expect(page.locator("#the-run svg[role=img]").first).to_be_visible()
    expect(page.locator("#videos")).to_be_hidden()
    page.go_back()
    expect(page.locator("#videos")).to_be_visible()
