"""Which split a video falls into."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ledger.ledger import read_run
from pipeline.model import Link
from pipeline.views.dataset.shape import Shape
from pipeline.views.dataset.splits import splits_of
from pipeline.views.export import choose, source_of
from pipeline.views.rows import Row
from pipeline.views.where import parse
from tests.views.stock import key, stock, wished

SHARES = ["train=0.8,validation=0.1,test=0.1"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """200 videos: four of each prompt, every second one at night."""
    jobs = [wished(n, prompt=f"prompt {n // 4}", group="night" if n % 2 else "day") for n in range(200)]
    return choose(read_run(stock(tmp_path_factory.mktemp("splits") / "run", jobs)))


def test_without_a_word_all_are_for_training(rows: list[Row]) -> None:
    assert splits_of([]).parts(rows, {}) == {"train": rows}


def test_lots_fall_near_the_shares_and_each_video_into_one_split(rows: list[Row]) -> None:
    parts = splits_of(SHARES).parts(rows, {})

    assert list(parts) == ["train", "validation", "test"]
    assert sorted(row.key for part in parts.values() for row in part) == sorted(row.key for row in rows)
    assert 140 <= len(parts["train"]) <= 180
    assert min(len(parts["validation"]), len(parts["test"])) >= 8


def test_a_video_stays_in_its_split_when_others_come_and_moves_only_with_the_seed(rows: list[Row]) -> None:
    drawn = splits_of(SHARES, seed=7)

    few = drawn.parts(rows[:50], {})
    many = drawn.parts(rows, {})
    other = splits_of(SHARES, seed=8).parts(rows, {})

    assert all(row in many[name] for name, part in few.items() for row in part)
    assert other != many


def test_what_has_one_value_of_a_field_stays_together(rows: list[Row]) -> None:
    parts = splits_of(SHARES, by="prompt").parts(rows, {})

    prompts = [{row.prompt for row in part} for part in parts.values()]
    assert len(parts) > 1
    assert sum(map(len, prompts)) == len(set().union(*prompts)) == 50


def test_rules_come_first_and_lots_draw_what_they_leave(rows: list[Row]) -> None:
    parts = splits_of(["holdout:id=job-1", "test:group=night", "train=0.5,validation=0.5"]).parts(rows, {})

    assert list(parts) == ["train", "validation", "holdout", "test"]
    assert [row.id for row in parts["holdout"]] == ["job-1"]
    assert {row.group for row in parts["test"]} == {"night"}
    assert len(parts["test"]) == 99
    assert {row.group for row in (*parts["train"], *parts["validation"])} == {"day"}


def test_a_split_into_which_nothing_falls_is_not_there(rows: list[Row]) -> None:
    assert list(splits_of(["test:group=nowhere"]).parts(rows, {})) == ["train"]


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twenty videos, a remix of each, and an extension of each remix."""
    jobs = [
        *(wished(n, prompt=f"prompt {n}", group="day") for n in range(20)),
        *(wished(20 + n, prompt=f"remix {n}", group="night", source=key(n), link=Link.REMIX) for n in range(20)),
        *(wished(40 + n, prompt=f"again {n}", group="dawn", source=key(20 + n), link=Link.EXTEND) for n in range(20)),
    ]
    return stock(tmp_path_factory.mktemp("chained") / "run", jobs)


@pytest.mark.parametrize(
    ("texts", "by"),
    [
        (["train=0.5,test=0.5"], ""),
        (["train=0.5,test=0.5"], "prompt"),
        (["test:id=job-3,job-4,job-25"], ""),
        (["test:group=night", "train=0.5,validation=0.5"], ""),
    ],
)
@pytest.mark.parametrize("where", ["state=stored", "group=night,dawn"], ids=["all", "without-the-first"])
def test_what_builds_on_another_goes_where_the_first_of_its_chain_goes(
    chained: Path, texts: list[str], by: str, where: str
) -> None:
    state = read_run(chained)
    shape = Shape(splits=splits_of(texts, by=by))

    def splits(condition: str) -> dict[str, str]:
        rows = choose(state, (), [parse(condition)])
        return {row.id: part.split for part in source_of(state, chained, rows, shape).parts for row in part.rows}

    alone, found = splits("group=day"), splits(where)

    assert found == {name: alone[f"job-{int(name[4:]) % 20}"] for name in found}
    assert len(found) == (60 if where == "state=stored" else 40)
    assert len(set(found.values())) == 2


@pytest.mark.parametrize(
    ("texts", "by", "words"),
    [
        (["train=0.9,test=0.2"], "", "the shares have to add up to 1, and are 1.1"),
        (["train=0.9,train=0.1"], "", "train stands twice"),
        (["train=90,test=10"], "", "shares are fractions, such as 0.9"),
        (["train=0.9,test=ten"], "", "write train=0.9,test=0.1, or NAME:CONDITION"),
        (["test:group=>night"], "", "--split 'group=>night': write group>=night"),
        (["test:orphaned=no"], "", "--split: orphaned is true or false, not 'no'"),
        (["Train=1"], "", "write train=0.9"),
        (["train=nan"], "", "write train=0.9"),
        (["../x=1"], "", "write train=0.9"),
        (["train"], "", "write train=0.9"),
        (["test:group"], "", "write FIELD=VALUE"),
        (["train=1", "test=1"], "", "shares are given once"),
        (["test:group=night"], "prompt", "give both"),
        (["test:gruop=night"], "", "--split: no job has a field 'gruop'; did you mean 'group'?"),
        (["train=0.5,test=0.5"], "mood", "none of these jobs has such a field"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(rows: list[Row], texts: list[str], by: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        splits_of(texts, by=by).parts(rows, {})

    assert words in str(refused.value)
