"""The rows of a run as one table: CSV that reads back what was written, and lines that fit a terminal."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.ledger.media import NOT_DECODED, Media
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState, Wish
from pipeline.lifecycle import State
from pipeline.text import cells
from pipeline.views.flat import csv_lines, table_lines
from pipeline.views.rows import Row, row_of
from pipeline.views.where import OF_MEDIA

AT = datetime(2026, 11, 22, 19, 0, 0, 123_000, tzinfo=UTC)
NOW = AT + timedelta(minutes=3)
WISH = Wish("a fox", "sora-2", 8, "1280x720")
BARE = row_of(
    JobState(key="0" * 32, wish=WISH, id="fox", path="fox.mp4", planned_path="fox.mp4", price=None), RunState()
)
HOSTILE = '=HYPERLINK("http://x")\r\n\x1b[31m,"no"\t\u202e日本'


def a_row(**fields: Any) -> Row:
    return replace(BARE, **fields)


def read_back(rows: list[Row]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(rows)), newline="")))


def test_csv_reads_back_as_it_was_written_whatever_a_prompt_holds() -> None:
    rows = [a_row(id=f"{n}", prompt=prompt) for n, prompt in enumerate([HOSTILE, "+1", "-1", "@x", "", "a\nb", " a "])]

    found = read_back(rows)

    assert [row["prompt"] for row in found] == [row.prompt for row in rows]
    assert "".join(csv_lines(rows[1:2])).endswith("\r\n")


def test_every_name_in_the_mappings_has_a_column_and_what_is_not_known_is_empty() -> None:
    rows = [
        a_row(axes={"style, old": "noir"}, params={"seed": 7, "loop": True, "list": [1, "ü"]}, cost=Decimal("0.80")),
        a_row(meta={"a.b": None, "n": 1.5}, stored_at=AT, variants={"thumbnail": "videos/fox.webp"}),
    ]

    first, second = read_back(rows)

    assert [name for name in first if "." in name and name not in OF_MEDIA] == [
        *("params.list", "params.loop", "params.seed", "axes.style, old", "meta.a.b", "meta.n", "variants.thumbnail"),
    ]
    assert (first["axes.style, old"], first["params.seed"], first["params.loop"]) == ("noir", "7", "true")
    assert (first["params.list"], first["cost"], first["stored_at"]) == ('[1, "ü"]', "0.80", "")
    assert (second["axes.style, old"], second["meta.a.b"], second["meta.n"]) == ("", "", "1.5")
    assert (second["stored_at"], second["cost"], second["variants.thumbnail"]) == (
        "2026-11-22T19:00:00.123Z",
        "0",
        "videos/fox.webp",
    )


def test_no_rows_are_a_header_alone() -> None:
    (header,) = csv_lines([])

    assert header.startswith("id,key,state,")


ROWS = [
    a_row(id="fox", state=State.STORED, path="videos/fox.mp4", video_id="video_" + "7" * 60, submits=1, changed_at=AT),
    a_row(id="日本" * 30, state=State.FAILED, reason=HOSTILE, submits=2, cost=None),
    a_row(id="new", cost=Decimal("3.20"), submits=1, currency="CNY"),
]


@pytest.mark.parametrize("width", [20, 60, 80, 100, 300])
def test_a_table_is_a_line_a_job_that_fits_the_terminal_and_nothing_steers_it(width: int) -> None:
    lines = list(table_lines(ROWS, now=NOW, width=width))

    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert all(cells(line) <= max(width, 60) for line in lines)


def test_where_there_is_no_terminal_nothing_is_cut() -> None:
    head, fox, failed, new = table_lines(ROWS, now=NOW, width=None)

    assert head.split() == ["ID", "STATE", "COST", "VIDEO", "AGE", "PATH", "OR", "REASON"]
    assert "日本" * 30 in failed
    assert failed.endswith('=HYPERLINK("http://x") ,"no" 日本')
    assert "not known" in failed
    assert fox.endswith("  3 min  videos/fox.mp4")
    assert "3.20 CNY" in new


def test_at_a_terminal_the_providers_ids_give_way_before_ours() -> None:
    rows = [a_row(id="a-rather-long-name", video_id="video_" + "7" * 60, reason="because " * 9)]

    _, line = table_lines(rows, now=NOW, width=90)

    assert line.startswith("a-rather-long-name  pending")
    assert "video_77777" in line
    assert line.endswith("…")
    assert cells(line) == 90


def test_what_a_video_was_found_to_be_has_a_column_for_each_fact_as_where_knows_them() -> None:
    seen = replace(NOT_DECODED, seconds=4.0, audio="aac", decodes=True, problems=("it ends early", "it is dark"))

    found, unseen = read_back([a_row(media=seen), a_row()])

    facts = {name: text for name, text in found.items() if name.startswith("media.")}
    assert facts.keys() == {f"media.{field.name}" for field in fields(Media)}
    assert "media" not in found
    assert (facts["media.seconds"], facts["media.audio"], facts["media.decodes"]) == ("4.0", "aac", "true")
    assert (facts["media.problems"], facts["media.silent"]) == ("it ends early; it is dark", "")
    assert {unseen[name] for name in facts} == {""}
