"""What notes tell of pictures and deletions: an older vidbatch passes them over, and so do we what tells nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.ledger.afterwards import deleted_note, media_note, picture_note
from pipeline.ledger.claims import is_listed
from pipeline.ledger.deviation import deviating
from pipeline.ledger.fields import DELETED, MEDIA, VARIANT
from pipeline.ledger.ledger import read_run
from pipeline.ledger.media import Media
from pipeline.ledger.state import Picture
from pipeline.lifecycle import Fact
from pipeline.media.decode import WORDS_MAX
from tests.ledger.histories import ORIGIN, key, live, opened, planned

HOME = (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)


def test_pictures_and_deletions_are_read_back_and_are_of_one_attempts_video(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *HOME)
        job = ledger.state.jobs[key(0)]
        thumbnail = Picture(video_id=job.video_id, path="a-thumbnail.webp", bytes=7, sha256="0" * 64)
        ledger.note(VARIANT, picture_note(job.key, "thumbnail", thumbnail))
        ledger.note(DELETED, deleted_note(job))
        ledger.commit_now()
        again = read_run(tmp_path).jobs[key(0)]
        day = timedelta(days=1)
        assert job.changed_at is not None
        listed = is_listed(again, ORIGIN, since=job.changed_at - day, until=job.changed_at + day)
        live(ledger, 0, Fact.MISSING, Fact.EXPIRED, Fact.RETRY, Fact.INTENT, Fact.ACCEPTED)

        assert (again.picture("thumbnail"), again.is_deleted, listed) == (thumbnail, True, False)
        assert again.expires_at is not None
        assert (job.picture("thumbnail"), job.is_deleted) == (None, False)
        assert job.pictures == {"thumbnail": thumbnail}
        ledger.commit_now()


MEDIA_OF_A_FOX = Media(
    seconds=2.0,
    size="128x72",
    frames=48,
    frame_rate=24.0,
    codec="h264",
    audio="aac",
    silent=True,
    decodes=False,
    c2pa=True,
    problems=("it ends after 1.0 of 2.0 s", "»broken« \u202e"),
)


def test_what_a_video_was_found_to_be_is_read_back_and_is_of_that_file_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *HOME)
        job = ledger.state.jobs[key(0)]
        ledger.note(MEDIA, media_note(job, MEDIA_OF_A_FOX).replace(job.sha256, "c" * 64))
        assert job.media is None
        ledger.note(MEDIA, media_note(job, MEDIA_OF_A_FOX))
        ledger.commit_now()
        again = read_run(tmp_path)
        live(ledger, 0, Fact.MISSING)

    assert again.jobs[key(0)].media == MEDIA_OF_A_FOX
    [words] = deviating(again.jobs.values(), again)
    assert words == "; ".join(MEDIA_OF_A_FOX.problems)
    assert job.media is None


@pytest.mark.parametrize(
    "other", [{"frames": "48"}, {"silent": 1}, {"problems": "none"}, {"problems": [1]}, {"decodes": "no"}]
)
def test_a_note_of_media_that_is_not_whole_changes_nothing(tmp_path: Path, other: dict[str, object]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *HOME)
        job = ledger.state.jobs[key(0)]
        ledger.note(MEDIA, json.dumps({**json.loads(media_note(job, MEDIA_OF_A_FOX)), **other}))
        assert job.media is None
        less = json.loads(media_note(job, MEDIA_OF_A_FOX))
        del less["codec"]
        ledger.note(MEDIA, json.dumps(less))
        assert job.media is None
        ledger.note(MEDIA, json.dumps({**json.loads(media_note(job, MEDIA_OF_A_FOX)), "of_a_newer_one": 1}))
        assert job.media == MEDIA_OF_A_FOX


def test_the_longest_words_of_ffmpeg_fit_into_a_note(tmp_path: Path) -> None:
    """A note is cut at 2,000 characters, and a cut one tells nothing."""
    words = "it ends after 1234.5 of 1234.5 s: " + '"' * WORDS_MAX
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *HOME)
        job = ledger.state.jobs[key(0)]
        long = replace(MEDIA_OF_A_FOX, problems=(words, words, words))
        ledger.note(MEDIA, media_note(job, long))
        assert job.media == long


@pytest.mark.parametrize("what", [VARIANT, DELETED, MEDIA])
@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"job":"nobody"}', '{"job":"%s"}', "[" * 2000])
def test_a_note_that_tells_nothing_changes_nothing(tmp_path: Path, what: str, text: str) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        ledger.note(what, text.replace("%s", key(0)))
        ledger.commit_now()
    job = read_run(tmp_path).jobs[key(0)]
    assert (dict(job.pictures), job.deleted_id) == ({}, "")
