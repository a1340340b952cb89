"""An order: one create that was accepted, and so would have been billed. The money book is the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipeline.model import JSON, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The video that another was made from."""

    video_id: str
    link: Link
    seconds: str
    """How long the new film is in all: an extension begins where its source ends."""
    wish: str
    """A digest of what the source was asked for, and its source, and so on."""

    @property
    def lineage(self) -> str:
        """All of it without anybody's id."""
        return f"{self.link} {self.wish}"


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
    """What was asked for: prompt, model, seconds, size and whatever else was sent; a file by its digest.

    A remix and an extension have what they keep of their source here, too; `seconds` is what is billed.
    """
    source: Source | None = None

    @property
    def seconds(self) -> str:
        """How long its film is."""
        return self.source.seconds if self.source else str(self.fields["seconds"])

    @property
    def lineage(self) -> str:
        """What it was made from, without anybody's id; empty: it stands alone."""
        return self.source.lineage if self.source else ""

    def as_json(self) -> dict[str, JSON]:
        """The form of the book and of the file."""
        document: dict[str, JSON] = {
            "n": self.n,
            "at": self.at,
            "id": self.id,
            "body_sha256": self.body_sha256,
            "idempotency_key": self.idempotency_key,
            "fields": dict(self.fields),
        }
        if self.source is not None:
            document["source"] = {name: str(value) for name, value in asdict(self.source).items()}
        return document


def order_of(document: Mapping[str, JSON]) -> Order:
    """The order that *document* is the form of. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    fields, at, n, key = document["fields"], document["at"], document["n"], document["idempotency_key"]
    source = document.get("source")
    if not isinstance(fields, dict) or not isinstance(at, int | float) or not isinstance(n, int):
        raise TypeError("not an order")
    return Order(
        n=n,
        at=float(at),
        id=str(document["id"]),
        body_sha256=str(document["body_sha256"]),
        idempotency_key=None if key is None else str(key),
        fields=fields,
        source=_source(source) if isinstance(source, dict) else None,
    )


def _source(document: Mapping[str, JSON]) -> Source:
    video_id, link, seconds, wish = (str(document[name]) for name in Source.__slots__)
    return Source(video_id=video_id, link=Link(link), seconds=seconds, wish=wish)
