"""Real films, in every layout that an MP4 may have, and both event loops."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.edges.films import LAYOUTS, encode, laid_out


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One film of 2 s at 128x72, by layout."""
    folder = tmp_path_factory.mktemp("films")
    front, end = (
        encode(folder / f"{name}.mp4", movflags=flags) for name, flags in (("front", "faststart"), ("end", ""))
    )
    made = {name: laid_out(name, front, end) for name in LAYOUTS}
    for name, content in made.items():
        (folder / name).write_bytes(content)
        with av.open(str(folder / name)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 48
    return made


@pytest.fixture
def film(films: dict[str, bytes]) -> bytes:
    """The film as most servers send it: `moov` first."""
    return films["front"]


@pytest.fixture
def a_path(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)
