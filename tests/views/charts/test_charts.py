"""The charts of a run, read back from their SVG: what they show, and that it is no more than was told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from pipeline.ledger.course import read_course
from pipeline.lifecycle import Fact
from pipeline.views.charts import charts_of
from pipeline.views.charts.chart import LEFT, RIGHT
from pipeline.views.charts.pace import rates
from pipeline.views.charts.picture import ATTEMPTS_MAX, LINES_MAX
from pipeline.views.charts.times import time_scale
from pipeline.views.rows import rows_of
from tests.ledger.histories import LIVES, live, opened, planned
from tests.views.charts.drawn import Drawn, is_sound
from tests.views.charts.nights import AN_HOUR, Told, job, lived, night, way

HOSTILE = "</text></svg><script>alert(1)</script>&\"'\x00\x1b[31m\u202e\ufffe\ud800"


def drawn_of(told: Sequence[Told], *jobs: dict[str, object], budget: Decimal | None = None) -> dict[str, Drawn]:
    """The charts of *jobs* to which all this happened, by their titles."""
    state, course = lived(told, jobs)
    charts = charts_of(state, list(rows_of(state)), course, budget=budget)
    return {chart.title: is_sound(chart) for chart in charts}


def notes_of(told: Sequence[Told], *jobs: dict[str, object], budget: Decimal | None = None) -> dict[str, str]:
    state, course = lived(told, jobs)
    return {chart.title: chart.note for chart in charts_of(state, list(rows_of(state)), course, budget=budget)}


def test_a_run_in_which_nothing_was_sent_has_no_charts() -> None:
    state, course = lived([], [job("a")])

    assert charts_of(state, list(rows_of(state)), course) == []


def test_one_video_has_all_charts_but_that_of_what_went_wrong() -> None:
    drawn = drawn_of(way(0, 0, 1, 61, 65), job("fox"))

    assert list(drawn) == ["Timeline", "Render times", "Throughput and spend"]
    assert "fox" in drawn["Timeline"].labels


def test_the_timeline_names_jobs_by_both_ends_and_stays_low() -> None:
    names = [f"harbour-a-heron-dawn-1280x720-t{n}" for n in range(37)]
    state, course = lived([told for n in range(37) for told in way(n, n, n + 1, n + 61, n + 65)], map(job, names))

    (timeline, *_) = charts_of(state, list(rows_of(state)), course)

    shown = [label for label in is_sound(timeline).labels if label.startswith("harbour")]
    box = re.search(r'viewBox="0 0 400 ([\d.]+)"', timeline.svg)
    assert box
    assert float(box[1]) < 375

    assert len(set(shown)) == 37
    assert all("…" in label and label.endswith(f"-t{n}") for n, label in enumerate(shown))


@pytest.mark.parametrize("life", LIVES, ids=lambda life: "-".join(life[:3]))
def test_every_life_of_a_job_can_be_drawn(tmp_path: Path, life: tuple[Fact, ...]) -> None:
    path = tmp_path / "ledger.jsonl"
    with opened(path) as ledger:
        planned(ledger, 0, 1)
        for n in range(1, len(life) + 1):
            live(ledger, 0, life[n - 1])
            ledger.commit_now()
            state, course = read_course(path)
            for chart in charts_of(state, list(rows_of(state)), course):
                is_sound(chart)


def test_texts_from_outside_stay_texts() -> None:
    told = [*way(0, 0, 1), (60.0, 0, Fact.FAILED, {"code": HOSTILE}), *way(1, 2, 3, 63, 66)]

    drawn = drawn_of(told, job(HOSTILE, model=HOSTILE), job("fox", model=HOSTILE, size=HOSTILE))

    for chart in drawn.values():
        words = [*chart.labels, *chart.tips, chart.told]
        assert not any(c in text for text in words for c in "\x00\x1b\u202e\ufffe\ud800\n")
    shown = "</text></svg><script>alert(1)</script>&\"'"
    assert drawn["Timeline"].tips[0].startswith(shown)
    assert drawn["What went wrong"].labels[0].startswith(f"failed: {shown}")
    assert drawn["Render times"].labels[0].startswith("</text></svg>")


class TestTimeline:
    def test_a_job_that_was_sent_has_a_line_in_the_order_of_submits(self) -> None:
        told = [*way(1, 0, 1, 30, 32), *way(0, 10, 11, 50, 52)]

        drawn = drawn_of(told, job("late"), job("early"), job("never"))["Timeline"]

        assert [tip.split(":")[0] for tip in drawn.tips] == ["early", "late"]
        assert "2 jobs" in drawn.told

    def test_phases_follow_one_another_along_the_axis(self) -> None:
        drawn = drawn_of(way(0, 0, 20, 60, 100), job("fox"))["Timeline"]

        (submit,), (render,), (collect,) = ([d for d in drawn.paths(f"series-{n}") if "Z" not in d] for n in (1, 2, 3))
        ends = [_ends(d) for d in (submit, render, collect)]
        assert ends[0][1] == ends[1][0]
        assert ends[1][1] == ends[2][0]
        widths = [end - start for start, end in ends]
        assert widths[1] / widths[0] == pytest.approx(2, abs=0.05)
        assert widths[2] / widths[0] == pytest.approx(2, abs=0.05)
        assert ends[2][1] == RIGHT
        assert drawn.tips == ["fox: 20 s submitting, 40 s rendering, 40 s downloading, stored"]

    def test_a_job_that_was_bought_twice_shows_both_attempts(self) -> None:
        told = [*way(0, 0, 1), (40.0, 0, Fact.FAILED, {}), (50.0, 0, Fact.RETRY, {}), *way(0, 60, 61, 99, 101)]

        drawn = drawn_of(told, job("fox"))["Timeline"]

        renders = [d for d in drawn.paths("series-2") if "Z" not in d]
        assert renders[0].count("M") == 2
        assert len(_crosses(drawn)) == 1
        assert drawn.tips[0].endswith("39 s rendering, failed; 1 s submitting, 38 s rendering, 2 s downloading, stored")
        assert "1 job was accepted more than once." in notes_of(told, job("fox"))["Timeline"]

    @pytest.mark.parametrize(("fact", "crossed"), [(Fact.THROTTLED, 0), (Fact.NOT_SENT, 0), (Fact.REJECTED, 1)])
    def test_only_an_end_that_matters_is_crossed(self, fact: Fact, crossed: int) -> None:
        drawn = drawn_of([*way(0, 0), (1.0, 0, fact, {})], job("fox"))["Timeline"]

        assert len(_crosses(drawn)) == crossed

    def test_what_is_under_way_goes_on_to_the_end(self) -> None:
        drawn = drawn_of([*way(0, 0, 1), *way(1, 0, 1, 50, 100)], job("slow"), job("fast"))["Timeline"]

        assert drawn.tips[0] == "slow: 1 s submitting, 1 min 39 s rendering, under way"
        assert _ends(next(d for d in drawn.paths("series-2") if "Z" not in d))[1] == RIGHT

    def test_a_night_without_work_is_a_band(self) -> None:
        told = [*way(0, 0, 1, 60, 61), *way(1, 9 * AN_HOUR, 9 * AN_HOUR + 1, 9 * AN_HOUR + 60, 9 * AN_HOUR + 61)]

        drawn = drawn_of(told, job("a"), job("b"))["Timeline"]

        assert "8 h 58 min without a fact, drawn short" in drawn.tips
        assert "8 h 58 min" in notes_of(told, job("a"), job("b"))["Timeline"]

    @pytest.mark.parametrize(("count", "lines"), [(LINES_MAX, LINES_MAX), (LINES_MAX + 1, 0)])
    def test_more_jobs_than_can_be_told_apart_are_counted(self, count: int, lines: int) -> None:
        told = [fact for n in range(count) for fact in way(n, n, n + 1, n + 30, n + 31)]

        drawn = drawn_of(told, *(job(f"fox-{n}") for n in range(count)))["Timeline"]

        assert len(drawn.tips) == lines
        assert ("rendering (watch lane), at most 29 at once" in drawn.labels) is (lines == 0)

    def test_the_most_lines_with_the_most_attempts_are_still_small(self) -> None:
        each = ATTEMPTS_MAX // LINES_MAX
        told: list[Told] = []
        for n in range(LINES_MAX):
            for at_s in (1000.0 * attempt + n for attempt in range(each)):
                told += [*way(n, at_s, at_s + 30, at_s + 500), (at_s + 900, n, Fact.EXPIRED, {})]
                told.append((at_s + 901, n, Fact.RETRY, {}))

        state, course = lived(told, (job(f"{n}-{'long' * 200}") for n in range(LINES_MAX)))
        timeline = charts_of(state, list(rows_of(state)), course)[0]

        assert len(is_sound(timeline).tips) == LINES_MAX
        assert len(timeline.svg) < 200_000

    def test_more_attempts_than_can_be_told_apart_are_counted(self) -> None:
        tries: list[Told] = []
        for n in range(ATTEMPTS_MAX + 1):
            tries += [(2.0 * n, 0, Fact.INTENT, {}), (2.0 * n + 1, 0, Fact.THROTTLED, {})]

        assert "stored, 0 in all" in drawn_of(tries, job("fox"))["Timeline"].labels
        assert len(drawn_of(tries[:-2], job("fox"))["Timeline"].tips) == 1


class TestRenders:
    def test_each_model_and_size_has_a_panel_and_all_have_the_same_columns(self) -> None:
        times = {
            ("sora-2", "1280x720"): (20, 21, 40),
            ("sora-2-pro", "1280x720"): (100,),
            ("sora-2", "720x1280"): (60,),
        }
        jobs = [job(f"{kind}-{n}", *kind) for kind, lengths in times.items() for n in range(len(lengths))]
        lengths = [took_s for lengths in times.values() for took_s in lengths]

        drawn = drawn_of([f for n, s in enumerate(lengths) for f in way(n, 0, 1, 1 + s)], *jobs)["Render times"]

        assert "sora-2 · 1280x720" in drawn.labels
        assert "3 videos, median 21.0, 90 % in 40.0 s" in drawn.labels
        assert drawn.labels.index("sora-2 · 1280x720") < drawn.labels.index("sora-2-pro · 1280x720")
        assert drawn.labels[-1] == "render time, s"
        width = (RIGHT - LEFT) / 8
        for left, _, right, _ in drawn.bars("series-2"):
            assert (left - 0.5 - LEFT) / width == pytest.approx(round((left - 0.5 - LEFT) / width), abs=0.01)
            assert right - left == pytest.approx(width - 1, abs=0.11)
        assert len(drawn.bars("series-2")) == 4
        assert len(drawn.paths("chart-bound")) == 2 * len(times)

    def test_a_time_that_would_flatten_all_others_stands_in_the_last_column(self) -> None:
        lengths = [30.0] * 30 + [9 * AN_HOUR]
        told = [fact for n, s in enumerate(lengths) for fact in way(n, 0, 1, 1 + s)]
        jobs = [job(f"fox-{n}") for n in range(len(lengths))]

        drawn = drawn_of(told, *jobs)["Render times"]

        assert drawn.labels[-2] == "≥ 100"
        assert drawn.bars("series-2")[-1][2] == pytest.approx(RIGHT, abs=0.6)
        assert "1 took longer than 1 min 40 s, 9 h at the longest" in notes_of(told, *jobs)["Render times"]

    def test_an_adopted_video_has_no_render_time(self) -> None:
        told = [*way(0, 0), (1.0, 0, Fact.UNCERTAIN, {}), (5.0, 0, Fact.ADOPTED, {}), (6.0, 0, Fact.FINISHED, {})]

        assert "Render times" not in drawn_of(told, job("fox"))

    def test_the_time_of_an_earlier_attempt_counts_too(self) -> None:
        gone: list[Told] = [(70.0, 0, Fact.EXPIRED, {}), (71.0, 0, Fact.RETRY, {})]

        drawn = drawn_of([*way(0, 0, 1, 31), *gone, *way(0, 80, 81, 141, 145)], job("fox"))["Render times"]

        assert "2 videos, median 30.0, 90 % in 60.0 s" in drawn.labels

    @pytest.mark.parametrize(("kinds", "panels"), [(6, 6), (9, 6)])
    def test_rare_models_share_a_panel(self, kinds: int, panels: int) -> None:
        jobs = [job(f"fox-{n}", model=f"model-{n}") for n in range(kinds)]

        drawn = drawn_of([f for n in range(kinds) for f in way(n, 0, 1, 31)], *jobs)["Render times"]

        assert len(drawn.paths("chart-bound")) == 2 * panels
        assert ("4 more models and sizes" in drawn.labels) is (kinds == 9)


class TestPace:
    def test_bars_show_how_many_videos_were_stored_in_a_unit_of_time(self) -> None:
        told = [fact for n in range(60) for fact in way(n, 0, 1, 10.0 * n + 2, 10.0 * n + 9)]

        drawn = drawn_of(told, *(job(f"fox-{n}") for n in range(60)))["Throughput and spend"]

        assert drawn.labels[0] == "stored a minute"
        assert "6.01 at most, 60 in all" in drawn.told  # one every ten seconds, and both ends count
        assert len({top for _, top, _, _ in drawn.bars("series-4")}) == 1

    def test_a_long_run_is_told_by_the_hour(self) -> None:
        told = [fact for n in range(60) for fact in way(n, 0, 1, 300.0 * n + 2, 300.0 * n + 9)]

        drawn = drawn_of(told, *(job(f"fox-{n}") for n in range(60)))["Throughput and spend"]

        assert drawn.labels[0] == "stored an hour"

    def test_no_video_is_left_out_of_the_bars_whatever_the_clock_says(self) -> None:
        evening = time_scale([(0, 600), (10 * AN_HOUR, 10 * AN_HOUR + 600)], LEFT, RIGHT)

        bars = rates([-5, 0, 300, 600, 5 * AN_HOUR, 10 * AN_HOUR, 11 * AN_HOUR], evening, 60)

        lengths_s = [600 / (len(bars) / 2)] * len(bars)
        assert sum(bar.rate * length_s / 60 for bar, length_s in zip(bars, lengths_s, strict=True)) == pytest.approx(7)
        assert [bar.start for bar in bars] == sorted(bar.start for bar in bars)
        assert bars[-1].end == pytest.approx(RIGHT)

    def test_money_grows_step_by_step_and_for_every_attempt(self) -> None:
        told = [*way(0, 0, 1), (40.0, 0, Fact.FAILED, {}), (50.0, 0, Fact.RETRY, {}), *way(0, 60, 61, 99, 101)]

        drawn = drawn_of(told, job("fox"))["Throughput and spend"]

        (steps,) = drawn.paths("series-5")
        assert steps.count("V") == 2
        assert "$1.60 spent." in drawn.told

    def test_a_price_that_is_not_known_is_said(self) -> None:
        told = [(0.0, 0, Fact.INTENT, {}), (1.0, 1, Fact.INTENT, {"price": None})]

        assert notes_of(told, job("a"), job("b"))["Throughput and spend"].startswith(
            "At least $0.80 spent: the price of 1 submit is not known."
        )
        assert notes_of(told[1:], job("a"), job("b")) == {
            "Timeline": "",
            "Throughput": "What 1 submit cost is not known.",
        }

    def test_what_costs_nothing_has_no_line_of_money(self) -> None:
        drawn = drawn_of([(0.0, 0, Fact.INTENT, {"price": 0})], job("a"))["Throughput"]

        assert drawn.paths("series-5") == []
        assert "Nothing was spent." in drawn.told

    @pytest.mark.parametrize(("budget", "lines"), [(None, 0), ("1.00", 1), ("500", 0)])
    def test_a_budget_has_a_line_where_it_is_near(self, budget: str | None, lines: int) -> None:
        amount = None if budget is None else Decimal(budget)
        told = way(0, 0, 1, 61, 65)

        drawn = drawn_of(told, job("fox"), budget=amount)["Throughput and spend"]

        assert len(drawn.paths("chart-bound")) == lines
        assert ("budget $1.00" in drawn.labels) is (lines == 1)
        assert ("The budget is" in notes_of(told, job("fox"), budget=amount)["Throughput and spend"]) is bool(budget)


class TestTroubles:
    def test_the_most_frequent_stand_first_and_the_rest_together(self) -> None:
        codes = [f"code-{n}" for n in range(12) for _ in range(20 - n)]
        told = [
            fact
            for n, code in enumerate(codes)
            for fact in ((2.0 * n, 0, Fact.INTENT, {}), (2.0 * n + 1, 0, Fact.THROTTLED, {"code": code}))
        ]

        drawn = drawn_of(told, job("fox"))["What went wrong"]

        assert drawn.labels[:4] == ["throttled: code-0", "20", "throttled: code-1", "19"]
        assert drawn.labels[-2:] == ["4 other kinds", str(12 + 11 + 10 + 9)]
        widths = [right - left for left, _, right, _ in drawn.bars("series-6")]
        assert len(widths) == 9
        assert widths[:-1] == sorted(widths[:-1], reverse=True)
        assert widths[0] / widths[-1] == pytest.approx(20 / 42, abs=0.01)

    def test_a_long_reason_is_told_by_its_first_words(self) -> None:
        told = [*way(0, 0, 1, 9), (10.0, 0, Fact.DOWNLOAD_FAILED, {"reason": "it was a web page, of 12 bytes"})]

        assert drawn_of(told, job("fox"))["What went wrong"].labels[0] == "download failed: it was a web page, of…"


def test_of_some_jobs_only_these_are_shown() -> None:
    told = [*way(0, 0, 1, 61, 65), *way(1, 0, 1), (9.0, 1, Fact.FAILED, {})]
    state, course = lived(told, [job("fox"), job("owl")])
    fox = [row for row in rows_of(state) if row.id == "fox"]

    charts = charts_of(state, fox, course)

    assert [chart.title for chart in charts] == ["Timeline", "Render times", "Throughput and spend"]
    assert "$0.80 spent." in charts[-1].note
    assert len(Drawn(charts[0]).tips) == 1


def test_a_night_of_many_jobs_is_small_and_its_marks_stay_within(tmp_path: Path) -> None:
    state, course = night(400, Random(3), at_once=3)

    charts = charts_of(state, list(rows_of(state)), course)

    assert [chart.title for chart in charts][-1] == "What went wrong"
    for chart in charts:
        drawn = is_sound(chart)
        assert len(chart.svg) < 60_000
        for n in range(1, 7):
            for left, top, right, bottom in drawn.bars(f"series-{n}"):
                assert 0 <= left <= right <= drawn.width
                assert 0 <= top <= bottom <= drawn.height


def _ends(d: str) -> tuple[float, float]:
    """Where a bar of the timeline begins and ends."""
    begin, _, end = d.partition("H")
    return float(begin.removeprefix("M").split()[0]), float(end)


def _crosses(drawn: Drawn) -> list[str]:
    return [d for d in drawn.paths("series-6") if "Z" not in d]
