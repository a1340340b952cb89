"""Profiles as data: found by name, read whole, priced to the cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import pipeline
from pipeline.limits import Limits
from pipeline.policy.unknown import may_repeat
from pipeline.profile import ModelOffer, Pace, Profile
from pipeline.providers.pricing import price_of, total
from pipeline.providers.registry import find_profile, parse, profile_names
from pipeline.wire import Auth, Wire
from tests.providers.contract import a_job

BARE = {
    "name": "own",
    "title": "Own",
    "auth": "raw",
    "body": "json",
    "models": {"*": {}},
    "retention_s": 60,
    "currency": "EUR",
}


def test_the_names_are_the_files() -> None:
    assert profile_names() == (
        *("azure", "dmxapi", "dmxapi-responses", "litellm", "newapi", "openai", "openrouter", "sandbox", "sglang"),
        *("tensorrt-llm", "vllm-omni"),
    )
    assert [find_profile(name).name for name in profile_names()] == list(profile_names())  # type: ignore[union-attr]
    assert find_profile("nobody") is None
    assert find_profile("../profiles/openai") is None


@pytest.mark.parametrize("name", profile_names())
def test_the_docs_say_of_each_what_a_person_chooses_by(name: str) -> None:
    profile = find_profile(name)
    assert profile is not None
    flags = [profile.references, profile.remixes, profile.extends, profile.edits]
    flags += [profile.deletes, profile.cancels, profile.lists]
    row = [f"`{name}`", *("yes" if flag else "–" for flag in flags), ", ".join(profile.variants) or "–"]

    docs = Path(pipeline.__file__).parent.parent / "docs" / "providers.md"

    assert f"| {' | '.join(row)} |" in docs.read_text("utf-8").splitlines()
    assert not profile.honours_keys  # as the docs say


def test_what_a_profile_leaves_out_has_its_default() -> None:
    assert parse(BARE) == Profile(
        name="own",
        title="Own",
        wire=Wire(auth=Auth(prefix=""), body="json"),
        models={"*": ModelOffer()},
        retention_s=60,
        currency="EUR",
    )


def test_what_a_profile_states_is_read() -> None:
    profile = parse(
        {
            **BARE,
            "dialect": "videos",
            "base_url": "https://gate.example/v1",
            "base_url_env": ["A_URL"],
            "key_env": ["A_KEY", "B_KEY"],
            "key_default": "public",
            "embedded": True,
            "retired": "2026-09-24",
            "defaults": {"model": "m", "seconds": 2.5, "size": "1x1"},
            "models": {"m": {"seconds": [2.5], "sizes": ["1x1"], "price_per_second": {"*": "0.10"}}},
            "params": ["seed"],
            "status_words": {"task_done": "done"},
            "lists": True,
            "honours_keys": True,
            "extends": True,
            "extensions_max": 6,
            "length_s_max": 120,
            "limits": {"in_flight": 1, "submits_per_minute": 2, "submit_slots": 3, "downloads": 4},
            "pace": {"first_s": 1, "interval_s": 2, "interval_s_max": 3, "typical_s": 4, "deadline_s": 5},
            "prices_as_of": "2026-09-24",
            "prices_source": "a page",
        }
    )

    assert (profile.base_url_env, profile.key_env, profile.key_default) == (("A_URL",), ("A_KEY", "B_KEY"), "public")
    assert (profile.default_model, profile.default_seconds, profile.default_size) == ("m", 2.5, "1x1")
    assert profile.models["m"] == ModelOffer(seconds=(2.5,), sizes=("1x1",), price_per_second={"*": Decimal("0.10")})
    assert profile.params == ("seed",)
    assert (profile.embedded, profile.lists, profile.honours_keys) == (True, True, True)
    assert (profile.extends, profile.extensions_max, profile.length_s_max) == (True, 6, 120)
    assert profile.limits == Limits(in_flight=1, submits_per_minute=2, submit_slots=3, downloads=4)
    assert profile.pace == Pace(first_s=1, interval_s=2, interval_s_max=3, typical_s=4, deadline_s=5)
    assert (profile.retired, profile.prices_as_of, profile.prices_source) == ("2026-09-24", "2026-09-24", "a page")


@pytest.mark.parametrize(
    ("stated", "honoured"),
    [
        ({}, (False, False)),
        ({"honours_keys": True}, (True, False)),
        ({"honours_keys": True, "honours_keys_linked": True}, (True, True)),
        ({"honours_keys_linked": True}, (False, False)),
    ],
)
def test_a_key_is_honoured_for_what_builds_on_another_video_only_where_the_profile_says_so(
    stated: dict[str, bool], honoured: tuple[bool, bool]
) -> None:
    profile = parse({**BARE, **stated})

    assert (may_repeat(profile, linked=False), may_repeat(profile, linked=True)) == honoured


@pytest.mark.parametrize(
    ("model", "size", "seconds", "own", "price"),
    [
        ("sora-2", "1280x720", 8, None, "0.80"),
        ("sora-2-pro", "1280x720", 4, None, "1.20"),
        ("sora-2-pro", "1024x1792", 4, None, "2.00"),
        ("sora-2-pro", "1920x1080", 12, None, "8.40"),
        ("sora-2", "1280x720", 8, "0.07", "0.56"),
        ("sketch", "2x2", 2.5, None, "0.025"),
        ("nobody", "1280x720", 8, None, None),
        ("nobody", "1280x720", 8, "0.07", "0.56"),
    ],
)
def test_a_price_is_exact(model: str, size: str, seconds: float, own: str | None, price: str | None) -> None:
    profile = find_profile("sandbox")
    assert profile is not None
    job = a_job(profile, model=model, size=size, seconds=seconds)

    expected = None if price is None else Decimal(price)
    assert price_of(job, profile, None if own is None else Decimal(own)) == expected


def test_a_model_without_a_price_has_none() -> None:
    profile = find_profile("dmxapi")
    assert profile is not None
    assert price_of(a_job(profile), profile) is None


@pytest.mark.parametrize(
    ("prices", "whole"),
    [([], "0"), (["0.10", "0.20"], "0.30"), (["0.10", None, "0.20"], None)],
)
def test_a_sum_is_known_where_all_of_it_is(prices: list[str | None], whole: str | None) -> None:
    assert total(None if p is None else Decimal(p) for p in prices) == (None if whole is None else Decimal(whole))
