"""Large manifests: what makes them fast is looked at here, not a clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jsonschema import Draft202012Validator

from pipeline.manifest.form import Form, form, manifest_schema
from pipeline.manifest.load import load
from pipeline.model import Manifest
from pipeline.profile import Profile

ROWS = 3_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What jsonschema was asked about while a test ran, with nothing known from before."""
    seen: list[Any] = []
    real = Draft202012Validator.iter_errors

    def counting(self: Any, instance: Any, *rest: Any) -> Any:
        seen.append(instance)
        return real(self, instance, *rest)

    fresh = Form(manifest_schema())
    monkeypatch.setattr("pipeline.manifest.load.form", lambda: fresh)
    monkeypatch.setattr(Draft202012Validator, "iter_errors", counting)
    yield seen
    form.cache_clear()


def load_csv(path: Path, profiles: dict[str, Profile]) -> Manifest:
    rows = "".join(f"shot {n} of a heron,{4 + n % 3 * 4},1280x720,scene {n % 7},{n}\n" for n in range(ROWS))
    path.write_text(f"prompt,seconds,size,scene,params.seed\n{rows}", encoding="utf-8")
    return load(path, find_profile=profiles.get, profile_names=sorted(profiles))


def test_a_long_csv_asks_the_schema_about_each_setting_once(
    tmp_path: Path, profiles: dict[str, Profile], asked: list[Any]
) -> None:
    manifest = load_csv(tmp_path / "m.csv", profiles)

    assert len(manifest.jobs) == ROWS
    assert 0 < len(asked) < 100


def test_a_long_csv_compiles_no_template(
    tmp_path: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a template was compiled")

    monkeypatch.setattr(jinja2.Environment, "from_string", refuse)

    assert len(load_csv(tmp_path / "m.csv", profiles).jobs) == ROWS


def test_jobs_share_what_is_the_same(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    first, second, *_ = load_csv(tmp_path / "m.csv", profiles).jobs

    assert first.size is second.size
    assert first.model is second.model
    assert first.axes is first.meta
    assert first.position is not second.position
