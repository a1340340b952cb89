"""An order: one create that was accepted, and so would have been billed. The money book is the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.model import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One accepted create, as it stands in the book."""

    n: int
    """Counts from 1 over the life of the book."""
    at: float
    """When, in Unix seconds."""
    id: str
    body_sha256: str
    """Of the request's body, byte for byte."""
    idempotency_key: str | None
    fields: Mapping[str, JSON]
    """What was asked for: prompt, model, seconds, size and whatever else was sent; a file by its digest."""

    def as_json(self) -> dict[str, JSON]:
        """The form of the book and of the file."""
        return {
            "n": self.n,
            "at": self.at,
            "id": self.id,
            "body_sha256": self.body_sha256,
            "idempotency_key": self.idempotency_key,
            "fields": dict(self.fields),
        }


def order_of(document: Mapping[str, JSON]) -> Order:
    """The order that *document* is the form of. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    fields, at, n, key = document["fields"], document["at"], document["n"], document["idempotency_key"]
    if not isinstance(fields, dict) or not isinstance(at, int | float) or not isinstance(n, int):
        raise TypeError("not an order")
    return Order(
        n=n,
        at=float(at),
        id=str(document["id"]),
        body_sha256=str(document["body_sha256"]),
        idempotency_key=None if key is None else str(key),
        fields=fields,
    )
