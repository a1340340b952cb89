"""What a reader of CSV takes a column for. (That pandas does, tests/readers shows.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ledger.ledger import read_run
from pipeline.views.dataset.columns import CAPTIONED, columns_of
from pipeline.views.dataset.guessing import Guess, guess, one_guess
from pipeline.views.dataset.splits import splits_of
from pipeline.views.export import choose
from tests.views.stock import make, stock, wished


@pytest.mark.parametrize(
    ("cells", "taken_for"),
    [
        (["1", "-2", "007"], Guess.WHOLE),
        (["1", ""], Guess.NUMBER),
        (["1", "2.5", "1e3"], Guess.NUMBER),
        (["", "NA", "null"], Guess.NUMBER),
        ([], Guess.NUMBER),
        (["true", "False"], Guess.FLAG),
        (["true", "1"], Guess.TEXT),
        (["1_000"], Guess.TEXT),
        (["calm", ""], Guess.TEXT),
    ],
)
def test_a_column_is_taken_for_what_its_cells_look_like(cells: list[str], taken_for: Guess) -> None:
    assert guess(cells) is taken_for


def test_a_column_that_looks_otherwise_in_another_split_is_left_out_of_the_csv_and_told(tmp_path: Path) -> None:
    run = stock(
        tmp_path / "run", [wished(1, axes={"mood": "calm"}, group="day"), wished(2, axes={"mood": "7"}, group="night")]
    )
    rows = choose(read_run(run))
    columns = columns_of(rows, CAPTIONED)

    notes = make(run, tmp_path / "set", "videofolder", metadata="csv", splits=splits_of(["test:group=night"]))

    assert {column.name for column in columns} - {c.name for c in one_guess(columns, [rows[:1], rows[1:]])} == {"mood"}
    assert notes == [
        "not in the CSV files, whose reader would guess another type in each split: mood; --metadata jsonl and parquet "
        "hold them"
    ]
    assert one_guess(columns, [rows]) == columns
