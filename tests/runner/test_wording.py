"""What a person is told about money, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.lifecycle import Fact
from pipeline.runner.wording import gone_words
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fact", "priced", "words"),
    [
        (Fact.EXPIRED, True, "job-0: it expired, and was paid for: $0.40; --retry expired buys it again: 410"),
        (Fact.LOST, True, "job-0: it is lost, and was paid for: $0.40; --retry lost buys it again: 410"),
        (Fact.LOST, False, "job-0: it is lost, and was paid for: at an unknown price; --retry lost buys it again: 410"),
    ],
)
async def test_a_video_that_is_gone_is_said_with_its_price(night: Night, fact: Fact, priced: bool, words: str) -> None:
    if not priced:
        night.profile = replace(
            night.profile, models={"*": replace(night.profile.models["sora-2"], price_per_second={})}
        )
    await night.run(jobs(1))
    assert gone_words(night.boards[0], job(0).key, fact, "410") == words
