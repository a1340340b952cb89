from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from pipeline.cli.redact import HIDDEN, redact, redact_words, secrets_of
from pipeline.providers.registry import find_profile, profile_names

CANARY = "canary/value+77 'x\"\\"


def test_secrets_are_known_by_the_name_of_their_variable() -> None:
    environ = {
        "DMXAPI_API_KEY": "abcdefg1",
        "API_TOKEN": "abcdefg2",
        "client_secret": "abcdefg3",
        "DB_PASSWORD": "abcdefg4",
        "SHORT_KEY": "abc",
        "HOME": "/home/someone",
    }

    assert secrets_of(environ) == ("abcdefg1", "abcdefg2", "abcdefg3", "abcdefg4")


@pytest.mark.parametrize("name", profile_names())
def test_every_variable_of_a_profile_is_secret_and_its_published_key_is_not(name: str) -> None:
    profile = find_profile(name)
    assert profile is not None

    for variable in profile.key_env:
        assert secrets_of({variable: "a-key-of-mine"}) == ("a-key-of-mine",)
        assert secrets_of({variable: profile.key_default}) == ()


@pytest.mark.parametrize(
    "written",
    [CANARY, quote(CANARY, safe=""), repr(CANARY), json.dumps(CANARY), repr(CANARY.encode()), str({"k": CANARY})],
)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    shown = redact(f"before {written} after", [CANARY])

    assert "canary" not in shown
    assert HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert redact("secret-and-more", ["secret", "secret-and-more"]) == HIDDEN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-1", f"Authorization: Bearer {HIDDEN}"),
        ("{'authorization': 'rawkey99'}", f"{{'authorization': '{HIDDEN}'}}"),
        ("[(b'Authorization', b'rawkey99')]", f"[(b'Authorization', b'{HIDDEN}')]"),
        ("bearer TOKENTOKEN, next", f"bearer {HIDDEN}, next"),
        ("Incorrect API key provided: sk-proj-12ab****34cd.", f"Incorrect API key provided: {HIDDEN}"),
        ("https://me:pass@host.example/v1", f"https://{HIDDEN}@host.example/v1"),
        (
            "GET https://b.example/o.mp4?X-Amz-Credential=AK%2F1&X-Amz-Signature=ff00&part=2",
            f"GET https://b.example/o.mp4?X-Amz-Credential={HIDDEN}&X-Amz-Signature={HIDDEN}&part=2",
        ),
        ("https://b.example/o?sv=2024&sig=ab%3D", f"https://b.example/o?sv=2024&sig={HIDDEN}"),
        ("https://b.example/o?q-ak=AKID&q-signature=12", f"https://b.example/o?q-ak={HIDDEN}&q-signature={HIDDEN}"),
    ],
)
def test_what_is_shaped_like_a_secret_is_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a risk-averse task-list",
        "https://host.example/v1/videos?after=video_1&limit=100",
        "the bearer",
        "mail me@host.example",
        "harbour-a-heron-8s-wide-t1",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_options_named_like_a_secret_lose_their_value() -> None:
    words = ["run", "m.yaml", "--api-key", "hunter22", "--token=hunter23", "--budget", "5"]

    assert redact_words(words) == ["run", "m.yaml", "--api-key", HIDDEN, f"--token={HIDDEN}", "--budget", "5"]
