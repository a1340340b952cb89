"""A provider of one's own on the command line, and one whose address was shut down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.api import load, load_kept, profile_of
from pipeline.cli.redact import secrets_of
from pipeline.errors import InvalidManifest, UsageError
from pipeline.ledger.ledger import read_run
from pipeline.manifest.load import Wishes
from tests.cli.conftest import Vidbatch
from tests.cli.test_plan import begin
from tests.sandbox.conftest import KEY, Clock, running

OWN = """\
name: mine
based_on: sandbox
title: Mine
params: [seed]
"""
GATE = "https://gate.example/v1"
FAR = OWN + "base_url: https://gate.example/v1\nkey_env: [GATE_PASS]\nauth: {header: X-Gate}\n"
MANIFEST = "provider: ./own/mine.yaml\njobs:\n  - {id: fox, prompt: a fox, model: sketch, seconds: 1, size: 64x64}\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest, and a profile that it names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")


def install(text: str, name: str = "mine") -> None:
    """Put a profile where this person's are."""
    folder = Path("config/vidbatch/profiles")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_run_by_a_file_goes_on_without_that_file(in_process: Vidbatch) -> None:
    begin(Path("m.yaml"))
    begin(Path("m.yaml"), "fox")
    keys = set(read_run(Path("outputs/m")).jobs)
    Path("own/mine.yaml").unlink()

    again = in_process("run", "outputs/m")

    assert (again.returncode, "nothing was left to do" in again.stdout) == (0, True)
    assert set(read_run(Path("outputs/m")).jobs) == keys
    assert len(list(Path("outputs/m/manifests").glob("*.json"))) == 1
    state = read_run(Path("outputs/m"))
    for place in (Path("outputs/m"), Path("outputs/m/ledger.jsonl")):
        known = profile_of(state, place)
        assert known is not None
        assert (known.name, known.params) == ("mine", ("seed",))
    assert load_kept("outputs/m", Wishes(provider="sandbox")).profile.home == ""


def test_a_run_comes_home_with_the_profile_that_it_was_bought_with_whatever_is_refused_today(
    in_process: Vidbatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = f"{OWN}problems: [{{to: look, code: TASK_EXPIRED, means: gone}}]\nconstants: {{token: abc}}\n"
    Path("own/mine.yaml").write_text(doubtful, encoding="utf-8")
    with monkeypatch.context() as earlier:
        earlier.setattr("pipeline.providers.own.nonsense", lambda *_, **__: ())
        begin(Path("m.yaml"), "fox")

    again = in_process("run", "outputs/m")

    assert (again.returncode, "nothing was left to do" in again.stdout) == (0, True)
    assert again.stderr.count("state the 'http' beside it") == again.stderr.count("a key does not belong") == 1
    assert "abc" not in again.stderr
    assert profile_of(read_run(Path("outputs/m")), Path("outputs/m")) is not None
    assert in_process("run", "m.yaml").returncode == 2


@pytest.mark.parametrize("provider", ["mine", "./own/mine.yaml", "own/mine.yaml"])
def test_a_job_has_the_same_key_however_its_profile_is_named(tmp_path: Path, provider: str) -> None:
    install(OWN)
    Path("p.csv").write_text("prompt\na fox\n", encoding="utf-8")

    by_wish = load("p.csv", Wishes(provider=provider)).jobs
    Path("p.yaml").write_text(f"provider: {provider}\njobs:\n  - prompt: a fox\n", encoding="utf-8")
    manifest = load(tmp_path / "p.yaml")

    assert manifest.jobs[0].key == by_wish[0].key == load("p.csv", Wishes(provider="mine")).jobs[0].key
    assert (manifest.provider.profile, manifest.profile.title) == ("mine", "Mine")


def test_what_is_wrong_with_manifest_and_profile_is_told_together(in_process: Vidbatch) -> None:
    Path("own/mine.yaml").write_text(f"{OWN}boddy: json\n", encoding="utf-8")
    Path("m.yaml").write_text(MANIFEST.replace("prompt:", "promt:"), encoding="utf-8")

    done = in_process("validate", "m.yaml")

    assert done.returncode == 2
    assert "own/mine.yaml:5:1: unknown key 'boddy'; did you mean 'body'? (boddy)\n 5 | boddy: json" in done.stdout
    assert "m.yaml:3:15: unknown key 'promt'" in done.stdout
    assert in_process("profiles", "own/mine.yaml").returncode == 2


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ("provider: ./no.yaml", "missing-file"),
        ("provider: ../no.yaml", "outside-folder"),
        ("provider: min", "unknown-profile"),
    ],
)
def test_a_profile_that_is_not_there_is_an_issue_where_it_is_named(manifest: str, code: str) -> None:
    Path("n.yaml").write_text(f"{manifest}\njobs:\n  - prompt: a fox\n", encoding="utf-8")
    with pytest.raises(InvalidManifest) as caught:
        load("n.yaml")
    assert [(str(i.position), i.code) for i in caught.value.issues] == [("n.yaml:1:11", code)]
    with pytest.raises(UsageError, match=r"there is no file .*no\.yaml"):
        load("m.yaml", Wishes(provider="./no.yaml"))


def test_profiles_lists_own_ones_and_names_those_that_cannot_be_read(in_process: Vidbatch) -> None:
    install(FAR)
    install("name: broken\n", "broken")

    listed, shown = in_process("profiles"), in_process("profiles", "mine", GATE_PASS="canary-9")
    rows = {line.split()[0]: line.split()[1] for line in listed.stdout.splitlines()}

    assert (rows["mine"], rows["openai"], "broken" in rows) == ("you", "vidbatch", False)
    assert "vidbatch: broken: 1 issue: vidbatch profiles broken\n" in listed.stderr
    assert "config/vidbatch/profiles/mine.yaml" in shown.stdout
    assert "GATE_PASS (set)" in shown.stdout
    assert secrets_of({"GATE_PASS": "canary-9"}) == ("canary-9",)
    document = json.loads(in_process("profiles", "mine", "--json").stdout)
    assert document["wire"]["auth"] == {"header": "x-gate", "prefix": ""}
    assert (document["dialect"], document["seeds"], document["lists"]) == ("videos", True, True)
    assert "did you mean 'mine'?" in in_process("profiles", "mnie").stderr


def test_a_retired_address_is_refused_until_it_is_allowed_and_noted_elsewhere(in_process: Vidbatch) -> None:
    install(f"{FAR}retired: 2026-01-02\n")
    key = {"GATE_PASS": "canary-9"}
    Path("other.yaml").write_text(
        MANIFEST.replace("./own/mine.yaml", "{profile: mine, base_url: https://other.example/v1}"), encoding="utf-8"
    )

    refused = in_process("run", "m.yaml", "--provider", "mine", **key)
    warned = in_process("plan", "m.yaml", "--provider", "mine", **key)
    allowed = in_process("plan", "m.yaml", "--provider", "mine", "--allow-retired", **key)
    elsewhere = in_process("plan", "other.yaml", **key)
    nowhere = in_process("plan", "m.yaml", "--provider", "azure", "--allow-unknown", AZURE_OPENAI_BASE_URL=GATE)

    assert (refused.returncode, "--allow-retired" in refused.stderr) == (2, True)
    assert "would refuse this: Mine at https://gate.example/v1 was shut down on 2026-01-02" in warned.stderr
    assert allowed.stderr.startswith("note: Mine at https://gate.example/v1 was shut down on 2026-01-02")
    assert elsewhere.stderr.startswith("note: Mine was shut down on 2026-01-02; https://other.example/v1 is another")
    assert nowhere.stderr.endswith(f" retired this on 2026-11-02: {GATE} may make no video any more\n")


def test_a_run_at_another_server_notes_that_the_profiles_own_was_shut_down(
    in_process: Vidbatch, tmp_path: Path
) -> None:
    install(f"{OWN}base_url: {GATE}\nkey_env: [GATE_PASS]\nbase_url_env: [GATE_URL]\nretired: 2026-01-02\n")
    with running(tmp_path / "there", Clock(), render_s=0, film={"constant_bytes": 4096}) as gateway:
        there = str(gateway.client.base_url).rstrip("/")
        told, quiet = (
            in_process("run", "m.yaml", "--provider", "mine", "--yes", *words, GATE_URL=there, GATE_PASS=KEY)
            for words in ((), ("--quiet",))
        )

    assert (told.returncode, quiet.returncode) == (0, 0)
    assert f"note: Mine was shut down on 2026-01-02; {there} is another server that speaks its API\n" in told.stderr
    assert quiet.stderr == ""


def test_validate_warns_of_an_address_that_was_shut_down_and_not_of_another(in_process: Vidbatch) -> None:
    install(f"{FAR}retired: 2026-01-02\nbase_url_env: [GATE_URL]\n")

    own = in_process("validate", "m.yaml", "--provider", "mine", "--format", "json")
    other = in_process("validate", "m.yaml", "--provider", "mine", GATE_URL="https://other.example/v1")

    assert (own.returncode, [issue["code"] for issue in json.loads(own.stdout)]) == (0, ["profile-retired"])
    assert (other.returncode, other.stdout) == (0, "m.yaml: 1 job, no issues\n")
