"""OpenAI Batch lines as a manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import load
from pipeline.model import Issue, Manifest
from pipeline.profile import Profile

Read: TypeAlias = Callable[..., Manifest]


def request(custom_id: str = "heron", **body: Any) -> dict[str, Any]:
    return {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/videos",
        "body": {"model": "sora-2", "prompt": "a heron", **body},
    }


@pytest.fixture
def read(tmp_path: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)

    def load_lines(*lines: Mapping[str, Any]) -> Manifest:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        Path("batch.jsonl").write_text(text, encoding="utf-8")
        return load(Path("batch.jsonl"), find_profile=profiles.get, profile_names=sorted(profiles))

    return load_lines


def issues(read: Read, *lines: Mapping[str, Any]) -> tuple[Issue, ...]:
    with pytest.raises(InvalidManifest) as caught:
        read(*lines)
    return caught.value.issues


def test_a_request_is_a_job_with_its_settings_and_the_rest_of_the_body_as_params(read: Read) -> None:
    [job] = read(request("heron-1", seconds="8", size="720x1280", seed=7, style={"film": True})).jobs

    assert (job.id, job.prompt, job.model, job.seconds, job.size) == ("heron-1", "a heron", "sora-2", 8, "720x1280")
    assert job.params == {"seed": 7, "style": {"film": True}}
    assert job.meta == {}


def test_a_request_and_a_plain_line_that_ask_for_the_same_are_the_same_wish(read: Read) -> None:
    [batch] = read(request(seconds="8", seed=7)).jobs
    [plain] = read({"id": "heron", "prompt": "a heron", "model": "sora-2", "seconds": 8, "params": {"seed": 7}}).jobs

    assert batch.key == plain.key


@pytest.mark.parametrize(
    ("custom_id", "form"),
    [("Task 1/heron", "task-1-heron"), ("-heron", "heron"), ("цапля", "[0-9a-f]{6}"), ("x" * 200, "x{73}-[0-9a-f]{6}")],
)
def test_a_custom_id_that_is_no_id_is_made_one_and_kept_beside_the_video(custom_id: str, form: str, read: Read) -> None:
    [job] = read(request(custom_id)).jobs

    assert job.meta == {"custom_id": custom_id}
    assert re.fullmatch(form, job.id)


def test_custom_ids_that_come_to_the_same_id_are_an_issue_at_the_later_one(read: Read) -> None:
    [found] = issues(read, request("a heron"), request("a/heron", seed=1))

    assert (found.code, found.position.line, found.position.column, found.path) == ("duplicate-id", 2, 15, "custom_id")


def test_lines_that_ask_for_the_same_are_takes_of_it_in_their_order(read: Read) -> None:
    jobs = read(request("one", seed=1), request("two", seed=2), request("three", seed=1)).jobs

    assert [(job.id, job.take) for job in jobs] == [("one", 1), ("two", 1), ("three", 2)]
    assert len({job.key for job in jobs}) == 3


def test_the_order_of_the_names_in_a_body_and_the_type_of_its_seconds_say_nothing(read: Read) -> None:
    first, second = request("one", seconds="8", seed=1), request("two", seed=1, seconds=8)

    assert [job.take for job in read(first, second).jobs] == [1, 2]


@pytest.mark.parametrize("name", ["custom_id", "method", "url", "body"])
def test_a_name_that_is_missing_is_told_and_not_taken_for_a_plain_line(name: str, read: Read) -> None:
    line = request()
    del line[name]

    [found] = issues(read, line)

    assert (found.code, found.message) == ("missing-field", f"missing: '{name}'")


@pytest.mark.parametrize(
    ("body", "path", "written"),
    [
        ({"seconds": "7"}, "body.seconds", '"7"'),
        ({"size": "16:9"}, "body.size", '"16:9"'),
        ({"n b": 1}, 'body["n b"]', '"n b"'),
        ({"seed": {"seconds": 1}, "prompt": ""}, "body.prompt", '""'),
    ],
)
def test_an_issue_of_the_body_stands_where_it_is_written(
    body: dict[str, Any], path: str, written: str, read: Read
) -> None:
    line = request(**body)

    [found] = issues(read, line)

    assert (found.path, found.position.line) == (path, 1)
    assert found.position.column == json.dumps(line).index(written) + 1


def test_what_is_wrong_around_the_body_is_told_with_what_is_wrong_in_it(read: Read) -> None:
    found = issues(read, {**request(seconds=5), "method": "GET", "urls": []})

    assert [issue.code for issue in found] == ["batch-request", "profile-seconds", "unknown-key"]
    assert found[2].message == "unknown key 'urls'; did you mean 'url'?"


def test_a_line_of_the_other_kind_is_an_issue_whichever_came_first(read: Read) -> None:
    plain = {"prompt": "a heron"}

    [first] = issues(read, request(), plain)
    [second] = issues(read, plain, request())

    assert [(found.code, found.position.line) for found in (first, second)] == [("mixed-lines", 2)] * 2


def test_columns_called_like_a_batch_are_columns_where_they_are_no_batch(read: Read) -> None:
    [job] = read({"prompt": "a heron", "url": "https://a.example", "method": "oil paint"}).jobs

    assert job.axes == {"url": "https://a.example", "method": "oil paint"}
