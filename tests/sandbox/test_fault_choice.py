"""Which fault a request meets: by script, by wish and by chance; the same again for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.model import JSON
from pipeline.sandbox.faults import BEHAVE, Faults, read_faults
from pipeline.sandbox.mischief import Mischief
from pipeline.sandbox.order import Order
from tests.sandbox.conftest import Clock, Gateway, running
from tests.sandbox.faulty import create, demand, look

CHANCE: dict[str, JSON] = {"429": 0.3, "502_after": 0.1, "no_id": 0.05}


def order(n: int, prompt: str) -> Order:
    return Order(n=n, at=float(n), id=f"video_{n}", body_sha256="", idempotency_key=None, fields={"prompt": prompt})


def mischief(orders: Iterable[Order] = (), **document: JSON) -> Mischief:
    made = Mischief(tuple(orders))
    made.begin(read_faults(document))
    return made


def words(made: Mischief, prompts: Iterable[str]) -> list[str]:
    """What creates of *prompts* meet, one after the other."""
    met = [made.of_submit({"prompt": prompt}) for prompt in prompts]
    return [fault.word if fault else BEHAVE for fault in met]


def test_without_faults_nothing_is_remembered() -> None:
    assert words(mischief(), "aab") == [BEHAVE] * 3
    assert read_faults({}) == Faults()


def test_a_script_is_played_once_whoever_asks() -> None:
    script: list[JSON] = ["refused", "behave", {"fault": "503", "times": 2}]

    assert words(mischief(submit={"script": script}), "abcdef") == [
        "refused",
        "behave",
        "503",
        "503",
        "behave",
        "behave",
    ]


def test_each_wish_meets_the_same_at_first() -> None:
    made = mischief(submit={"each": ["503", "reset_before"]})

    assert words(made, "ababbc") == ["503", "503", "reset_before", "reset_before", "behave", "503"]


def test_the_script_goes_before_each_and_each_before_chance() -> None:
    made = mischief(submit={"script": ["refused"], "each": ["503", "504"], "chance": {"500": 1}})

    assert words(made, "aaa") == ["refused", "504", "500"]


def test_each_video_is_unknown_to_its_first_looks() -> None:
    first, second = order(1, "a"), order(2, "b")
    made = mischief((first, second), poll={"each": [{"fault": "unknown", "times": 2}]})

    met = [made.of_look(video) for video in (first, second, first, second, first, second)]

    assert [fault.word if fault else BEHAVE for fault in met] == ["unknown"] * 4 + [BEHAVE] * 2
    assert made.of_page() is None


@pytest.mark.parametrize("word", CHANCE)
def test_chance_is_as_likely_as_it_says(word: str) -> None:
    made = mischief(seed=3, submit={"chance": CHANCE})
    met = Counter(words(made, map(str, range(10_000))))

    expected = float(str(CHANCE[word]))
    spread = 4 * (expected * (1 - expected) / 10_000) ** 0.5
    assert abs(met[word] / 10_000 - expected) < spread


def test_the_same_seed_is_the_same_night_in_whatever_order_it_is_asked() -> None:
    prompts = [str(n % 40) for n in range(200)]
    backwards = prompts[::-1]

    def met(seed: int, asked: list[str]) -> Counter[tuple[str, str]]:
        return Counter(zip(asked, words(mischief(seed=seed, submit={"chance": CHANCE}), asked), strict=True))

    assert met(7, prompts) == met(7, backwards)
    assert met(7, prompts) != met(8, prompts)


def test_what_becomes_of_a_video_goes_by_its_wish_and_not_by_its_id() -> None:
    prompts = [str(n % 60) for n in range(120)]
    orders = [order(n, prompt) for n, prompt in enumerate(prompts, start=1)]
    turned = [order(n, prompt) for n, prompt in enumerate(prompts[::-1], start=1)]

    def fates(of: list[Order]) -> Counter[tuple[JSON, str]]:
        made = mischief(of, seed=5, videos={"chance": {"stuck": 0.2, "moderated": 0.2}})
        return Counter((video.fields["prompt"], made.fate(video)) for video in of)

    assert fates(orders) == fates(turned)
    assert {fate for _, fate in fates(orders)} == {"stuck", "moderated", BEHAVE}


def test_a_fate_is_the_same_however_often_it_is_asked_for() -> None:
    orders = [order(n, str(n)) for n in range(1, 50)]
    made = mischief(orders, videos={"chance": {"stuck": 0.5}})
    first = [made.fate(video) for video in orders]
    made.of_look(orders[3])

    assert [made.fate(video) for video in reversed(orders)] == first[::-1]


def test_a_night_repeats_over_http(tmp_path: Path, clock: Clock) -> None:
    nights = []
    for name in ("first", "second"):
        with running(tmp_path / name, clock, faults={"seed": 4, "submit": {"chance": {"429": 0.5}}}) as gateway:
            nights.append([create(gateway, prompt=f"bird {n % 5}").status_code for n in range(20)])

    assert nights[0] == nights[1]
    assert set(nights[0]) == {200, 429}


def test_what_becomes_of_a_video_outlives_a_restart(tmp_path: Path, clock: Clock) -> None:
    faults: JSON = {"seed": 2, "videos": {"chance": {"failed_null": 0.5}}}
    nights = []
    for _ in range(2):
        with running(tmp_path, clock, render_s=0, faults=faults) as gateway:
            for n in range(8):
                create(gateway, prompt=f"bird {n}")
            nights.append([video["status"] for video in gateway.get("/videos", order="asc")["data"]])

    assert nights[1][:8] == nights[0]
    assert set(nights[0]) == {"failed", "completed"}


def test_faults_that_are_changed_begin_anew(standing: Gateway) -> None:
    video_id = standing.create()["id"]
    seen = []
    for _ in range(2):
        demand(standing, poll={"script": ["500"], "each": ["504", "502"]})
        seen.append([look(standing, f"/videos/{video_id}").status_code for _ in range(3)])
    standing.change({"render_s": 0})

    assert seen == [[500, 502, 200]] * 2
    assert look(standing, f"/videos/{video_id}").status_code == 200
