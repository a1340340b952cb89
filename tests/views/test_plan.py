"""A plan before it is carried out, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.chains import WAITS, Blocked, Standing, because
from pipeline.ledger.state import Wish
from pipeline.lifecycle import State
from pipeline.limits import Limits, LimitsWish
from pipeline.model import EMBEDDED, Issue, Job, Link, Manifest, Position, ProviderChoice
from pipeline.outlook import Doubts, Outlook
from pipeline.plan import Action, Known, make_plan
from pipeline.providers.pricing import price_of
from pipeline.providers.registry import find_profile
from pipeline.text import cells
from pipeline.views.breakdown import VALUES_MAX
from pipeline.views.differences import differing
from pipeline.views.plan import PATHS_SHOWN, head_text, plan_document, plan_text
from pipeline.views.tables import ROWS_SHOWN
from tests.ledger.histories import a_job, opened, planned

SAME = Callable[[str, str], None]


def outlook(
    jobs: list[Job],
    known: Mapping[str, Known] | None = None,
    *,
    provider: str = "sandbox",
    limits: Limits | None = None,
    spent: str = "0",
    limit: int | None = None,
    warnings: tuple[Issue, ...] = (),
    doubts: Doubts | None = None,
    ceiling: str | None = None,
    keys: bool = False,
    standing_of: Callable[[Known], Standing] = lambda _: WAITS,
    unsettled: Mapping[str, str] | None = None,
    origin: str = EMBEDDED,
    origin_from: str = "",
) -> Outlook:
    profile = find_profile(provider)
    assert profile is not None
    profile = replace(profile, honours_keys=keys)
    manifest = Manifest(
        name="harbour",
        provider=ProviderChoice(profile=provider),
        profile=profile,
        limits=LimitsWish(),
        jobs=tuple(jobs),
        files=(),
        warnings=warnings,
    )
    return Outlook(
        manifest=manifest,
        folder=Path("outputs/harbour"),
        plan=make_plan(
            jobs,
            known or {},
            price_of=lambda job: price_of(job, profile),
            limit=limit,
            standing_of=standing_of,
            unsettled=unsettled or {},
        ),
        limits=limits or profile.limits,
        spent=Decimal(spent),
        currency=profile.currency,
        max_duplicate_cost=None if ceiling is None else Decimal(ceiling),
        doubts=doubts or Doubts(),
        origin=origin,
        origin_from=origin_from,
    )


TWO = Doubts(count=2, cost=Decimal("1.60"))
ASKED = replace(TWO, asked=2)


@pytest.mark.parametrize(
    ("provider", "keys", "doubts", "ceiling", "said"),
    [
        ("sandbox", False, Doubts(), None, []),
        (
            "dmxapi",
            False,
            TWO,
            None,
            [
                "2  uncertain: perhaps accepted and billed, for up to 1.60 CNY",
                "2 wait for a decision: vidbatch resolve outputs/harbour",
            ],
        ),
        (
            "sandbox",
            False,
            ASKED,
            None,
            [
                "2  uncertain: perhaps accepted and billed, for up to $1.60",
                "2 settled with the provider, as far as its list proves anything",
                "2 wait for a decision where nothing is proven: vidbatch resolve outputs/harbour",
            ],
        ),
        (
            "sandbox",
            True,
            replace(ASKED, again=1, again_cost=Decimal("0.80"), paid_twice=Decimal("0.40"), cost=None),
            "1.50",
            [
                "2  uncertain: perhaps accepted and billed, at an unknown price",
                "2 settled with the provider, as far as a repeated key or its list proves anything",
                "1 submitted again where nothing is proven, for up to $0.80: --max-duplicate-cost is $1.50, "
                "$0.40 of it used",
                "1 waits for a decision where nothing is proven: vidbatch resolve outputs/harbour",
            ],
        ),
        (
            "dmxapi",
            False,
            replace(TWO, again=2, again_cost=Decimal("1.60")),
            "2",
            [
                "2  uncertain: perhaps accepted and billed, for up to 1.60 CNY",
                "2 submitted again, for up to 1.60 CNY: --max-duplicate-cost is 2.00 CNY, 0.00 CNY of it used",
            ],
        ),
    ],
)
def test_what_becomes_of_the_uncertain_is_said(
    provider: str, keys: bool, doubts: Doubts, ceiling: str | None, said: list[str]
) -> None:
    seen = outlook([a_job(0)], provider=provider, keys=keys, doubts=doubts, ceiling=ceiling)
    told = " ".join(plan_text(seen).partition("new: will be submitted")[2].partition("\ncost ")[0].split())
    assert told == " ".join(said).replace("  ", " ")
    assert plan_document(seen)["uncertain"] == {
        "count": doubts.count,
        "cost": None if doubts.cost is None else float(doubts.cost),
        "asked": doubts.asked,
        "again": doubts.again,
        "again_cost": None if doubts.again_cost is None else float(doubts.again_cost),
        "max_duplicate_cost": None if ceiling is None else float(ceiling),
        "paid_twice": None if doubts.paid_twice is None else float(doubts.paid_twice),
    }


WAS = Wish("a fox in the snow, number 0 ✓", "sora-2", 4, "1280x720", {"seed": 0})


class Held:
    """A job as the ledger has it."""

    def __init__(self, state: State, path: str = "coast/old.mp4") -> None:
        self.id, self.path, self.state = "job", path, state
        self.price: Decimal | None = Decimal("0.40")
        self.wish: Wish = WAS
        self.video_id = self.origin = self.reason = ""
        self.finished_at: datetime | None = None
        self.expires_at: datetime | None = None


def test_a_new_run_reads_like_this(same_as_golden: SAME) -> None:
    seen = outlook([a_job(n) for n in range(3)])
    same_as_golden("plan-new.txt", plan_text(seen))
    same_as_golden("plan-new.json", json.dumps(plan_document(seen), indent=2, ensure_ascii=False))


@pytest.mark.parametrize(
    ("origin", "origin_from", "line"),
    [
        (EMBEDDED, "", "at      the embedded sandbox, on this machine"),
        (
            "http://127.0.0.1:8700/v2",
            "the variable HERON_URL",
            "at      http://127.0.0.1:8700/v2, on this machine, from the variable HERON_URL",
        ),
        ("https://h.example/v1", "the profile heron", "at      https://h.example/v1, from the profile heron"),
        ("", "", "        1  new: will be submitted"),
    ],
)
def test_a_plan_says_where_it_goes_and_by_whose_word(origin: str, origin_from: str, line: str) -> None:
    seen = outlook([a_job(0)], origin=origin, origin_from=origin_from)

    assert (plan_text(seen).splitlines()[1], head_text(seen).splitlines()[1]) == (line, line)
    assert {name: plan_document(seen)[name] for name in ("origin", "origin_from")} == {
        "origin": origin,
        "origin_from": origin_from,
    }


def test_a_run_of_every_kind_reads_like_this(same_as_golden: SAME) -> None:
    pro = replace(a_job(1), model="sora-2-pro", size="1024x1792", seconds=2.5)
    jobs = [a_job(0), pro, *(a_job(n) for n in range(2, PATHS_SHOWN + 4))]
    states = [State.IN_FLIGHT, State.STORED, State.UNCERTAIN, State.FAILED, State.BLOCKED, State.LOST]
    known = {a_job(n + 2).key: Held(state, f"coast/old-{n}.mp4") for n, state in enumerate(states)}
    known["f" * 32] = Held(State.STORED, "coast/orphan.mp4")
    warning = Issue(
        position=Position(file="m.yaml", line=3, column=5), message="seconds: 5\x1b[0m is not offered", warning=True
    )

    seen = outlook(
        jobs,
        known,
        limits=Limits(budget=Decimal("5.5")),
        spent="1.60",
        limit=12,
        warnings=(warning,),
        doubts=Doubts(count=1, cost=Decimal("0.80"), asked=1),
    )

    same_as_golden("plan-mixed.txt", plan_text(seen))
    same_as_golden("plan-mixed.json", json.dumps(plan_document(seen), indent=2, ensure_ascii=False))


def test_a_run_that_is_done_reads_like_this(same_as_golden: SAME) -> None:
    known = {a_job(n).key: Held(State.STORED, f"coast/job-{n}.mp4") for n in range(2)}
    same_as_golden("plan-done.txt", plan_text(outlook([a_job(0), a_job(1)], known, spent="1.60")))


def test_a_price_that_is_not_known_is_said_to_be(same_as_golden: SAME) -> None:
    seen = outlook([a_job(0), replace(a_job(1), model="sora-2")], provider="dmxapi")
    same_as_golden("plan-unpriced.txt", plan_text(seen))
    assert plan_document(seen)["cost"] is None


@pytest.mark.parametrize(("budget", "enough"), [("2.40", True), ("2.39", False)])
def test_a_budget_that_will_not_do_is_said_before_the_run(budget: str, enough: bool) -> None:
    text = plan_text(outlook([a_job(0), a_job(1)], limits=Limits(budget=Decimal(budget)), spent="0.80"))
    assert f"budget ${budget}" in text
    assert ("will not do" not in text) is enough


def test_every_action_has_its_words_and_its_count() -> None:
    counts = plan_document(outlook([a_job(0)]))["counts"]
    assert counts == {str(action): int(action is Action.SUBMIT) for action in Action}


def test_the_document_of_a_real_ledgers_plan_is_json(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        document = plan_document(outlook([a_job(0), a_job(1), a_job(2)], ledger.state.jobs))
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def a_sweep() -> Outlook:
    """Subjects by lengths by models, a chain of three, an edit of each sort, a group without a name."""
    jobs = [
        replace(
            a_job(n),
            prompt=f"{subject} at dusk in the harbour, as seen from the sea",
            seconds=seconds,
            model=model,
            group=group,
            params={},
            axes={"subject": subject, "framing": {"lens": 35} if seconds == 4 else "wide", "row": n},
        )
        for n, (subject, seconds, model, group) in enumerate(
            (subject, seconds, model, group)
            for subject, group in (("a heron", "coast"), ("a tug", "coast"), ("蒸気船", ""))
            for seconds in (4, 8)
            for model in ("sora-2", "sora-2-pro")
        )
    ]
    story = [replace(a_job(n), source=a_job(n - 1).key, link=Link.REMIX, axes={}) for n in (12, 13)]
    known = {a_job(n).key: Held(State.STORED, f"coast/old-{n}.mp4") for n in (0, 1, 50, 51, 52)}
    for n, name in ((0, "job-0"), (1, "heron"), (50, "job-5"), (51, "job-6"), (52, "tug")):
        known[a_job(n).key].id = name
    for n in (50, 51):
        was = jobs[n - 45]
        known[a_job(n).key].wish = Wish(
            was.prompt.replace("dusk", "dawn"), was.model, was.seconds, was.size, {"seed": 7} if n == 51 else {}
        )
    return outlook([*jobs, *story], known)


def test_a_sweep_that_was_edited_reads_like_this(same_as_golden: SAME) -> None:
    seen = a_sweep()
    same_as_golden("plan-sweep.txt", plan_text(seen))
    document = plan_document(seen)
    del document["jobs"]
    same_as_golden("plan-sweep.json", json.dumps(document, indent=2, ensure_ascii=False))
    same_as_golden("plan-head.txt", head_text(seen))


def test_no_line_of_it_is_wider_than_a_terminal() -> None:
    doubts = Doubts(count=2, asked=2, again=1, again_cost=Decimal(1), paid_twice=Decimal(1), cost=Decimal(2))
    issue = Issue(position=Position(file="m.yaml", line=3, column=5), message="this is not known " * 9, warning=True)
    sweep = replace(a_sweep(), doubts=doubts, max_duplicate_cost=Decimal("1.50"))
    sweep = replace(sweep, limits=replace(sweep.limits, in_flight=1000, submits_per_minute=0.01))
    text = plan_text(replace(sweep, manifest=replace(sweep.manifest, warnings=(issue,))))
    assert max(map(cells, text.splitlines())) <= 80
    assert "warning m.yaml:3:5: this is not known this is not known this is not known this\n        is not" in text
    assert "with 1,000 videos in flight, up to 3 of them one\n        after another\n" in text


def test_every_table_of_a_sweep_adds_up_to_the_whole() -> None:
    seen = a_sweep()
    document: Any = plan_document(seen)
    axes = document["axes"]
    for column in (document["groups"], document["models"], *(axes[name] for name in ("model", "size", "seconds"))):
        assert sum(row["videos"] for row in column) == 14
        assert sum(row["submits"] for row in column) == len(seen.plan.submits)
        assert sum(row["cost"] for row in column) == pytest.approx(document["cost"])
    assert [sum(row["videos"] for row in axes[name]) for name in ("subject", "framing", "row")] == [12, 12, 12]


@pytest.mark.parametrize(
    ("axes", "tables"),
    [
        ({}, ["by group"]),  # the lines of cost say what each length costs
        ({"row": ["a", "b", "c", "d"]}, ["by group", "by row: 4 values, another for each video"]),
        ({"place": ["coast", "coast", "city", "city"]}, ["by group"]),
        ({"sea": ["wild", "wild", "calm", "calm"]}, ["by group", "by sea"]),
        ({"sea": ["wild", "wild", "calm", "calm"], "tide": ["wild", "wild", "calm", "calm"]}, ["group", "sea"]),
        ({"length": ["short", "long"] * 2}, ["by group"]),
        ({"length": ["short", "long", "longer", "long"]}, ["by group", "by length"]),
        ({"one": ["same"] * 4}, ["by group"]),
    ],
)
def test_no_table_says_what_another_says_already(axes: dict[str, list[str]], tables: list[str]) -> None:
    jobs = [
        replace(
            a_job(n),
            group="coast" if n < 2 else "city",
            seconds=(4, 8)[n % 2],
            axes={name: values[n] for name, values in axes.items()},
        )
        for n in range(4)
    ]
    seen = outlook(jobs)
    said = [line for line in plan_text(seen).splitlines() if line.startswith("by ")]
    assert len(said) == len(tables)
    assert all(words in line for words, line in zip(tables, said, strict=True))
    document: Any = plan_document(seen)
    assert set(document["axes"]) == {"model", "size", "seconds", *axes}


def test_an_axis_that_some_videos_do_not_have_adds_up_to_the_whole_with_a_row_of_its_own() -> None:
    cameras = [{"camera": "low"}, {"camera": "high"}, {"camera": "low"}, {}, {}]
    jobs = [replace(a_job(n), axes=axes) for n, axes in enumerate(cameras)]
    lines = plan_text(outlook(jobs, {a_job(4).key: Held(State.STORED)})).splitlines()
    rows = [line.split() for line in lines[lines.index(next(line for line in lines if "by camera" in line)) + 1 :][:3]]
    assert rows == [["low", "2", "2", "$1.60"], ["high", "1", "1", "$0.80"], ["(none)", "2", "1", "$0.80"]]


def test_what_waits_for_a_person_is_told_with_its_reason_and_not_priced() -> None:
    root = a_job(0)
    remixes = [replace(a_job(n), source=root.key, link=Link.REMIX) for n in (1, 2)]
    why = "it builds on job, which is of unknown outcome: vidbatch resolve outputs/harbour"
    seen = outlook([root, *remixes], {root.key: Held(State.UNCERTAIN)}, unsettled={root.key: why})
    text = " ".join(plan_text(seen).split())
    assert "2 waits: builds on a submit of unknown outcome; not counted in the cost" in text
    assert f"2 {why}" in text
    assert "cost $0.00 for 0 submits" in text
    document: Any = plan_document(seen)
    assert (document["cost"], document["counts"]["waits"]) == (0, 2)
    assert [job["reason"] for job in document["jobs"]] == ["", why, why]


@pytest.mark.parametrize("count", [ROWS_SHOWN, ROWS_SHOWN + 1, VALUES_MAX, VALUES_MAX + 1])
def test_a_long_column_is_cut_and_a_longer_one_not_told(count: int) -> None:
    seen = outlook([replace(a_job(n), axes={"row": n, "pair": n // 2}) for n in range(2 * count)])
    document: Any = plan_document(seen)
    text = plan_text(seen)
    assert len(document["axes"]["pair"]) == (count if count <= VALUES_MAX else 0)
    assert (f"        {count - ROWS_SHOWN:,} more " in text) is (ROWS_SHOWN < count <= VALUES_MAX)
    assert ("by pair: more than 1,000 values" in text) is (count > VALUES_MAX)
    assert (f"by row: {2 * count} values, another for each video" in text) is (2 * count <= VALUES_MAX)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a red heron at dawn in the snow", "a red heron at dusk in the snow", ("…dawn…", "…dusk…")),
        ("a heron at dawn", "a red heron at dawn", ("a heron…", "a red heron…")),
        ("a heron", "a heron at dawn", ("…heron", "…heron at dawn")),
        ("a heron", "a tug", ("…heron", "…tug")),
        ("tidal pools", "tidal pool", ("…pools", "…pool")),
        ("", "a fox", ("", "a fox")),
        ("x" * 90, "x" * 40 + "y" + "x" * 49, ("…" + "x" * 28 + "…", "…" + "x" * 16 + "y" + "x" * 11 + "…")),
        ("日本語の文章を書く", "日本語の文を書く", ("日本語の文章を書く", "日本語の文を書く")),
    ],
)
def test_of_an_edited_prompt_the_part_that_differs_is_told(old: str, new: str, said: tuple[str, str]) -> None:
    assert differing(old, new) == said
    assert differing(new, old) == said[::-1]


def test_why_jobs_are_blocked_is_told_the_most_frequent_reason_first(same_as_golden: SAME) -> None:
    ends = [State.FAILED, State.FAILED, State.REJECTED, State.LOST, State.EXPIRED]
    sources = [a_job(n) for n in range(5)]
    known = {job.key: Held(state, job.path) for job, state in zip(sources, ends, strict=True)}
    for n, source in enumerate(sources):
        known[source.key].id = "harbour" if n < 2 else f"job-{n}"
        known[source.key].reason = "moderation_blocked: " + "very long words " * 5 if n < 2 else ""
    remixes = [replace(a_job(n + 10), source=source.key, link=Link.REMIX) for n, source in enumerate(sources)]
    remixes += [replace(a_job(15), source=remixes[0].key, link=Link.REMIX)]
    seen = outlook([*sources, *remixes], known, standing_of=lambda source: Blocked(reason=_reason(source)))

    same_as_golden("plan-blocked.txt", plan_text(seen))
    document: Any = plan_document(seen)
    assert {job["reason"] for job in document["jobs"] if job["action"] != "blocked"} == {""}
    assert all(job["reason"] for job in document["jobs"] if job["action"] == "blocked")


def _reason(source: Known) -> str:
    return because(source.id, str(source.state), source.reason)
