"""Fixtures of the runner's tests. Every test runs under asyncio and under trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.sandbox import film
from tests.runner.gateway import Gateway, serving
from tests.runner.night import Night

FILM_BYTES = 300_000
"""More than one read of a socket brings."""


@pytest.fixture(scope="session")
def a_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real MP4."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    film.plain(film.film_of({"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "64x64"}), FILM_BYTES, path)
    return path.read_bytes()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def night(a_film: bytes, tmp_path: Path) -> AsyncIterator[Night]:
    gateway = Gateway(a_film)
    async with serving(gateway) as base_url:
        yield Night(gateway=gateway, base_url=base_url, outputs=tmp_path)
