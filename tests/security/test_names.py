"""Hostile prompts, ids, groups and templates, and hostile names from a provider: nothing leaves the run's folder."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.errors import InvalidManifest
from pipeline.ledger.replay import RunState
from pipeline.model import Manifest
from pipeline.naming import NAME_BYTES_MAX, PATH_BYTES_MAX, sidecar
from pipeline.plan import Action
from pipeline.prepare import Choice, outlook_on
from pipeline.storage import RunFolder
from tests.security.echo import Echo, serving
from tests.security.test_secrets import manifest as provider_manifest
from tests.security.test_secrets import vidbatch

HOSTILE = (
    *("<script>alert(1)</script>", "=cmd|' /C calc'!A0", "@SUM(1)", "-rf", "--help", "$(id)", "`id`", "{{ id }}"),
    *("../../x", "..", ".", "/etc/passwd", "C:\\x", "~root", "a/../b", "a//b", "\\\\host\\share", "x/./y", "%2e%2e/x"),
    *("CON", "aux.txt", "nul", "LPT1.mp4", "a.", "a ", " a", ".hidden", "a.mp4", "a.MP4.", "metadata.jsonl"),
    *("x" * 300, "😀" * 80, "é" * 90, "\u202egnp.exe", "a\nb", "a\rb", "\t", "ﬁ", "İ", "ß", "K", "a\u0301", "\u3000"),
    *("Heron", "heron", "HERON", "héron", "h\u00e9ron", "he\u0301ron", "-", "_", "0"),
)
PORTABLE = re.compile(r"(?:[a-z0-9][a-z0-9_-]*/)*[a-z0-9][a-z0-9_-]*\.mp4")
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
names = st.sampled_from(HOSTILE) | st.text(max_size=40) | st.text("aA.-_/ é\\", max_size=12)
entries = st.fixed_dictionaries(
    {"prompt": names.filter(str.strip)}, optional={"id": names, "group": names, "takes": st.integers(1, 3)}
)
templates = st.sampled_from(
    ["{{ group }}/{{ id }}", "{{ x }}/{{ id }}.mp4", "{{ x }}", "{{ id }}/{{ x }}", "{{ x }}/{{ x }}/{{ key }}"]
) | names.map(lambda name: f"{name}/{{{{ id }}}}")


def loaded(document: object) -> Manifest | None:
    """The manifest that *document* is; `None` where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.yaml"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8", errors="replace")
        try:
            return pipeline.load(path)
        except InvalidManifest:
            return None


def inside(root: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(jobs=st.lists(entries, min_size=1, max_size=5), x=names, name=names, output=st.none() | templates)
@example(jobs=[{"prompt": name, "group": name} for name in HOSTILE], x="", name="..", output=None)
@example(jobs=[{"prompt": "a", "id": "Heron"}, {"prompt": "b", "id": "heron"}], x="", name="CON", output=None)
def test_every_path_of_a_plan_is_portable_inside_the_run_and_nobody_elses(
    jobs: list[dict[str, object]], x: str, name: str, output: str | None
) -> None:
    document = {"name": name or "night", "vars": {"x": x}, "jobs": jobs}
    found = loaded(document | ({"output": {"path": output}} if output else {}))
    if found is None:
        return
    with tempfile.TemporaryDirectory() as outputs:
        folder = RunFolder(Path(outputs) / found.name)
        taken = folder.video(found.jobs[0].path)
        taken.parent.mkdir(parents=True)
        taken.write_bytes(b"somebody's")

        plan = outlook_on(found, Choice(outputs=Path(outputs)), folder, RunState()).plan

        steps = [step for step in plan.steps if step.action is Action.SUBMIT]
        files = [file for step in steps for file in (step.job.path, sidecar(step.job.path))]
        assert len(steps) == len(found.jobs)
        assert folder.path.parent == Path(outputs)
        assert all(inside(folder.videos, folder.video(file)) for file in files)
        assert folder.videos / "metadata.jsonl" not in map(folder.video, files)
        assert taken not in map(folder.video, files)
        assert len({file.casefold() for file in files}) == len(files)
        for step in steps:
            path = step.job.path
            assert PORTABLE.fullmatch(path)
            assert len(path) <= PATH_BYTES_MAX
            assert not any(RESERVED.match(part) or len(part) > NAME_BYTES_MAX for part in path.split("/"))


def everything_below(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_of_hostile_prompts_and_groups_stays_in_its_folder_and_its_metadata_in_its_lines(
    tmp_path: Path, a_film: bytes
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    prompts = [f"{name} {n}" for n, name in enumerate(HOSTILE) if "{{" not in name and "\r" not in name]
    jobs = [{"prompt": prompt, "group": prompt} for prompt in prompts]
    echo = Echo(a_film)
    with serving(echo) as base_url:
        provider = {"profile": "sandbox", "base_url": base_url}
        limits = {"submits_per_minute": 60_000, "submit_slots": 4, "in_flight": 50}
        document = {"name": "../../Night", "provider": provider, "limits": limits, "jobs": jobs}
        (work / "n.yaml").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        told = vidbatch(work, ["run", "n.yaml"], VIDBATCH_SANDBOX_KEY="sk-Wombat-1234567890")

    assert told.code == 0, told.stderr
    assert {name.split("/")[0] for name in everything_below(tmp_path)} == {"work"}
    assert {name.split("/")[0] for name in everything_below(work)} == {"n.yaml", "outputs"}
    [run] = (work / "outputs").iterdir()
    lines = (run / "videos" / "metadata.jsonl").read_bytes().split(b"\n")
    rows = [json.loads(line) for line in lines if line]
    assert sorted(row["text"] for row in rows) == sorted(prompts)
    assert all((run / "videos" / row["file_name"]).read_bytes() == a_film for row in rows)
    assert not any(name.endswith(".sh") for name in everything_below(tmp_path)), "no name of the provider's"


@pytest.mark.parametrize(
    "link", ["videos/coast", "videos", "manifests", "ledger.jsonl", "run.log", "videos/metadata.jsonl"]
)
def test_a_link_that_leads_out_of_the_run_folder_is_not_written_through(
    tmp_path: Path, a_film: bytes, link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    kept = outside / "kept"
    kept.write_text("mine", encoding="utf-8")
    run = tmp_path / "work" / "outputs" / "night"
    (run / link).parent.mkdir(parents=True)
    (run / link).symlink_to(outside if "." not in link else kept)
    echo = Echo(a_film)
    with serving(echo) as base_url:
        path = provider_manifest(tmp_path / "work", profile="sandbox", base_url=base_url, prompts=["a heron"])
        path.write_text(path.read_text("utf-8").replace("{id:", "{group: coast, id:"), encoding="utf-8")
        told = vidbatch(tmp_path / "work", ["run", path.name], VIDBATCH_SANDBOX_KEY="sk-Wombat-1234567890")

    assert told.code in {2, 3}, told.stderr
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert kept.read_text("utf-8") == "mine"
    assert echo.requests == 0


IDS = ("../../x", "..", ".", "a/b?c#d", "x" * 512, "%2e%2e%2f", "a\x00b", "a\r\nhost: evil", "é 😀", "-rf", "a;b&c=d")


def test_a_hostile_id_is_one_segment_of_a_path_and_no_part_of_a_files_name(tmp_path: Path, a_film: bytes) -> None:
    echo = Echo(a_film)
    echo.ids = {f"heron {n}": video_id for n, video_id in enumerate(IDS)}
    with serving(echo) as base_url:
        path = provider_manifest(tmp_path, profile="sandbox", base_url=base_url, prompts=list(echo.ids))
        told = vidbatch(tmp_path, ["run", path.name], VIDBATCH_SANDBOX_KEY="sk-Wombat-1234567890")

    fetched = {target for target in echo.targets if target.endswith("/content")}
    assert told.code == 0, told.stderr
    assert {unquote(target.split("/")[3]) for target in fetched} == set(IDS)
    assert all(re.fullmatch(r"/v1/videos/[^/?#]+/content", target) for target in fetched)
    videos = tmp_path / "outputs" / "night" / "videos"
    assert {path.name for path in videos.glob("*.mp4")} == {f"{n}.mp4" for n in range(len(IDS))}
