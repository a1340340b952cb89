"""Which new jobs are edits of old ones, and what was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.changes import Asked, Edit, edits, pairs
from pipeline.ledger.state import Wish
from pipeline.model import Job, Link, Position, Reference

HERON = Wish("a heron", "sora-2", 4, "1280x720")


def asked(n: int, name: str = "", **wish: Any) -> Asked:
    """The wish with the n-th key; without a *name*, its id is made of the key."""
    key = f"{n:06x}".ljust(32, "0")
    return Asked(key, name or f"a-heron-{key[:6]}", HERON._replace(**wish))


def couples(new: list[Asked], old: list[Asked]) -> list[tuple[int, int]]:
    """Who takes whose place, by number."""
    return sorted((int(key[:6], 16), int(was.key[:6], 16)) for key, was in pairs(new, old).items())


@pytest.mark.parametrize(
    ("new", "old", "found"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([asked(1, "fox")], [asked(2, "fox", prompt="a fox")], [(1, 2)], id="the same id"),
        pytest.param(
            [asked(1, "fox", seconds=8)], [asked(2, "fox", prompt="a fox", size="1x1")], [(1, 2)], id="all else"
        ),
        pytest.param([asked(1, "fox")], [asked(2, "tug")], [], id="given ids differ"),
        pytest.param([asked(1, "fox")], [asked(2, "fox"), asked(3, "fox")], [(1, 3)], id="the latest of an id"),
        pytest.param([asked(1)], [asked(2, prompt="a tug")], [(1, 2)], id="one field"),
        pytest.param([asked(1)], [asked(2, params={"seed": 1})], [(1, 2)], id="params are one field"),
        pytest.param([asked(1)], [asked(2, prompt="a tug", seconds=8)], [], id="two fields"),
        pytest.param([asked(1)], [asked(2, prompt="a tug"), asked(3, prompt="a seal")], [], id="two others"),
        pytest.param([asked(1), asked(2, prompt="a cat")], [asked(3, prompt="a tug")], [], id="two new ones"),
        pytest.param([asked(1)], [asked(2, prompt="a tug"), asked(3, seconds=8)], [(1, 3)], id="the same prompt first"),
        pytest.param([asked(1)], [asked(2, seconds=8), asked(3, seconds=12)], [(1, 3)], id="the last of as like ones"),
        pytest.param(
            [asked(1, prompt="a heron at noon")],
            [asked(2, prompt="a heron at dawn"), asked(3, prompt="a heron at dusk"), asked(4, prompt="two tugs")],
            [(1, 3)],
            id="edited again",
        ),
        pytest.param(
            [asked(1, prompt="a tug at dusk, hazy"), asked(2, prompt="an otter"), asked(3, prompt="a seal at dusk")],
            [asked(4, prompt="a seal at dawn"), asked(5, prompt="a tug at dusk"), asked(6, prompt="a gull asleep")],
            [(1, 5), (3, 4)],
            id="several edits, each of the one most like it",
        ),
        pytest.param(
            [asked(n, prompt=f"bird {n} at dusk") for n in range(1, 41)],
            [asked(100 + n, prompt=f"bird {n} at {time}") for time in ("noon", "dawn") for n in range(1, 41)][::-1],
            [(n, 100 + n) for n in range(1, 41)],
            id="a crowd, edited twice",
        ),
        pytest.param(
            [asked(1), asked(2, prompt="a tug", take=2)],
            [asked(3, prompt="a cat"), asked(4, prompt="a cat", take=2)],
            [(1, 3), (2, 4)],
            id="each take its own",
        ),
        pytest.param([asked(1)], [asked(2, "tug", prompt="a tug")], [], id="a given id is no edit of a derived one"),
        pytest.param([asked(1, "tug")], [asked(2, prompt="a tug")], [], id="nor the other way round"),
    ],
)
def test_an_edit_has_the_same_id_or_is_the_one_most_alike(
    new: list[Asked], old: list[Asked], found: list[tuple[int, int]]
) -> None:
    assert couples(new, old) == found


def test_only_so_much_is_compared_and_the_smaller_crowds_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    new = [asked(n, prompt=f"bird {n} at dusk", seconds=8 if n < 5 else 4) for n in range(1, 41)]
    old = [asked(100 + n, prompt=f"bird {n} at noon", seconds=8 if n < 5 else 4) for n in range(1, 41)]

    assert len(couples(new, old)) == 40
    monkeypatch.setattr("pipeline.changes.COMPARED_MAX", 3_000)
    assert couples(new, old) == [(n, 100 + n) for n in range(1, 5)]
    monkeypatch.setattr("pipeline.changes.CROWDS_MAX", 79)
    assert couples(new, old) == []


def test_what_was_asked_for_beside_the_old_is_no_edit_of_it_unless_it_has_its_id() -> None:
    old, tug, seal = asked(3, prompt="a fox"), asked(1, prompt="a tug"), asked(2, prompt="a seal")
    assert pairs([tug, seal], [old], waiting={tug.key}) == {seal.key: old}
    assert pairs([tug, seal], [old]) == {}
    assert pairs([asked(1, "fox")], [asked(3, "fox")], waiting={tug.key}) == {tug.key: asked(3, "fox")}


JOB = Job(
    key="0" * 32,
    id="heron",
    prompt="a heron",
    model="sora-2",
    seconds=4,
    size="1280x720",
    position=Position(file="m.yaml", line=1, column=1),
)
IMAGE = Reference(name="fox.png", sha256="ab" * 32, media_type="image/png")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"id": "fox", "path": "x.mp4", "axes": {"a": 1}}, []),
        ({"seconds": 8, "prompt": "a tug"}, [("prompt", "a heron", "a tug"), ("seconds", 4, 8)]),
        ({"params": {"seed": 1}}, [("params.seed", None, 1)]),
        ({"meta": {"scene": 1}, "group": "coast"}, [("group", "", "coast"), ("meta.scene", None, 1)]),
        ({"source": "1" * 32, "link": Link.REMIX}, [("source", "", "1" * 32), ("link", "", "remix")]),
        ({"reference": IMAGE}, [("input_reference", "", "fox.png (abababab)")]),
        ({"reference": replace(IMAGE, fit="crop")}, [("input_reference", "", "fox.png (abababab, crop)")]),
    ],
)
def test_every_field_that_differs_is_told(changed: dict[str, Any], said: list[tuple[str, Any, Any]]) -> None:
    there = replace(JOB, **changed)
    assert edits(JOB, there) == tuple(Edit(field=name, old=old, new=new) for name, old, new in said)
    assert edits(there, JOB) == tuple(Edit(field=name, old=new, new=old) for name, old, new in said)
    assert edits(HERON, there) == edits(JOB, there)
