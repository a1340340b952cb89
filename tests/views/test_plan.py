"""A plan before it is carried out, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.lifecycle import State
from pipeline.model import Issue, Job, Limits, LimitsWish, Manifest, Position, ProviderChoice
from pipeline.plan import Action, Doubts, Known, Outlook, make_plan
from pipeline.providers.pricing import price_of
from pipeline.providers.registry import find_profile
from pipeline.views.plan import PATHS_SHOWN, plan_document, plan_text
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
        plan=make_plan(jobs, known or {}, price_of=lambda job: price_of(job, profile), limit=limit),
        limits=limits or profile.limits,
        spent=Decimal(spent),
        currency=profile.currency,
        max_duplicate_cost=None if ceiling is None else Decimal(ceiling),
        doubts=doubts or Doubts(),
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
                "2 wait for a decision: vidbatch resolve",
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
    lines = [line.strip() for line in plan_text(seen).splitlines()[2:]]
    until = next(n for n, line in enumerate(lines) if line.startswith("cost"))
    assert len(lines[:until]) == len(said)
    assert all(line.startswith(words) for line, words in zip(lines, said, strict=False))
    assert plan_document(seen)["uncertain"] == {
        "count": doubts.count,
        "cost": None if doubts.cost is None else float(doubts.cost),
        "asked": doubts.asked,
        "again": doubts.again,
        "again_cost": None if doubts.again_cost is None else float(doubts.again_cost),
        "max_duplicate_cost": None if ceiling is None else float(ceiling),
        "paid_twice": None if doubts.paid_twice is None else float(doubts.paid_twice),
    }


class Held:
    """A job as the ledger has it."""

    def __init__(self, state: State, path: str = "coast/old.mp4") -> None:
        self.id, self.path, self.state = "", path, state


def test_a_new_run_reads_like_this(same_as_golden: SAME) -> None:
    seen = outlook([a_job(n) for n in range(3)])
    same_as_golden("plan-new.txt", plan_text(seen))
    same_as_golden("plan-new.json", json.dumps(plan_document(seen), indent=2, ensure_ascii=False))


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
