"""Status words as they are met in the field, and the few that they mean.

Collected from the servers listed in docs/providers.md: OpenAI, Azure, new-api, LiteLLM, vLLM-Omni, SGLang and
others. A word that is in no list is read as still running: only our own deadline ends such a job.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.providers.base import Status

_WORDS: dict[Status, str] = {
    Status.WAITING: (
        "queued queueing pending submitted created preparing starting not_start notstarted unknown waiting"
    ),
    Status.RUNNING: "in_progress processing running generating preprocessing postprocessing",
    Status.DONE: "completed complete succeeded succeed success finished done",
    Status.FAILED: "failed failure fail error rejected blocked",
    Status.CANCELLED: "cancelled canceled deleted",
    Status.EXPIRED: "expired",
}

SYNONYMS: Mapping[str, Status] = {word: status for status, words in _WORDS.items() for word in words.split()}


def read_word(word: str, own: Mapping[str, str]) -> tuple[Status, bool]:
    """What *word* means, and whether anybody knew it; *own* are the profile's words and win."""
    plain = word.strip().lower()
    if plain in own:
        return Status(own[plain]), True
    if plain in SYNONYMS:
        return SYNONYMS[plain], True
    return Status.RUNNING, False
