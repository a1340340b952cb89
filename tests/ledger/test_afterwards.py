"""What notes tell of pictures and deletions: an older vidbatch passes them over, and so do we what tells nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.ledger.afterwards import deleted_note, picture_note
from pipeline.ledger.claims import is_listed
from pipeline.ledger.fields import DELETED, VARIANT
from pipeline.ledger.ledger import read_run
from pipeline.ledger.state import Picture
from pipeline.lifecycle import Fact
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


@pytest.mark.parametrize("what", [VARIANT, DELETED])
@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"job":"nobody"}', '{"job":"%s"}', "[" * 2000])
def test_a_note_that_tells_nothing_changes_nothing(tmp_path: Path, what: str, text: str) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        ledger.note(what, text.replace("%s", key(0)))
        ledger.commit_now()
    job = read_run(tmp_path).jobs[key(0)]
    assert (dict(job.pictures), job.deleted_id) == ({}, "")
