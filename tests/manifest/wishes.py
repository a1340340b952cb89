"""The key of one wish, from all that it asks for."""

from __future__ import annotations

from typing import Any

from pipeline.manifest.identity import KeyFrame


def job_key(*, prompt: str, take: int, source: str = "", **framed: Any) -> str:
    """The key of one job, as its `KeyFrame` makes it."""
    return KeyFrame(**framed).key(prompt, take, source)
