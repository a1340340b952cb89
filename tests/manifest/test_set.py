"""`--set`: what the command line says over every entry, and what it refuses in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.model import Profile
from tests.manifest.folder import Folder

TEXT = """\
vars: {style: noir}
jobs:
  - {id: a, prompt: "a {{ style }}", seconds: 12, params: {seed: 1}}
  - {id: m, prompt: "{{ s }} {{ style }}", matrix: {s: [x, y], seconds: [4, 8]}}
"""
ROWS = "id,prompt,seconds,mood\nr,a wren,4,calm\n"
OF_ROWS = "jobs:\n  - {from: r.csv, prompt: '{{ prompt }}, {{ mood }}'}\n"
CHAIN = "vars: {style: noir}\njobs:\n  - {id: a, prompt: 'a {{ style }}'}\n  - {id: b, prompt: b, remix_of: a}\n"


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("seconds=8", ["a | a noir | 8s", "m-x-8s | x noir | 8s", "m-y-8s | y noir | 8s"]),
        ("seconds=8.0", ["a | a noir | 8s", "m-x-8s | x noir | 8s", "m-y-8s | y noir | 8s"]),
        (
            "seconds = 8, 4",
            [
                *("a-8s | a noir | 8s", "a-4s | a noir"),
                *("m-x-8s | x noir | 8s", "m-x-4s | x noir", "m-y-8s | y noir | 8s", "m-y-4s | y noir"),
            ],
        ),
        ("s=z", ["a | a noir | 12s", "m-z-4s | z noir", "m-z-8s | z noir | 8s"]),
        (
            'style="red, blue",012',
            [
                *("a-red-blue | a red, blue | 12s", "a-012 | a 012 | 12s"),
                *("m-x-4s-red-blue | x red, blue", "m-x-4s-012 | x 012"),
                *("m-x-8s-red-blue | x red, blue | 8s", "m-x-8s-012 | x 012 | 8s"),
                *("m-y-4s-red-blue | y red, blue", "m-y-4s-012 | y 012"),
                *("m-y-8s-red-blue | y red, blue | 8s", "m-y-8s-012 | y 012 | 8s"),
            ],
        ),
        (
            "style=3=4",
            ["a | a 3=4 | 12s", "m-x-4s | x 3=4", "m-x-8s | x 3=4 | 8s", "m-y-4s | y 3=4", "m-y-8s | y 3=4 | 8s"],
        ),
        ('style="say ""hi"""', ['a | a say "hi" | 12s']),
        ('style=""', ["a | a  | 12s"]),
    ],
)
def test_a_setting_or_variable_goes_over_the_manifest(said: str, told: list[str], folder: Folder) -> None:
    assert folder.told(TEXT, settings=(said,))[: len(told)] == told


def test_one_name_of_params_and_of_meta_is_set_with_the_type_that_json_gives_it(folder: Folder) -> None:
    manifest = folder.load(TEXT, settings=("params.seed=7", "meta.by=Ana", "params.hdr=true"))
    assert all(job.params == {"seed": 7, "hdr": True} for job in manifest.jobs)
    assert all(job.meta == {"by": "Ana"} for job in manifest.jobs)

    swept = folder.load("jobs: [{id: a, prompt: a, params: {cfg: 2}}]\n", settings=("params.seed=7,x",))
    assert [(job.id, dict(job.params)) for job in swept.jobs] == [
        ("a-seed7", {"cfg": 2, "seed": 7}),
        ("a-x", {"cfg": 2, "seed": "x"}),
    ]


@pytest.mark.parametrize(
    ("said", "prompts", "moods", "seconds"),
    [
        ("seconds=8", ["a wren, calm"], ["calm"], [8]),
        ("seconds=8,12", ["a wren, calm"] * 2, ["calm"] * 2, [8, 12]),
        ("mood=wild", ["a wren, wild"], ["wild"], [4]),
        ("mood=wild,shy", ["a wren, wild", "a wren, shy"], ["wild", "shy"], [4, 4]),
        ("prompt=a {{ mood }} owl", ["a calm owl"], ["calm"], [4]),
    ],
)
def test_it_goes_over_the_columns_of_data_and_what_is_kept_says_so(
    said: str, prompts: list[str], moods: list[str], seconds: list[int], folder: Folder
) -> None:
    jobs = folder.load(OF_ROWS, {"r.csv": ROWS}, settings=(said,)).jobs

    assert [job.prompt for job in jobs] == prompts
    assert [job.axes["mood"] for job in jobs] == moods
    assert [job.meta["mood"] for job in jobs] == moods
    assert [job.seconds for job in jobs] == seconds


def test_a_data_file_alone_takes_it_too(tmp_path: Path, folder: Folder) -> None:
    from pipeline.manifest.load import Wishes, load

    folder.write({"r.csv": ROWS})

    def made(*settings: str) -> list[tuple[str, int | float]]:
        wishes = Wishes(settings=settings)
        path = tmp_path / "r.csv"
        manifest = load(path, find_profile=folder.profiles.get, profile_names=sorted(folder.profiles), wishes=wishes)
        return [(job.id, job.seconds) for job in manifest.jobs]

    assert made("seconds=8") == [("r", 8)]
    assert [seconds for _, seconds in made("seconds=8,12")] == [8, 12]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("seconds=8", ["a | a noir | 8s", "b | b | 8s"]),
        ("seconds=8,12", ["a-8s | a noir | 8s", "a-12s | a noir | 12s", "b-8s | b | 8s", "b-12s | b | 12s"]),
        ("style=x,y", ["a-x | a x", "a-y | a y", "b-x | b", "b-y | b"]),
    ],
)
def test_what_is_made_from_another_video_keeps_the_settings_of_that(said: str, told: list[str], folder: Folder) -> None:
    assert folder.told(CHAIN, settings=(said,)) == told


def test_a_file_is_meant_relative_to_the_manifest_that_is_named_on_the_command_line(folder: Folder) -> None:
    text = "include: [sub/inner.yaml]\njobs: [{id: own, prompt: a, seconds: 8}]\n"
    files = {"p.txt": "from the file", "sub/inner.yaml": "jobs: [{id: inner, prompt: b}]\n"}

    assert folder.told(text, files, settings=("prompt_file=p.txt",)) == [
        "inner | from the file",
        "own | from the file | 8s",
    ]


def test_what_it_says_wrong_of_a_provider_is_told_at_the_entries_and_as_its_own(folder: Folder) -> None:
    issues = folder.issues(TEXT, settings=("seconds=8,7",))

    assert [issue.split(" ")[0] for issue in issues] == ["m.yaml:3:5", "m.yaml:4:5"]
    assert all(issue.endswith("(--set)") for issue in issues)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("seconds",), "--set seconds: write NAME=VALUE, such as seconds=8 or seconds=4,8"),
        (("=4",), "--set =4: write NAME=VALUE, such as seconds=8 or seconds=4,8"),
        (("seconds=",), '--set seconds=: there is no value; write "" for an empty text'),
        (("style= ",), '--set style= : there is no value; write "" for an empty text'),
        (('style="a',), '--set style="a: a quote is not closed where it should be'),
        (('style="a"b',), '--set style="a"b: a quote is not closed where it should be'),
        (("seconds=soon",), "--set seconds=soon: 'soon': write a number of seconds, such as 8"),
        (("seconds=012",), "--set seconds=012: '012' is not a number; write 12"),
        (("size=16:9",), "--set size=16:9: '16:9': write WIDTHxHEIGHT in pixels, such as 1280x720"),
        (("seconds=4", "seconds=8"), "--set seconds: it is set twice; write its values as seconds=A,B"),
        (("seconds=4,8,4.0",), "--set seconds=4,8,4.0: a value stands there twice"),
        (("takes=2,3",), "--set takes: it is a number, not an axis"),
        (("secnds=4",), "--set secnds: 'secnds' looks like the field 'seconds'; mend it, or choose another name"),
        (("stlye=x",), "--set stlye: nothing in the manifest uses it; did you mean 'style'?"),
        (("seed=7",), "--set seed: nothing in the manifest uses it"),
        (("params=7",), "--set params: write one name of it, such as params.seed=7"),
        (("params.prompt=x",), "--set params.prompt: 'prompt' is an axis itself, not one of params: write 'prompt'"),
        (("remix_of=a",), "--set remix_of: that can only be said in the manifest"),
        (("matrix=1",), "--set matrix: that can only be said in the manifest"),
        (("zip=1,2",), "--set zip: that can only be said in the manifest"),
        (("provider=openai",), "--set provider: write --provider NAME"),
        (("take=2",), "--set take: templates call a property of the job so"),
        (("äh=x",), "--set äh: the name 'äh': write letters, digits and '_', beginning with a letter"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(said: tuple[str, ...], message: str, folder: Folder) -> None:
    with pytest.raises(UsageError) as caught:
        folder.load(TEXT, settings=said)

    assert str(caught.value) == message


def test_an_axis_that_is_paired_with_others_is_not_replaced(folder: Folder) -> None:
    text = "jobs:\n  - {id: m, prompt: '{{ s }}', matrix: {zip: {s: [x, y], seconds: [4, 8]}}}\n"

    with pytest.raises(UsageError) as caught:
        folder.load(text, settings=("seconds=4",))

    assert str(caught.value) == "--set seconds: it is paired with other axes in a 'zip'; change it in the manifest"
    assert len(folder.load(text, settings=("size=1280x720,720x1280",)).jobs) == 4
