"""Asking a provider to end, or to delete, the videos of jobs that a person gave up: only once that is on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.api import load_kept
from pipeline.errors import InvalidManifest, ProviderError, UsageError
from pipeline.launch import World
from pipeline.ledger.ledger import read_run
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact
from pipeline.model import EMBEDDED, Manifest
from pipeline.policy.verdict import words_of
from pipeline.profile import Profile
from pipeline.providers.access import access, address_of, key_of
from pipeline.providers.base import Observation, Problem, Refusal, Status
from pipeline.providers.registry import dialect_of
from pipeline.runner.heirs import Heirs

if TYPE_CHECKING:
    from pipeline.transport import Transport

_GONE = (Problem.UNKNOWN_ID, Problem.GONE)
_IS_GONE = "the provider does not have its video any more"


async def end_videos(run: Path, dropped: Sequence[JobState], world: World) -> Mapping[str, str]:
    """Ask for the end of the videos of *dropped* jobs of the run at *run*; what came of it in words, by their keys.

    A job without a video, and one whose provider neither cancels nor deletes, is not among them. Raises `UsageError`
    and `InvalidManifest` where nobody could be asked.
    """
    jobs = [job for job in dropped if job.video_id]
    if not jobs:
        return {}
    manifest = load_kept(run, environment=world.environment)
    profile = manifest.profile
    if not (profile.cancels or profile.deletes):
        return {}
    address = address_of(manifest.provider, profile, world.environment)
    heirs = Heirs((), read_run(run).jobs, set())  # what was not submitted yet will be blocked, and needs it no more
    told = {job.key: why for job in jobs if (why := _elsewhere(job, address) or _not_ours_alone(job, heirs))}
    if ours := [job for job in jobs if job.key not in told]:
        told |= await _ask(ours, manifest, address, world)
    return told


def _elsewhere(job: JobState, address: str) -> str:
    """Why nobody is asked: our key goes to no other address than the one in force. Empty: the video is there."""
    if address and job.origin == address:
        return ""
    if job.origin == EMBEDDED:
        return "nobody was asked: the sandbox of a run folder is at work only while a run is"
    return f"nobody was asked: its video is at {job.origin}, and the provider is now at {address}"


def _not_ours_alone(job: JobState, heirs: Heirs) -> str:
    """Why nobody is asked: others may need the video. Empty: it is this job's alone."""
    if job.attempts[-1].outcome is Fact.ADOPTED:
        return "nobody was asked: its id was adopted, and the video may be another run's"
    if heirs.share(job):
        return "nobody was asked: another job was given the same video"
    return "nobody was asked: something builds on its video" if heirs.build_on(job) else ""


async def _ask(jobs: Sequence[JobState], manifest: Manifest, address: str, world: World) -> dict[str, str]:
    key = key_of(manifest.provider, manifest.profile, world.environment)
    reached = access(address, key, manifest.profile)
    async with world.connect(reached, submits=1, downloads=1) as transport:
        return {job.key: await _end(job.video_id, manifest.profile, transport) for job in jobs}


async def _end(video_id: str, profile: Profile, transport: Transport) -> str:
    """End one video, whatever it is doing; what came of it."""
    dialect = dialect_of(profile)
    try:
        seen = dialect.read_look(await transport.look(dialect.look(video_id, profile)), profile, video_id)
        if isinstance(seen, Refusal) and seen.problem in _GONE:
            return _IS_GONE
        over = isinstance(seen, Observation) and seen.status not in (Status.WAITING, Status.RUNNING)
        if not (profile.deletes if over else profile.cancels):
            return _left(profile, over=over)
        refusal = dialect.read_delete(await transport.look(dialect.delete(video_id, profile)), profile)
    except ProviderError as error:
        return f"whether the provider has ended it is not known: {error}"
    if refusal is None:
        return "it was already over, and is deleted at the provider" if over else "cancelled at the provider"
    is_gone = refusal.problem is Problem.GONE  # 404 may be said of the method: the look has just shown the video
    return _IS_GONE if is_gone else f"the provider refuses to end it: {words_of(refusal)}"


def _left(profile: Profile, *, over: bool) -> str:
    if over:
        return f"it was already over; {profile.name} deletes no videos, so it stays there until it expires"
    return f"it is still being rendered, and {profile.name} cannot cancel it: it goes on there"


def why_not(error: UsageError | InvalidManifest) -> str:
    """Why nobody could be asked, in words."""
    if isinstance(error, InvalidManifest):
        return f"the manifest that the run keeps has {error}"
    return str(error)
