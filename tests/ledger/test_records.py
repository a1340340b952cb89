"""One record and its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger.fields import FIELDS
from pipeline.ledger.records import (
    LINE_BYTES_MAX,
    BadRecord,
    amount,
    check,
    decode,
    encode,
    is_whole,
    moment,
    number,
    plain,
    shortened,
    stamp,
    to_the_millisecond,
)

AT = datetime(2026, 11, 22, 19, 0, 0, 123456, tzinfo=UTC)


def sealed(body: str) -> bytes:
    """A line with *body* (without its brace) and the right sum, however wrong it is otherwise."""
    whole = body.encode()
    return whole + b',"crc":"%08x"}\n' % crc32(whole)


def note(text: str = "x") -> bytes:
    return encode(1, "note", AT, {"what": "pause", "text": text})


def test_a_line_is_what_the_documentation_shows() -> None:
    line = encode(12, "note", AT, {"what": "pause", "text": "é"})

    assert line.startswith(
        b'{"n":12,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"pause","text":"\\u00e9","crc":"'
    )
    before, _, _ = line.partition(b',"crc":')
    assert json.loads(line)["crc"] == f"{crc32(before):08x}"


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    line = note(text)

    assert line.isascii()
    assert line.count(b"\n") == 1
    assert is_whole(line)
    assert decode(line).fields == {"what": "pause", "text": text}


@given(st.data())
def test_one_flipped_bit_anywhere_is_seen(data: st.DataObject) -> None:
    line = bytearray(note("some text"))
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= 1 << data.draw(st.integers(0, 7))

    assert not is_whole(bytes(line))


def test_a_sum_in_capitals_is_no_sum() -> None:
    line = next(line for text in "abcdefgh" if (line := note(text))[-10:-3].upper() != line[-10:-3])

    assert not is_whole(line[:-11] + line[-11:-3].upper() + line[-3:])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","what":"b","text":"c"', "twice"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":NaN', "NaN"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":-Infinity', "Infinity"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a"', "lacks 'text'"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":"b","more":1', "no field 'more'"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":7', "cannot be 7"),
        ('{"n":true,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":"b"', "whole number"),
        ('{"n":1,"t":"nota","at":"2026-11-22T19:00:00.123Z","what":"a","text":"b"', "no record type"),
        ('{"n":1,"t":["note"],"at":"2026-11-22T19:00:00.123Z","what":"a","text":"b"', "no text|no record"),
        ('{"n":1,"t":"note","at":"yesterday","what":"a","text":"b"', "isoformat"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123","what":"a","text":"b"', "UTC"),
        ('{"n":1,"t":"note","at":5,"what":"a","text":"b"', "no text|no record"),
        ('{"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":"b"', "begins with"),
        ('["n",1', "no record"),
        ('"x"}{"n":1', "more than one"),
        ("[" * 100_000, "no record"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":"é"', "no record"),
        ('{"n":1,"t":"note","at":"2026-11-22T19:00:00.123Z","what":"a","text":"b"}, {"x":1', "more than one"),
        ('{"n":1,"t":"uncertain","at":"2026-11-22T19:00:00.123Z","job":"k","attempt":1,"phase":"?","reason":"","price":1',
         "phase"),
    ],
)  # fmt: skip
def test_a_line_with_the_right_sum_and_wrong_content_is_no_record(body: str, why: str) -> None:
    line = sealed(body)

    assert is_whole(line)
    with pytest.raises(BadRecord, match=why):
        decode(line)


def test_a_record_of_a_mebibyte_is_refused_before_it_is_written() -> None:
    encode(1, "note", AT, {"what": "", "text": "x" * (LINE_BYTES_MAX - 200)})
    with pytest.raises(BadRecord, match="bytes long"):
        encode(1, "note", AT, {"what": "", "text": "x" * LINE_BYTES_MAX})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(BadRecord, match="cannot be written"):
        encode(1, "note", AT, {"what": "", "text": value})  # type: ignore[dict-item]


@given(st.decimals(min_value=0, max_value=10**9, places=4))
def test_money_comes_back_to_the_digit(money: Decimal) -> None:
    assert amount(json.loads(json.dumps(number(money)))) == money


@pytest.mark.parametrize("money", ["NaN", "Infinity", "-0.01", "0.12345678901234567890123"])
def test_what_no_json_number_can_hold_is_no_money(money: str) -> None:
    with pytest.raises(BadRecord):
        number(Decimal(money))


@pytest.mark.parametrize("figure", [float("inf"), -1, float("nan")])
def test_a_number_that_is_no_amount_is_refused_on_reading(figure: float) -> None:
    with pytest.raises(BadRecord):
        amount(figure)


def test_times_of_any_zone_are_written_in_utc() -> None:
    assert stamp(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2025-12-31T23:00:00.000Z"


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_time_is_held_as_it_will_be_read_back(at: datetime) -> None:
    held, read = to_the_millisecond(at), moment(stamp(at))

    assert (held, held.tzinfo) == (read, read.tzinfo)


@pytest.mark.parametrize("kind", ["accepted", "adopted"])
def test_an_id_that_is_too_long_makes_no_record_on_reading_either(kind: str) -> None:
    fields = {"job": "k", "attempt": 1, "video_id": "v" * 513, "origin": "", "http": 200, "request_id": "", "raw": {}}
    asked = {name: value for name, value in {**fields, "how": "user"}.items() if name in FIELDS[kind]}

    with pytest.raises(BadRecord, match="513 characters long"):
        decode(encode(1, kind, AT, asked))  # type: ignore[arg-type]


def test_a_provider_s_long_words_are_cut_and_never_cost_a_record() -> None:
    fields = plain("rejected", {"job": "k", "attempt": 1, "http": 400, "code": "c", "reason": "x" * 10_000_000})

    assert len(encode(1, "rejected", AT, fields)) < 3000


@pytest.mark.parametrize(
    "raw",
    [
        {"text": "x" * 100_000},
        {"number": float("nan")},
        {"deep": [[[[[[[[[[]]]]]]]]]] * 9},
        {"odd": {1, 2}},
    ],
)
def test_an_answer_that_is_long_or_deep_or_odd_is_kept_as_an_excerpt(raw: dict[str, object]) -> None:
    kept = shortened(raw, 4096)  # type: ignore[arg-type]

    assert isinstance(kept, dict)
    assert list(kept) == ["excerpt"]
    assert len(json.dumps(kept)) <= 4096 + 20


def test_optional_fields_without_a_value_are_left_out_and_unknown_prices_are_kept() -> None:
    assert plain("intent", {"job": "k", "price": None}) == {"job": "k", "price": None}
    assert plain("status", {"job": "k", "word": "w", "progress": None}) == {"job": "k", "word": "w"}


def test_a_good_shape_does_not_let_a_bad_value_through() -> None:
    good = encode(1, "uncertain", AT, {"job": "k", "attempt": 1, "phase": "sent", "reason": "", "price": None})
    decode(good)
    bad = decode(good)._replace(fields={"job": "k", "attempt": 1, "phase": "never", "reason": "", "price": None})

    with pytest.raises(BadRecord, match="phase"):
        check(bad)
