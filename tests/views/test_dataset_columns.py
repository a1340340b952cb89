"""What stands in the tables of jobs."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.columns import Kind
from pipeline.errors import MissingExtra
from pipeline.ledger.afterwards import media_note
from pipeline.ledger.fields import MEDIA
from pipeline.ledger.ledger import read_run
from pipeline.ledger.media import NOT_DECODED
from pipeline.model import JSON
from pipeline.views.dataset.columns import CAPTIONED, HEAD_ROWS, columns_of, settled
from pipeline.views.dataset.tables import csv_table, jsonl
from pipeline.views.export import FILES, choose
from pipeline.views.rows import Row
from tests.ledger.histories import opened
from tests.views.stock import PROMPT, film, stock, wished


def table(run: Path, form: str) -> bytes:
    state = read_run(run)
    return b"".join(FILES[form].of(state, choose(state)).parts())


def rows_with(folder: Path, *axes: dict[str, JSON]) -> list[Row]:
    jobs = [wished(n, axes=some, params={}) for n, some in enumerate(axes)]
    return choose(read_run(stock(folder, jobs)))


def test_the_index_tells_of_every_job_what_it_is_and_what_became_of_it(tmp_path: Path) -> None:
    job = wished(1, prompt=PROMPT)
    stored, refused = map(json.loads, table(stock(tmp_path / "run", [job], [wished(2)]), "jsonl").splitlines())

    assert stored["key"] == job.key
    assert (stored["id"], stored["state"], stored["prompt"]) == ("job-1", "stored", PROMPT)
    assert (stored["path"], stored["bytes"]) == ("videos/coast/job-1.mp4", len(film(job)))
    assert (stored["cost"], stored["currency"], stored["submits"]) == (0.8, "USD", 1)
    assert (stored["provider"], stored["video_id"]) == ("sandbox", "video_1_1")
    assert (stored["animal"], stored["seed"]) == ("fox", 1)
    assert re.fullmatch(r"2026-11-22T19:00:\d\d\.000Z", stored["stored_at"])
    assert (refused["state"], refused["path"], refused["bytes"], refused["sha256"]) == ("rejected", "", None, "")
    assert (refused["code"], refused["reason"]) == ("bad_size", "this size is not known")
    assert list(stored) == list(refused)


def test_what_a_video_was_found_to_be_stands_there_where_it_was_decoded(tmp_path: Path) -> None:
    run, facts = stock(tmp_path / "run", [wished(1), wished(2)]), replace(NOT_DECODED, codec="h264", decodes=True)
    with opened(run / "ledger.jsonl") as ledger:
        job = ledger.state.jobs[wished(1).key]
        ledger.note(MEDIA, media_note(job, replace(facts, size="64x64", frame_rate=24.0, problems=("it is silent",))))
        ledger.commit_now()

    first, second = map(json.loads, table(run, "jsonl").splitlines())

    names = ("frame_rate", "codec", "audio", "decodes", "c2pa", "amiss")
    assert [first[name] for name in names] == [24.0, "h264", "", True, False, "it is silent"]
    assert [second[name] for name in names] == [None, "", "", None, None, ""]


def test_a_cell_of_a_csv_holds_just_what_was_written_formulas_too(tmp_path: Path) -> None:
    text = table(stock(tmp_path / "run", [wished(1, prompt=PROMPT)], [wished(2, prompt="=1+1")]), "csv").decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))

    assert (first["prompt"], second["prompt"]) == (PROMPT, "=1+1")
    assert (first["cost"], first["seconds"], first["orphaned"]) == ("0.8", "8.0", "false")
    assert second["bytes"] == ""


def test_a_column_of_a_person_gives_way_to_one_of_ours_and_to_one_of_the_readers(tmp_path: Path) -> None:
    job = wished(1, axes={"style": "ink", "seconds": 8}, meta={"style": "oil", "video": "x", "a_file_name": "y"})
    rows = choose(read_run(stock(tmp_path / "run", [job])))

    free = [column.name for column in columns_of(rows, CAPTIONED)][len(CAPTIONED) :]

    assert free == ["style", "axes.seconds", "meta.style", "meta.video", "a_file_name_", "seed"]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ({"n": 1}, {"n": 2}, Kind.WHOLE),
        ({"n": 1}, {"n": 2.5}, Kind.NUMBER),
        ({"n": 1}, {}, Kind.TEXT),  # the second file's reader would take it for a column of nothing
        ({"n": True}, {}, Kind.TEXT),
        ({}, {"n": "calm"}, Kind.TEXT),
    ],
)
def test_a_column_that_is_guessed_in_several_files_is_of_one_kind_in_each(
    tmp_path: Path, first: dict[str, JSON], second: dict[str, JSON], kind: Kind
) -> None:
    rows = rows_with(tmp_path / "run", first, second)

    columns = settled(columns_of(rows, ()), [rows[:1], rows[1:]])
    values = [json.loads(jsonl(columns, [row]))["n"] for row in rows]

    assert [column.kind for column in columns] == [kind]
    assert len({type(value) for value in values}) == 1
    assert values[0] in (1, 1.0, "1", "true", "")


def test_a_number_that_comes_late_in_a_file_is_a_text_for_the_reader_has_guessed_by_then(tmp_path: Path) -> None:
    rows = rows_with(tmp_path / "run", *[{} for _ in range(HEAD_ROWS)], {"n": 1})

    assert [column.kind for column in settled(columns_of(rows, ()), [rows])] == [Kind.TEXT]
    assert [column.kind for column in settled(columns_of(rows, ()), [rows[1:]])] == [Kind.WHOLE]


def test_half_of_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    rows = choose(read_run(stock(tmp_path / "run", [wished(1, prompt="a \ud83d fox")])))

    assert json.loads(jsonl(CAPTIONED, rows))["text"] == "a ? fox"
    assert b"a ? fox" in csv_table(CAPTIONED, rows)


def test_parquet_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(
        MissingExtra, match=r"writing Parquet needs the extra 'export': pip install 'vidbatch\[export\]'"
    ):
        table(stock(tmp_path / "run", [wished(1)]), "parquet")
