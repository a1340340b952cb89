"""Where the files that ship with the package live: beside the code in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def schemas_folder() -> Path:
    """The JSON Schemas."""
    return _shipped("schemas")


def example_folder() -> Path:
    """The example manifests, which run as they are."""
    return _shipped("manifests")


def _shipped(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name
