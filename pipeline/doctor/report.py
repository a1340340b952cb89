"""The words of an examination, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from pipeline.doctor.examine import Asking
from pipeline.doctor.findings import Finding, Verdict, exit_code_of
from pipeline.doctor.subject import Subject
from pipeline.doctor.unasked import not_asked
from pipeline.ink import Ink, painted
from pipeline.model import JSON
from pipeline.text import WIDTH, fit, plain, plural, wrap

_MARKS: Mapping[Verdict, str] = {
    Verdict.CLAIMED: "✓",
    Verdict.DIFFERS: "✗",
    Verdict.UNCLEAR: "?",
    Verdict.BARRED: "✗",
}
_INKS: Mapping[Verdict, Ink] = {
    Verdict.CLAIMED: Ink.DIM,
    Verdict.DIFFERS: Ink.RED,
    Verdict.UNCLEAR: Ink.YELLOW,
    Verdict.BARRED: Ink.RED,
}
_INDENT = " " * 14


def asking_text(asking: Asking, *, color: bool = False) -> str:
    """A question before it is sent, or its answer."""
    if asking.failure:
        return wrap(f"no answer: {plain(asking.failure)}", WIDTH, first="  ", indent="  ")
    if asking.http is not None and asking.took_s is not None:
        return f"  HTTP {asking.http} in {asking.took_s * 1000:.0f} ms"
    method, room = asking.method, WIDTH - len(asking.method) - 3
    url = plain(asking.url)
    shown = url if len(url) <= room else f"{fit(url, room - 1)}…"
    why = f"  {asking.why}"
    return f"→ {method} {shown}\n{painted(why, Ink.DIM) if color else why}"


def report_text(findings: Sequence[Finding], subject: Subject, *, color: bool = False) -> Iterator[str]:
    """What was found, line by line."""
    for finding in findings:
        yield from _lines(finding, color=color)
    yield ""
    yield wrap(_verdict(findings, subject), WIDTH)


def _lines(finding: Finding, *, color: bool) -> Iterator[str]:
    mark = _MARKS[finding.verdict]
    mark = painted(mark, _INKS[finding.verdict]) if color else mark
    words = plain(finding.found)
    if finding.claimed:
        words = f"profile says: {plain(finding.claimed)}; found: {words}"
    yield wrap(words, WIDTH, first=f"{mark} {plain(finding.about):<12}", indent=_INDENT)
    if finding.change:
        yield wrap(plain(finding.change), WIDTH, first=f"{_INDENT}write: ", indent=_INDENT, cut=False)


def _verdict(findings: Sequence[Finding], subject: Subject) -> str:
    name = subject.profile.name
    differing = sum(finding.verdict is Verdict.DIFFERS for finding in findings)
    is_open = any(finding.verdict is Verdict.UNCLEAR for finding in findings)
    match exit_code_of(findings):
        case 0:
            leaves = ", but see each ?" if is_open else ""
            said = f"Nothing that was asked differs from what the profile {name} says{leaves}."
        case 1:
            said = f"{plural(differing, 'difference')} from what the profile {name} says."
            if any(finding.change for finding in findings):
                said += f" `based_on: {name}` in a profile of your own, and the lines above, say what was found."
        case _:
            return f"{name} cannot be used like this: see the last ✗."
    return f"{said} Not asked: {', '.join(not_asked(findings, subject.profile))}."


def document(findings: Sequence[Finding], subject: Subject, asked: Sequence[Asking]) -> dict[str, JSON]:
    """The same for programs; *asked*: the questions with their answers."""
    return {
        "profile": subject.profile.name,
        "address": subject.address or None,
        "proxy": subject.proxy or None,
        "exit_code": exit_code_of(findings),
        "requests": [asdict(asking) for asking in asked],
        "findings": [_finding(finding) for finding in findings],
        "not_asked": list(not_asked(findings, subject.profile)),
    }


def _finding(finding: Finding) -> dict[str, JSON]:
    return {**asdict(finding), "verdict": str(finding.verdict)}
