"""Pages of the list: what is asked for, and the form of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.model import JSON
from pipeline.sandbox.refusal import invalid

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100


def page_of(page: list[dict[str, JSON]], *, has_more: bool) -> dict[str, JSON]:
    return {
        "object": "list",
        "data": page,  # type: ignore[dict-item]  # a list of objects is JSON; list is invariant
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": has_more,
    }


def paging(query: Mapping[str, str]) -> tuple[int, bool]:
    """How many, and whether newest first. Raises `Refused` (400)."""
    limit, order = query.get("limit", str(PAGE_DEFAULT)), query.get("order", "desc")
    if not (limit.isascii() and limit.isdigit() and int(limit) <= PAGE_MAX):
        raise invalid("limit", f"Invalid 'limit': expected a whole number from 0 to {PAGE_MAX}.", "invalid_value")
    if order not in {"asc", "desc"}:
        raise invalid("order", "Invalid 'order': supported values are: 'asc' and 'desc'.", "invalid_value")
    return int(limit), order == "desc"
