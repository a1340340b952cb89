"""The official SDK, in whichever of its majors is installed. `.ci/run` runs this folder with each of them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.sandbox import film
from tests.sandbox.conftest import KEY, Gateway, clock, gateway, start

if TYPE_CHECKING:
    from tests.sdk.foreign import Foreign

__all__ = ["clock", "gateway", "start"]

MAJOR = "SDK_MAJOR"
"""The variable that names the major that has to be here: with it, what is missing fails instead of being skipped."""


def needed(name: str) -> Any:
    """A package that is no part of the test extra."""
    if MAJOR in os.environ:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed (pip install 'vidbatch[sdk]'); .ci/run has it")


@pytest.fixture(scope="session")
def openai() -> Any:
    """Takes a second to import: not while tests are collected."""
    module = needed("openai")
    assert module.__version__.startswith(os.environ.get(MAJOR, "")), module.__version__
    return module


@pytest.fixture
def sdk(openai: Any, gateway: Gateway) -> Iterator[Any]:
    """Its client, which repeats nothing, before the sandbox."""
    with openai.OpenAI(base_url=str(gateway.client.base_url), api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def foreign(openai: Any, tmp_path: Path) -> Iterator[Foreign]:
    """Somebody else's server, whose films are real."""
    needed("flask")
    from tests.sdk.foreign import Foreign, serving

    path = tmp_path / "film.mp4"
    film.plain(film.film_of({"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "720x1280"}), 20_000, path)
    server = Foreign(film=path.read_bytes())
    with serving(server) as server.base_url:
        yield server
