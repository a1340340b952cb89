"""`--set`: what the command line says over every entry, and what it refuses in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InvalidManifest, UsageError
from pipeline.profile import Profile
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


def test_a_param_that_would_name_the_source_of_a_remix_is_told_at_the_remix(folder: Folder) -> None:
    [issue] = folder.issues(CHAIN, settings=("params.video=video_1",))

    assert issue.startswith("m.yaml:4:5 reserved-name ")
    assert issue.endswith("remove 'video' from its params (--set)")


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
        (
            ("prompt={{ prompt }}, noir",),
            "--set prompt: it goes in the place of every prompt, so there is no {{ prompt }} to use; put the words "
            'around it in a manifest, as "prompt" of an entry with "from", and what differs into a variable for --set',
        ),
        (("takes=2,3",), "--set takes: it is a number, not an axis"),
        (("secnds=4",), "--set secnds: 'secnds' looks like the field 'seconds'; mend it, or choose another name"),
        (("stlye=x",), "--set stlye: nothing in the manifest uses it; did you mean 'style'?"),
        (("seed=7",), "--set seed: nothing in the manifest uses it"),
        (("params=7",), "--set params: write one name of it, such as params.seed=7"),
        (("params.prompt=x",), "--set params.prompt: 'prompt' is an axis itself, not one of params: write 'prompt'"),
        (
            ("params.input_reference=fox.png",),
            "--set params.input_reference: 'input_reference' is an axis itself, not one of params: "
            "write 'input_reference'",
        ),
        (("remix_of=a",), "--set remix_of: that can only be said in the manifest"),
        (("edit_of=a",), "--set edit_of: that can only be said in the manifest"),
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


@pytest.mark.parametrize(
    ("text", "said", "told"),
    [
        (
            "vars: {v: x}\ndefaults: {size: 1280x720, params: {z: '{{ v }}'}}\njobs: [{id: a, prompt: p}]\n",
            "v=12,16",
            ["a-v12 | p", "a-v16 | p"],
        ),
        (
            "vars: {v: x}\njobs: [{id: a, matrix: {prompt: ['p {{ v }}'], seconds: [4]}}]\n",
            "v=y,z",
            ["a-p-v-4s-y | p y", "a-p-v-4s-z | p z"],
        ),
        (
            "vars: {v: x}\njobs: [{id: a, prompt: 'a {{ v }}'}, {id: b, prompt: b}]\n",
            "v=y,z",
            ["a-y | a y", "a-z | a z", "b | b"],
        ),
    ],
)
def test_a_variable_is_an_axis_wherever_a_template_asks_for_it(
    text: str, said: str, told: list[str], folder: Folder
) -> None:
    assert folder.told(text, settings=(said,)) == told


def test_a_variable_of_the_defaults_goes_into_the_params_of_each(folder: Folder) -> None:
    text = "vars: {v: x}\ndefaults: {params: {z: '{{ v }}'}}\njobs: [{id: a, prompt: p}]\n"

    assert [dict(job.params) for job in folder.load(text, settings=("v=12,16",)).jobs] == [{"z": "12"}, {"z": "16"}]


@pytest.mark.parametrize(
    "text",
    [
        "vars: {v: x}\noutput: {path: '{{ v }}/{{ id }}'}\njobs: [{id: a, prompt: p}]\n",
        "vars: {v: x}\ndefaults: {meta: {m: '{{ v }}'}}\njobs: [{id: a, prompt: p}]\n",
        "vars: {v: x}\ndefaults: {group: '{{ v }}'}\njobs: [{id: a, prompt: p}]\n",
        "jobs: [{from: r.csv, prompt: p, id: '{{ v }}'}]\n",
    ],
    ids=["output-path", "defaults-meta", "defaults-group", "column"],
)
def test_an_axis_that_changes_no_video_is_told_as_one_video_asked_for_twice(text: str, folder: Folder) -> None:
    issues = folder.issues(text, {"r.csv": "v\nx\n"}, settings=("v=y,z",))

    assert [issue.split(" ")[1] for issue in issues] == ["duplicate-wish"]


def test_an_axis_goes_over_a_column_of_a_data_file_alone(tmp_path: Path, folder: Folder) -> None:
    from pipeline.manifest.load import Wishes, load

    folder.write({"data.csv": "id,prompt,mood\nr,a wren,calm\n"})

    with pytest.raises(InvalidManifest) as caught:
        load(
            tmp_path / "data.csv",
            find_profile=folder.profiles.get,
            profile_names=sorted(folder.profiles),
            wishes=Wishes(settings=("mood=x,y",)),
        )

    assert [issue.code for issue in caught.value.issues] == ["duplicate-wish"]  # a mood is no part of the video


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("vars: {v: x}\njobs: [{id: a, prompt: p}]\n", {}),
        ("vars: {v: x}\njobs: [{from: r.csv}]\n", {"r.csv": "prompt\nliteral {{ v }}\n"}),
    ],
    ids=["nothing", "a-literal-prompt"],
)
def test_an_axis_that_no_entry_uses_is_refused(text: str, files: dict[str, str], folder: Folder) -> None:
    with pytest.raises(UsageError) as caught:
        folder.load(text, files, settings=("v=12,16",))

    assert str(caught.value) == "--set v: no entry uses it, so there is nothing to make with each of its values"


@pytest.mark.parametrize(
    ("matrix", "said", "told"),
    [
        (
            "{x: [1, 2], include: [{x: 1, seconds: 4}]}",
            "seconds=8,12",
            ["a-x1-8s", "a-x1-12s", "a-x2-8s", "a-x2-12s"],
        ),
        ("{x: [1, 2], include: [{x: 1, seconds: 4}]}", "seconds=12", ["a-x1-12s", "a-x2-12s"]),
        ("{x: [1], include: [{x: 3}]}", "seconds=8,12", ["a-x1-8s", "a-x1-12s", "a-x3-8s", "a-x3-12s"]),
        ("{seconds: [4], x: [1], include: [{x: 3}]}", "seconds=8,12", ["a-8s-x1", "a-12s-x1", "a-x3-8s", "a-x3-12s"]),
        ("{include: [{v: a}, {v: b}]}", "v=c,d", ["a-c", "a-d"]),
        ("{include: [{v: a}, {v: b}]}", "v=c", ["a-c"]),
        ("{include: [{v: a, x: 1}, {v: b, x: 2}]}", "v=c,d", ["a-x1-c", "a-x1-d", "a-x2-c", "a-x2-d"]),
        ("{include: [{v: a, x: 1}, {v: b, x: 1}, {x: 1}]}", "v=c", ["a-x1-c"]),
        ("{v: [a, b], include: [{v: a, params.q: 1}]}", "v=b", ["a-b"]),
        ("{v: [a, b], include: [{v: a, params.q: 1}]}", "v=a,c", ["a-a", "a-c"]),
        ("{v: [a, b], x: [1, 2], exclude: [{v: a, x: 1}]}", "v=a,c", ["a-a-x2", "a-c-x1", "a-c-x2"]),
        (
            "{c: [{name: low, seconds: 4}, {name: top}]}",
            "seconds=8,12",
            ["a-low-8s", "a-low-12s", "a-top-8s", "a-top-12s"],
        ),
        ("{c: [{name: low, seconds: 4}, {name: top}]}", "seconds=8", ["a-low", "a-top"]),
        ("{seconds: [4], include: [{c: {name: low, size: 720x1280}}]}", "size=1280x720", ["a-4s"]),
    ],
)
def test_it_goes_over_the_whole_matrix_with_all_that_include_adds(
    matrix: str, said: str, told: list[str], folder: Folder
) -> None:
    prompt = " ".join(f"{{{{ {variable} | default(0) }}}}" for variable in ("x", "v", "c"))
    text = f"jobs: [{{id: a, prompt: 'p {prompt}', matrix: {matrix}}}]\n"
    manifest = folder.load(text, settings=(said,))
    name, _, values = said.partition("=")

    assert [job.id for job in manifest.jobs] == told
    assert {str(job.axes.get(name, getattr(job, name, ""))) for job in manifest.jobs} == set(values.split(","))
    assert manifest.warnings == ()


def test_an_include_for_a_value_that_is_said_still_adds_to_it(folder: Folder) -> None:
    text = (
        "jobs: [{id: a, prompt: '{{ v }}', matrix: {v: [a, b], include: [{v: a, params.q: 1}, {v: b, params.q: 2}]}}]\n"
    )

    assert [dict(job.params) for job in folder.load(text, settings=("v=a,c",)).jobs] == [{"q": 1}, {}]


def test_a_prompt_and_a_file_with_one_are_not_set_together(folder: Folder) -> None:
    with pytest.raises(UsageError) as caught:
        folder.load(TEXT, {"q.txt": "q"}, settings=("prompt=z", "prompt_file=q.txt"))

    assert str(caught.value) == "--set prompt_file: 'prompt' is set too, and a video has one of them; leave one out"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("seconds=8", [("a", 8), ("r", 8), ("s", 8)]),
        ("seconds=8,12", [("a-8s", 8), ("a-12s", 12), ("r-8s", 8), ("r-12s", 12), ("s-8s", 8), ("s-12s", 12)]),
    ],
)
def test_a_row_that_is_a_remix_keeps_the_settings_of_its_source(
    said: str, told: list[tuple[str, int]], folder: Folder
) -> None:
    text = "jobs:\n  - {id: a, prompt: a}\n  - {from: r.csv}\n"
    rows = {"r.csv": "id,prompt,remix_of\nr,again,a\ns,alone,\n"}

    assert [(job.id, job.seconds) for job in folder.load(text, rows, settings=(said,)).jobs] == told


@pytest.mark.parametrize(
    ("source", "own", "said", "told"),
    [
        ("a", "vars: {v: 4}, ", "v=m", ["a | a", "b | b m"]),
        ("a", "vars: {v: 4}, ", "v=m,n", ["a | a", "b-m | b m", "b-n | b n"]),
        ("a", "", "v=m,n", ["a | a", "b-m | b m", "b-n | b n"]),
        ("a {{ v }}", "vars: {v: 4}, ", "v=m", ["a | a m", "b | b m"]),
        ("a {{ v }}", "vars: {v: 4}, ", "v=m,n", ["a-m | a m", "a-n | a n", "b-m | b m", "b-n | b n"]),
        ("a {{ v }}", "", "v=m,n", ["a-m | a m", "a-n | a n", "b-m | b m", "b-n | b n"]),
    ],
)
def test_a_remix_is_made_with_the_value_of_its_source_or_with_each(
    source: str, own: str, said: str, told: list[str], folder: Folder
) -> None:
    remix = f"{{id: b, {own}prompt: 'b {{{{ v }}}}', remix_of: a}}"
    text = f"vars: {{v: x}}\njobs:\n  - {{id: a, prompt: '{source}'}}\n  - {remix}\n"

    assert folder.told(text, settings=(said,)) == told
