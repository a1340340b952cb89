"""The question before money is spent: asked of a person at a terminal, and of nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from pipeline.loopback import place_words
from pipeline.text import WIDTH, cells, money, plain, plural

if TYPE_CHECKING:
    from pipeline.outlook import Outlook

YES = frozenset({"y", "yes"})


def question(outlook: Outlook) -> str:
    """What has to be agreed to before *outlook* is carried out; empty where nothing has.

    An unknown price is above every threshold; a provider that bills nothing is below.
    """
    plan = outlook.plan
    if not outlook.is_dear:
        return ""
    price = "at an unknown price" if plan.cost is None else f"for {money(plan.cost, outlook.currency)}"
    bought = _bought(outlook)
    besides = f"Without a yes {bought} all the same.\n" if bought else ""
    asked = f"Submit {plural(len(plan.submits), 'video')} {price}"
    question = f"{asked} {_to_whom(outlook)}? [y/N] "
    return besides + (question if cells(question) <= WIDTH else f"{asked}\n{question[len(asked) + 1 :]}")


def _to_whom(outlook: Outlook) -> str:
    place = f" at {plain(place_words(outlook.origin))}" if outlook.origin else ""
    return f"to {outlook.manifest.profile.name}{place}"


def homecoming(outlook: Outlook) -> str:
    """What a run that buys nothing does; empty where there is nothing to do for it."""
    asked = outlook.doubts.asked
    settled = f"the provider is asked about {plural(asked, 'submit')} of unknown outcome" if asked else ""
    coming = ", and ".join(filter(None, (_bought(outlook), settled)))
    return f"Nothing is bought. {coming[0].upper()}{coming[1:]}." if coming else ""


def _bought(outlook: Outlook) -> str:
    """What is paid for and not here yet, in words."""
    count = outlook.coming
    words = "that are bought come home" if count > 1 else "that is bought comes home"
    return f"{plural(count, 'video')} {words}" if count else ""


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
