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
    is_final: bool = False
    """It is no matter of what the profile knows, and stays refused where what it does not know is allowed."""

    @property
    def code(self) -> str:
        if self.param and self.is_final:
            return "reserved-name"
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
    if model in profile.wire.result_models.values():
        message = f"'{shown(model)}' makes no videos at {profile.name}: it is asked for those of other models"
        found.append(Refusal(field="model", message=message, is_final=True))
    elif offer is None:
        takes = f"it takes {_listed(sorted(profile.models), 'and')}"
        message = f"{profile.name} has no model '{shown(model)}'; {takes}{did_you_mean(model, profile.models)}"
        found.append(Refusal(field="model", message=message))
        model = suggestion(model, profile.models)
        offer = profile.models.get(model)
    if offer is not None:
        found += _of_offer(profile, offer, model, seconds, size)
    found += (taken := _taken(profile, params))
    if profile.params is not None:
        known = profile.params
        for name in sorted(set(params) - set(known) - {refusal.field for refusal in taken}):
            takes = f"it takes {_listed(known, 'and')}" if known else "it takes none"
            message = f"{profile.name} does not take the field '{shown(name)}'; {takes}"
            found.append(Refusal(field=name, message=message, param=True))
    if reference and not profile.references:
        found.append(Refusal(field="input_reference", message=f"{profile.name} takes no reference image"))
    return found


def _taken(profile: Profile, params: Collection[str]) -> list[Refusal]:
    """The *params* that would be sent under the name of a field of ours."""
    if not params:
        return []
    ours = {name: field for field, sent in profile.wire.fields.items() for name in sent.names if name != field}
    return [
        Refusal(field=name, message=_meant(profile, name, ours[name]), param=True, is_final=True)
        for name in sorted(ours.keys() & set(params))
    ]


def _meant(profile: Profile, name: str, field: str) -> str:
    field = "input_reference" if field == "reference" else field
    return f"'{shown(name)}' is how {profile.name} calls the {field}; write '{field}' instead"


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
