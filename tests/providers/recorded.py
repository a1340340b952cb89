"""Replies as files: status line, headers, an empty line, the body."""

from __future__ import annotations

from pathlib import Path

from pipeline.providers.base import Reply

REPLIES = Path(__file__).parent / "replies"


def recorded(name: str) -> Reply:
    """The reply in `replies/<name>.http`."""
    head, _, body = (REPLIES / f"{name}.http").read_bytes().partition(b"\n\n")
    status, *headers = head.decode("utf-8").splitlines()
    named = dict(line.split(": ", 1) for line in headers)
    return Reply(
        status=int(status.split()[1]),
        headers={name.lower(): value for name, value in named.items()},
        body=body.removesuffix(b"\n"),
    )


def names_in(folder: str) -> list[str]:
    """What is recorded in a folder of `replies/`."""
    return sorted(path.stem for path in (REPLIES / folder).glob("*.http"))
