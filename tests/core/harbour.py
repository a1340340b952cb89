"""A manifest of a few videos, for what is decided before a run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pipeline.limits import Limits, LimitsWish
from pipeline.model import Manifest, ProviderChoice, SourceFile
from pipeline.prepare import Choice
from pipeline.profile import ModelOffer, Profile
from tests.ledger.histories import a_job

PRICES = {"*": Decimal("0.10")}
PROFILE = Profile(
    name="sandbox",
    title="Sandbox",
    models={"sora-2": ModelOffer(price_per_second=PRICES), "free": ModelOffer()},
    limits=Limits(in_flight=8, budget=None),
)
TWICE = Choice(uncertain="resubmit", max_duplicate_cost=Decimal(5))


def manifest(
    *numbers: int, profile: Profile = PROFILE, limits: LimitsWish | None = None, model: str = "sora-2"
) -> Manifest:
    return Manifest(
        name="harbour",
        provider=ProviderChoice(),
        profile=profile,
        limits=limits or LimitsWish(),
        jobs=tuple(replace(a_job(number), model=model) for number in numbers),
        files=(SourceFile(name="m.yaml", sha256="c" * 64, content=b"jobs: []\n"),),
    )
