"""`vidbatch doctor`: does a provider do what its profile says? Free questions, unless a video is asked for."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import folder, not_known
from pipeline.cli.streams import say
from pipeline.errors import PipelineError, UsageError

if TYPE_CHECKING:
    from pipeline.doctor.examine import Asking, Surroundings
    from pipeline.doctor.findings import Finding
    from pipeline.doctor.paid import Cheapest
    from pipeline.doctor.subject import Subject
    from pipeline.outlook import Outlook

NAME = "doctor"
HELP = "ask a provider whether it is as its profile says, free of charge"

EPILOG = """\
Each question is told before it is sent. None of them makes a video, unless --paid-probe is given.

exit codes: 0 all as claimed, 1 something differs, 2 usage or no key, 3 not reached or key refused

examples:
  vidbatch doctor                              the sandbox, which is started for it
  vidbatch doctor ./my-gateway.yaml            a profile of your own
  vidbatch doctor NAME --base-url https://gateway.example/v1
  vidbatch doctor --manifest first.yaml        the provider that a manifest names
  vidbatch doctor NAME --paid-probe            make one video, the cheapest, and look at what is said of it"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", metavar="PROFILE", nargs="?", help="a name or a file (default: sandbox)")
    parser.add_argument("--manifest", metavar="FILE", type=Path, help="take the provider of this manifest instead")
    parser.add_argument("--base-url", metavar="URL", default="", help="another address than the profile's")
    parser.add_argument("--key-env", metavar="NAME", default="", help="the variable that holds the key")
    parser.add_argument("--json", action="store_true", help="print one document instead of lines")
    parser.add_argument("--paid-probe", action="store_true", help="also make one video; its price is told first")
    parser.add_argument("--model", metavar="NAME", default="", help="with --paid-probe: of this model")
    parser.add_argument("--yes", action="store_true", help="with --paid-probe: do not ask")
    parser.add_argument(
        "--outputs", metavar="DIR", type=folder, default="outputs", help="where its run folder goes (default: outputs)"
    )
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    import anyio

    from pipeline.cli.errors import INTERRUPTED
    from pipeline.doctor.findings import exit_code_of

    subject = _subject(args)
    order = _order(subject, args) if args.paid_probe else None
    screen = _Screen()
    findings = anyio.run(_free, subject, _outside(screen))
    barred = exit_code_of(findings) == PipelineError.exit_code
    declined = order is not None and not barred and not _agreed(order, args)
    if order is not None and not (barred or declined):
        findings += anyio.run(_paid, subject, order, _outside(screen))
    _show(findings, subject, screen, as_json=args.json)
    if order is not None and (barred or declined):
        say(f"vidbatch: {'not confirmed' if declined else 'not reached or refused'}; no video was bought")
    return INTERRUPTED if declined else exit_code_of(findings)


@dataclass(slots=True)
class _Screen:
    """Tells of the questions as they go, and remembers what came of them."""

    asked: list[Asking] = field(default_factory=list)

    def tell(self, asking: Asking) -> None:
        from pipeline.cli.colour import use_color
        from pipeline.doctor.report import asking_text

        if self.asked and (self.asked[-1].url, self.asked[-1].why) == (asking.url, asking.why):
            self.asked[-1] = asking
        else:
            self.asked.append(asking)
        say(_safe(asking_text(asking, color=use_color(sys.stderr))))


def _subject(args: argparse.Namespace) -> Subject:
    """The provider that the arguments name. Raises `UsageError` and `InvalidManifest`."""
    from dataclasses import replace

    from pipeline import api
    from pipeline.cli.redact import holds_key
    from pipeline.doctor.subject import subject_of
    from pipeline.ledger.ledger import utc_now
    from pipeline.model import ProviderChoice
    from pipeline.providers.catalogue import Catalogue
    from pipeline.providers.retirement import retirement

    if args.manifest is not None and args.profile is not None:
        raise UsageError(f"--manifest names a provider already: leave out '{args.profile}'")
    if args.manifest is not None:
        manifest = api.load(args.manifest)
        choice, profile = manifest.provider, manifest.profile
    else:
        known, name = Catalogue.of(os.environ), args.profile or "sandbox"
        found = known.find(name)
        if found is None:
            raise UsageError(not_known("profile", name, known.names()))
        choice, profile = ProviderChoice(profile=name), found
    stated_by = "--base-url" if args.base_url else f"the manifest {args.manifest}"
    choice = replace(
        choice, base_url=_address(args.base_url) or choice.base_url, api_key_env=args.key_env or choice.api_key_env
    )
    holds_key(choice.api_key_env, *profile.key_env)
    try:
        return subject_of(choice, profile, os.environ, stated_by)
    except UsageError as error:
        words = retirement(profile, choice.base_url, utc_now().date())
        raise UsageError(f"{error}; {words}" if words else str(error)) from None


def _address(url: str) -> str:
    from pipeline.manifest.addresses import BadAddress, checked_address

    try:
        return checked_address(url) if url else ""
    except BadAddress as bad:
        raise UsageError(f"--base-url: {bad}") from None


def _outside(screen: _Screen) -> Surroundings:
    from random import SystemRandom

    from pipeline.doctor.examine import Surroundings
    from pipeline.ledger.ledger import utc_now

    return Surroundings(now=utc_now, chance=SystemRandom(), told=screen.tell)


async def _free(subject: Subject, outside: Surroundings) -> list[Finding]:
    from tempfile import TemporaryDirectory

    from pipeline.doctor.examine import examine, provider

    with TemporaryDirectory(prefix="vidbatch-doctor-") as sandbox:
        async with provider(subject, Path(sandbox)) as reached:
            return await examine(subject, reached, outside)


def _order(subject: Subject, args: argparse.Namespace) -> Outlook:
    """What the paid probe would buy, told with its price. Raises what a run would refuse with."""
    from decimal import Decimal

    from pipeline import api
    from pipeline.doctor.paid import cheapest, manifest_of
    from pipeline.limits import LimitsWish
    from pipeline.outlook import Choice

    wanted = cheapest(subject, args.model)
    choice = Choice(outputs=Path(args.outputs), limits=LimitsWish(confirm_above=Decimal(0)))
    outlook = api.admit(manifest_of(subject, wanted), choice)
    say(_price(outlook, wanted))
    return outlook


def _price(outlook: Outlook, wanted: Cheapest) -> str:
    from pipeline.text import PLAY_MONEY, WIDTH, money, plain, wrap

    video = f"{plain(wanted.model)}, {wanted.seconds:g} s, {wanted.size}"
    if not outlook.plan.submits:
        words = f"paid probe: one video ({video}) was asked for before; nothing more is: {outlook.folder}"
        return wrap(words, WIDTH, cut=False)
    cost = outlook.plan.cost
    price = "a price that is not known" if cost is None else money(cost, outlook.currency)
    return wrap(f"paid probe: one video ({video}) for {price}{'' if outlook.bills else PLAY_MONEY}", WIDTH, cut=False)


def _agreed(order: Outlook, args: argparse.Namespace) -> bool:
    from pipeline.cli.confirm import agrees, is_terminal, question

    asks = not args.yes and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    return agrees(question(order) if asks else "", sys.stdin, sys.stderr)


async def _paid(subject: Subject, order: Outlook, outside: Surroundings) -> list[Finding]:
    from pipeline import api
    from pipeline.doctor.paid import look_again, of_outcome
    from pipeline.lifecycle import State
    from pipeline.storage import RunFolder

    outcome = await api.run(order.manifest, order.choice, outlook=order, agreed=True)
    found = [of_outcome(outcome)]
    job = outcome.state.jobs[outcome.concerned[0]]
    if job.state is State.STORED:
        found += await look_again(subject, RunFolder(order.folder).sandbox, job, outside)
    return found


def _show(findings: list[Finding], subject: Subject, screen: _Screen, *, as_json: bool) -> None:
    from pipeline.cli.colour import use_color
    from pipeline.doctor.report import document, report_text

    if as_json:
        print(_safe(json.dumps(document(findings, subject, screen.asked), indent=2)))
        return
    say("")
    print(_safe("\n".join(report_text(findings, subject, color=use_color(sys.stdout)))))


def _safe(text: str) -> str:
    """*text* without any key of the environment, whoever repeated it."""
    from pipeline.cli.redact import redact, secrets_of

    return redact(text, secrets_of(os.environ))
