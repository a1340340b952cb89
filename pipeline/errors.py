"""Every failure that vidbatch explains, named by what to do next.

    PipelineError
    ├── UsageError            mend the command line or the environment        exit 2
    │   └── MissingExtra      install the named extra                         exit 2
    ├── InvalidManifest       mend the places it lists                        exit 2
    ├── LedgerBusy            wait for the other runner                       exit 5
    ├── LedgerDamaged         look at the named line, then `ledger repair`    exit 3
    ├── LedgerBroken          mend the disk, run again                        exit 3
    ├── NoRoom                make room on the disk, run again                exit 3
    ├── ReferenceLost         remove the named image, run again               exit 3
    ├── ProviderError
    │   ├── NotSent           safe to repeat: no byte left this machine
    │   ├── OutcomeUnknown    perhaps accepted and billed: never repeat blindly
    │   ├── Untrusted         the certificate is wrong: stop
    │   └── Misled            a download leads where we do not go: see why, fetch again later
    └── ArtifactError
        ├── Truncated         fetch the rest
        └── NotAVideo         keep a sample, fetch again later

A video that failed is a value (see `lifecycle`); these are for broken ground. Anything else that escapes is a
bug of ours and ends with exit 70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.model import Issue


class PipelineError(Exception):
    """A failure explained to the user in one message. `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 3


class UsageError(PipelineError):
    """What was asked for cannot be done as asked; nothing was sent."""

    exit_code = 2


class MissingExtra(UsageError):
    """An optional part of vidbatch is not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}': pip install 'vidbatch[{extra}]'")
        self.extra = extra


class InvalidManifest(PipelineError):
    """The manifest has issues; all of them with the warnings, in reading order. Nothing was sent."""

    exit_code = 2

    def __init__(self, issues: Sequence[Issue]) -> None:
        count = sum(not issue.warning for issue in issues)
        super().__init__(f"{count} issue{'s' if count != 1 else ''}")
        self.issues = tuple(issues)


class LedgerBusy(PipelineError):
    """Another runner holds this run."""

    exit_code = 5

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path}: another runner holds this run ({holder}); wait for it or stop it")
        self.path = path
        self.holder = holder


class LedgerDamaged(PipelineError):
    """Bad bytes stand before good lines: not a torn tail, so not ours to cut."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(
            f"{path}:{line}: the ledger is damaged here: {reason}; nothing was changed, nothing was sent. "
            f"`vidbatch ledger repair {path.parent}` writes a sound one and marks the jobs concerned uncertain"
        )
        self.path = path
        self.line = line
        self.reason = reason


class LedgerBroken(PipelineError):
    """The ledger could not be written or synced; what was not confirmed must not be acted upon."""


class NoRoom(PipelineError):
    """The disk has no room for what a run would bring; nothing was sent."""


class ReferenceLost(PipelineError):
    """A reference image that the run folder kept is gone, or is not what it was; nothing was sent with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; remove it if it is there, and run again: it is copied anew")


class ProviderError(PipelineError):
    """Talking to the provider failed."""


class NotSent(ProviderError):
    """No byte of the request left this machine: repeating it is safe."""


class OutcomeUnknown(ProviderError):
    """Bytes were sent and no whole answer came back: it may have been accepted and billed."""


class Untrusted(ProviderError):
    """The provider's certificate could not be verified."""


class Misled(ProviderError):
    """A download is redirected to a place that is not followed."""


class ArtifactError(PipelineError):
    """What was downloaded is not the video."""


class Truncated(ArtifactError):
    """Fewer bytes than announced, or an MP4 that ends before its own structure does."""


class NotAVideo(ArtifactError):
    """Bytes that are no MP4 at all, such as an error page or a JSON document."""
