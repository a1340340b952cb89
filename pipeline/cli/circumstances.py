"""What a person who looks at a run has to know beside its ledger: who works on it, its budget, its provider's pace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.ledger.presence import Presence
    from pipeline.ledger.replay import RunState
    from pipeline.limits import Limits
    from pipeline.profile import Profile
    from pipeline.views.survey import Circumstances


def circumstances_of(run: Path, state: RunState, presence: Presence) -> Circumstances:
    """Those of the run whose folder or ledger is at *run*. What cannot be found out is left open."""
    from pipeline import api
    from pipeline.policy.unknown import settles
    from pipeline.providers.bills import bills_at
    from pipeline.views.survey import Circumstances

    folder = run if run.is_dir() else run.parent
    profile = api.profile_of(state, run)
    origin = state.header.origin if state.header else ""
    return Circumstances(
        folder=folder,
        presence=presence,
        limits=_limits(folder, state, profile),
        pace=profile.pace if profile else None,
        bills=bills_at(profile, origin) if profile else True,
        settles=profile is not None and settles(profile, None),
    )


def _limits(folder: Path, state: RunState, profile: Profile | None) -> Limits | None:
    """Those that the run was last given: the manifest's and the command line's, over the profile's."""
    from pipeline.storage import RunFolder

    if profile is None or not state.reading:
        return None
    try:
        return RunFolder(folder).kept(state.reading).limits.over(profile.limits)
    except (PipelineError, OSError):
        return None
