"""Play money is so at the profile's own address and on this machine, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.model import EMBEDDED
from pipeline.profile import ModelOffer, Profile
from pipeline.providers.bills import bills_at, is_play, priced_at

PRICES = {"*": Decimal(0), "1280x720": Decimal("0.10")}
PLAY = Profile(
    name="ours",
    title="Ours",
    base_url="https://ours.example",
    bills=False,
    models={"*": ModelOffer(seconds=(4,), price_per_second=PRICES)},
)


@pytest.mark.parametrize(
    ("profile", "origin", "bills"),
    [
        (PLAY, "https://ours.example/v1", False),
        (PLAY, "https://hosted.example/v1", True),
        (PLAY, "https://ours.example.evil.example/v1", True),
        (PLAY, "http://127.0.0.1:8700/v1", False),
        (PLAY, EMBEDDED, False),
        (PLAY, "", False),  # nobody can say, and a run is refused
        (replace(PLAY, base_url=""), "https://hosted.example/v1", True),
        (replace(PLAY, bills=True), "http://127.0.0.1:8700/v1", True),
    ],
)
def test_play_money_is_believed_in_the_profiles_own_house_only(profile: Profile, origin: str, *, bills: bool) -> None:
    assert bills_at(profile, origin) is bills


@pytest.mark.parametrize(
    ("profile", "origin", "plays"),
    [
        (PLAY, EMBEDDED, True),
        (PLAY, "http://127.0.0.1:8700/v1", True),
        (PLAY, "https://ours.example/v1", False),
        (replace(PLAY, base_url="http://localhost:4000"), "http://LOCALHOST:4000/v1", False),
        (replace(PLAY, base_url="http://localhost:4000"), "http://127.0.0.1:4000/v1", False),
        (replace(PLAY, base_url="http://localhost:4000"), "http://localhost:8700/v1", True),
        (replace(PLAY, base_url="http://localhost:4000", embedded=True), "http://localhost:4000/v1", True),
    ],
)
def test_a_server_on_this_machine_is_a_rehearsal_but_for_the_profiles_own(
    profile: Profile, origin: str, *, plays: bool
) -> None:
    assert is_play(profile, origin) is plays


def test_the_prices_of_play_are_not_known_where_money_is_real_after_all() -> None:
    (there,) = priced_at(PLAY, "https://hosted.example/v1").models.values()

    assert there == ModelOffer(seconds=(4,))
    assert priced_at(PLAY, EMBEDDED) == PLAY
    assert priced_at(replace(PLAY, bills=True), "https://hosted.example/v1").models == PLAY.models
