"""`vidbatch profiles`: the providers that are known, what they take, what they cost, and whether a key is there."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.cli.arguments import not_known
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from pipeline.model import JSON
    from pipeline.profile import ModelOffer, Profile

NAME = "profiles"
HELP = "show the providers that are known, their models and prices"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="one provider, in full")
    parser.add_argument("--json", action="store_true", help="print JSON: an array, or one object for NAME")
    parser.epilog = """\
A key is taken from the first of a provider's variables that is set. Values of keys are never shown.

examples:
  vidbatch profiles              the list
  vidbatch profiles openai       one of them: address, keys, models, lengths, sizes, prices, limits"""


def command(args: argparse.Namespace) -> int:
    from pipeline.providers.registry import find_profile, profile_names

    names = profile_names() if args.name is None else (args.name,)
    profiles = [profile for profile in map(find_profile, names) if profile is not None]
    if args.name is not None and not profiles:
        raise UsageError(not_known("profile", args.name, profile_names()))
    if args.json:
        described = [as_json(profile, os.environ) for profile in profiles]
        print(json.dumps(described if args.name is None else described[0], indent=2))
    elif args.name is None:
        print("\n".join(table(profiles, os.environ)))
    else:
        print("\n".join(in_full(profiles[0], os.environ)))
    return 0


def table(profiles: Sequence[Profile], environ: Mapping[str, str]) -> Iterator[str]:
    """One row a profile, in columns as wide as they need to be."""
    rows = [("NAME", "MODELS", "KEY")]
    rows += [(p.name, _models(p), _key(p, environ)) for p in profiles]
    widths = [max(len(row[n]) for row in rows) for n in (0, 1)]
    for name, models, key in rows:
        yield f"{name:<{widths[0]}}  {models:<{widths[1]}}  {key}"


def in_full(profile: Profile, environ: Mapping[str, str]) -> Iterator[str]:
    """Everything a person chooses by."""
    from pipeline.text import duration

    limits = profile.limits
    rows = {
        "address": profile.base_url or "started by vidbatch itself, on loopback",
        "or from": _variables(profile.base_url_env, environ),
        "key": _variables(profile.key_env, environ) or "none needed",
        "": profile.embedded and "no address and no key are needed for the one that vidbatch starts",
        "retired": profile.retired and f"since {profile.retired} its own address no longer answers",
        "videos": f"kept for {duration(profile.retention_s)}",
        "takes": _takes(profile),
        "lengths": _lengths(profile),
        "limits": f"{limits.in_flight} in flight, {limits.submits_per_minute:g} submits a minute, "
        f"{limits.downloads} downloads at once",
        "prices": _prices_source(profile),
    }
    yield f"{profile.name}: {profile.title}"
    for label, text in rows.items():
        if text:
            yield f"  {label:<8} {text}"
    for model, offer in profile.models.items():
        yield ""
        yield from _offer(profile, model, offer)


def as_json(profile: Profile, environ: Mapping[str, str]) -> dict[str, JSON]:
    """A profile for programs; prices are text in the profile's currency, per second of video."""
    return {
        "name": profile.name,
        "title": profile.title,
        "base_url": profile.base_url,
        "base_url_env": list(profile.base_url_env),
        "key_env": list(profile.key_env),
        "key_found_in": _first_set(profile.key_env, environ) or None,
        "retired": profile.retired or None,
        "retention_s": profile.retention_s,
        "remixes": profile.remixes,
        "extends": profile.extends,
        "extensions_max": profile.extensions_max,
        "length_s_max": profile.length_s_max,
        "references": profile.references,
        "currency": profile.currency,
        "prices_as_of": profile.prices_as_of or None,
        "prices_source": profile.prices_source or None,
        "models": {
            model: {
                "default": model == profile.default_model,
                "seconds": list(offer.seconds),
                "sizes": list(offer.sizes),
                "price_per_second": {size: f"{price:f}" for size, price in offer.price_per_second.items()},
            }
            for model, offer in profile.models.items()
        },
    }


def _offer(profile: Profile, model: str, offer: ModelOffer) -> Iterator[str]:
    title = "any other model" if model == "*" and len(profile.models) > 1 else "any model" if model == "*" else model
    yield f"  {title}{' (the default)' if model == profile.default_model else ''}"
    yield f"    seconds  {', '.join(f'{s:g}' for s in offer.seconds) or 'any'}"
    yield f"    sizes    {', '.join(offer.sizes) or 'any'}"
    yield f"    price    {_prices(offer.price_per_second, profile.currency)}"


def _prices(per_second: Mapping[str, Decimal], currency: str) -> str:
    """Sizes of the same price together: `$0.10 a second at 720x1280, 1280x720`."""
    from pipeline.text import money

    by_price: dict[Decimal, list[str]] = {}
    for size, price in per_second.items():
        by_price.setdefault(price, []).append("any other size" if size == "*" else size)
    if list(by_price.values()) == [["any other size"]]:
        return f"{money(next(iter(by_price)), currency)} a second"
    told = [f"{money(price, currency)} a second at {', '.join(sizes)}" for price, sizes in by_price.items()]
    return "; ".join(told) or "not known: a budget cannot be kept with it"


def _takes(profile: Profile) -> str:
    """What a job may build on besides its prompt, by the manifest's words for it."""
    words = {"remix_of": profile.remixes, "extend_of": profile.extends, "input_reference": profile.references}
    return ", ".join(word for word, taken in words.items() if taken) or "prompts only"


def _lengths(profile: Profile) -> str:
    """What bounds a video beside its model."""
    most, times = profile.length_s_max, profile.extensions_max
    words = (f"{most:g} s in all" if most else "", f"{times} extensions of one video" if times else "")
    bounds = ", ".join(filter(None, words))
    return f"{bounds}, at most" if bounds else ""


def _prices_source(profile: Profile) -> str:
    as_of = f"as of {profile.prices_as_of}" if profile.prices_as_of else ""
    return ", ".join(part for part in (as_of, profile.prices_source) if part)


def _models(profile: Profile) -> str:
    return ", ".join("any" if model == "*" else model for model in profile.models)


def _key(profile: Profile, environ: Mapping[str, str]) -> str:
    if profile.embedded or not profile.key_env:
        return "none needed"
    found = _first_set(profile.key_env, environ)
    return f"{found} is set" if found else f"set {' or '.join(profile.key_env)}"


def _variables(names: Sequence[str], environ: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({'set' if environ.get(name) else 'not set'})" for name in names)


def _first_set(names: Sequence[str], environ: Mapping[str, str]) -> str:
    return next((name for name in names if environ.get(name)), "")
