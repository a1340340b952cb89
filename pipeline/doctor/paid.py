"""The one probe that costs: a single video, the cheapest there is, made as any run makes one.

It is a manifest of one job in a run folder of its own, so all that a run promises holds for it: asked again, it comes
home or is there already, and is not bought twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline.doctor.answers import words_of
from pipeline.doctor.examine import Surroundings, ask, provider
from pipeline.doctor.findings import Finding, Verdict, retention, words_known
from pipeline.doctor.probes import Asked, Probe, is_free
from pipeline.doctor.subject import Subject
from pipeline.errors import ProviderError, UsageError
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import JSON, Manifest
from pipeline.profile import ModelOffer
from pipeline.providers.base import Observation, Page, Reply, Request, Status
from pipeline.providers.registry import dialect_of
from pipeline.text import plural

if TYPE_CHECKING:
    from pipeline.api import Outcome

PROMPT = "a lighthouse on a calm evening, the camera stands still"
VARIANT_BYTES = 16
MENTION_CHARACTERS_MAX = 100
"""A manifest's `provider.profile` is no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """The video that costs least."""

    model: str
    seconds: int | float
    size: str
    price: Decimal | None
    """`None`: nobody knows."""


def cheapest(subject: Subject, model: str = "") -> Cheapest:
    """The cheapest video of *subject*, of *model* where one is named; of unknown price only where none is known.

    Raises `UsageError` where no model is known to ask for.
    """
    profile = subject.profile
    models = [model] if model else [profile.default_model, *profile.models]
    wanted = [one for name in dict.fromkeys(models) if name not in ("", "*") for one in _of_model(name, subject)]
    if not wanted:
        raise UsageError(f"{profile.name} names no model: say which one a video is to be made by, as --model NAME")
    return min(wanted, key=lambda one: (one.price is None, one.price or 0, one.seconds))


def _of_model(model: str, subject: Subject) -> Iterator[Cheapest]:
    profile, own = subject.profile, subject.choice.price_per_second
    offer = profile.offer(model) or ModelOffer()
    seconds = min(offer.seconds, default=profile.default_seconds or 4)
    sizes = offer.sizes or ((profile.default_size,) if profile.default_size else ("1280x720",))
    for size in sorted(sizes, key=lambda size: size != profile.default_size):
        per_second = own if own is not None else offer.price_per_second.get(size, offer.price_per_second.get("*"))
        price = None if per_second is None else per_second * Decimal(str(seconds))
        yield Cheapest(model=model, seconds=seconds, size=size, price=price)


def manifest_of(subject: Subject, wanted: Cheapest) -> Manifest:
    """The manifest of one job that asks for it. Raises `InvalidManifest` and `UsageError`, as any manifest does."""
    from pipeline import api
    from pipeline.manifest.load import Wishes

    home = subject.profile.home
    mention = home if 0 < len(home) <= MENTION_CHARACTERS_MAX else subject.profile.name
    written: dict[str, JSON] = {
        "name": f"doctor-{subject.profile.name}",
        "provider": _provider(subject, mention),
        "jobs": [
            {"id": "probe", "prompt": PROMPT, "model": wanted.model, "seconds": wanted.seconds, "size": wanted.size}
        ],
    }
    with TemporaryDirectory(prefix="vidbatch-doctor-") as folder:
        path = Path(folder) / "doctor.yaml"  # JSON is YAML
        path.write_text(json.dumps(written, indent=2), encoding="utf-8")
        return api.load(path, Wishes(provider=mention))


def _provider(subject: Subject, mention: str) -> dict[str, JSON]:
    choice = subject.choice
    options = dict(choice.options)
    stated: dict[str, JSON] = {
        "profile": mention,
        "base_url": choice.base_url,
        "api_key_env": choice.api_key_env,
        "price_per_second": None if choice.price_per_second is None else float(choice.price_per_second),
        "faults": options.pop("faults", None),
        "sandbox": options or None,
    }
    return {name: value for name, value in stated.items() if value not in (None, "")}


def of_outcome(outcome: Outcome) -> Finding:
    """What became of the video."""
    job = outcome.state.jobs[outcome.concerned[0]]  # others may have come home besides
    if job.state is State.STORED:
        found = f"{job.video_id} was made and is here: {outcome.outlook.folder / 'videos' / job.path}"
        return Finding(about="video", verdict=Verdict.CLAIMED, found=found)
    why = outcome.stopped or job.reason
    found = f"none: it is {job.state}{': ' if why else ''}{why}; see {outcome.outlook.folder}"
    return Finding(about="video", verdict=Verdict.BARRED if outcome.stopped else Verdict.DIFFERS, found=found)


async def look_again(subject: Subject, folder: Path, job: JobState, outside: Surroundings) -> list[Finding]:
    """What is said of the real video, whose run is in *folder*: its status, the list, its variants."""
    from pipeline.transport import connect

    found: list[Finding] = []
    async with (
        provider(subject, folder) as reached,
        connect(reached, submits=1, downloads=1) as transport,
    ):
        for about, request, why in _questions(subject, job.video_id or ""):
            if not is_free(request, subject.profile):
                continue
            try:
                reply, _ = await ask(Probe(asked=Asked.STATUS, request=request, why=why), reached, transport, outside)
            except ProviderError as error:
                found.append(Finding(about=about, verdict=Verdict.UNCLEAR, found=f"no answer: {error}"))
                continue
            found += judged(about, reply, job.video_id or "", subject)
    return found


def _questions(subject: Subject, video_id: str) -> Iterator[tuple[str, Request, str]]:
    profile, dialect = subject.profile, dialect_of(subject.profile)
    yield "look", dialect.look(video_id, profile), "what is said of the video that was made"
    if profile.lists:
        yield "list", dialect.look_at_page(None, profile), "is it in the list?"
    for variant in profile.variants:
        request = replace(dialect.content(video_id, profile, variant), enough_bytes=VARIANT_BYTES)
        yield variant, request, f"does it have a {variant}?"


def judged(about: str, reply: Reply, video_id: str, subject: Subject) -> Iterator[Finding]:
    """What an answer about a real video says."""
    match about:
        case "look":
            yield from _looked(reply, subject)
        case "list":
            yield _listed(reply, video_id, subject)
        case _:
            yield _varied(about, reply, subject)


def _looked(reply: Reply, subject: Subject) -> Iterator[Finding]:
    seen = dialect_of(subject.profile).read_look(reply, subject.profile)
    if not isinstance(seen, Observation):
        found = f"of a video that is done: {words_of(reply, subject.profile)}"
        yield Finding(about="look", verdict=Verdict.DIFFERS, claimed="says that it is done", found=found)
        return
    yield from words_known([seen])
    done = Verdict.CLAIMED if seen.status is Status.DONE else Verdict.DIFFERS
    yield Finding(about="look", verdict=done, claimed="says that it is done", found=f"says '{seen.word}'")
    yield from retention([seen], subject.profile)


def _listed(reply: Reply, video_id: str, subject: Subject) -> Finding:
    page = dialect_of(subject.profile).read_page(reply, subject.profile)
    if not isinstance(page, Page):
        return Finding(about="list", verdict=Verdict.UNCLEAR, found=words_of(reply, subject.profile))
    if any(seen.video_id == video_id for seen in page.observations):
        return Finding(about="list", verdict=Verdict.CLAIMED, claimed="lists every video", found="the video is in it")
    found = f"the video is not among the {plural(len(page.observations), 'video')} of its first page"
    return Finding(
        about="list", verdict=Verdict.DIFFERS, claimed="lists every video", found=found, change="lists: false"
    )


def _varied(variant: str, reply: Reply, subject: Subject) -> Finding:
    if 200 <= reply.status < 400:
        found = f"there, HTTP {reply.status}"
        return Finding(about=variant, verdict=Verdict.CLAIMED, claimed=f"has a {variant}", found=found)
    left = ", ".join(name for name in subject.profile.variants if name != variant)
    return Finding(
        about=variant,
        verdict=Verdict.DIFFERS,
        claimed=f"has a {variant}",
        found=words_of(reply, subject.profile),
        change=f"variants: [{left}]",
    )
