"""Which servers there are is data: nothing outside `providers/` and `sandbox/` names one, or a model of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.providers.registry import profile_names

ROOT = Path(pipeline.__file__).parent.parent
THEIRS = ("providers", "sandbox")
"""The parts of the package that may name them."""

OTHERS = ("azure", "dmxapi", "litellm", "newapi", "new-api", "openai", "openrouter", "sglang", "tensorrt", "vllm")
MODELS = ("gen-4", "hailuo", "hunyuan", "kling", "seedance", "sora", "veo", "vidu")
FILE_FORMAT = re.compile(r"openai[ -]batch", re.IGNORECASE)
"""The name of a file format, which is read as a manifest and exported; no server has to be theirs for that."""

_SHIPPED = (name for name in profile_names() if name != "sandbox")
_NAMES = "|".join(re.escape(name) for name in sorted({*_SHIPPED, *OTHERS, *MODELS}, key=len, reverse=True))
VENDOR = re.compile(rf"(?<![a-z])(?:{_NAMES})(?![a-z])", re.IGNORECASE)

NEUTRAL = sorted(
    path
    for folder in ("pipeline", "schemas")
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and path.suffix != ".pyc" and path.relative_to(ROOT).parts[1] not in THEIRS
)


def vendors_in(text: str) -> Iterator[tuple[int, str]]:
    """The lines that name a vendor, with their numbers from 1."""
    for n, line in enumerate(text.splitlines(), 1):
        if VENDOR.search(FILE_FORMAT.sub("", line)):
            yield n, line.strip()


def test_nothing_outside_providers_and_sandbox_names_a_vendor() -> None:
    named = [
        f"{path.relative_to(ROOT).as_posix()}:{n}: {line}"
        for path in NEUTRAL
        for n, line in vendors_in(path.read_text(encoding="utf-8"))
    ]

    assert not named, "\n".join(named)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("provider: dmxapi", True),
        ("DMXAPI_API_KEY", True),
        ("as vLLM-Omni does", True),
        ("model: sora-2-pro", True),
        ("a line of an OpenAI batch", False),
        ("an OpenAI batch of OpenAI", True),
        ("overtaken by a new API", False),
    ],
)
def test_the_search_knows_a_vendor_when_it_sees_one(text: str, is_named: bool) -> None:
    assert bool(list(vendors_in(text))) is is_named


def test_it_looks_at_the_code_and_at_the_schemas() -> None:
    looked_at = {path.relative_to(ROOT).as_posix() for path in NEUTRAL}

    assert {"pipeline/api.py", "pipeline/runner/submit.py", "schemas/profile.schema.json"} <= looked_at
    assert not any(path.startswith(("pipeline/providers/", "pipeline/sandbox/")) for path in looked_at)
