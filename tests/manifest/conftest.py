"""A provider for the manifests of these tests: known here, whatever the shipped profiles say."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.profile import ModelOffer, Profile

SANDBOX = Profile(
    name="sandbox",
    title="The sandbox of these tests",
    default_model="sora-2",
    default_seconds=4,
    default_size="1280x720",
    models={
        "sora-2": ModelOffer(
            seconds=(4, 8, 12), sizes=("720x1280", "1280x720"), price_per_second={"*": Decimal("0.10")}
        ),
        "sora-2-pro": ModelOffer(seconds=(4, 8, 12), sizes=("720x1280", "1280x720", "1024x1792", "1792x1024")),
    },
    remixes=True,
    edits=True,
    references=True,
    embedded=True,
)
DMXAPI = Profile(
    name="dmxapi",
    title="A gateway of these tests",
    base_url="https://gateway.example/v1",
    default_model="sora-2",
    default_seconds=4,
    default_size="720x1280",
    models={"sora-2": ModelOffer(seconds=(4, 8, 12), sizes=("720x1280", "1280x720"))},
    params=("seed",),
)
ANYTHING = Profile(name="anything", title="Takes whatever it is asked for")
STUDIO = replace(SANDBOX, name="studio", title="One that makes videos go on", extends=True, edits=False)
STUDIO = replace(STUDIO, embedded=False, base_url="https://studio.example/v1", extensions_max=2, length_s_max=20)
STUDIO = replace(STUDIO, models={**STUDIO.models, "sketch": ModelOffer()})
PROFILES = {profile.name: profile for profile in (SANDBOX, DMXAPI, ANYTHING, STUDIO)}


@pytest.fixture
def profiles() -> dict[str, Profile]:
    """The providers there are, by name."""
    return dict(PROFILES)
