"""The gallery at the end of a run: bounded, and no run ends otherwise because of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from pipeline import api
from pipeline.cli import gallery
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State
from pipeline.outlook import Choice
from pipeline.progress import Event, Notice

MANIFEST = """\
name: harbour
provider: {profile: sandbox, sandbox: {render_s: 0}}
jobs: [{id: fox, prompt: a fox, seconds: 4}]
"""
AGAIN = "; vidbatch report {folder} does it"


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> api.Outcome:
    """A run that is over, before its gallery is written."""
    place = tmp_path_factory.mktemp("over")
    (place / "harbour.yaml").write_text(MANIFEST, encoding="utf-8")
    manifest = api.load(place / "harbour.yaml")
    outcome = anyio.run(partial(api.run, manifest, Choice(outputs=place / "outputs")))
    assert outcome.counts[State.STORED] == 1
    return outcome


def write(outcome: api.Outcome) -> tuple[str, list[Event]]:
    """What is said of the gallery, and what observers heard."""
    heard: list[Event] = []

    def hear(event: Event) -> None:
        heard.append(event)

    return gallery.write_gallery(outcome, hear), heard


def test_it_is_where_it_says(over: api.Outcome) -> None:
    said, heard = write(over)

    assert Path(said) == over.outlook.folder / "report" / "index.html"
    assert Path(said).is_file()
    assert heard == []


def test_after_an_interrupt_nobody_waits_for_posters(over: api.Outcome) -> None:
    for poster in (over.outlook.folder / "report" / "posters").glob("*"):
        poster.unlink()

    said, _ = write(replace(over, interrupted=True))
    text = Path(said).read_text(encoding="utf-8")
    write(over)

    assert '"poster":""' in text
    assert '"poster":"posters/' in Path(said).read_text(encoding="utf-8")


def test_thousands_of_videos_are_shown_to_whoever_asks(over: api.Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "CARDS_MAX", 0)

    said, heard = write(over)

    assert said == "not written: 1 video is more than is shown unasked" + AGAIN.format(folder=over.outlook.folder)
    assert heard == [Notice(lane="run", message=f"the gallery was {said}")]


@pytest.mark.parametrize(
    ("failure", "why"),
    [(KeyboardInterrupt(), "interrupted"), (ValueError("a bug of ours"), "a bug of ours"), (KeyError(), "KeyError")],
)
def test_whatever_goes_wrong_is_told_and_not_raised(
    over: api.Outcome, monkeypatch: pytest.MonkeyPatch, failure: BaseException, why: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("pipeline.report.write_report", fail)

    assert write(over)[0] == f"not written: {why}" + AGAIN.format(folder=over.outlook.folder)


def test_a_run_that_never_planned_a_job_has_none(over: api.Outcome) -> None:
    assert write(replace(over, state=RunState())) == ("", [])
