"""What the gallery's page is told, and how it is written into the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.media import NOT_DECODED
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import Picture
from pipeline.lifecycle import Fact, State
from pipeline.storage import RunFolder
from pipeline.text import spent_money
from pipeline.views.charts.chart import Chart
from pipeline.views.gallery.document import document_of, link, script_json
from pipeline.views.gallery.head import Head, head_of
from pipeline.views.gallery.page import assets, page
from pipeline.views.gallery.past import Past, past_of
from pipeline.views.rows import Row, row_of, rows_of
from tests.ledger.histories import BEGINNING, LIVES, a_job, key, live, opened, planned

TEXT = {"type": "string"}
NAMES = {"type": "object"}
LINK = {"type": "string", "pattern": r"^(\.\./(videos|wrong)/[!-~]+|posters/[0-9a-f]{12}\.jpg)?$"}
COUNT = {"type": "integer", "minimum": 0}
AMOUNT = {"type": ["number", "null"], "minimum": 0}
MAYBE = {"type": ["boolean", "null"]}
LABEL = {"type": ["string", "number"]}


def whole(**properties: Any) -> dict[str, Any]:
    """An object with just these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


FOUND = whole(
    **dict.fromkeys(("codec", "audio"), TEXT),
    **dict.fromkeys(("silent", "decodes"), MAYBE),
    frame_rate=AMOUNT,
    c2pa={"type": "boolean"},
    problems={"type": "array", "items": TEXT},
)
CARD = whole(
    **dict.fromkeys(("id", "key", "group", "prompt", "model", "size", "submitted_at", "reason", "source"), TEXT),
    **dict.fromkeys(("link", "sha256"), TEXT),
    **dict.fromkeys(("video", "aside", "sidecar", "poster"), LINK),
    **dict.fromkeys(("width", "height"), COUNT),
    **dict.fromkeys(("cost", "render_s", "bytes"), AMOUNT),
    **dict.fromkeys(("params", "meta"), NAMES),
    state={"enum": list(State)},
    take={"type": "integer", "minimum": 1},
    at={"type": "array", "items": {"type": ["integer", "null"], "minimum": 0}},
    seconds={"type": "number"},
    pictures={"type": "object", "additionalProperties": LINK},
    orphaned={"type": "boolean"},
    attempts={"type": "array", "items": TEXT},
    differs={"type": "array", "items": TEXT},
    media={"oneOf": [{"type": "null"}, FOUND]},
)
AXIS = whole(name=TEXT, values={"type": "array", "items": LABEL, "uniqueItems": True}, wide={"type": "boolean"})
SCHEMA = whole(
    **dict.fromkeys(("run", "provider", "currency", "x", "y"), TEXT),
    format={"const": 1},
    counts={"type": "object", "propertyNames": {"enum": list(State)}, "additionalProperties": COUNT},
    spent={"type": "number", "minimum": 0},
    unpriced=COUNT,
    axes={"type": "array", "items": AXIS},
    cards={"type": "array", "items": CARD},
)

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028&amp;<!-- \\u003c 'quoted' \"twice\""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A run in which every thing has happened to a job each, and the first is stored."""
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(len(LIVES) + 1))
        for number, life in enumerate(((Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED), *LIVES)):
            live(ledger, number, *life)
        yield ledger


def told(
    rows: list[Row], head: Head, posters: tuple[str, ...] = (), pasts: Mapping[str, Past] = MappingProxyType({})
) -> dict[str, Any]:
    """The document, as a page reads it, after its schema."""
    document: dict[str, Any] = json.loads(script_json(document_of(head, rows, posters=posters, pasts=pasts)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert all(len(card["at"]) == len(document["axes"]) for card in document["cards"])
    return document


def of(ledger: Ledger, *rows: Row) -> dict[str, Any]:
    chosen = list(rows or rows_of(ledger.state))
    return told(chosen, head_of(ledger.state, chosen, name="run"))


def test_every_job_is_a_card_whatever_became_of_it(ledger: Ledger) -> None:
    document = of(ledger)

    assert [card["id"] for card in document["cards"]] == [f"job-{n}" for n in range(len(LIVES) + 1)]
    assert document["run"] == "harbour"
    assert sum(document["counts"].values()) == len(LIVES) + 1
    assert 0 not in document["counts"].values()


def test_what_was_spent_is_what_the_run_has_spent(ledger: Ledger) -> None:
    ledger.plan(a_job(77), price=None)
    live(ledger, 77, Fact.INTENT, Fact.ACCEPTED)
    state, rows = ledger.state, list(rows_of(ledger.state))

    document = of(ledger)

    assert document["spent"] == float(state.spent) > 0
    assert document["unpriced"] == state.unpriced == 1
    assert head_of(state, rows, name="").spent_words == spent_money(state.spent, "USD", 1)


def test_a_choice_of_jobs_has_figures_of_its_own(ledger: Ledger) -> None:
    (first, *_) = rows_of(ledger.state)
    head = head_of(ledger.state, [first], name="run")

    assert (head.videos, head.stored, head.spent) == (1, 1, Decimal("0.80"))


@pytest.mark.parametrize(("state", "reason"), [(State.FAILED, "it was too dark"), (State.BLOCKED, "its source failed")])
def test_a_card_without_a_video_says_why(tmp_path: Path, state: State, reason: str) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 1)
        live(ledger, 1, *([Fact.BLOCKED] if state is State.BLOCKED else [Fact.INTENT, Fact.ACCEPTED, Fact.FAILED]))
        (card,) = of(ledger)["cards"]

    assert (card["state"], card["reason"]) == (state, reason)
    assert (card["video"], card["sidecar"], card["poster"], card["sha256"], card["bytes"]) == ("", "", "", "", None)


def test_a_stored_video_is_linked_with_all_that_is_known_of_it(ledger: Ledger) -> None:
    job = ledger.state.jobs[key(0)]
    picture = Picture(video_id=job.video_id, path="coast/fox-thumbnail.webp", bytes=9, sha256="c" * 64)
    job.pictures = {"thumbnail": picture}
    rows = [row for row in rows_of(ledger.state) if row.id == job.id]
    head = head_of(ledger.state, rows, name="run")
    (card,) = told(rows, head)["cards"]
    (with_poster,) = told(rows, head, posters=("b" * 64,))["cards"]

    assert card["video"] == "../videos/coast/fox.mp4"
    assert card["sidecar"] == "../videos/coast/fox.json"
    assert card["pictures"] == {"thumbnail": "../videos/coast/fox-thumbnail.webp"}
    assert card["poster"] == card["pictures"]["thumbnail"]
    assert with_poster["poster"] == f"posters/{'b' * 12}.jpg"
    assert (card["width"], card["height"], card["bytes"], card["cost"]) == (1280, 720, 4096, 0.8)
    assert card["render_s"] > 0
    assert card["submitted_at"].startswith(f"{BEGINNING:%Y-%m-%dT%H}")


def test_what_is_not_as_asked_for_or_broken_is_told_in_words(ledger: Ledger) -> None:
    (row, *_) = rows_of(ledger.state)
    media = replace(NOT_DECODED, problems=("it has no frame",))
    (card,) = of(ledger, replace(row, differs={"seconds": "it is 5 s long, not 8"}, media=media))["cards"]

    assert card["differs"] == ["it is 5 s long, not 8"]
    assert card["media"] == {
        "frame_rate": None, "codec": "", "audio": "", "silent": None, "decodes": False, "c2pa": False,
        "problems": ["it has no frame"],
    }  # fmt: skip


def test_what_is_no_longer_asked_for_comes_last_and_is_counted(ledger: Ledger) -> None:
    old, *rows = rows_of(ledger.state)
    head = head_of(ledger.state, [replace(old, orphaned=True), *rows], name="run")

    document = told([replace(old, orphaned=True), *rows], head)

    assert [card["id"] for card in document["cards"]] == [*(row.id for row in rows), old.id]
    assert [card["orphaned"] for card in document["cards"]] == [False] * len(rows) + [True]
    assert "1 no longer asked for" in page(head, document, [])
    assert "no longer asked for" not in page(head_of(ledger.state, rows, name="run"), document, [])


def test_attempts_are_told_with_what_each_cost(ledger: Ledger) -> None:
    job = ledger.state.jobs[key(0)]
    assert past_of(job, currency="USD") == Past()
    (attempt,) = job.attempts
    job.attempts = [
        replace(attempt, counts=False, reason="429 Too Many Requests"), replace(attempt, price=None), attempt,
    ]  # fmt: skip

    past = past_of(job, currency="USD")

    assert past.attempts == ("nothing (429 Too Many Requests)", "not known", "$0.80")
    (card,) = told([row_of(job, ledger.state)], head_of(ledger.state, [], name="run"), pasts={job.key: past})["cards"]
    assert card["attempts"] == list(past.attempts)


def test_a_video_that_was_put_aside_is_linked_where_it_is_with_its_still(ledger: Ledger) -> None:
    row = replace(next(rows_of(ledger.state)), state=State.FAILED, path="", sha256="")
    past = Past(aside="wrong/coast/fox.mp4", sha256="b" * 64)
    head = head_of(ledger.state, [], name="run")
    (card,) = told([row], head, posters=("b" * 64,), pasts={row.key: past})["cards"]

    assert (card["video"], card["aside"], card["sidecar"]) == ("", "../wrong/coast/fox.mp4", "../wrong/coast/fox.json")
    assert card["poster"] == f"posters/{'b' * 12}.jpg"


@pytest.mark.parametrize("name", ["fox.mp4", f"fox-{'b' * 8}.mp4", "", f"fox-{'c' * 8}.mp4"])
def test_what_was_put_aside_is_found_by_its_name_and_digest(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "wrong/coast").mkdir(parents=True)
    if name:
        (tmp_path / "wrong/coast" / name).touch()

    there = name in ("fox.mp4", f"fox-{'b' * 8}.mp4")
    assert folder.aside("coast/fox.mp4", "b" * 64) == (f"wrong/coast/{name}" if there else "")


@pytest.mark.parametrize(
    ("asked", "came", "pixels"),
    [("1280x720", "720x1280", (720, 1280)), ("1280x720", "", (1280, 720)), ("720p", "", (0, 0)), ("", "0x0", (0, 0))],
)
def test_a_card_has_the_shape_of_what_came_or_was_asked_for(
    ledger: Ledger, asked: str, came: str, pixels: tuple[int, int]
) -> None:
    row = replace(next(rows_of(ledger.state)), size=asked, media_size=came)
    (card,) = of(ledger, row)["cards"]

    assert (card["width"], card["height"]) == pixels


def test_a_number_that_a_browser_would_round_is_told_as_text(ledger: Ledger) -> None:
    seed = 2**64 - 1
    row = replace(
        next(rows_of(ledger.state)), params={"seed": seed, "more": [{"of": -seed}], "cfg": 7.5}, meta={"n": 3}
    )
    (card,) = of(ledger, row)["cards"]

    assert card["params"] == {"seed": str(seed), "more": [{"of": str(-seed)}], "cfg": 7.5}
    assert card["meta"] == {"n": 3}


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("videos/coast/a-heron.mp4", "../videos/coast/a-heron.mp4"),
        ("videos/50% of #1? ü.mp4", "../videos/50%25%20of%20%231%3F%20%C3%BC.mp4"),
        ('videos/a"b<c>&d:e.mp4', "../videos/a%22b%3Cc%3E%26d%3Ae.mp4"),
        ("videos/../../secret.mp4", ""),
        ("/etc/passwd", ""),
        ("", ""),
    ],
)
def test_links_are_relative_encoded_and_stay_in_the_folder(path: str, address: str) -> None:
    assert link(path) == address


def test_a_run_of_which_nothing_is_known_has_a_page_too() -> None:
    head = head_of(RunState(), [], name="harbour")
    assert told([], head)["run"] == "harbour"
    assert "<title>harbour" in page(head, document_of(head, [], posters=()), [])


class Elements(HTMLParser):
    """The elements of a page, and what each script holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.held: dict[str, str] = {}
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._in = dict(attrs).get("id") or "" if tag == "script" else ""

    def handle_endtag(self, _tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.held[self._in] = self.held.get(self._in, "") + data


def a_page(ledger: Ledger, text: str, charts: tuple[Chart, ...] = ()) -> str:
    """The page of one job in which everything that is text says *text*."""
    row = next(rows_of(ledger.state))
    row = replace(row, id=text, group=text, prompt=text, model=text, size=text, reason=text, source=text, link=text)
    row = replace(row, axes={text: text}, params={text: text}, meta={text: text}, differs={"size": text})
    head = replace(head_of(ledger.state, [row], name=text), name=text, provider=text, currency=text)
    return page(head, document_of(head, [row, replace(row, axes={})], posters=()), charts)


def test_whatever_a_text_holds_the_page_has_the_same_elements(ledger: Ledger) -> None:
    tame, hostile = (Elements(a_page(ledger, text)) for text in ("tame", HOSTILE))

    assert hostile.tags == tame.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in tame.attributes]
    (card, _) = json.loads(hostile.held["run"])["cards"]
    assert {card["prompt"], card["reason"], card["differs"][0], *card["params"], *card["meta"].values()} == {HOSTILE}
    assert "\u2028" not in hostile.held["run"]


def test_the_markup_of_charts_is_ours_and_their_words_are_not(ledger: Ledger) -> None:
    chart = Chart(title=HOSTILE, svg='<svg class="chart-svg"><path d="M0 0"/></svg>', note=HOSTILE)
    drawn, plain = (
        Elements(a_page(ledger, "x", charts)) for charts in ((chart,), (replace(chart, title="", note="n"),))
    )

    assert drawn.tags == plain.tags
    assert drawn.tags.count("path") == plain.tags.count("path") > 0


def test_the_page_forbids_itself_everything_but_the_files_beside_it(ledger: Ledger) -> None:
    found = Elements(a_page(ledger, "x"))
    text = a_page(ledger, "x")
    (policy,) = (value for name, value in found.attributes if value and value.startswith("default-src"))

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not [name for name, _ in found.attributes if name == "style" or name.startswith("on")]
    loaded = {value for name, value in found.attributes if name in ("src", "href") and value and value[0] not in "#."}
    assert loaded == set(assets())
    assert "style" not in found.tags
    assert text.count("<script") == sum(name.endswith(".js") for name in assets()) + 1


def test_a_time_without_an_end_is_no_render_time(ledger: Ledger) -> None:
    (row, *_) = rows_of(ledger.state)
    assert row.finished_at is not None
    (card,) = of(ledger, replace(row, finished_at=None))["cards"]
    (other,) = of(ledger, replace(row, finished_at=row.finished_at + timedelta(seconds=30)))["cards"]

    assert card["render_s"] is None
    assert other["render_s"] == pytest.approx((row.render_s or 0) + 30)
