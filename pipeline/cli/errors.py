"""How a command ends when it does not end well: one clear message, or, for a bug of ours, a report to paste."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence

from pipeline.cli.colour import issue_for, use_color
from pipeline.cli.streams import give_up_output, say
from pipeline.errors import InvalidManifest, PipelineError

TROUBLE_WITH_DISK = 3
BUG = 70
INTERRUPTED = 130
CUT_OFF = 141
"""What a shell shows for a program that SIGPIPE ended: whoever read our output left."""

_ABOUT_DISK = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ESTALE", "ENOLCK"),
        *("ENOENT", "EEXIST", "ENOTDIR", "EISDIR", "ENOTEMPTY", "ELOOP", "ENAMETOOLONG", "EBUSY", "EXDEV", "EMLINK"),
    )
    if hasattr(errno, name)
)


def explain(error: BaseException, words: Sequence[str]) -> int:
    """Tell the user what *error* means, on standard error, and return the exit code. *words* is the command line."""
    code = code_of(error)
    if code == INTERRUPTED:
        say("vidbatch: interrupted")
    elif code == CUT_OFF:
        give_up_output()
    elif code == BUG:
        from pipeline.cli.crash import report

        report(error, words)
    else:
        _tell(list(leaves(error)))
    return code


def code_of(error: BaseException) -> int:
    """The exit code that *error* ends with."""
    found = list(leaves(error))
    if any(isinstance(leaf, KeyboardInterrupt) for leaf in found):
        return INTERRUPTED
    if all(isinstance(leaf, BrokenPipeError) for leaf in found):
        return CUT_OFF
    expected = [leaf.exit_code for leaf in found if isinstance(leaf, PipelineError)]
    if len(expected) == len(found):
        return max(expected)
    if all(isinstance(leaf, OSError) and leaf.errno in _ABOUT_DISK for leaf in found):
        return TROUBLE_WITH_DISK
    return BUG


def leaves(error: BaseException) -> Iterator[BaseException]:
    """What a task group bundled, one by one; an error that is no bundle is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from leaves(part)
    else:
        yield error


def _tell_issues(error: InvalidManifest) -> None:
    """Every issue with its place, on standard error."""
    for issue in error.issues:
        say(issue_for(sys.stderr, issue))


def _tell(errors: Sequence[BaseException]) -> None:
    from pipeline.text import plural

    for error in errors:
        if isinstance(error, InvalidManifest):
            _tell_issues(error)
            count = sum(1 + issue.more for issue in error.issues if not issue.warning)
            say(f"{plural(count, 'issue')}; nothing was sent")
    _tell_each([error for error in errors if not isinstance(error, InvalidManifest)])


def _tell_each(errors: Sequence[BaseException]) -> None:
    """Each message once: two workers often fail over the same disk."""
    from pipeline.cli.redact import redact, secrets_of
    from pipeline.ink import Ink, painted
    from pipeline.text import plain

    name = painted("vidbatch:", Ink.RED) if use_color(sys.stderr) else "vidbatch:"
    for message in dict.fromkeys(str(error) or type(error).__name__ for error in errors):
        lines = "\n".join(plain(line) for line in message.split("\n"))  # a message may hold a provider's words
        say(redact(f"{name} {lines}", secrets_of(os.environ)))
