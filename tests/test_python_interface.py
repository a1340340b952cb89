"""`import pipeline`: the documented example runs, and importing costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pipeline
from pipeline.paths import example_folder

ROOT = Path(pipeline.__file__).parent.parent
HEAVY = ("anyio", "httpx", "jinja2", "jsonschema", "tqdm", "yaml", "av", "starlette")


def documented_example() -> str:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_example_makes_the_quickstart_videos(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/quickstart.yaml").write_bytes((example_folder() / "quickstart.yaml").read_bytes())

    ended = subprocess.run(
        [sys.executable, "-c", documented_example()],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("6 videos for ")
    assert ended.stdout.count("finished -> stored ") == 6
    assert len(list((tmp_path / "outputs/quickstart/videos").rglob("*.mp4"))) == 6


def test_every_public_name_can_be_had() -> None:
    for name in pipeline.__all__:
        assert getattr(pipeline, name) is not None

    assert set(pipeline.__all__) <= set(dir(pipeline))


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, pipeline; print([name for name in {HEAVY!r} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
