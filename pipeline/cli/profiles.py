"""`vidbatch profiles`: the providers that are known, what they take, what they cost, and whether a key is there.

A profile of one's own is checked by showing it.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.cli.arguments import not_known
from pipeline.cli.streams import say
from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.fields import shown
from pipeline.providers.catalogue import Catalogue
from pipeline.text import cells, fit, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from pipeline.model import JSON
    from pipeline.profile import ModelOffer, Profile

NAME = "profiles"
HELP = "show the providers that are known, their models and prices"

_MODELS_CELLS = 40
_NO_ADDRESS = {True: "started by vidbatch itself, on loopback", False: "none of its own: state it as provider.base_url"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="one provider, in full; or a profile's file")
    parser.add_argument("--json", action="store_true", help="print JSON: an array, or one object for NAME")
    parser.epilog = """\
A key is taken from the first of a provider's variables that is set. Values of keys are never shown.
A profile of your own is NAME.yaml in ~/.config/vidbatch/profiles ($XDG_CONFIG_HOME goes before ~/.config), or any file.

examples:
  vidbatch profiles              the list
  vidbatch profiles sandbox      one of them: address, keys, models, lengths, sizes, prices, limits
  vidbatch profiles ./mine.yaml  a file of your own: the same, or every issue in it"""


def command(args: argparse.Namespace) -> int:
    if args.name is not None:
        profile = profile_named(args.name, os.environ)
        described = json.dumps(as_json(profile, os.environ), indent=2) if args.json else ""
        print(described or "\n".join(in_full(profile, os.environ)))
        return 0
    profiles = list(_all_sound(Catalogue.of(os.environ)))
    if args.json:
        print(json.dumps([as_json(profile, os.environ) for profile in profiles], indent=2))
    else:
        print("\n".join(table(profiles, os.environ)))
    return 0


def profile_named(name: str, environ: Mapping[str, str]) -> Profile:
    """The profile called *name*, or in the file *name*; its keys are secret from now on.

    Raises `UsageError` where there is none, and `InvalidManifest` with every issue in one of a person's own.
    """
    from pipeline.cli.redact import holds_key

    known = Catalogue.of(environ)
    profile = known.find(name)
    if profile is None:
        raise UsageError(not_known("profile", shown(name), known.names()))
    holds_key(*profile.key_env)
    return profile


def _all_sound(known: Catalogue) -> Iterator[Profile]:
    """Every profile that can be read; of the others it is said how to see why not."""
    for name in known.names():
        try:
            profile = known.find(name)
        except (InvalidManifest, UsageError) as error:
            say(f"vidbatch: {plain(name)}: {plain(str(error))}: vidbatch profiles {plain(name)}")
            continue
        if profile is not None:
            yield profile


def table(profiles: Sequence[Profile], environ: Mapping[str, str]) -> Iterator[str]:
    """One row a profile, in columns as wide as they need to be."""
    rows = [("NAME", "FROM", "MODELS", "KEY")]
    rows += [(p.name, "you" if p.home else "vidbatch", _models(p), _key(p, environ)) for p in profiles]
    widths = [max(cells(row[n]) for row in rows) for n in (0, 1, 2)]
    for *columns, key in rows:
        padded = (text + " " * (width - cells(text)) for text, width in zip(columns, widths, strict=True))
        yield "  ".join((*padded, key))


def in_full(profile: Profile, environ: Mapping[str, str]) -> Iterator[str]:
    """Everything a person chooses by."""
    from pipeline.text import duration

    limits = profile.limits
    rows = {
        "file": profile.home,
        **_address(profile, environ),
        "key": _variables(profile.key_env, environ) or _key(profile, environ),
        "": profile.embedded and "no address and no key are needed for the one that vidbatch starts",
        "retired": profile.retired and _retired(profile),
        "videos": f"kept for {duration(profile.retention_s)}",
        "takes": _takes(profile),
        "can": _can(profile),
        "lengths": _lengths(profile),
        "limits": f"{limits.in_flight} in flight, {limits.submits_per_minute:g} submits a minute, "
        f"{limits.downloads} downloads at once",
        "prices": _prices_source(profile),
    }
    yield f"{profile.name}: {plain(profile.title)}"
    for label, text in rows.items():
        if text:
            yield f"  {label:<8} {plain(text)}"
    for model, offer in profile.models.items():
        yield ""
        yield from _offer(profile, model, offer)


def _address(profile: Profile, environ: Mapping[str, str]) -> dict[str, str]:
    """Where it goes: a variable that is set goes before the profile's own address, and a manifest before both."""
    own = profile.base_url or _NO_ADDRESS[profile.embedded]
    if name := _first_set(profile.base_url_env, environ):
        return {"address": f"from {name}, which is set", "else": own}
    return {"address": own, "or from": _variables(profile.base_url_env, environ)}


def _retired(profile: Profile) -> str:
    what = "its own address no longer answers" if profile.base_url else "its maker's servers no longer have it"
    return f"since {profile.retired} {what}"


def as_json(profile: Profile, environ: Mapping[str, str]) -> dict[str, JSON]:
    """A profile for programs; prices are text in the profile's currency, per second of video."""
    return {
        "name": profile.name,
        "title": profile.title,
        "file": profile.home or None,
        "dialect": profile.dialect,
        "base_url": profile.base_url,
        "base_url_env": list(profile.base_url_env),
        "key_env": list(profile.key_env),
        "key_found_in": _first_set(profile.key_env, environ) or None,
        "retired": profile.retired or None,
        "retention_s": profile.retention_s,
        "remixes": profile.remixes,
        "extends": profile.extends,
        "edits": profile.edits,
        "extensions_max": profile.extensions_max,
        "length_s_max": profile.length_s_max,
        "references": profile.references,
        **_abilities(profile),
        "wire": _wire(profile),
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


def _abilities(profile: Profile) -> dict[str, JSON]:
    """What it can besides making videos."""
    return {
        "variants": list(profile.variants),
        "deletes": profile.deletes,
        "cancels": profile.cancels,
        "lists": profile.lists,
        "honours_keys": profile.honours_keys,
        "seeds": profile.params is None or "seed" in profile.params,
        "bills": profile.bills,
    }


def _wire(profile: Profile) -> dict[str, JSON]:
    """How one speaks to it."""
    wire = profile.wire
    auth: JSON = {"header": wire.auth.header, "prefix": wire.auth.prefix} if wire.auth.header else None
    return {
        "auth": auth,
        "body": wire.body,
        "looks": wire.looks,
        "content": wire.content,
        "content_in": wire.content_in,
        "paths": dict(wire.paths),
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
    words = {
        "remix_of": profile.remixes,
        "extend_of": profile.extends,
        "edit_of": profile.edits,
        "input_reference": profile.references,
    }
    return ", ".join(word for word, taken in words.items() if taken) or "prompts only"


def _can(profile: Profile) -> str:
    """What it can besides making videos and handing them out."""
    words = {
        "lists its videos": profile.lists,
        "deletes": profile.deletes,
        "cancels": profile.cancels,
        **dict.fromkeys(profile.variants, True),
        "honours keys": profile.honours_keys,
    }
    return ", ".join(word for word, known in words.items() if known) or "nothing besides, as far as is known"


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
    return fit(plain(", ".join("any" if model == "*" else model for model in profile.models)), _MODELS_CELLS)


def _key(profile: Profile, environ: Mapping[str, str]) -> str:
    if profile.embedded or not profile.wire.auth.header:
        return "none needed"
    if found := _first_set(profile.key_env, environ):
        return f"{found} is set"
    if profile.key_default:
        return "none needed"
    return f"set {' or '.join(profile.key_env)}" if profile.key_env else "name its variable in the manifest"


def _variables(names: Sequence[str], environ: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({'set' if environ.get(name) else 'not set'})" for name in names)


def _first_set(names: Sequence[str], environ: Mapping[str, str]) -> str:
    return next((name for name in names if environ.get(name)), "")
