"""What `load` promises around the cases: wishes of the command line, files that cannot be read, and what it leaves."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.document import ALIKE_MAX
from pipeline.manifest.load import Wishes, load
from pipeline.manifest.report import render_issue
from pipeline.manifest.words import Pen
from pipeline.model import Manifest
from pipeline.profile import ModelOffer, Profile
from pipeline.wire import FIELDS, Sent, Wire

Loader = Callable[..., Manifest]


@pytest.fixture
def read(tmp_path: Path, profiles: dict[str, Profile]) -> Loader:
    """Load a manifest of the given text."""

    def read(text: str, name: str = "m.yaml", **wishes: object) -> Manifest:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return load(
            path,
            find_profile=profiles.get,
            profile_names=sorted(profiles),
            wishes=Wishes(**wishes),  # type: ignore[arg-type]
        )

    return read


def codes(read: Loader, text: str, name: str = "m.yaml", **wishes: object) -> list[str]:
    with pytest.raises(InvalidManifest) as caught:
        read(text, name, **wishes)
    return [issue.code for issue in caught.value.issues]


def test_the_command_line_names_the_provider_of_a_csv(read: Loader) -> None:
    manifest = read("prompt\na heron\n", "birds.csv", provider="dmxapi")

    assert manifest.profile.name == "dmxapi"
    assert manifest.jobs[0].size == "720x1280"


def test_the_provider_is_part_of_what_is_asked_for(read: Loader) -> None:
    text = "prompt,seconds,size\na heron,4,1280x720\n"

    keys = {read(text, "birds.csv", provider=name).jobs[0].key for name in ("sandbox", "dmxapi")}

    assert len(keys) == 2


def test_another_provider_does_not_inherit_the_manifests_address(read: Loader) -> None:
    text = "provider: {profile: dmxapi, base_url: 'https://a.example/v1', api_key_env: K}\njobs: [{prompt: a heron}]\n"

    assert read(text, provider="sandbox").provider.base_url == ""
    assert read(text, provider="dmxapi").provider.base_url == "https://a.example/v1"


def test_an_unknown_provider_of_the_command_line_is_its_mistake_not_the_manifests(read: Loader) -> None:
    with pytest.raises(UsageError, match=r"no provider 'sandbx'; did you mean 'sandbox'"):
        read("jobs: [{prompt: a heron}]\n", provider="sandbx")


def test_what_the_provider_refuses_can_be_allowed_and_is_then_a_warning(read: Loader) -> None:
    text = "jobs:\n  - prompt: a heron\n    seconds: 5\n    model: sora-9\n  - {prompt: a tug, size: 1x1}\n"

    assert codes(read, text) == ["profile-seconds", "profile-model", "profile-size"]  # seconds: sora-9 is nearly sora-2
    manifest = read(text, allow_unknown=True)
    assert [warning.code for warning in manifest.warnings] == ["profile-seconds", "profile-model", "profile-size"]
    assert all(warning.warning for warning in manifest.warnings)
    assert manifest.jobs[0].seconds == 5


@pytest.mark.parametrize("allow_unknown", [False, True])
def test_what_the_provider_calls_a_field_of_ours_and_a_model_for_results_are_refused_whatever_is_allowed(
    read: Loader, profiles: dict[str, Profile], *, allow_unknown: bool
) -> None:
    sent = {**FIELDS, "seconds": Sent(name="duration", form="integer"), "size": Sent(name="size", form="sides")}
    wire = Wire(fields=sent, result_models={"sora-*": "sora-get"})
    profiles["dmxapi"] = replace(profiles["dmxapi"], wire=wire, params=None, models={"*": ModelOffer()})
    jobs = "  - {prompt: a, params: {duration: 8, width: 1, seed: 7}}\n  - {prompt: b, model: sora-get}\n"
    text = f"provider: dmxapi\njobs:\n{jobs}"

    with pytest.raises(InvalidManifest) as caught:
        read(text, allow_unknown=allow_unknown)

    told = [(issue.code, issue.position.line, issue.path) for issue in caught.value.issues if not issue.warning]
    assert told == [
        ("reserved-name", 3, "jobs[0].params.duration"),
        ("reserved-name", 3, "jobs[0].params.width"),
        ("profile-model", 4, "jobs[1].model"),
    ]
    assert caught.value.issues[0].message == "'duration' is how dmxapi calls the seconds; write 'seconds' instead"


def test_extensions_beyond_what_the_provider_makes_can_be_allowed_and_are_then_warnings(read: Loader) -> None:
    entries = "".join(f"  - {{id: e{n}, extend_of: e{n - 1}, prompt: on, seconds: 8}}\n" for n in (1, 2, 3))
    text = f"provider: studio\njobs:\n  - {{id: e0, prompt: a heron}}\n{entries}"

    assert codes(read, text) == ["profile-extensions", "profile-length"]
    manifest = read(text, allow_unknown=True)
    assert [warning.code for warning in manifest.warnings] == ["profile-extensions", "profile-length"]
    assert len(manifest.jobs) == 4


def test_a_very_large_entry_wants_consent(read: Loader) -> None:
    text = "jobs: [{id: n, prompt: a heron, takes: 100001}]\n"

    assert codes(read, text) == ["too-many"]
    manifest = read(text, allow_large=True)
    assert len(manifest.jobs) == 100_001
    assert manifest.jobs[-1].id == "n-t100001"


def test_even_with_consent_a_chain_that_doubles_with_each_link_has_an_end(
    read: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.manifest.expand.LARGE_JOBS_MAX", 100)
    links = "".join(f"  - {{id: j{n + 1}, prompt: p, remix_of: j{n}, takes: 2}}\n" for n in range(40))

    with pytest.raises(InvalidManifest) as caught:
        read(f"jobs:\n  - {{id: j0, prompt: p, takes: 2}}\n{links}", allow_large=True)

    [issue] = caught.value.issues
    assert (issue.message, issue.position.line) == ("more than 100 jobs up to here", 7)


def test_so_does_a_very_large_manifest(read: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.expand.JOBS_MAX", 10)
    text = "jobs:\n" + "".join(f"  - {{id: n{n}, prompt: heron {n}, takes: 4}}\n" for n in range(9))

    with pytest.raises(InvalidManifest) as caught:
        read(text)

    [issue] = caught.value.issues
    assert (issue.code, issue.position.line) == ("too-many", 4)
    assert len(read(text, allow_large=True).jobs) == 36


def test_of_issues_alike_the_first_few_are_told_and_all_are_counted(read: Loader) -> None:
    rows = "".join(f"heron {n},7,1x1\n" for n in range(4_000))

    with pytest.raises(InvalidManifest) as caught:
        read(f"prompt,seconds,size\n{rows}", "m.csv")

    issues = caught.value.issues
    assert len(issues) == 2 * ALIKE_MAX
    assert [issue.position.line for issue in issues] == [2 + n // 2 for n in range(2 * ALIKE_MAX)]
    assert [issue.more for issue in issues] == [0] * (2 * ALIKE_MAX - 2) + [4_000 - ALIKE_MAX] * 2
    assert render_issue(issues[-1]).splitlines()[0].endswith("(size); and 3,980 more like it")


def test_a_yaml_file_is_read_up_to_its_largest_size_and_a_data_file_further_with_consent(
    read: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.manifest.reading.BYTES_MAX", 60)
    monkeypatch.setattr("pipeline.manifest.reading.LARGE_BYTES_MAX", 90)
    row = "a heron that stands in the shallow water of a river at dawn"

    assert len(f"jobs: [{{prompt: {row}}}]\n") > 60
    assert codes(read, f"jobs: [{{prompt: {row}}}]\n") == ["too-large"]
    assert codes(read, f"jobs: [{{prompt: {row}}}]\n", allow_large=True) == ["too-large"]
    assert codes(read, f"prompt\n{row}\n", "m.csv") == ["too-large"]
    assert read(f"prompt\n{row}\n", "m.csv", allow_large=True).jobs
    assert codes(read, f"prompt\n{row}\n{row}\n", "m.csv", allow_large=True) == ["too-large"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.yaml", "there is no file"),
        ("folder", "is a folder"),
        ("notes.txt", "must end in one of .yaml, .yml, .csv"),
        ("manifest.json", "must end in one of .yaml"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_in_one_sentence(
    tmp_path: Path, profiles: dict[str, Profile], name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("notes.txt", "manifest.json"):
        (tmp_path / file).write_text("{}", encoding="utf-8")

    with pytest.raises(UsageError, match=said):
        load(tmp_path / name, find_profile=profiles.get, profile_names=sorted(profiles))


def test_a_device_is_no_manifest(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    link = tmp_path / "m.yaml"
    link.symlink_to("/dev/zero")

    with pytest.raises(UsageError, match="not a regular file"):
        load(link, find_profile=profiles.get, profile_names=sorted(profiles))


def test_a_yaml_file_has_a_largest_size(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    path = tmp_path / "m.yaml"
    with path.open("wb") as file:
        file.truncate(64 * 2**20 + 1)

    with pytest.raises(InvalidManifest) as caught:
        load(path, find_profile=profiles.get, profile_names=sorted(profiles))

    assert [(issue.code, issue.position.line) for issue in caught.value.issues] == [("too-large", 1)]


def test_a_prompt_file_cannot_be_reached_through_a_link_that_leaves(read: Loader, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("secret", encoding="utf-8")
    (tmp_path / "inside.txt").symlink_to(outside)

    assert codes(read, "jobs: [{prompt_file: inside.txt}]\n") == ["outside-folder"]


def test_a_prompt_file_in_another_encoding_or_too_large_is_an_issue(read: Loader, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("un héron".encode("latin-1"))
    (tmp_path / "large.txt").write_bytes(b"x" * (2**20 + 1))
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    entries = "".join(f"  - prompt_file: {name}.txt\n" for name in ("latin", "large", "loop"))

    assert codes(read, f"jobs:\n{entries}") == ["wrong-encoding", "too-large", "missing-file"]


def test_a_prompt_file_is_kept_with_the_manifest(read: Loader, tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_bytes(b"\xef\xbb\xbfa {{ colour }} fox\r\nruns\r\n")

    manifest = read("vars: {colour: red}\njobs: [{prompt_file: fox.txt}]\n")

    assert manifest.jobs[0].prompt == "a red fox\nruns"
    assert [file.name for file in manifest.files] == ["m.yaml", "fox.txt"]
    assert manifest.files[1].content == (tmp_path / "fox.txt").read_bytes()


@pytest.mark.parametrize(
    ("stem", "name"), [("Harbour at Dawn", "harbour-at-dawn"), ("con", "con-x"), ("v1.2", "v1-2"), ("..", "")]
)
def test_a_run_is_called_after_its_file_in_a_way_that_every_file_system_takes(
    read: Loader, stem: str, name: str
) -> None:
    manifest = read("jobs: [{prompt: a heron}]\n", f"{stem}.yaml")

    assert manifest.name == name if name else manifest.name.strip(".-")


def test_one_wish_written_in_three_formats_is_one_key(read: Loader) -> None:
    keys = {
        read(text, name).jobs[0].key
        for name, text in {
            "a.yaml": "jobs: [{prompt: a heron, seconds: 8.0, params: {seed: 7}}]\n",
            "a.csv": "prompt,seconds,params.seed\na heron,8,7\n",
            "a.jsonl": '{"prompt": "a heron", "seconds": "8", "params": {"seed": 7}}\n',
        }.items()
    }

    assert len(keys) == 1


def test_loading_leaves_the_collector_as_it_was(read: Loader) -> None:
    gc.disable()
    try:
        read("jobs: [{prompt: a heron}]\n")
        assert not gc.isenabled()
    finally:
        gc.enable()
    codes(read, "jobs: []\n")
    assert gc.isenabled()


def test_an_issue_never_shows_a_line_that_may_hold_a_secret(read: Loader) -> None:
    text = (
        "provider:\n  profile: dmxapi\n  api_key: sk-123\n  base_url: https://a:b@c.example/v1\njobs: [{prompt: x}]\n"
    )

    with pytest.raises(InvalidManifest) as caught:
        read(text)

    assert [(issue.code, issue.source) for issue in caught.value.issues] == [("secret", ""), ("bad-url", "")]
    assert "sk-123" not in str([issue.message for issue in caught.value.issues])


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://api.example.com/v1", None),
        ("http://localhost:8000/v1", None),
        ("http://127.9.9.9/v1", None),
        ("http://[::1]:80/v1", None),
        ("http://localhost.example.com/v1", "insecure-url"),
        ("http://127.0.0.1.example.com/v1", "insecure-url"),
        ("http://10.0.0.1/v1", "insecure-url"),
        ("ftp://a.example/v1", "bad-url"),
        ("https://", "bad-url"),
        ("https://a.example:port/v1", "bad-url"),
        ("https://[::1/v1", "bad-url"),
        ("https://a.example/v1?key=1", "bad-url"),
        ("https://a.example/v1#", "bad-url"),
        ("https://a.example/ v1", "bad-url"),
        ("https://user@a.example/v1", "bad-url"),
    ],
)
def test_a_key_is_only_sent_where_nobody_else_can_read_it(read: Loader, url: str, code: str | None) -> None:
    text = f"provider: {{profile: dmxapi, base_url: '{url}'}}\njobs: [{{prompt: a heron}}]\n"

    if code is None:
        assert read(text).provider.base_url == url
    else:
        assert codes(read, text) == [code]


def test_made_ids_that_would_be_alike_are_lengthened_whatever_their_order(
    read: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.manifest.making.derived_id", lambda *_: "a-heron-000000")
    entries = ["  - prompt: a heron one\n", "  - prompt: a heron two\n"]

    there = {job.key: (job.id, job.path) for job in read(f"jobs:\n{entries[0]}{entries[1]}").jobs}
    back = {job.key: (job.id, job.path) for job in read(f"jobs:\n{entries[1]}{entries[0]}").jobs}

    assert there == back
    assert {name for name, _ in there.values()} == {f"a-heron-000000-{key[:12]}" for key in there}
    assert all(path == f"{name}.mp4" for name, path in there.values())


def test_columns_that_take_jinja_for_text_are_never_filled_in(read: Loader) -> None:
    manifest = read("prompt,group,mood\n{{ 7 * 7 }},{{ x }},{% raw %}\n", "birds.csv")

    assert manifest.jobs[0].prompt == "{{ 7 * 7 }}"
    assert manifest.jobs[0].meta == {"mood": "{% raw %}"}


def test_a_row_may_span_lines_and_the_next_row_still_knows_its_own(read: Loader) -> None:
    text = 'prompt,seconds\r\n"a heron\r\nat dawn",4\r\n\r\na tug,5\r\n'

    with pytest.raises(InvalidManifest) as caught:
        read(text, "birds.csv")

    position = caught.value.issues[0].position
    assert (position.line, position.column) == (5, 7)


def test_a_wish_that_makes_no_job_without_an_issue_is_our_fault_and_no_manifest(
    read: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pen, "words", lambda *_: None)

    with pytest.raises(AssertionError, match="1 jobs are asked for and 0 made"):
        read("jobs: [{prompt: a heron}]\n")
