"""The rows that are at fault, with the reasons, as a table that is a manifest once it is mended."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import load
from pipeline.manifest.rejects import OWN_COLUMNS, Rejects
from pipeline.profile import Profile

Rejected: TypeAlias = Callable[..., list[list[str]]]


@pytest.fixture
def rejected(tmp_path: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch) -> Rejected:
    """The table of what is rejected of the first of some files, row by row."""
    monkeypatch.chdir(tmp_path)

    def table(**files: str) -> list[list[str]]:
        for name, text in files.items():
            Path(name.replace("_", ".")).write_text(text, encoding="utf-8", newline="")
        rejects = Rejects()
        with pytest.raises(InvalidManifest):
            load(
                Path(next(iter(files)).replace("_", ".")),
                find_profile=profiles.get,
                profile_names=sorted(profiles),
                witness=rejects.witness,
            )
        text, count = rejects.table()
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) == count + 1
        return rows

    return table


def test_a_row_stands_with_its_line_all_its_reasons_and_its_cells_as_written(rejected: Rejected) -> None:
    text = 'prompt,seconds,size,scene\na heron,4,,1\n"=SUM(1), ""x""\nand on",soon,16:9, 2 \na tug,8,,3\n'

    header, row = rejected(birds_csv=text)

    assert header == [*OWN_COLUMNS, "prompt", "seconds", "size", "scene"]
    assert row[0] == "3"
    assert row[1] == (
        "seconds: 'soon': write a number of seconds, such as 8; "
        "size: '16:9': write WIDTHxHEIGHT in pixels, such as 1280x720"
    )
    assert row[2:] == ['=SUM(1), "x"\nand on', "soon", "16:9", " 2 "]


def test_a_row_whose_issue_is_only_counted_is_there_as_well(rejected: Rejected) -> None:
    lines = [f"heron {n},{7 if n % 2 else 4}\n" for n in range(100)]

    rows = rejected(birds_csv="prompt,seconds\n" + "".join(lines))

    assert [int(row[0]) for row in rows[1:]] == list(range(3, 103, 2))


def test_rows_of_the_wrong_length_and_with_stray_quotes_are_there_as_far_as_they_go(rejected: Rejected) -> None:
    text = 'prompt,seconds\na heron, at dawn,4\na tug\n"a seal" on a rock,4\nan owl,8\n'

    header, *rows = rejected(birds_csv=text)

    assert header == [*OWN_COLUMNS, "prompt", "seconds", ""]
    assert [row[2:] for row in rows] == [
        ["a heron", " at dawn", "4"],
        ["a tug", "", ""],
        ["a seal on a rock", "4", ""],
    ]


@pytest.mark.parametrize("last", ["a seal,4", 'a "seal" on a rock",4'], ids=["never closed", "closed further down"])
def test_the_lines_that_an_unclosed_quote_swallows_are_there_as_well(last: str, rejected: Rejected) -> None:
    text = f'prompt,seconds\na heron,4\n"a tug,8\n\nan owl,8\n{last}\n'

    _, *rows = rejected(birds_csv=text)

    assert [(row[0], row[2].strip()) for row in rows[:2]] == [("3", "a tug,8"), ("5", "an owl")]
    assert [row[0] for row in rows] == ["3", "5", "6"]
    assert [row[1] for row in rows[1:]] == ["this line is a part of the cell whose quote opens on line 3"] * 2


def test_a_cell_at_fault_in_a_row_rejects_the_row_even_where_others_need_its_column(rejected: Rejected) -> None:
    _, row = rejected(birds_csv="id,prompt,remix_of,seconds\na,a tug,,4\nb,again,a,\nc,more,b,8\n")

    assert (row[0], row[2]) == ("4", "c")


def test_a_header_at_fault_rejects_no_row(rejected: Rejected) -> None:
    header, *rows = rejected(birds_csv="prompt,secnds\na heron,4\na tug,soon\n")

    assert header == [*OWN_COLUMNS, "prompt", "secnds"]
    assert [row[2] for row in rows] == ["a tug"]


def test_json_lines_become_cells_that_mean_the_same(rejected: Rejected) -> None:
    text = (
        '{"prompt": "a heron"}\n'
        '{"prompt": "a tug", "seconds": 7, "params": {"seed": 1, "tags": ["a"]}, "scene": true, "note": null}\n'
        "not json\n"
    )

    header, row, unread = rejected(birds_jsonl=text)

    assert header == [*OWN_COLUMNS, "prompt", "seconds", "params.seed", "params.tags", "scene", "note"]
    assert row[0] == "2"
    assert row[2:] == ["a tug", "7", "1", '["a"]', "true", ""]
    assert unread[:2] == ["3", "this line is not JSON: Expecting value"]


def test_rows_of_several_files_below_a_manifest_are_told_by_file_and_line(rejected: Rejected) -> None:
    header, *rows = rejected(
        birds_yaml="jobs:\n  - from: [one.csv, two.jsonl]\n    seconds: 4\n",
        one_csv="prompt;seconds\na heron;7\n",
        two_jsonl='{"prompt": "a tug", "size": "1x1"}\n',
    )

    assert header == [*OWN_COLUMNS, "prompt", "seconds", "size"]
    assert [(Path(row[0]).name, *row[2:]) for row in rows] == [
        ("one.csv:2", "a heron", "7", ""),
        ("two.jsonl:1", "a tug", "", "1x1"),
    ]


def test_the_mended_table_without_the_two_columns_is_a_manifest(
    rejected: Rejected, profiles: dict[str, Profile]
) -> None:
    header, *rows = rejected(birds_csv="prompt,seconds,scene\na heron,7,1\na tug,4,2\nan owl,9,3\n")
    mended = [[cell.replace("7", "8").replace("9", "12") for cell in row[2:]] for row in (header, *rows)]
    with Path("mended.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(mended)

    jobs = load(Path("mended.csv"), find_profile=profiles.get, profile_names=sorted(profiles)).jobs

    assert [(job.prompt, job.seconds, job.axes) for job in jobs] == [
        ("a heron", 8, {"scene": "1"}),
        ("an owl", 12, {"scene": "3"}),
    ]


def test_a_line_of_an_openai_batch_becomes_a_row_of_a_manifest(
    rejected: Rejected, profiles: dict[str, Profile]
) -> None:
    body = '{"prompt": "a heron", "seconds": "7", "seed": 3}'
    line = f'{{"custom_id": "a heron!", "method": "POST", "url": "/v1/videos", "body": {body}}}\n'

    header, row = rejected(birds_jsonl=line)

    assert header == [*OWN_COLUMNS, "id", "meta.custom_id", "prompt", "seconds", "params.seed"]
    assert row[1].startswith("body.seconds: ")
    with Path("mended.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header[2:], [cell.replace("7", "8") for cell in row[2:]]])
    [job] = load(Path("mended.csv"), find_profile=profiles.get, profile_names=sorted(profiles)).jobs
    assert (job.id, job.prompt, job.seconds, job.params) == ("a-heron", "a heron", 8, {"seed": 3})
