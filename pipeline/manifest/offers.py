"""What the provider would refuse: models, lengths, sizes and fields that are not in its profile."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.manifest.fields import did_you_mean, shown, suggestion
from pipeline.profile import ModelOffer, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing the provider does not take."""

    field: str
    """`model`, `seconds`, `size`, `input_reference`, or `params.NAME`'s `NAME`, then with `param` set."""
    message: str
    param: bool = False

    @property
    def code(self) -> str:
        return "profile-param" if self.param else f"profile-{self.field.removeprefix('input_')}"


def refusals(
    profile: Profile,
    *,
    model: str,
    seconds: int | float,
    size: str,
    params: Collection[str],
    reference: bool = False,
) -> Sequence[Refusal]:
    """Everything about these settings that *profile* says it does not take; *reference*: there is an image with them.

    What goes with a model that is one slip of the hand away from a known one is judged as for that one.
    """
    found: list[Refusal] = []
    offer = profile.offer(model) if profile.models else ModelOffer()
    if offer is None:
        takes = f"it takes {_listed(sorted(profile.models), 'and')}"
        message = f"{profile.name} has no model '{shown(model)}'; {takes}{did_you_mean(model, profile.models)}"
        found.append(Refusal(field="model", message=message))
        model = suggestion(model, profile.models)
        offer = profile.models.get(model)
    if offer is not None:
        found += _of_offer(profile, offer, model, seconds, size)
    if profile.params is not None:
        known = profile.params
        for name in sorted(set(params) - set(known)):
            takes = f"it takes {_listed(known, 'and')}" if known else "it takes none"
            message = f"{profile.name} does not take the field '{shown(name)}'; {takes}"
            found.append(Refusal(field=name, message=message, param=True))
    if reference and not profile.references:
        found.append(Refusal(field="input_reference", message=f"{profile.name} takes no reference image"))
    return found


def _of_offer(profile: Profile, offer: ModelOffer, model: str, seconds: int | float, size: str) -> list[Refusal]:
    found = []
    if offer.seconds and seconds not in offer.seconds:
        takes = f"{shown(model)} takes {_listed(offer.seconds, 'or')} seconds ({profile.name})"
        found.append(Refusal(field="seconds", message=f"{takes}, not {seconds}"))
    elif profile.length_s_max is not None and seconds > profile.length_s_max:
        message = f"{profile.name} makes videos of {profile.length_s_max} seconds at most, not {seconds}"
        found.append(Refusal(field="seconds", message=message))
    if offer.sizes and size not in offer.sizes:
        takes = f"{shown(model)} takes the size {_listed(offer.sizes, 'or')} ({profile.name})"
        found.append(Refusal(field="size", message=f"{takes}, not {shown(size)}"))
    return found


def _listed(values: Sequence[object], joint: str) -> str:
    words = [str(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"
