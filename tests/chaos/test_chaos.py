"""Nights of accidents, short enough for every day; `python -m tests.soak kills interrupts` has the long ones."""

from __future__ import annotations

import random
import re
from pathlib import Path

from tests.chaos.driver import KILL, POLITE
from tests.chaos.night import have

JOBS = 40
HITS = 12


def test_a_run_killed_at_a_dozen_moments_pays_for_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    report = have(tmp_path, jobs=JOBS, hits=HITS, numbers=KILL, seed=random.SystemRandom().randrange(1 << 32))
    verdict = report.verdict
    assert report.faults == (), report
    assert verdict.stored + len(verdict.uncertain) == JOBS
    assert report.last_code == (4 if verdict.uncertain else 0), report
    assert report.live > HITS // 2, report
    assert set(verdict.uncertain) == set(re.findall(r"\bjob-\d+\b", report.resolve_text)), report
    assert not verdict.uncertain or "vidbatch resolve" in report.status_text
    assert not list(tmp_path.rglob("night/**/*.part"))


def test_where_the_provider_lists_its_videos_no_kill_leaves_a_doubt(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    report = have(tmp_path, jobs=30, hits=6, numbers=KILL, seed=seed, lists=True)
    assert report.faults == (), report
    assert report.verdict.stored == 30
    assert report.last_code == 0


def test_a_run_ended_politely_at_random_moments_leaves_no_doubt(tmp_path: Path) -> None:
    report = have(tmp_path, jobs=30, hits=6, numbers=POLITE, seed=random.SystemRandom().randrange(1 << 32))
    assert report.faults == (), report
    assert report.verdict.stored == 30
    assert report.last_code == 0
    # a negative code: the signal came before vidbatch had an ear for it, and before anything was sent
    assert set(report.codes) <= {130, 0, *(-number for number in POLITE)}, report
