"""What the tests of hostile providers and manifests share."""

from __future__ import annotations

import pytest

from pipeline.sandbox import film

FILM_BYTES = 30_000


@pytest.fixture(scope="session")
def a_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real MP4."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    film.plain(film.film_of({"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "64x64"}), FILM_BYTES, path)
    return path.read_bytes()
