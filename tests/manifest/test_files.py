"""The files that a manifest names: data below an entry, prompts, other manifests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.manifest.files import FolderLibrary
from pipeline.profile import Profile
from tests.manifest.folder import Folder, picture

BIRDS = "id,prompt,mood,seconds\nheron,a {{ heron }},calm,\nwren,a wren,wild,8\n"
OWLS = '{"id": "owl", "prompt": "an owl", "mood": "calm", "night": 3}\n'


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


# --- data below an entry


def test_rows_go_over_their_entry_and_are_taken_literally(folder: Folder) -> None:
    manifest = folder.load(
        "jobs:\n  - {id: b, from: birds.csv, seconds: 12, group: '{{ mood }}', params: {seed: 7}, meta: {by: Ana}}\n",
        {"birds.csv": BIRDS},
    )

    heron, wren = manifest.jobs
    assert (heron.prompt, heron.seconds, heron.group) == ("a {{ heron }}", 12, "calm")
    assert (wren.prompt, wren.seconds, wren.group) == ("a wren", 8, "wild")
    assert all(job.params == {"seed": 7} for job in manifest.jobs)
    assert (heron.axes, heron.meta) == ({"mood": "calm"}, {"mood": "calm", "by": "Ana"})
    assert [file.name for file in manifest.files] == ["m.yaml", "birds.csv"]


def test_a_prompt_around_the_rows_own_takes_each_as_it_is(folder: Folder) -> None:
    around = "'{{ prompt }}, {{ mood }}, {{ style }}'"
    text = f"vars: {{style: 35mm}}\njobs:\n  - {{from: [birds.csv, owls.jsonl], prompt: {around}}}\n"

    assert folder.told(text, {"birds.csv": BIRDS, "owls.jsonl": OWLS}) == [
        "heron | a {{ heron }}, calm, 35mm",
        "wren | a wren, wild, 35mm | 8s",
        "owl | an owl, calm, 35mm",
    ]


def test_a_prompt_that_does_not_ask_for_the_rows_is_for_rows_without_one(folder: Folder) -> None:
    rows = "id,prompt,mood\na,,calm\nb,mine {{ mood }},wild\n"
    around = "  - {from: more.csv, prompt: '{{ prompt }}!'}\n"
    text = f"jobs:\n{around}  - {{from: rows.csv, prompt: 'some {{{{ mood }}}} bird'}}\n"

    told = folder.told(text, {"rows.csv": rows, "more.csv": "id,prompt\nm,more\n"})

    assert told == ["m | more!", "a | some calm bird", "b | mine {{ mood }}"]
    assert folder.issues(f"jobs:\n{around}", {"more.csv": "prompt,mood\na,\n,wild\n"}) == [
        "more.csv:3:1 missing-prompt this row has no prompt, and the one of its entry only says what to put around it"
    ]


@pytest.mark.parametrize("prompt", ["the word prompt", "{{ 'prompt' }} of {{ mood }}", "{{ mood }} {# prompt #}"])
def test_the_mere_word_prompt_puts_nothing_around_a_row(prompt: str, folder: Folder) -> None:
    text = f'jobs:\n  - {{from: birds.csv, prompt: "{prompt}"}}\n'

    assert folder.codes(text, {"birds.csv": BIRDS}) == ["m.yaml:2:31 unused-prompt"]
    assert folder.told(text, {"birds.csv": BIRDS}, settings=("prompt=an owl",)) == [
        *("heron | an owl", "wren | an owl | 8s")
    ]


UNUSED = "m.yaml:2:38 unused-prompt no row uses this prompt: each has its own; write {{ prompt }} where a row's text "
UNUSED += "belongs, or remove this one"


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("{{ promt }}, noir", ["m.yaml:2:42 undefined there is no variable 'promt'; did you mean 'prompt'?"]),
        (
            "{{ lens }} {% if mod %}a{% endif %}",
            ["m.yaml:2:56 undefined there is no variable 'mod'; did you mean 'mood'?"],
        ),
        ("A {{ mood }} scene, {{ lens }} {{ night }}", []),
        ("{% if camera %}{{ camera }}{% endif %}", []),
    ],
)
def test_a_prompt_that_no_row_takes_is_an_issue_and_so_are_its_names(
    prompt: str, told: list[str], folder: Folder
) -> None:
    rows = {"r.csv": "prompt,mood,camera\na,calm,wide\nb,,\n", "q.jsonl": '{"prompt": "c", "night": 3}\n'}
    text = f"jobs:\n  - {{from: [q.jsonl, r.csv], prompt: '{prompt}', matrix: {{lens: [x]}}}}\n"

    assert folder.issues(text, rows) == [UNUSED, *told]


CAMERAS = "prompt,camera\na wren,low\nan owl,\n"
LACKS = "r.csv:3:1 undefined there is no 'camera' in this row, and a template uses it; where a row may be without, "
LACKS += "write {{ camera|default('') }} or {% if camera %}"


@pytest.mark.parametrize(
    ("around", "told"),
    [
        ("{% if camera %}, {{ camera }}{% endif %}", ["a wren, low", "an owl"]),
        ("{{ ', ' ~ camera if camera else '' }}", ["a wren, low", "an owl"]),
        ("{{ camera or ' from afar' }}", ["a wrenlow", "an owl from afar"]),
        ("{% if not camera %}!{% endif %}", ["a wren", "an owl!"]),
        ("{% if camera is defined %}?{% endif %}{{ camera|default('.') }}", ["a wren?low", "an owl."]),
        (", {{ camera }}", [LACKS]),
        (", {{ camera|upper }}", [LACKS]),
        (", {{ 'x' ~ camera }}", [LACKS]),
        ("{% if camera == 'low' %}!{% endif %}", [LACKS]),
        ("{% if camra %}!{% endif %}", ["m.yaml:2:48 undefined there is no variable 'camra'; did you mean 'camera'?"]),
    ],
)
def test_an_empty_cell_is_false_in_a_test_and_elsewhere_an_issue_of_its_row(
    around: str, told: list[str], folder: Folder
) -> None:
    text = f'jobs:\n  - {{from: [r.csv], prompt: "{{{{ prompt }}}}{around}"}}\n'

    if ":" in told[0]:
        [issue] = folder.issues(text, {"r.csv": CAMERAS})[:1]
        assert issue.startswith(told[0])
    else:
        assert [job.prompt for job in folder.load(text, {"r.csv": CAMERAS}).jobs] == told


def test_a_name_that_only_a_line_further_down_has_may_be_missing_above(folder: Folder) -> None:
    text = "jobs:\n  - {from: q.jsonl, prompt: '{{ prompt }}{% if night %} at night{% endif %}'}\n"
    lines = {"q.jsonl": '{"prompt": "a wren"}\n{"prompt": "an owl", "night": 3}\n'}

    assert [job.prompt for job in folder.load(text, lines).jobs] == ["a wren", "an owl at night"]


def test_a_row_without_an_id_is_called_after_its_entry_and_its_prompt(folder: Folder) -> None:
    [name, alone] = [
        job.id
        for job in folder.load(
            "jobs:\n  - {id: birds, from: r.csv}\n  - {from: q.csv}\n",
            {"r.csv": "prompt\na wren\n", "q.csv": "prompt\na heron\n"},
        ).jobs
    ]

    assert name.startswith("birds-a-wren-")
    assert alone.startswith("a-heron-")
    assert len(name) == len("birds-a-wren-") + 6


def test_a_template_as_id_may_use_the_columns(folder: Folder) -> None:
    text = "jobs:\n  - {id: 'bird-{{ n }}-{{ mood }}', from: r.csv}\n"

    assert folder.told(text, {"r.csv": "prompt,n,mood\nx,1,So Calm\ny,2,wild\n"}) == [
        "bird-1-so-calm | x",
        "bird-2-wild | y",
    ]


def test_every_row_is_made_in_every_cell(folder: Folder) -> None:
    text = "jobs:\n  - {id: b, from: birds.csv, matrix: {size: [1280x720, 720x1280], lens: [wide]}, takes: 2}\n"
    manifest = folder.load(text, {"birds.csv": BIRDS})

    assert len(manifest.jobs) == 8
    assert [job.prompt for job in manifest.jobs] == ["a {{ heron }}"] * 4 + ["a wren"] * 4
    assert [job.size for job in manifest.jobs] == (["1280x720"] * 2 + ["720x1280"] * 2) * 2
    assert manifest.jobs[0].axes == {"mood": "calm", "size": "1280x720", "lens": "wide"}
    assert len({job.id for job in manifest.jobs}) == 8


@pytest.mark.parametrize(
    ("axis", "at"),
    [("mood: [a, b]", "3"), ("seconds: [4, 8]", "4"), ("params.seed: [1]", "5"), ("meta.mood: [1]", "")],
)
def test_a_column_is_no_axis_too(axis: str, at: str, folder: Folder) -> None:
    text = f"jobs:\n  - {{id: b, from: r.csv, matrix: {{{axis}, lens: [wide]}}}}\n"
    rows = "id,prompt,mood,seconds,params.seed\nx,a,calm,4,1\n"

    if not at:
        assert len(folder.load(text, {"r.csv": rows}).jobs) == 1
    else:
        column = rows.split(",")[int(at) - 1] if int(at) < 5 else "params.seed"
        place = rows.index(column) + 1
        assert folder.codes(text, {"r.csv": rows}) == [f"r.csv:1:{place} axis-column"]


def test_a_sample_of_rows_is_the_same_whatever_their_order(folder: Folder) -> None:
    rows = [f"bird {n}" for n in range(40)]
    text = "jobs:\n  - {id: b, from: r.csv, sample: {count: 7, seed: 3}}\n"

    def drawn(lines: list[str]) -> list[str]:
        return [job.prompt for job in folder.load(text, {"r.csv": "\n".join(["prompt", *lines, ""])}).jobs]

    there = drawn(rows)

    assert len(there) == 7
    assert there == sorted(there, key=rows.index)
    assert drawn(rows[::-1]) == there[::-1]


def test_a_row_is_written_out_once_for_the_sample_of_all_its_cells(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []

    def dumps(value: object, *, sort_keys: bool) -> str:
        written.append(value)
        return json.dumps(value, sort_keys=sort_keys)

    monkeypatch.setattr("pipeline.manifest.parts.json", SimpleNamespace(dumps=dumps))
    text = "jobs:\n  - {from: birds.csv, matrix: {params.seed: {range: [1, 9]}}, sample: {count: 3}}\n"

    assert len(folder.load(text, {"birds.csv": BIRDS}).jobs) == 3
    assert len(written) == 2


def test_a_pattern_names_its_files_in_order_each_once(folder: Folder) -> None:
    files = {f"data/{name}": f"prompt\n{name}\n" for name in ("b.csv", "a.csv", "deep/c.csv", ".hidden.csv")}
    prompts = [told.split(" | ")[1] for told in folder.told("jobs: [{from: 'data/**/*.csv'}]\n", files)]

    assert prompts == ["a.csv", "b.csv", "deep/c.csv"]
    assert [file.name for file in folder.load("jobs: [{from: './data/../data/?.csv'}]\n").files] == [
        "m.yaml",
        "data/a.csv",
        "data/b.csv",
    ]


def test_what_is_wrong_in_a_row_is_told_where_it_stands_in_its_file(folder: Folder) -> None:
    files = {"data/r.csv": "prompt,seconds\na,soon\nb,7\n", "data/r.jsonl": '{"prompt": "c", "seconds": 7}\n{\n'}
    text = "jobs:\n  - {from: data/*, size: 1x1, prompt: '{{ nope }} {{ prompt }}', matrix: {seconds: [4, 4]}}\n"

    assert folder.codes(text, files) == [
        "m.yaml:2:26 profile-size",
        "m.yaml:2:88 duplicate-value",
        "data/r.csv:2:3 bad-form",
        "data/r.jsonl:2:2 syntax",
    ]
    assert folder.codes("jobs:\n  - {from: data/r.csv}\n  - {from: data/r.csv}\n") == [
        "data/r.csv:2:3 bad-form",
        "data/r.csv:3:3 profile-seconds",
        "data/r.csv:3:1 duplicate-wish",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.csv", "missing-file there is no file 'none.csv' beside the manifest"),
        ("none*.csv", "missing-file 'none*.csv' names no file beside the manifest"),
        ("sub", "unknown-kind 'sub': the name of such a file ends in .csv, .tsv, .jsonl, .ndjson"),
        ("sub.csv", "missing-file there is no file 'sub.csv' beside the manifest"),
        ("notes.txt", "unknown-kind 'notes.txt': the name of such a file ends in .csv, .tsv, .jsonl, .ndjson"),
        ("m.yaml", "unknown-kind 'm.yaml': the name of such a file ends in .csv, .tsv, .jsonl, .ndjson"),
        ("sub/../../x.csv", "outside-folder '../x.csv' is outside the manifest's folder; "),
        ("out.csv", "outside-folder 'out.csv' is outside the manifest's folder; "),
        ("o*.csv", "outside-folder 'out.csv' is outside the manifest's folder; "),
        ("loop.csv", "missing-file "),
        ("empty.csv", "empty-file "),
    ],
)
def test_a_data_file_that_cannot_be_used_is_told_where_it_is_named(name: str, said: str, folder: Folder) -> None:
    outside = folder.path.parent / f"{folder.path.name}.csv"
    outside.write_text("prompt\nsecret\n", encoding="utf-8")
    (folder.path / "out.csv").symlink_to(outside)
    (folder.path / "loop.csv").symlink_to("loop.csv")
    folder.write({"notes.txt": "", "empty.csv": "", "sub.csv/x": "", "sub/x": ""})

    [issue] = folder.issues(f"jobs:\n  - from: ['{name}']\n")

    assert issue.startswith(f"m.yaml:2:12 {said}" if name != "empty.csv" else f"empty.csv:1:1 {said}")


def test_files_elsewhere_are_read_where_that_is_allowed(folder: Folder) -> None:
    home = folder.path / "home"
    inner = Folder(path=home, profiles=folder.profiles)
    folder.write({"data/r.csv": "prompt\na\n", "p.txt": "b"})
    rows = f"{{from: ../data/*.csv}}, {{from: '{folder.path}/data/r.csv', seconds: 8}}"
    text = f"jobs: [{rows}, {{prompt_file: ../p.txt}}]\n"

    home.mkdir()
    assert [job.prompt for job in inner.load(text, allow_outside=True).jobs] == ["a", "a", "b"]
    assert {issue.split(" ")[1] for issue in inner.issues(text)} == {"outside-folder"}


# --- prompts


def test_a_prompt_file_is_a_template_unless_a_row_names_it(folder: Folder) -> None:
    files = {"p/fox.txt": "a {{ colour }} fox\n", "r.csv": "id,prompt_file,colour\nrow,p/fox.txt,blue\n"}
    text = "vars: {colour: red}\njobs:\n  - {id: fox, prompt_file: p/fox.txt}\n  - {from: r.csv}\n"
    more = "  - {id: all, prompt_file: p/fox.txt, matrix: {colour: [green]}}\n"

    assert folder.told(text + more, files) == ["fox | a red fox", "row | a {{ colour }} fox", "all-green | a green fox"]


def test_prompt_files_may_be_an_axis(folder: Folder) -> None:
    text = "jobs:\n  - {id: x, matrix: {prompt_file: [p/one.txt, p/two.txt]}}\n"

    assert folder.told(text, {"p/one.txt": "1", "p/two.txt": "2"}) == ["x-one | 1", "x-two | 2"]


SCENES = "vars: {at: dawn}\njobs:\n  - {id: x, prompt_file: 'p/{{ at }}-{{ n }}.txt', matrix: {n: [1, 2]}}\n"


def test_the_name_of_a_prompt_file_is_a_template(folder: Folder) -> None:
    axis = "  - {id: y, seconds: 8, vars: {n: 1}, matrix: {prompt_file: ['p/{{ at }}-{{ n }}.txt', 'p/dawn-2.txt']}}\n"
    rows = "id,prompt_file,n\nrow,p/{{ n }}.txt,1\n"
    files = {"p/dawn-1.txt": "one", "p/dawn-2.txt": "two {{ take }}", "p/{{ n }}.txt": "itself", "r.csv": rows}

    assert folder.told(SCENES + axis + "  - {from: r.csv}\n", files) == [
        *("x-n1 | one", "x-n2 | two 1", "y-at-n | one | 8s", "y-dawn-2 | two 1 | 8s", "row | itself"),
    ]
    assert folder.told(SCENES, files, settings=("at=dawn", "n=2")) == ["x-n2 | two 1"]


def test_a_name_that_cannot_be_made_or_leads_nowhere_is_told_where_its_template_stands(folder: Folder) -> None:
    text = SCENES.replace("[1, 2]", "[1, '/../../../m']") + "  - {id: z, prompt_file: '{{ nope }}.txt'}\n"
    text += "  - {id: q, prompt: q, input_reference: '{{ nope }}.png'}\n"
    text += "  - {id: r, prompt: r, input_reference: '{{ at }}.png'}\n"

    assert folder.issues(text, {"p/dawn-1.txt": "one"}) == [
        "m.yaml:3:26 outside-folder '../m.txt' is outside the manifest's folder; move it there, or allow it "
        "with --allow-outside",
        "m.yaml:4:30 undefined there is no variable 'nope'",
        "m.yaml:5:45 undefined there is no variable 'nope'",
        "m.yaml:6:41 missing-file there is no file 'dawn.png' beside the manifest",
    ]


def test_a_file_that_a_column_names_is_told_at_that_cell(folder: Folder) -> None:
    entry = "from: r.csv, vars: {at: p}, id: 'x-{{ animal }}-{{ take }}'"
    text = f"jobs:\n  - {{{entry}, prompt_file: '{{{{ at }}}}/{{{{ animal }}}}.txt'}}\n"
    text += "  - {from: q.csv, prompt: q, input_reference: '{{ kind }}/{{ animal }}.png'}\n"
    rows = {"r.csv": "at,animal\np,owl\n,fox\n,elk\n,cat\n", "q.csv": "n,animal,kind\n1,fox,i\n"}
    files = {"p/owl.txt": "an owl", "p/elk.txt": " ", "p/cat.txt": "a {{ stile }} cat"}

    assert folder.issues(text, {**rows, **files}) == [
        "r.csv:3:2 missing-file there is no file 'p/fox.txt' beside the manifest",
        "r.csv:4:2 empty the prompt is empty",
        "r.csv:5:2 undefined there is no variable 'stile', in p/cat.txt",
        "q.csv:2:3 missing-file there is no file 'i/fox.png' beside the manifest",
    ]


def test_the_name_of_an_image_is_a_template_and_its_content_a_part_of_the_key(folder: Folder) -> None:
    names = ("i/a fox-1.png", "i/a fox-2.png", "i/an owl-1.png", "i/an owl-2.png")
    files = {name: picture("L", 9 * n) for n, name in enumerate(names)}
    text = (
        "jobs:\n  - {id: x, prompt: x, takes: 2, input_reference: 'i/{{ animal }}-{{ take }}.png', "
        "matrix: {animal: [a fox, an owl]}}\n"
    )

    jobs = folder.load(text, files).jobs

    stated = [job.reference.name for job in jobs if job.reference]
    assert stated == [*names]
    one, _, owl, _ = jobs
    again = folder.load("jobs:\n  - {id: y, prompt: x, input_reference: i/a fox-1.png}\n").jobs[0]
    assert again.key == one.key != owl.key
    assert [file.name for file in folder.load(text).files][1:] == stated


# --- other manifests


def test_the_jobs_of_included_manifests_come_first_on_their_own_ground(folder: Folder) -> None:
    text = """\
defaults: {seconds: 8, params: {a: 1, b: 1}, meta: {by: Ana}}
vars: {style: noir, who: me}
include: [sub/inner.yaml, "sub/*.csv"]
jobs:
  - {id: own, prompt: "{{ style }} {{ who }}"}
"""
    files = {
        "sub/inner.yaml": """\
defaults: {seconds: 12, params: {b: 2}}
vars: {style: bright}
include: [deeper/rows.jsonl]
jobs:
  - {id: inner, prompt: "{{ style }} {{ who }}", vars: {who: you}}
  - {id: file, prompt_file: p.txt}
  - {from: deeper/*.jsonl, takes: 2, seconds: 4}
""",
        "sub/p.txt": "{{ style }}",
        "sub/deeper/rows.jsonl": '{"id": "deep", "prompt": "{{ style }}"}\n',
        "sub/q.csv": "id,prompt_file\nq,p.txt\n",
        "p.txt": "not this one",
    }
    manifest = folder.load(text, files)

    assert [(job.id, job.prompt, job.seconds) for job in manifest.jobs] == [
        ("deep", "{{ style }}", 12),
        ("inner", "bright you", 12),
        ("file", "bright", 12),
        ("deep-t1", "{{ style }}", 4),
        ("deep-t2", "{{ style }}", 4),
        ("q", "{{ style }}", 8),
        ("own", "noir me", 8),
    ]
    assert [dict(job.params) for job in manifest.jobs] == [{"a": 1, "b": 2}] * 5 + [{"a": 1, "b": 1}] * 2
    assert all(job.meta == {"by": "Ana"} for job in manifest.jobs)
    assert manifest.warnings == ()
    names = ["m.yaml", "sub/inner.yaml", "sub/deeper/rows.jsonl", "sub/p.txt", "sub/q.csv"]
    assert [file.name for file in manifest.files] == names


def test_what_an_included_manifest_cannot_say_is_a_warning_there(folder: Folder) -> None:
    inner = "name: x\nprovider: dmxapi\nlimits: {in_flight: 3}\noutput: {path: 'x/{{ id }}.mp4'}\njobs: [{prompt: a}]\n"
    manifest = folder.load("include: [inner.yaml]\njobs: [{prompt: b}]\n", {"inner.yaml": inner})

    warned = [(issue.position.line, issue.code) for issue in manifest.warnings]
    assert warned == [(line, "no-effect") for line in (1, 2, 3, 4)]
    assert all(issue.position.file.endswith("inner.yaml") for issue in manifest.warnings)
    assert (manifest.name, manifest.profile.name, manifest.limits.in_flight) == ("m", "sandbox", None)
    assert [job.path.count("/") for job in manifest.jobs] == [0, 0]


def test_a_folder_with_signs_of_a_pattern_in_its_name_is_that_folder(folder: Folder) -> None:
    files = {
        "m[1]/inner.yaml": "jobs: [{from: r.csv}, {from: '*.jsonl'}, {prompt_file: p.txt}]\n",
        "m[1]/r.csv": "prompt\nright\n",
        "m[1]/r.jsonl": '{"prompt": "too"}\n',
        "m[1]/p.txt": "mine",
        "m1/r.csv": "prompt\nwrong\n",
        "m1/r.jsonl": '{"prompt": "wrong"}\n',
    }
    manifest = folder.load("include: ['*/inner.yaml']\njobs: [{prompt: own}]\n", files)

    assert [job.prompt for job in manifest.jobs] == ["right", "too", "mine", "own"]


def test_manifests_that_include_each_other_are_told_once_each(folder: Folder) -> None:
    files = {
        "a.yaml": "include: [./b.yaml]\njobs: [{prompt: a}]\n",
        "b.yaml": "include: [a.yaml, m.yaml, b.yaml]\njobs: [{prompt: b}]\n",
        "c.csv": "prompt\nc\n",
    }
    text = "include: [a.yaml, c.csv, c.csv, m.yaml]\njobs: [{prompt: m}]\n"

    assert folder.issues(text, files) == [
        "m.yaml:1:26 included-twice 'c.csv' is included already",
        "m.yaml:1:33 include-cycle 'm.yaml' is included by itself",
        "b.yaml:1:11 include-cycle 'a.yaml' includes 'b.yaml' which includes 'a.yaml'",
        "b.yaml:1:19 include-cycle 'm.yaml' includes 'a.yaml' which includes 'b.yaml' which includes 'm.yaml'",
        "b.yaml:1:27 include-cycle 'b.yaml' is included by itself",
    ]


def test_ids_and_wishes_are_unique_over_all_files_and_the_other_one_is_named(folder: Folder) -> None:
    files = {"a.yaml": "jobs:\n  - {id: x, prompt: a}\n  - {id: y, prompt: b}\n"}
    text = "include: [a.yaml]\njobs:\n  - {id: x, prompt: c}\n  - {id: z, prompt: b}\n"

    assert folder.issues(text, files) == [
        "m.yaml:3:10 duplicate-id the id 'x' is already used on a.yaml:2:5",
        "m.yaml:4:5 duplicate-wish the same video as a.yaml:3:5; use 'takes: 2' for another take of it",
    ]


def test_a_remix_may_have_its_source_in_another_file(folder: Folder) -> None:
    files = {"a.yaml": "jobs:\n  - {id: back, prompt: b, remix_of: front}\n  - {id: first, prompt: a}\n"}
    text = "include: [a.yaml]\njobs:\n  - {id: front, prompt: c, remix_of: first}\n"
    jobs = {job.id: job for job in folder.load(text, files).jobs}

    assert list(jobs) == ["back", "first", "front"]
    assert jobs["back"].source == jobs["front"].key
    assert jobs["front"].source == jobs["first"].key


# --- the folder as a library


def test_no_link_to_a_folder_is_followed_by_a_pattern(tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    for place in (home / "in", away):
        place.mkdir(parents=True)
        (place / "x.csv").write_text("prompt\n", encoding="utf-8")
    (home / "out").symlink_to(away)
    (home / "round").symlink_to(home)
    (home / "here").symlink_to(home / "in")

    library = FolderLibrary(home)

    assert library.names("**/*.csv") == ["in/x.csv"]
    assert library.names("*/x.csv") == ["in/x.csv"]
    assert library.names("here/*.csv") == ["here/x.csv"]  # named in full it is
    assert FolderLibrary(home, outside=True).names("out/*.csv") == ["out/x.csv"]
    assert FolderLibrary(home, outside=True).names(f"{away}/*.csv") == [f"{away}/x.csv"]


@pytest.mark.parametrize("wrong", ["{file: b.csv}", "[b.csv]", "7", '""'])
def test_what_is_no_name_among_the_included_is_an_issue_and_the_others_are_looked_at(
    wrong: str, folder: Folder
) -> None:
    text = f"include:\n  - {wrong}\n  - c.csv\n  - gone.csv\njobs: [{{prompt: m}}]\n"

    first, *others = folder.codes(text, {"c.csv": "prompt,seconds\nc,7\n"})

    assert first.startswith("m.yaml:2:5 ")
    assert others == ["m.yaml:4:5 missing-file", "c.csv:2:3 profile-seconds"]


def test_a_pattern_does_not_mean_the_manifest_that_it_stands_in(folder: Folder) -> None:
    files = {
        "a.yaml": "jobs: [{prompt: a}]\n",
        "sub/b.yaml": "include: ['*.yaml']\n",
        "sub/c.yaml": "jobs: [{prompt: c}]\n",
    }

    manifest = folder.load("include: ['*.yaml', sub/b.yaml]\njobs: [{prompt: own}]\n", files)

    assert [job.prompt for job in manifest.jobs] == ["a", "c", "own"]


def test_a_pattern_that_names_but_the_manifest_itself_is_an_issue(folder: Folder) -> None:
    assert folder.issues("include: ['*.yaml']\njobs: [{prompt: own}]\n") == [
        "m.yaml:1:11 missing-file '*.yaml' names no file but this one"
    ]


@pytest.mark.parametrize(
    ("files", "prompts"),
    [
        ({"b[1].csv": "prompt\nitself\n", "b1.csv": "prompt\nother\n"}, ["itself"]),
        ({"b1.csv": "prompt\nother\n"}, ["other"]),
    ],
)
@pytest.mark.parametrize("below", ["", "sub/", "d[1]/"])
def test_a_name_that_is_a_file_is_that_file_be_it_written_like_a_pattern(
    below: str, files: dict[str, str], prompts: list[str], folder: Folder
) -> None:
    there = {f"{below}{name}": text for name, text in files.items()}

    inner = {f"{below}inner.yaml": "jobs: [{from: 'b[1].csv'}]\n"}
    manifest = folder.load(f"include: ['{below}inner.yaml']\n", {**there, **inner})

    assert [job.prompt for job in manifest.jobs] == prompts


NINES = "9" * 450


@pytest.mark.parametrize("length", [NINES, f'"{NINES}"', f"{'9' * 350}.5", f"0.{NINES}"])
@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            "jobs:\n  - id: a\n    prompt: a\n    seconds: {}\n  - {{id: b, prompt: b, extend_of: a, seconds: 4}}\n",
            "4:14",
        ),
        ("jobs:\n  - {{id: a, prompt: a}}\n  - id: b\n    prompt: b\n    extend_of: a\n    seconds: {}\n", "6:14"),
        ("jobs: [{{prompt: a}}]\ndefaults: {{seconds: {}}}\n", "2:21"),
        ("jobs:\n  - id: a\n    prompt: a\n    matrix:\n      seconds: [{}, 4]\n", "5:17"),
    ],
)
def test_a_length_of_more_digits_than_a_number_has_is_an_issue(
    length: str, text: str, where: str, folder: Folder
) -> None:
    extending = replace(folder, profiles={"sandbox": replace(folder.profiles["sandbox"], extends=True)})

    assert extending.codes(text.format(length)) == [f"m.yaml:{where} bad-form"]


IDLE = {
    "nobody states it": ("", "- {id: a, from: r.csv}", ["r.csv:1:8 length"]),
    "the entry does": ("", "- {id: a, from: r.csv, seconds: 8}", []),
    "one of two entries does": (
        "",
        "- {id: a, from: r.csv, seconds: 8}\n  - {id: b, from: r.csv, prompt: 'b {{ prompt }}'}",
        ["r.csv:1:8 length"],
    ),
    "only defaults do": ("defaults: {seconds: 8}", "- {id: a, from: r.csv}", ["r.csv:1:8 length"]),
    "an axis does": ("", "- {id: a, from: r.csv, matrix: {seconds: [8, 12]}}", []),
    "the entry states another param": ("", "- {id: a, from: s.csv, params: {cfg: 1}}", ["s.csv:1:8 seed"]),
    "the entry's prompt": ("", "- {id: a, from: t.csv, prompt: 'a {{ bird }}'}", []),
    "only a line further down has it": ("", "- {id: a, from: r.jsonl}", ["r.jsonl:2:15 length"]),
}


@pytest.mark.parametrize("what", IDLE)
def test_a_column_like_a_field_is_warned_of_where_it_first_stands_unless_the_field_is_stated(
    what: str, folder: Folder
) -> None:
    head, entry, expected = IDLE[what]
    files = {
        "r.csv": "prompt,length\na,4\n",
        "s.csv": "prompt,seed\na,4\n",
        "t.csv": "bird,text\nwren,small\n",
        "r.jsonl": '{"prompt": "a"}\n{"prompt":"b","length":8}\n{"prompt":"c","length":8}\n',
    }

    warnings = folder.load(f"{head}\njobs:\n  {entry}\n", files, allow_unknown=True).warnings

    idle = [one for one in warnings if one.code == "idle-column"]
    places = [f"{Path(one.position.file).name}:{one.position.line}:{one.position.column} {one.path}" for one in idle]
    assert places == expected


@pytest.mark.parametrize("own", ["meta: {note: '{{ subject }}'}", "params: {seed: '{{ subject }}'}", "group: g"])
def test_a_warning_costs_no_job(own: str, folder: Folder) -> None:
    entry = f"prompt: 'a {{subject}} boat, {{{{ subject }}}}', matrix: {{subject: ['1', '2', '3']}}, {own}"

    manifest = folder.load(f"jobs:\n  - {{id: boat, {entry}}}\n", {}, allow_unknown=True)

    assert "single-braces" in {one.code for one in manifest.warnings}
    assert len(manifest.jobs) == 3
