"""`--where`: which jobs of a run are meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.errors import UsageError
from pipeline.ledger.media import NOT_DECODED
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState, Wish
from pipeline.lifecycle import State
from pipeline.views.rows import Row, row_of
from pipeline.views.where import chosen, parse, unmet, value_of

WISH = Wish("A Fox, at dawn", "sora-2", 8, "1280x720")
PLAIN = row_of(
    JobState(key="0" * 32, wish=WISH, id="fox", path="fox.mp4", planned_path="fox.mp4", price=None), RunState()
)
ROW = replace(
    PLAIN,
    id="fox-[1]",
    state=State.FAILED,
    group="coast",
    cost=Decimal("0.80"),
    reason="it was too dark",
    media_seconds=8.0,
    media=replace(NOT_DECODED, audio="aac", problems=("it ends early", "it has no frame")),
    stored_at=datetime(2026, 11, 22, 19, 0, tzinfo=UTC),
    axes={"style": "noir", "seconds": 4},
    meta={"style": "oil", "score": "7.5", "shot type": "wide", "tags": ["a", "ü"], "a.b": 1},
    params={"seed": 12, "loop": True, "none": None},
)
"""A row with everything in it."""


@pytest.mark.parametrize(
    "condition",
    [
        *("state=failed", "state=stored,failed", "state=fail*", " state = stored , failed ", "state!=stored,lost"),
        *("id=fox-[1]", "id=fox-*", "id=???-[[]1]", "id!=fox", "group=coast", "code="),
        *("prompt~fox", "prompt~FOX, AT", "prompt!~bear", "reason~too dark", "reason!~bright"),
        *("cost=0.8", "cost=0.80", "cost>=0.8", "cost<1", "cost>.5", "cost!=0.9", "seconds=8", "seconds=8.0"),
        *("media_seconds=8", "bytes!=0", "take=1", "deleted_remote=false", "seconds<=8e0"),
        *("style=noir", "axes.style=noir", "meta.style=oil", "params.seed=12", "seed=12", "seed>11", "loop=true"),
        *("score>7", "shot type=wide", 'tags=["a"*', "a.b=1", "axes.seconds=4", "none="),
        *("stored_at>2026-11-22", "stored_at<2026-11-22T19:00:01Z", "stored_at<=2026-11-22T20:00+01:00"),
        *("stored_at~2026-11-22T19", "accepted_at=", "render_s=", "prompt!~=", "differs="),
        *(
            "media.audio=aac",
            "media.decodes=false",
            "media.silent=",
            "orphaned=f*",
            "amiss~ends early; it has",
            "media.frames<1",
        ),
    ],
)
def test_a_condition_holds(condition: str) -> None:
    assert chosen([ROW], [parse(condition)]) == [ROW]


@pytest.mark.parametrize(
    "condition",
    [
        *("state=stored", "state!=failed", "id=fox", "id=FOX*", "prompt~bear", "prompt!~fox", "cost>0.8", "cost<0.8"),
        *("bytes>0", "bytes<1", "style=oil", "meta.style=noir", "score>8", "loop=1", "loop>0", "none=null"),
        *("stored_at>2026-11-22T19:00Z", "stored_at>7", "cost>2026-11-22T19:00Z", "accepted_at<2030-01-01"),
        *("reason=", "render_s<100", "shot type!=wide"),
    ],
)
def test_a_condition_does_not_hold(condition: str) -> None:
    assert chosen([ROW], [parse(condition)]) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("", "write FIELD=VALUE"),
        ("failed", "write FIELD=VALUE"),
        ("=failed", "write FIELD=VALUE"),
        ("  =failed", "write FIELD=VALUE"),
        ("state=faild", "there is no state 'faild'; did you mean 'failed'?"),
        ("state!=failed,", "there is no state ''"),
        ("state=FAILED", "there is no state 'FAILED'; did you mean 'failed'?"),
        ("cost>dear", "compares numbers, or times"),
        ("cost>NaN", "compares numbers, or times"),
        ("cost=>1", "--where 'cost=>1': write cost>=1"),
        ("cost =< 1", "write cost<=1"),
        ("cost==0.4", "write cost=0.4"),
        ("prompt=~fox", "write prompt~fox"),
        ("orphaned=no", "orphaned is true or false, not 'no'"),
        ("media.decodes!=0", "media.decodes is true or false, not '0'"),
        ("media.silent=True", "media.silent is true or false, not 'True'"),
        ("a\x1b[31m", "write FIELD=VALUE"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_to_write(condition: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(condition)

    assert said in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("stat=failed", "no job has a field 'stat'; did you mean 'state'?"),
        ("axes.prompt=x", "no job has a field 'axes.prompt'"),
        ("meta.styl=x", "no job has a field 'meta.styl'"),
        ("axes=x", "no job has a field 'axes'"),
        ("media=x", "no job has a field 'media'"),
        ("\x1b]0;x\x07=1", "no job has a field"),
    ],
)
def test_a_field_that_no_job_has_is_refused(condition: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        chosen([ROW], [parse(condition)])

    assert said in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("hour=dwan", ["no job has hour=dwan; there are dawn, noon"]),
        ("axes.hour=dwan,*eve", ["no job has axes.hour=dwan,*eve; there are dawn, noon"]),
        *((condition, []) for condition in ("hour=dwan,noon", "hour!=dwan", "hour~x", "meta.hour=x", "id=x", "n=99")),
    ],
)
def test_a_value_that_no_job_has_of_an_axis_with_few_is_told_with_those_there_are(
    condition: str, said: list[str]
) -> None:
    rows = [replace(ROW, axes={"hour": "noon" if n else "dawn", "n": n}, meta={"hour": 5}) for n in range(9)]

    assert list(unmet(rows, [parse(condition)])) == said


def test_a_run_without_jobs_has_none_that_fit() -> None:
    assert chosen([], [parse("whatever=1")]) == []


def test_all_conditions_have_to_hold_and_the_order_stays() -> None:
    rows = [replace(ROW, id=f"fox-{n}", cost=Decimal(n)) for n in range(6)]

    found = chosen(iter(rows), [parse("cost>1"), parse("id!=fox-3")])

    assert [row.id for row in found] == ["fox-2", "fox-4", "fox-5"]


def test_what_a_row_lacks_only_denials_and_the_empty_text_find() -> None:
    rows: list[Row] = [ROW, replace(ROW, id="bare", axes={}, meta={})]

    found = {condition: [row.id for row in chosen(rows, [parse(condition)])] for condition in ("style!=noir", "style=")}

    assert found == {"style!=noir": ["bare"], "style=": ["bare"]}


def test_a_field_of_every_row_hides_an_axis_of_its_name() -> None:
    assert (value_of(ROW, "seconds"), value_of(ROW, "axes.seconds"), value_of(ROW, "style")) == (8, 4, "noir")
