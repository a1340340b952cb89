"""What a profile claims of which nothing was seen, so that nobody takes an examination for more than it was. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.doctor.findings import Finding
from pipeline.profile import Profile


def not_asked(findings: Sequence[Finding], profile: Profile) -> tuple[str, ...]:
    """The fields of *profile* of which no finding tells, by their names in its file."""
    told = {finding.about for finding in findings if finding.claimed or finding.about == "video"}
    return tuple(name for name, claims, by in _claims(profile) if claims and told.isdisjoint(by))


def _claims(profile: Profile) -> Iterable[tuple[str, bool, tuple[str, ...]]]:
    """By field: whether something is claimed, and the findings of which any tells of it."""
    priced = any(offer.price_per_second for offer in profile.models.values())
    return (
        ("body", True, ("video",)),
        ("params", profile.params is not None, ()),
        ("models", bool(profile.models), ()),
        ("prices", priced, ()),
        ("status_words", bool(profile.status_words), ()),
        ("content", True, ("video",)),
        ("retention_s", True, ("kept",)),
        ("limits", True, ("limits",)),
        ("references", profile.references, ()),
        ("remixes", profile.remixes, ()),
        ("extends", profile.extends, ()),
        ("edits", profile.edits, ()),
        ("variants", bool(profile.variants), profile.variants),
        ("deletes", profile.deletes, ()),
        ("cancels", profile.cancels, ()),
        ("honours_keys", profile.honours_keys, ()),
    )
