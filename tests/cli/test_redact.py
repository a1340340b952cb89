from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from pipeline.cli.redact import HIDDEN, redact, redact_words, secrets_of

CANARY = "canary/value+77 'x\"\\"


def test_secrets_are_known_by_the_name_of_their_variable() -> None:
    environ = {
        "DMXAPI_API_KEY": "abcdef1",
        "API_TOKEN": "abcdef2",
        "client_secret": "abcdef3",
        "DB_PASSWORD": "abcdef4",
        "SHORT_KEY": "abc",
        "HOME": "/home/someone",
    }

    assert secrets_of(environ) == ("abcdef1", "abcdef2", "abcdef3", "abcdef4")


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
