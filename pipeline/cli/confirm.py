"""The question before money is spent: asked of a person at a terminal, and of nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from pipeline.text import money, plural

if TYPE_CHECKING:
    from pipeline.plan import Outlook

YES = frozenset({"y", "yes"})


def question(outlook: Outlook) -> str:
    """What has to be agreed to before *outlook* is carried out; empty where nothing has.

    An unknown price is above every threshold; a provider that bills nothing is below.
    """
    plan, limits = outlook.plan, outlook.limits
    if not plan.submits or not outlook.manifest.profile.bills:
        return ""
    if plan.cost is not None and plan.cost <= limits.confirm_above:
        return ""
    price = "at an unknown price" if plan.cost is None else f"for {money(plan.cost, outlook.currency)}"
    return f"Submit {plural(len(plan.submits), 'video')} {price}? [y/N] "


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at the other end of *stream*."""
    return stream is not None and not stream.closed and stream.isatty()


def agrees(asked: str, answers: TextIO, screen: TextIO) -> bool:
    """Whether a person says yes to what is *asked*; yes, too, where nothing is. The end of the input is a no."""
    if not asked:
        return True
    screen.write(asked)
    screen.flush()
    answer = answers.readline()
    if not answer.endswith("\n"):  # the cursor still stands behind the question
        screen.write("\n")
    return answer.strip().lower() in YES
