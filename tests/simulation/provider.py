"""A provider in memory: it sells, renders, keeps and forgets videos by the true time, and its money book never lies.

It answers requests with the bytes that a real one would send; what happens to them on the way is `wire`'s.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from enum import Enum
from functools import partial
from html import escape
from unicodedata import normalize
from urllib.parse import unquote

from pipeline.providers.base import Reply, Request
from tests.simulation.clock import BEGINNING
from tests.simulation.films import film

PRICE = Decimal("0.40")
"""Of every video here: four seconds of sora-2 in the profile's table."""
FORBIDDEN = "forbidden"
"""A prompt with this word is refused."""


ECHO_CHARACTERS = 16
"""Of a prompt that is echoed cut off: some are shorter than that."""
ECHOES: Mapping[str, Callable[[str], str]] = {
    "whole": str,
    "escaped": escape,
    "taken apart": partial(normalize, "NFD"),
    "cut": lambda prompt: prompt[:ECHO_CHARACTERS],
}
"""How a list repeats prompts, by name."""


def prompt_of(n: int, *, is_forbidden: bool) -> str:
    """Short ones and long ones, with what a list may write in another way."""
    subject = f"tug {n} & a ferry off the café" if n % 2 else f"tug {n}"
    return f"{FORBIDDEN if is_forbidden else ''} {subject} at dawn".lstrip()


class Fate(Enum):
    """What becomes of a video."""

    DONE = "done"
    FAILED = "failed"
    STUCK = "stuck"  # in progress for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """How a provider is made; the same for a whole sequence."""

    lists: bool = False
    honours_keys: bool = False
    keys_s: float = 86_400.0
    """So long it remembers a key."""
    names_prompts: bool = True
    """In its list and in what a look says."""
    echo: str = "whole"
    """How it names them."""
    rewords: float = 0.0
    """So many prompts it names in words of its own."""
    renames: float = 0.0
    """Of so many videos it calls the model by another name."""
    busy: float = 0.0
    """So often somebody else buys with our account while we do."""
    quiet_s: float = 0.0
    """So long before our first run somebody else bought last."""
    page_rows: int = 100
    list_lag_s: float = 0.0
    """A new video is in the list only after so long."""
    id_lag_s: float = 0.0
    """A new id is known to a look only after so long."""
    content_lag_s: float = 0.0
    """A finished video can be fetched only after so long."""
    keeps_s: float = 7200.0
    says_expiry: bool = True
    buries: bool = False
    """An expired video's status says so; else it stays "completed", and only its content is gone."""
    says_time: bool = True
    """Its answers have a Date."""
    etag: str = '"{}"'
    """Strong, weak or none."""
    renders_s: float = 120.0
    fails: float = 0.0
    sticks: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether what its list says of a wish tells it from every other."""
        return self.names_prompts and self.echo != "cut" and not self.rewords


@dataclass(slots=True, kw_only=True)
class Sale:
    """One line of the money book: a video that was made and billed."""

    video_id: str
    prompt: str
    key: str
    """The Idempotency-Key it was asked for with."""
    fields: str
    """All that was asked for."""
    sold_s: float
    finished_s: float
    fate: Fate
    made_from: str = ""
    """The video that it is a remix of."""
    size: str = "1280x720"
    reworded: bool = False
    renamed: bool = False
    unlisted_after: int | None = None
    """The list does not show it any more, since our ledger had so many records; `None`: it does."""
    known: bool = True
    """False: the provider has lost it."""

    def unlist(self, after: int) -> None:
        if self.unlisted_after is None:
            self.unlisted_after = after

    @property
    def film(self) -> bytes:
        return film(f"{self.video_id} {self.prompt}")


@dataclass(slots=True, kw_only=True)
class Provider:
    """Sells to whoever asks."""

    house: House
    chance: random.Random
    clock: Callable[[], float]
    book: dict[str, Sale] = field(default_factory=dict)
    """Every accepted POST, ours and other people's."""
    refused: set[str] = field(default_factory=set)
    """Prompts that were answered with a refusal."""
    hasty: list[str] = field(default_factory=list)
    """Videos of which a remix was asked for before they were finished, or though they came to nothing."""
    lineage: str = "told"
    """What it says of a remix's source: it is `told`, `null`, or `left out`."""
    restarted: bool = False
    """It has forgotten something."""
    _by_key: dict[str, Sale] = field(default_factory=dict)

    def answer(self, request: Request) -> Reply:
        """What it says to *request*; for a POST, after it is in the book."""
        reply = self._answer(request)
        if not self.house.says_time:
            return reply
        now = BEGINNING + timedelta(seconds=self.clock())
        return replace(reply, headers={**reply.headers, "date": format_datetime(now, usegmt=True)})

    def _answer(self, request: Request) -> Reply:
        if request.method == "POST":
            return self._sell(request)
        parts = [unquote(part) for part in request.path.removeprefix("/videos").split("/") if part]
        if not parts:
            return self._list(request)
        sale = self.book.get(parts[0])
        known = sale is not None and sale.known and self.clock() >= sale.sold_s + self.house.id_lag_s
        if sale is None or not known:
            return _refusal(404, f"Video with id '{parts[0]}' not found.")
        return self._content(sale, request) if parts[1:] == ["content"] else _document(self._show(sale))

    def sell_to_others(self, prompt: str) -> None:
        """Somebody else buys with our account; where the list does not tell prompts apart, of another size."""
        self._enter(prompt, key="", fields="").size = "1280x720" if self.house.is_plain else "720x1280"

    def forget_its_list(self, after: int) -> None:
        """It is started anew with an empty list; ids are still known. *after*: so many records of our ledger."""
        self.restarted = True
        for sale in self.book.values():
            sale.unlist(after)

    def lose_what_it_renders(self, after: int) -> None:
        """It is started anew, and what it was working on is gone. *after*: so many records of our ledger."""
        self.restarted = True
        for sale in self.book.values():
            if self.clock() < sale.finished_s:
                sale.known = False
                sale.unlist(after)

    def gone_s(self, sale: Sale) -> float:
        """When the video is dropped."""
        return sale.finished_s + self.house.keeps_s

    def _sell(self, request: Request) -> Reply:
        fields, source = _fields(request.body), request.path.removeprefix("/videos").removesuffix("/remix").strip("/")
        prompt, key = fields["prompt"], request.headers.get("idempotency-key", "")
        if FORBIDDEN in prompt:
            self.refused.add(prompt)
            return _refusal(400, "Your request was blocked by our moderation system.", "moderation_blocked")
        asked = json.dumps({**fields, "source": source}, sort_keys=True)
        known = self._by_key.get(key) if self.house.honours_keys else None
        if known is not None and self.clock() >= known.sold_s + self.house.keys_s:
            known = None
        if known is None:
            if source and (refusal := self._refused(source, prompt)) is not None:
                return refusal
            if self.chance.random() < self.house.busy:
                self.sell_to_others("somebody else's dog")
            return _document(self._show(self._enter(prompt, key=key, fields=asked, made_from=source)))
        if known.fields != asked:
            return _refusal(422, "This key was used for another request.", "idempotency_mismatch")
        return _document(self._show(known))

    def _refused(self, source: str, prompt: str) -> Reply | None:
        """Nothing is made from a video that is not here, and finished."""
        sale = self.book.get(source)
        if sale is not None and sale.known and self.clock() < self.gone_s(sale) and sale.fate is Fate.DONE:
            if self.clock() >= sale.finished_s:
                return None
            self.hasty.append(source)
        elif sale is None or sale.fate is not Fate.DONE:
            self.hasty.append(source)
        self.refused.add(prompt)
        return _refusal(404, f"Video with id '{source}' not found.")

    def _enter(self, prompt: str, *, key: str, fields: str, made_from: str = "") -> Sale:
        drawn, house = self.chance.random(), self.house
        fate = Fate.FAILED if drawn < house.fails else Fate.STUCK if drawn < house.fails + house.sticks else Fate.DONE
        renders_s = float("inf") if fate is Fate.STUCK else house.renders_s * self.chance.lognormvariate(0.0, 0.4)
        sale = Sale(
            video_id=f"video_{len(self.book) + 1}",
            prompt=prompt,
            key=key,
            fields=fields,
            sold_s=self.clock(),
            finished_s=self.clock() + renders_s,
            fate=fate,
            made_from=made_from,
            reworded=self.chance.random() < house.rewords,
            renamed=self.chance.random() < house.renames,
        )
        self.book[sale.video_id] = sale
        if key:
            self._by_key[key] = sale
        return sale

    def _show(self, sale: Sale) -> dict[str, object]:
        """A video object, as it is now."""
        now_s, house = self.clock(), self.house
        shown: dict[str, object] = {
            "id": sale.video_id,
            "object": "video",
            "status": "in_progress" if now_s > sale.sold_s else "queued",
            "created_at": int(BEGINNING.timestamp() + sale.sold_s),
            "model": "sora-2-2025-12-08" if sale.renamed else "sora-2",
            "seconds": "4",
            "size": sale.size,
        }
        if house.names_prompts:
            shown["prompt"] = "A boat, in golden light." if sale.reworded else ECHOES[house.echo](sale.prompt)
        if self.lineage != "left out":
            shown["remixed_from_video_id"] = (sale.made_from if self.lineage == "told" else "") or None
        if now_s < sale.finished_s:
            return shown
        if sale.fate is Fate.FAILED:
            return shown | {"status": "failed", "error": {"code": "internal_error", "message": "it did not work out"}}
        if now_s >= self.gone_s(sale) and house.buries:
            return shown | {"status": "expired"}
        if house.says_expiry:
            shown["expires_at"] = int(BEGINNING.timestamp() + self.gone_s(sale))
        return shown | {"status": "completed"}

    def _list(self, request: Request) -> Reply:
        if not self.house.lists:
            return _refusal(404, "Invalid URL (GET /v1/videos)")
        latest_s = self.clock() - self.house.list_lag_s
        listed = (sale for sale in reversed(self.book.values()) if sale.unlisted_after is None)
        newest = [sale for sale in listed if sale.sold_s <= latest_s]
        after = request.query.get("after")
        start = 1 + next((at for at, sale in enumerate(newest) if sale.video_id == after), -1)
        page = newest[start : start + min(int(request.query.get("limit", "20")), self.house.page_rows)]
        more = start + len(page) < len(newest)
        return _document({"object": "list", "data": [self._show(sale) for sale in page], "has_more": more})

    def _content(self, sale: Sale, request: Request) -> Reply:
        now_s = self.clock()
        if now_s < sale.finished_s or sale.fate is not Fate.DONE:
            return _refusal(400, "Video is not ready yet.")
        if now_s < sale.finished_s + self.house.content_lag_s:
            return _refusal(404, "Not found.")
        if now_s >= self.gone_s(sale):
            return _refusal(404, "The video is no longer available.")
        body, etag = sale.film, self.house.etag.format(sale.video_id)
        headers = {"content-type": "video/mp4", "content-length": str(len(body))} | ({"etag": etag} if etag else {})
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if wanted is None or request.headers.get("if-range") != etag or etag.startswith("W/"):
            return Reply(status=200, headers=headers, body=body)
        start = int(wanted[1])
        if start >= len(body):
            return Reply(status=416, headers={"content-range": f"bytes */{len(body)}"})
        span = {"content-range": f"bytes {start}-{len(body) - 1}/{len(body)}", "content-length": str(len(body) - start)}
        return Reply(status=206, headers=headers | span, body=body[start:])


def _fields(body: bytes) -> dict[str, str]:
    """The text parts of a multipart body, or what JSON says."""
    if body.startswith(b"{"):
        return {name: str(value) for name, value in json.loads(body).items()}
    parts = re.findall(rb'name="([a-z_]+)"\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
    return {name.decode(): value.decode() for name, value in parts}


def _document(value: object) -> Reply:
    return Reply(status=200, headers={"content-type": "application/json"}, body=json.dumps(value).encode())


def _refusal(status: int, message: str, code: str = "") -> Reply:
    body = {"error": {"code": code or None, "message": message}}
    return Reply(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
