"""What a profile that is retired says of an address, on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipeline.profile import Profile
from pipeline.providers.retirement import is_retired, retirement

GATE, OTHER = "https://gate.example/v1", "https://other.example/v1"
MINE = Profile(name="mine", title="Mine", base_url=GATE, retired="2026-09-24")
DISGUISED = ("https://GATE.example/v1", "https://gate.example:443/v1", "https://gate.example./v1")
NOWHERE = replace(MINE, base_url="")
BEFORE, SINCE = date(2026, 9, 23), date(2026, 9, 24)


@pytest.mark.parametrize(
    ("profile", "address", "today", "refused", "words"),
    [
        (MINE, GATE, SINCE, True, f"Mine at {GATE} was shut down on 2026-09-24: give provider.base_url another server"),
        *((MINE, url, SINCE, True, f"Mine at {GATE} was shut down on 2026-09-24: give") for url in DISGUISED),
        (MINE, "embedded", SINCE, False, "Mine was shut down on 2026-09-24; embedded is another server"),
        (MINE, "", SINCE, False, f"Mine at {GATE} was shut down on 2026-09-24"),
        (MINE, GATE, BEFORE, False, f"Mine at {GATE} will be shut down on 2026-09-24"),
        (MINE, OTHER, SINCE, False, f"Mine was shut down on 2026-09-24; {OTHER} is another server"),
        (NOWHERE, OTHER, SINCE, False, f"Mine retired this on 2026-09-24: {OTHER} may make no video any more"),
        (NOWHERE, "", SINCE, False, "Mine retired this on 2026-09-24"),
        (NOWHERE, OTHER, BEFORE, False, "Mine retires this on 2026-09-24"),
        (replace(MINE, retired=""), GATE, SINCE, False, ""),
    ],
)
def test_a_retirement_is_told_by_the_day_and_only_the_profiles_own_address_is_refused(
    profile: Profile, address: str, today: date, words: str, *, refused: bool
) -> None:
    assert is_retired(profile, address, today) is refused
    said = retirement(profile, address, today)
    assert said.startswith(words)
    assert bool(said) is bool(words)
