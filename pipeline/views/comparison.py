"""Two manifests compared, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipeline.comparison import Comparison, Lot
from pipeline.model import JSON
from pipeline.text import money, plain
from pipeline.views.differences import change_document, change_lines

SHOWN = 10
_INDENT = " " * 11


def comparison_text(found: Comparison, name: str, other: str) -> str:
    """*found* in the manifest called *name*, against the one called *other*."""
    return "\n".join(
        [
            f"{plain(name)} against {plain(other)}",
            *_sums("in both", found.both, found.currency),
            *_sums("changed", found.changed, found.currency),
            *_changes(found),
            *_sums(f"only in {plain(name)}", found.here, found.currency),
            *_ids(found.here),
            *_sums(f"only in {plain(other)}", found.there, found.currency_there),
            *_ids(found.there),
            _cost(found),
        ]
    )


def comparison_document(found: Comparison, name: str, other: str) -> dict[str, JSON]:
    """The same for programs."""
    return {
        "manifest": name,
        "against": other,
        "currency": found.currency,
        "against_currency": found.currency_there,
        "cost": _number(found.cost),
        "against_cost": _number(found.cost_there),
        "difference": _number(found.difference),
        "both": {"videos": len(found.both.jobs), "cost": _number(found.both.cost)},
        "only_here": _lot(found.here),
        "only_against": _lot(found.there),
        "changed": {
            "videos": len(found.changed.jobs),
            "cost": _number(found.changed.cost),
            "against_cost": _number(found.changed_there.cost),
            "jobs": [
                change_document(job.id, job.key, found.changes[job.key], price)
                for job, price in zip(found.changed.jobs, found.changed.prices, strict=True)
            ],
        },
    }


def _lot(lot: Lot) -> dict[str, JSON]:
    return {
        "videos": len(lot.jobs),
        "cost": _number(lot.cost),
        "jobs": [
            {"id": job.id, "key": job.key, "price": _number(price)}
            for job, price in zip(lot.jobs, lot.prices, strict=True)
        ],
    }


def _sums(words: str, lot: Lot, currency: str) -> Iterator[str]:
    if lot.jobs:
        yield f"  {len(lot.jobs):>7,}  {words}: {_amount(lot.cost, currency)}"


def _changes(found: Comparison) -> Iterator[str]:
    for job, price in list(zip(found.changed.jobs, found.changed.prices, strict=True))[:SHOWN]:
        yield from change_lines(job.id, found.changes[job.key], price, found.currency, found.changes)
    yield from _rest(found.changed)


def _ids(lot: Lot) -> Iterator[str]:
    yield from (f"{_INDENT}{plain(job.id)}" for job in lot.jobs[:SHOWN])
    yield from _rest(lot)


def _rest(lot: Lot) -> Iterator[str]:
    if len(lot.jobs) > SHOWN:
        yield f"{_INDENT}and {len(lot.jobs) - SHOWN:,} more"


def _cost(found: Comparison) -> str:
    sums = f"cost    {_amount(found.cost, found.currency)} against {_amount(found.cost_there, found.currency_there)}"
    if found.difference is None:
        return sums
    if not found.difference:
        return f"{sums}: the same"
    return f"{sums}: {money(abs(found.difference), found.currency)} {'more' if found.difference > 0 else 'less'}"


def _amount(cost: Decimal | None, currency: str) -> str:
    return "at an unknown price" if cost is None else money(cost, currency)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
