"""What stands around the entries: provider, limits, output and name become values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pipeline.limits import LimitsWish
from pipeline.manifest.addresses import BadAddress, checked_address
from pipeline.manifest.chances import overfull
from pipeline.manifest.document import Document, Findings, Path, Place
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.placing import DEFAULT_PATH, Placing
from pipeline.manifest.profiles import Profiles
from pipeline.manifest.scalars import TOO_FINE, is_money
from pipeline.manifest.settings import OUTPUT_PATH
from pipeline.manifest.template import BadTemplate
from pipeline.manifest.texts import blame
from pipeline.model import NOTHING, Aftercare, ProviderChoice
from pipeline.naming import UnsafePath
from pipeline.profile import Profile

DEFAULT_PROVIDER = "sandbox"


def read_provider(
    frame: Mapping[str, Any], *, wish: str, profiles: Profiles, document: Document, findings: Findings
) -> tuple[ProviderChoice, Profile | None]:
    """Who makes the videos. The command line's *wish* goes first; its own mistake is a `UsageError`."""
    written = frame.get("provider", NOTHING)
    stated: Mapping[str, Any] = {"profile": written} if isinstance(written, str) else written
    name = wish or stated.get("profile", DEFAULT_PROVIDER)
    if wish and stated.get("profile", wish) != wish:
        stated = {}  # the rest of the mapping is about another provider
    path: Path = ("provider",) if isinstance(written, str) else ("provider", "profile")
    profile = profiles.named(name, None if wish or "provider" not in frame else Place(findings, path))
    if profile is not None:
        _check_sandbox(stated, profile, findings)
    position = findings.source.position(document.offset(path)) if stated else None
    choice = ProviderChoice(
        profile=profile.name if profile is not None else name,
        base_url=_address(stated.get("base_url", ""), findings),
        api_key_env=stated.get("api_key_env", ""),
        price_per_second=_money(("provider", "price_per_second"), document, findings)
        if "price_per_second" in stated
        else None,
        options=_options(stated),
        position=position,
    )
    return choice, profile and _as_set(profile, choice)


def _as_set(profile: Profile, choice: ProviderChoice) -> Profile:
    """The profile of a sandbox that we start ourselves, with what its settings say in its place."""
    if not profile.embedded or choice.base_url:
        return profile
    said: dict[str, Any] = {name: choice.options[name] for name in _OF_THE_PROFILE if name in choice.options}
    return replace(profile, **said)


def _check_sandbox(stated: Mapping[str, Any], profile: Profile, findings: Findings) -> None:
    """What is for the embedded sandbox alone, and whether it will be read."""
    for name in ("sandbox", "faults"):
        if name not in stated:
            continue
        what = "sandbox settings are" if name == "sandbox" else "faults are"
        path = ("provider", name)
        if not profile.embedded:
            message = f"{what} for a provider that vidbatch starts itself; {profile.name} is not one"
            findings.about(path, "sandbox-only", message, key=True)
        elif "base_url" in stated:
            message = f"{what} for a sandbox that vidbatch starts itself, and not for the one at 'base_url'"
            findings.about(path, "sandbox-only", message, key=True, warning=True)
    for below, message in overfull(stated.get("faults", NOTHING)):
        findings.about(("provider", "faults", *below), "chances", message)


_OF_THE_PROFILE = ("retention_s", "lists", "honours_keys")
"""Settings of the sandbox that a profile has too."""


def _options(stated: Mapping[str, Any]) -> Mapping[str, Any]:
    """What only the embedded sandbox reads, in the form of its settings."""
    options = stated.get("sandbox", NOTHING)
    return {**options, "faults": stated["faults"]} if "faults" in stated else options


def read_limits(frame: Mapping[str, Any], document: Document, findings: Findings) -> LimitsWish:
    """What the manifest asks of the limits; amounts to the digit as they were written."""
    limits: Mapping[str, Any] = frame.get("limits", NOTHING)
    counts = {name: int(limits[name]) for name in ("in_flight", "submit_slots", "downloads") if name in limits}
    budget, confirm_above = (
        _money(("limits", name), document, findings) if name in limits else None for name in ("budget", "confirm_above")
    )
    return LimitsWish(
        **counts, submits_per_minute=limits.get("submits_per_minute"), budget=budget, confirm_above=confirm_above
    )


def read_placing(frame: Mapping[str, Any], findings: Findings) -> Placing | None:
    """The output template; `None` where it cannot be used, which is then among the findings."""
    text = frame.get("output", NOTHING).get("path", DEFAULT_PATH)
    try:
        return Placing(text)
    except UnsafePath as fault:
        findings.about(OUTPUT_PATH, "unsafe-path", f"the output path cannot be used: {fault}")
    except BadTemplate as fault:
        blame(Place(findings, OUTPUT_PATH), fault)
    return None


def read_aftercare(
    frame: Mapping[str, Any], profile: Profile | None, findings: Findings, *, allow_unknown: bool
) -> Aftercare:
    """What follows once a video is stored; what *profile* does not have of it is among the findings."""
    output: Mapping[str, Any] = frame.get("output", NOTHING)
    variants = tuple(dict.fromkeys(output.get("variants", ())))
    asked = Aftercare(variants=variants, delete_remote=output.get("delete_remote", False))
    if profile is None:
        return asked
    for name in asked.variants:
        if name not in profile.variants:
            known = f"it has {' and '.join(profile.variants)}" if profile.variants else "it has none"
            message = f"{profile.name} has no variant '{shown(name)}' of a video; {known}"
            message += did_you_mean(name, profile.variants)
            path: Path = ("output", "variants", output["variants"].index(name))
            findings.about(path, "profile-variant", message, warning=allow_unknown)
    if asked.delete_remote and not profile.deletes:
        message = f"{profile.name} deletes no videos; they stay there until it drops them"
        findings.about(("output", "delete_remote"), "profile-delete", message, warning=allow_unknown)
    return asked


def _money(path: Path, document: Document, findings: Findings) -> Decimal:
    """The amount at *path*, which has the form of a number, to the digit as it was written."""
    amount = Decimal(document.text(path) or "0")
    if not is_money(amount):
        findings.about(path, "too-fine", TOO_FINE)
    return amount


def _address(url: str, findings: Findings) -> str:
    if not url:
        return ""
    try:
        return checked_address(url)
    except BadAddress as fault:
        findings.about(("provider", "base_url"), fault.code, str(fault), hidden=fault.secret)
        return ""
