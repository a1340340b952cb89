"""The form of faults, wherever it is written: in a manifest, in a file of its own, at the running sandbox."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from pipeline.api import load
from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.form import form
from pipeline.model import JSON
from pipeline.sandbox.embedded import embedded
from pipeline.sandbox.fault_file import read_fault_file
from pipeline.sandbox.faults import BEHAVE, WORDS
from pipeline.sandbox.settings import Settings
from tests.sandbox.conftest import WISH, Gateway
from tests.sandbox.test_command import WORD, environment

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
GOOD: dict[str, JSON] = {"seed": 7, "submit": {"chance": {"429": 0.25}, "script": ["behave", "503"]}}


def words_of(phase: str) -> tuple[list[str], ...]:
    """Every list of words that the schema has for *phase*."""
    fields: dict[str, Any] = form().faults_schema["properties"][phase]["properties"]
    steps = [field["items"] for name, field in fields.items() if name != "chance"]
    lists = [fields["chance"]["propertyNames"]["enum"]]
    return (*lists, *(step["then"]["enum"] for step in steps), *(s["properties"]["fault"]["enum"] for s in steps))


@pytest.mark.parametrize("phase", WORDS)
def test_the_schema_has_the_words_that_the_sandbox_knows(phase: str) -> None:
    assert all(words == [BEHAVE, *WORDS[phase]] for words in words_of(phase))


def test_faults_survive_the_way_through_json() -> None:
    settings = Settings().changed({"faults": GOOD, "clock_skew_s": -3, "list_lag_s": 2})

    assert Settings().changed(json.loads(json.dumps(settings.as_json()))) == settings
    assert settings.as_json()["faults"] == GOOD


BAD: list[tuple[JSON, str]] = [
    ([], "expected a mapping, found a list"),
    ({"sumbit": {}}, "sumbit: unknown key 'sumbit'; did you mean 'submit'?"),
    ({"submit": {"chance": {"429": 2}}}, "submit.chance.429: 2 is out of range: the most is 1"),
    ({"submit": {"chance": {"429": True}}}, "expected a number"),
    ({"submit": {"chance": {"429": float("nan")}}}, "together nan"),
    ({"submit": {"chance": {"429": 0.6, "503": 0.5}}}, "submit.chance: the chances are together 1.1; 1 is the most"),
    ({"submit": {"chance": {"cut": 0.1}}}, "'cut' is not known here"),
    ({"poll": {"script": ["unknwn"]}}, "poll.script[0]: 'unknwn' is not known here; did you mean 'unknown'?"),
    ({"poll": {"script": ["reset"] * 1001}}, "1,001 entries; 1,000 is the most"),
    ({"content": {"each": [{"times": 2}]}}, "content.each[0]: missing: 'fault'"),
    ({"content": {"each": [{"fault": "cut", "times": 0}]}}, "content.each[0].times: 0 is out of range"),
    ({"videos": {"each": ["stuck"]}}, "videos.each: unknown key 'each'"),
    ({"redirect_to": "films.example"}, "redirect_to: 'films.example': write an address"),
    ({"seed": 1.5}, "seed: expected a whole number"),
]


@pytest.mark.parametrize(("faults", "message"), BAD)
def test_faults_that_cannot_be_are_named_with_their_place(faults: JSON, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings().changed({"faults": faults})

    assert str(caught.value).startswith("the sandbox's faults: ")
    assert message in str(caught.value)


def test_ten_tenths_are_one() -> None:
    tenths: dict[str, JSON] = dict.fromkeys(WORDS["submit"][:10], 0.1)

    assert Settings().changed({"faults": {"submit": {"chance": tenths}}}).faults.submit.chance == tenths


def test_faults_that_cannot_be_change_nothing_in_a_running_sandbox(standing: Gateway) -> None:
    standing.change({"faults": GOOD}).raise_for_status()
    reply = standing.change({"faults": {"submit": {"chance": {"429": 7}}}})

    assert reply.status_code == 400
    assert standing.debug("settings")["faults"] == GOOD
    assert standing.change({"faults": {}}).json()["faults"] == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faults.yaml", "seed: 7\nsubmit:\n  chance: {429: 0.25}\n  script: [behave, 503]\n"),
        ("faults.json", json.dumps(GOOD, indent=2)),
    ],
)
def test_a_file_of_faults_is_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert read_fault_file(tmp_path / name) == GOOD


WRONG = [
    ("sumbit: {}\npoll: {chance: {reset: 3}}\n", [(1, 1), (2, 24)]),
    ("submit:\n  chance: {429: 0.7, 503: 0.7}\n", [(2, 11)]),
    ("- submit\n", [(1, 1)]),
    ("submit: [\n", [(2, 1)]),
    ("submit: {}\njobs: []\n", [(2, 1)]),
]


@pytest.mark.parametrize(("text", "places"), WRONG)
def test_every_issue_of_a_file_has_its_place(tmp_path: Path, text: str, places: list[tuple[int, int]]) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidManifest) as caught:
        read_fault_file(path)

    assert [(issue.position.line, issue.position.column) for issue in caught.value.issues] == places


@pytest.mark.parametrize(
    ("text", "message"),
    [("sumbit: {}\n", "faults.yaml:1:1: unknown key 'sumbit'; did you mean 'submit'?"), (None, "there is no file")],
)
def test_the_command_ends_with_2_where_its_faults_cannot_be(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "faults.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    command = [*WORD, "--folder", str(tmp_path / "box"), "--faults", str(path)]

    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), timeout=60)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert not (tmp_path / "box").exists()


def test_the_command_serves_its_faults_and_ends_at_once_while_a_request_hangs(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("submit: {script: [no_answer]}\n", encoding="utf-8")
    options = ["--faults", str(path), "--list-lag-s", "3", "--clock-skew-s", "-4"]
    command = [*WORD, "--folder", str(tmp_path / "box"), *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment()) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        url = httpx.URL(server.stdout.readline().partition(" on ")[2].partition(";")[0])
        assert url.port is not None
        with (
            httpx.Client(base_url=url, headers={"Authorization": "Bearer sandbox"}, timeout=30) as client,
            socket.create_connection((url.host, url.port), timeout=30) as hanging,
        ):
            settings = client.get(url.copy_with(path="/debug/settings")).json()
            hanging.sendall(_create(client))
            while not client.get(url.copy_with(path="/debug/book")).json()["entries"]:
                assert server.poll() is None
            server.send_signal(signal.SIGINT)
            with pytest.raises(ConnectionResetError):
                hanging.recv(1)
        code, said = server.wait(timeout=30), server.stderr.read()

    assert (code, said) == (0, "")
    assert settings["faults"] == {"submit": {"script": ["no_answer"]}}
    assert (settings["list_lag_s"], settings["clock_skew_s"]) == (3, -4)


def _create(client: httpx.Client) -> bytes:
    """A create as it goes over the wire."""
    request = client.build_request("POST", "/videos", json=WISH)
    head = [b"POST " + request.url.raw_path + b" HTTP/1.1", *(k + b": " + v for k, v in request.headers.raw)]
    return b"\r\n".join([*head, b"", request.read()])


def test_a_run_brings_its_faults_to_the_sandbox_it_starts(tmp_path: Path) -> None:
    manifest = tmp_path / "night.yaml"
    manifest.write_text(
        "provider: {profile: sandbox, faults: {submit: {script: [503, reset_before]}}}\njobs: [{prompt: a heron}]\n",
        encoding="utf-8",
    )
    answers: list[str] = []

    async def ask_thrice() -> None:
        async with (
            embedded(tmp_path / "box", load(manifest).provider.options) as sandbox,
            httpx.AsyncClient(headers={"Authorization": f"Bearer {sandbox.key}"}, timeout=30) as client,
        ):
            for _ in range(3):
                try:
                    answers.append(str((await client.post(f"{sandbox.base_url}/videos", json=WISH)).status_code))
                except httpx.ReadError:
                    answers.append("reset")

    anyio.run(ask_thrice)

    assert answers == ["503", "reset", "200"]
    assert (tmp_path / "box" / "sandbox.log").read_text() == ""


def test_faults_for_a_sandbox_elsewhere_are_a_warning(tmp_path: Path) -> None:
    manifest = tmp_path / "night.yaml"
    manifest.write_text(
        "provider:\n  profile: sandbox\n  base_url: http://127.0.0.1:8700/v1\n  faults: {}\njobs: [prompt: a heron]\n",
        encoding="utf-8",
    )

    [warning] = load(manifest).warnings

    assert (warning.position.line, warning.code) == (4, "sandbox-only")
    assert "'base_url'" in warning.message


@pytest.mark.parametrize("phase", WORDS)
def test_the_documentation_tells_every_fault(phase: str) -> None:
    text = DOCS.read_text(encoding="utf-8").split("## Faults")[1].split("\n## ")[0]

    assert [word for word in WORDS[phase] if f"`{word}`" not in text] == []
