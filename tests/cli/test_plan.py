"""`plan` as it is typed: jobs as lines, two manifests compared, a run folder that is planned from its own copies."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.api import load, load_kept, plan_run
from pipeline.cli.main import main
from pipeline.ledger.fields import READING
from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import Fact
from pipeline.limits import LimitsWish
from pipeline.manifest.load import Wishes
from pipeline.model import EMBEDDED
from pipeline.plan import BUYS
from pipeline.prepare import Choice, prepare
from pipeline.storage import RunFolder
from tests.ledger.histories import SAID

HARBOUR = """\
name: harbour
vars: {style: 35mm film}
defaults: {seconds: 4}
jobs:
  - id: harbour
    group: coast
    prompt: "{{ subject }} at dawn, {{ style }}"
    matrix: {subject: [a heron, a tug], seconds: [4, 8]}
    params: {seed: 7}
  - from: data/*.csv
  - id: fox
    prompt_file: prompts/fox.txt
"""
FILES = {
    "harbour.yaml": HARBOUR,
    "data/birds.csv": "prompt,mood\na gull,calm\na wren,wild\n",
    "prompts/fox.txt": "a fox in the snow ✓\n",
}

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Carries out a command line in this process; what it ended with and said."""

    def command(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest and its files; commands are typed in it."""
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def begin(manifest: Path, *stored: str, limits: LimitsWish | None = None, **wishes: Any) -> None:
    """A run of *manifest*, a file or a run folder, which got as far as storing the jobs of these ids."""
    read = load_kept(manifest) if manifest.is_dir() else load(manifest, Wishes(**wishes))
    folder = RunFolder(Path("outputs") / read.name)
    folder.make()
    with Ledger.open(folder.ledger) as ledger:
        outlook = prepare(ledger, read, Choice(limits=limits or LimitsWish()), folder, origin=EMBEDDED)
        for step in outlook.plan.steps:
            if step.job.id in stored and step.action in BUYS:
                video = folder.video(step.job.path)
                video.parent.mkdir(parents=True, exist_ok=True)
                video.write_bytes(bytes(4096))
                for fact in (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED):
                    fields = {**SAID[fact], **({"path": step.job.path} if fact is Fact.STORED else {})}
                    ledger.record(fact, step.job.key, **fields)
        ledger.commit_now()


def test_the_jobs_are_told_the_same_bytes_from_anywhere(here: Path, tmp_path: Path, typed: Typed) -> None:
    elsewhere = tmp_path / "another" / "place"
    write(elsewhere, FILES)

    _, lines, _ = typed("plan", "harbour.yaml", "--jobs")
    _, again, _ = typed("plan", elsewhere / "harbour.yaml", "--jobs")

    assert lines == again
    assert lines.isascii()
    assert str(here) not in lines
    jobs = [json.loads(line) for line in lines.splitlines()]
    assert [job["prompt"] for job in jobs] == [
        *("a heron at dawn, 35mm film", "a heron at dawn, 35mm film", "a tug at dawn, 35mm film"),
        *("a tug at dawn, 35mm film", "a gull", "a wren", "a fox in the snow ✓"),
    ]
    assert jobs[1] == {
        "axes": {"seconds": 8, "subject": "a heron"},
        "file": "harbour.yaml",
        "group": "coast",
        "id": "harbour-a-heron-8s",
        "key": jobs[1]["key"],
        "line": 5,
        "link": None,
        "meta": {},
        "model": "sora-2",
        "params": {"seed": 7},
        "path": "coast/harbour-a-heron-8s.mp4",
        "price": "0.80",
        "prompt": "a heron at dawn, 35mm film",
        "reference": None,
        "seconds": 8,
        "size": "1280x720",
        "source": None,
        "take": 1,
    }
    assert (jobs[5]["file"], jobs[5]["line"], jobs[5]["price"]) == ("birds.csv", 3, "0.40")


def test_only_and_limit_choose_from_the_jobs(here: Path, typed: Typed) -> None:
    _, whole, _ = typed("plan", "harbour.yaml", "--jobs")
    _, some, _ = typed("plan", "harbour.yaml", "--jobs", "--only", "coast", "--limit", "2")
    assert some == "".join(whole.splitlines(keepends=True)[:2])


def test_a_run_folder_is_planned_from_what_it_keeps_alone(here: Path, typed: Typed) -> None:
    begin(Path("harbour.yaml"), "fox")
    _, lines, _ = typed("plan", "harbour.yaml", "--jobs")
    _, plan, _ = typed("plan", "harbour.yaml", "--json")
    for name in FILES:
        (here / name).unlink()
    moved = Path("elsewhere/renamed")
    moved.parent.mkdir()
    shutil.copytree("outputs/harbour", moved)

    for folder in ("outputs/harbour", here / "outputs/harbour", moved):
        assert typed("plan", folder, "--jobs") == (0, lines, "")
    assert json.loads(typed("plan", "outputs/harbour", "--json")[1]) == json.loads(plan)
    there = json.loads(typed("plan", moved, "--json")[1])
    assert (there["run"], there["folder"]) == ("renamed", "elsewhere/renamed")
    assert there["counts"] == json.loads(plan)["counts"]
    assert there["counts"]["stored"] == 1


def test_the_reading_that_was_run_last_is_the_one_that_counts(here: Path, typed: Typed) -> None:
    """One manifest, read with other settings and with other files: three readings of the same bytes."""
    keys = []
    for settings, gull in (((), "a gull"), (("subject=a seal",), "a gull"), ((), "a crow")):
        write(here, {"data/birds.csv": f"prompt\n{gull}\n"})
        begin(Path("harbour.yaml"), settings=settings)
        _, now, _ = typed("plan", "harbour.yaml", "--jobs", *(f"--set={one}" for one in settings))
        assert typed("plan", "outputs/harbour", "--jobs") == (0, now, "")
        keys.append([json.loads(line)["key"] for line in now.splitlines()])
    begin(Path("harbour.yaml"))

    assert len(list((here / "outputs/harbour/manifests").glob("*.json"))) == 3
    assert len({tuple(row) for row in keys}) == 3


def test_what_the_command_line_states_goes_over_what_was_stated_then(here: Path, typed: Typed) -> None:
    begin(Path("harbour.yaml"), settings=("seconds=12",))
    _, then, _ = typed("plan", "outputs/harbour", "--jobs")
    _, now, _ = typed("plan", "outputs/harbour", "--jobs", "--set", "seconds=8")
    assert {json.loads(line)["seconds"] for line in then.splitlines()} == {12}
    assert {json.loads(line)["seconds"] for line in now.splitlines()} == {8}


@pytest.mark.parametrize(
    ("later", "stated", "planned"),
    [
        ([], LimitsWish(), ("1.20", 7)),
        ([], LimitsWish(budget=Decimal(9)), ("9", 7)),
        ([LimitsWish(in_flight=3)], LimitsWish(), ("1.20", 3)),
        ([LimitsWish(budget=Decimal("0.40")), LimitsWish()], LimitsWish(), ("0.40", 7)),
    ],
)
def test_the_limits_of_the_command_line_hold_for_its_run_folder_until_others_are_stated(
    here: Path, later: list[LimitsWish], stated: LimitsWish, planned: tuple[str, int]
) -> None:
    write(here, {"harbour.yaml": f"limits: {{in_flight: 5, budget: 40, downloads: 2}}\n{HARBOUR}"})
    begin(Path("harbour.yaml"), limits=LimitsWish(budget=Decimal("1.20"), in_flight=7))
    for limits in later:
        begin(Path("outputs/harbour"), limits=limits)

    found = plan_run(load_kept("outputs/harbour"), Choice(limits=stated)).limits

    assert (str(found.budget), found.in_flight, found.downloads) == (*planned, 2)


def test_a_folder_whose_index_is_of_an_older_format_has_the_limits_of_its_manifest(here: Path, typed: Typed) -> None:
    write(here, {"harbour.yaml": f"limits: {{budget: 40}}\n{HARBOUR}"})
    begin(Path("harbour.yaml"), limits=LimitsWish(budget=Decimal(1)))
    newest = next((here / "outputs/harbour/manifests").glob("*.json"))
    index = json.loads(newest.read_bytes())
    del index["limits"]
    older = json.dumps({**index, "format": 1}).encode()
    digest = hashlib.sha256(older).hexdigest()
    newest.with_name(f"{digest[:8]}.json").write_bytes(older)
    with Ledger.open(here / "outputs/harbour/ledger.jsonl") as ledger:
        ledger.note(READING, digest)
        ledger.commit_now()

    assert json.loads(typed("plan", "outputs/harbour", "--json")[1])["budget"] == 40


def spoil_file(folder: Path) -> None:
    next(folder.glob("manifests/*-files/*.csv")).write_text("prompt\nanother bird\n", encoding="utf-8")


def lose_file(folder: Path) -> None:
    next(folder.glob("manifests/*-files/*.txt")).unlink()


def spoil_manifest(folder: Path) -> None:
    next(folder.glob("manifests/*.yaml")).write_text("jobs: [{prompt: a heron}]\n", encoding="utf-8")


def spoil_index(folder: Path) -> None:
    next(folder.glob("manifests/*.json")).write_text('{"format": 1, "manifest": {}}', encoding="utf-8")


def lead_out(folder: Path) -> None:
    path = next(folder.glob("manifests/*.json"))
    index = json.loads(path.read_bytes())
    index["files"][0]["kept"] = "../../../data/birds.csv"
    path.write_text(json.dumps(index), encoding="utf-8")


def spoil_limits(limits: dict[str, object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = next(folder.glob("manifests/*.json"))
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "limits": limits}), encoding="utf-8")

    return spoil


def lose_index(folder: Path) -> None:
    next(folder.glob("manifests/*.json")).unlink()


def lose_ledger(folder: Path) -> None:
    (folder / "ledger.jsonl").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (spoil_file, "harbour.yaml:10:11: the run folder's copy of 'data/birds.csv' is not what was read then"),
        (lose_file, "harbour.yaml:12:18: the run folder's copy of 'prompts/fox.txt' cannot be read: No such file"),
        (spoil_manifest, "is not the manifest that was run: name the manifest's own file instead"),
        (spoil_index, "is no index of a manifest that was run: 'name'"),
        (spoil_limits({"budget": "much"}), "is no index of a manifest that was run: 'budget' is no amount"),
        (spoil_limits({"in_flight": 0}), "is no index of a manifest that was run: 'in_flight' is no number above 0"),
        (lead_out, "is no index of a manifest that was run: '../../../data/birds.csv' leaves the folder"),
        (lose_index, "outputs/harbour has lost the manifest that it was run with: name the manifest's own file"),
        (lose_ledger, "there is no ledger"),
    ],
)
def test_copies_that_are_not_what_was_run_are_not_planned_from(
    damage: Callable[[Path], None], said: str, here: Path, typed: Typed
) -> None:
    begin(Path("harbour.yaml"))
    damage(here / "outputs/harbour")

    code, out, err = typed("plan", "outputs/harbour")

    assert (code, out) == (2, "")
    assert said in err


def test_a_run_of_before_there_was_an_index_says_what_to_do(here: Path, typed: Typed) -> None:
    folder = RunFolder(Path("outputs/harbour"))
    folder.make()
    with Ledger.open(folder.ledger) as ledger:
        ledger.header(run="0" * 32, provider="sandbox", origin=EMBEDDED, currency="USD", name="harbour")
        ledger.commit_now()
    assert typed("plan", "outputs/harbour")[2] == (
        "vidbatch: outputs/harbour was run by a vidbatch that kept no index: name the manifest's own file instead\n"
    )


def test_one_word_of_a_prompt_changes_its_jobs_and_no_other_and_no_video_is_overwritten(
    here: Path, typed: Typed
) -> None:
    ids = ("harbour-a-heron-4s", "harbour-a-heron-8s", "harbour-a-tug-4s", "harbour-a-tug-8s", "fox")
    begin(Path("harbour.yaml"), *ids)
    write(
        here,
        {"harbour.yaml": HARBOUR.replace("dawn", "dusk"), "data/birds.csv": "prompt,mood\na gull,calm\na tern,wild\n"},
    )

    code, text, err = typed("plan", "harbour.yaml")
    document = json.loads(typed("plan", "harbour.yaml", "--json")[1])

    assert (code, err) == (0, "")
    assert "        5  changed: edited since; will be submitted, what was made stays\n" in text
    assert "           harbour-a-heron-4s: prompt …dawn,… -> …dusk,…\n" in text
    assert "prompt …wren -> …tern" in text
    assert document["counts"]["changed"] == 5
    assert document["counts"]["stored"] == 1
    assert document["orphans"] == 5
    assert [change["fields"][0]["field"] for change in document["changes"]] == ["prompt"] * 5
    paths = [job["path"] for job in document["jobs"] if job["action"] == "changed"]
    assert not [path for path in paths if (here / "outputs/harbour" / path).exists()]

    begin(Path("harbour.yaml"), *ids)
    assert [path for path in paths if (here / "outputs/harbour" / path).exists()]
    assert len(list((here / "outputs/harbour/videos/coast").glob("*.mp4"))) == 8


def test_two_manifests_are_compared_without_their_run_folders(here: Path, typed: Typed) -> None:
    begin(Path("harbour.yaml"))
    write(here, {"new.yaml": HARBOUR.replace("seed: 7", "seed: 8").replace("- id: fox", "- id: red-fox")})
    write(
        here,
        {"new.yaml": (here / "new.yaml").read_text(encoding="utf-8") + "  - {id: seal, prompt: a seal, seconds: 8}\n"},
    )

    code, text, err = typed("plan", "new.yaml", "--against", "harbour.yaml")

    assert (code, err) == (0, "")
    assert text == (
        "new.yaml against harbour.yaml\n"
        "        3  in both: $1.20\n"
        "        4  changed: $2.40\n"
        "           harbour-a-heron-4s: params.seed 7 -> 8\n"
        "           harbour-a-heron-8s: params.seed 7 -> 8\n"
        "           harbour-a-tug-4s: params.seed 7 -> 8\n"
        "           harbour-a-tug-8s: params.seed 7 -> 8\n"
        "        1  only in new.yaml: $0.80\n"
        "           seal\n"
        "cost    $4.40 against $3.60: $0.80 more\n"
    )
    document = json.loads(typed("plan", "new.yaml", "--against", "outputs/harbour", "--json")[1])
    assert document["difference"] == 0.8
    assert document["both"] == {"videos": 3, "cost": 1.2}
    assert [job["id"] for job in document["only_here"]["jobs"]] == ["seal"]
    assert document["only_against"] == {"videos": 0, "cost": 0.0, "jobs": []}
    assert document["changed"]["jobs"][0]["fields"] == [{"field": "params.seed", "old": 7, "new": 8}]


@pytest.mark.parametrize("words", [("--jobs", "--against", "harbour.yaml"), ("--jobs", "--json")])
def test_what_cannot_be_both_is_refused(words: tuple[str, ...], here: Path, typed: Typed) -> None:
    code, out, err = typed("plan", "harbour.yaml", *words)
    assert (code, out) == (2, "")
    assert "--jobs" in err


STYLED = "name: s\nvars: {style: a, tone: b}\njobs: [{id: x, prompt: '{{ style }} {{ tone }}'}]\n"


def test_a_run_folder_is_compared_with_as_it_was_run_whatever_is_stated_now(here: Path, typed: Typed) -> None:
    write(here, {"s.yaml": STYLED})
    begin(Path("s.yaml"), settings=("style=noir", "tone=hard"))

    other = typed("plan", "s.yaml", "--set", "style=noir", "--against", "outputs/s")
    same = typed("plan", "s.yaml", "--set", "style=noir", "--set", "tone=hard", "--against", "outputs/s")
    changed = typed("plan", "outputs/s", "--set", "style=film", "--against", "outputs/s")
    with_file = typed("plan", "outputs/s", "--set", "style=film", "--set", "tone=b", "--against", "s.yaml")

    assert "x: prompt …hard -> …b" in other[1]
    assert "        1  in both" in same[1]
    assert "x: prompt noir… -> film…" in changed[1]
    assert "        1  in both" in with_file[1]


@pytest.mark.parametrize(
    ("stated", "prompts"),
    [
        ((), ["noir hard"]),
        (("style=film2",), ["film2 hard"]),
        ((" style = film2 ", "tone=soft"), ["film2 soft"]),
        (("tone=soft,raw",), ["noir soft", "noir raw"]),
    ],
)
def test_of_the_settings_of_a_run_those_that_are_stated_now_are_replaced_by_name(
    stated: tuple[str, ...], prompts: list[str], here: Path, typed: Typed
) -> None:
    write(here, {"s.yaml": STYLED})
    begin(Path("s.yaml"), settings=("style=noir", "tone=hard"))

    _, lines, _ = typed("plan", "outputs/s", "--jobs", *(f"--set={one}" for one in stated))

    assert [json.loads(line)["prompt"] for line in lines.splitlines()] == prompts


def test_what_is_stated_twice_now_is_refused_for_a_run_folder_too(here: Path, typed: Typed) -> None:
    write(here, {"s.yaml": STYLED})
    begin(Path("s.yaml"), settings=("style=noir",))

    code, out, err = typed("plan", "outputs/s", "--set", "style=a", "--set", "style=a")

    assert (code, out) == (2, "")
    assert "it is set twice" in err


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("reading", [1], "is no index"),
        ("reading", {"settings": 7}, "'settings' is no list"),
        ("reading", {"settings": ["style=a", 7]}, "7 is no text"),
        ("reading", {"settings": ["style"]}, "is not what the run wrote: name the manifest's own file instead"),
        ("reading", {"provider": ["x"]}, "'provider' is no str"),
        ("reading", {"provider": "nobody"}, "is not what the run wrote"),
        ("reading", {"fit": {}}, "'fit' is no str"),
        ("reading", {"fit": "stretch"}, "'fit' is crop or pad"),
        ("reading", {"allow_large": "yes"}, "'allow_large' is no bool"),
        ("manifest", {"name": 7, "sha256": "", "kept": "a"}, "7 is no text"),
        ("manifest", {"name": "a.csv", "sha256": "", "kept": ["a"]}, "is no text"),
        ("manifest", {"name": "a.csv", "sha256": "", "kept": "a\0b"}, "holds a zero byte"),
        ("files", [{"name": None, "sha256": "", "kept": "a"}], "None is no text"),
        ("files", 7, "is no index"),
    ],
)
def test_an_index_of_odd_types_is_told_as_none(part: str, value: object, said: str, here: Path, typed: Typed) -> None:
    write(here, {"s.yaml": STYLED})
    begin(Path("s.yaml"))
    path = next((here / "outputs/s").glob("manifests/*.json"))
    path.write_text(json.dumps({**json.loads(path.read_bytes()), part: value}), encoding="utf-8")

    for words in (("outputs/s",), ("s.yaml", "--against", "outputs/s")):
        code, out, err = typed("plan", *words)
        assert (code, out) == (2, "")
        assert said in err


def test_a_run_folder_reads_the_files_that_the_manifest_named_and_patterns_name_no_more(
    here: Path, typed: Typed
) -> None:
    rows = {"b[1].csv": "prompt\nitself\n", "b1.csv": "prompt\nother\n", "b2.csv": "prompt\nb2\n"}
    more = {"more/x.yaml": "include: ['*.yaml']\njobs: [{prompt: x}]\n", "more/y.yaml": "jobs: [{prompt: y}]\n"}
    own = "name: s\ninclude: ['more/x.yaml']\njobs: [{from: 'b[1].csv'}, {from: 'b[2].csv'}]\n"
    write(here, {"s.yaml": own, **rows, **more})
    begin(Path("s.yaml"))

    _, lines, _ = typed("plan", "outputs/s", "--jobs")

    assert [json.loads(line)["prompt"] for line in lines.splitlines()] == ["y", "x", "itself", "b2"]
    assert typed("plan", "s.yaml", "--jobs") == (0, lines, "")
