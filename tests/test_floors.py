"""The house's floors: an import points only to a row above its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent

FLOORS: list[set[str]] = [
    {
        *("version", "errors", "model", "lifecycle", "naming", "disk", "mounts", "words", "paths", "text", "memory"),
        *("loopback", "spellings", "pictures", "likeness", "ink", "limits", "profile", "wire", "signature", "columns"),
    },
    {"manifest"},
    {"providers"},
    {
        *("plan", "outlook", "chains", "waiting", "changes", "comparison", "forecast", "pacing", "expiry"),
        *("policy", "settling"),
    },
    {"ledger"},
    {"storage", "kept", "transport", "media"},
    {"progress"},
    {"runner", "views", "sandbox"},
    {"api", "prepare", "launch", "admission", "doubts", "doctor", "cancel", "posters", "report"},
    {"cli"},
]
FLOOR_OF = {name: n for n, names in enumerate(FLOORS) for name in names}
NEIGHBOURS_MAY_MEET = {0, 3, 5, 8}
"""Rows of single files that may use one another; the packages of a row stay apart."""


def part_of(module: str) -> str:
    """`pipeline.runner.watch` → `runner`."""
    return module.split(".")[1] if "." in module else ""


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "pipeline"}
    return {name for name in names if name.startswith("pipeline.")}


def climbs(part: str, imported: str) -> bool:
    """Whether *part* may not import *imported*."""
    if part == imported or imported.startswith("__"):
        return False
    here, there = FLOOR_OF[part], FLOOR_OF[imported]
    return there > here or (there == here and here not in NEIGHBOURS_MAY_MEET)


SOURCES = sorted(
    path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in {"__init__.py", "__main__.py"}
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_point_upward(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")

    wrong = sorted(name for name in imports_of(path) if climbs(part, part_of(name)))

    assert wrong == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_transport_knows_httpx(path: Path) -> None:
    users = "httpx" in path.read_text(encoding="utf-8") and any(
        (isinstance(node, ast.Import) and any(a.name.split(".")[0] == "httpx" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "httpx")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )

    assert not users or path.parent == ROOT / "transport"


def test_the_guard_sees_a_climb() -> None:
    assert climbs("manifest", "runner")
    assert climbs("views", "runner")
    assert not climbs("cli", "runner")
