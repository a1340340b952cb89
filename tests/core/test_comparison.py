"""Two manifests side by side."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pipeline.changes import Edit
from pipeline.comparison import Comparison, compare
from pipeline.model import Manifest, ProviderChoice
from tests.core.harbour import PROFILE, manifest
from tests.ledger.histories import a_job, key


def of(*numbers: int, **changes: object) -> Manifest:
    return replace(manifest(*numbers), **changes)  # type: ignore[arg-type]


def counts(found: Comparison) -> tuple[int, int, int, int]:
    return tuple(len(lot.jobs) for lot in (found.both, found.changed, found.here, found.there))  # type: ignore[return-value]


def test_every_job_is_in_one_lot_and_the_sums_are_those_of_the_manifests() -> None:
    edited = replace(a_job(9), id="job-2", seconds=4)
    found = compare(of(1, 5, jobs=(a_job(1), edited, a_job(5))), of(1, 2, 3))

    assert counts(found) == (1, 1, 1, 1)
    assert [job.id for job in (*found.both.jobs, *found.changed.jobs, *found.here.jobs, *found.there.jobs)] == [
        *("job-1", "job-2", "job-5", "job-3")
    ]
    assert found.changes[key(9)].was == key(2)
    assert found.changes[key(9)].edits[1] == Edit(field="seconds", old=8, new=4)
    assert (found.cost, found.cost_there, found.difference) == (Decimal("2.00"), Decimal("2.40"), Decimal("-0.40"))


def test_the_same_manifest_differs_in_nothing() -> None:
    found = compare(of(1, 2), of(2, 1))
    assert counts(found) == (2, 0, 0, 0)
    assert found.difference == 0


def test_what_both_ask_for_may_have_another_price() -> None:
    own = ProviderChoice(price_per_second=Decimal("0.25"))
    found = compare(of(1, provider=own), of(1))
    assert (found.both.cost, found.both_there, found.difference) == (Decimal(2), Decimal("0.80"), Decimal("1.20"))


def test_an_unknown_price_and_another_currency_have_no_difference() -> None:
    free = manifest(1, model="free")
    assert (compare(free, of(1)).cost, compare(of(1), free).cost_there) == (None, None)
    assert compare(free, of(1)).difference is None
    elsewhere = of(1, profile=replace(PROFILE, currency="CNY"))
    assert compare(of(1), elsewhere).difference is None


def test_another_provider_makes_another_job_of_each_and_that_is_said() -> None:
    moved = of(1, provider=ProviderChoice(profile="dmxapi"), jobs=(replace(a_job(7), id="job-1"),))
    edit = compare(moved, of(1)).changes[key(7)].edits[0]
    assert edit == Edit(field="provider", old="sandbox", new="dmxapi")


def test_only_and_limit_choose_from_both() -> None:
    assert counts(compare(of(1, 2, 3), of(3, 4, 5), only="job-[34]")) == (1, 0, 0, 1)
    assert counts(compare(of(1, 2, 3), of(1, 4, 5), limit=1)) == (1, 0, 0, 0)
