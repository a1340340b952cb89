"""What a record says, in words a person understands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.ledger.fields import DELETED, MEDIA, NOTE, ORPHANED, PLAN, REPAIRED, VARIANT
from pipeline.ledger.history import told
from pipeline.ledger.records import Record, amount, moment
from pipeline.lifecycle import Fact
from pipeline.text import byte_size, money, plain

_HOW = {
    "user": "a person said so (vidbatch resolve)",
    "list": "the provider's list showed it",
    "key": "the provider answered the repeated key",
    "run --retry": "vidbatch run --retry",
    "spill": "the answer was kept elsewhere, for the ledger's disk had failed",
}
_PHASES = {
    "sent": "it was sent, and not answered",
    "reply": "it was answered, and that made no sense",
    "crash": "the run ended in the middle of it",
}


def words_of(record: Record, currency: str) -> str:
    """*record* in words, on one line, and fit for a terminal; amounts are in *currency*."""
    if record.type == NOTE:
        return plain(_note(record))
    tell = WORDS.get(record.type)
    return plain(tell(record.fields, currency) if tell else record.type)


def _price(fields: Mapping[str, Any], currency: str) -> str:
    price = amount(fields.get("price"))
    return "at an unknown price" if price is None else money(price, currency)


def _because(fields: Mapping[str, Any]) -> str:
    """The reason that a record gives, and the provider's code where that says more."""
    reason, code = fields.get("reason", ""), fields.get("code", "")
    told = [reason, f"({code})" if reason else code] if code and code not in reason else [reason]
    return f": {' '.join(filter(None, told))}" if any(told) else ""


def _kept(fields: Mapping[str, Any]) -> str:
    """Until when the provider has the video, where that is known."""
    return f"; kept until {moment(fields['expires_at']):%Y-%m-%d %H:%M:%S} UTC" if fields.get("expires_at") else ""


def _planned(fields: Mapping[str, Any], currency: str) -> str:
    return f"planned as {fields['id']}, {_price(fields, currency)}, to videos/{fields['path']}"


def _intent(fields: Mapping[str, Any], currency: str) -> str:
    source = f", from the video {fields['made_from']}" if fields.get("made_from") else ""
    return f"submitted, attempt {fields['attempt']}, {_price(fields, currency)}, to {fields['origin']}{source}"


def _nothing_made(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    http = f" {fields['http']}" if fields.get("http") else ""
    return f"answered{http}{_because(fields)}; nothing was made, nothing was paid"


def _not_sent(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    return f"never left this machine{_because(fields)}; nothing was made, nothing was paid"


def _accepted(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    return f"accepted as {fields['video_id']}{_kept(fields)}"


def _uncertain(fields: Mapping[str, Any], currency: str) -> str:
    phase = _PHASES.get(fields["phase"], fields["phase"])
    return (
        f"the answer was lost ({phase}{_because(fields)}): unknown whether it was accepted, "
        f"perhaps paid for: {_price(fields, currency)}"
    )


def _status(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    progress = fields.get("progress")
    return f"the provider says '{fields['word']}'{'' if progress is None else f', {progress:g} %'}"


def _finished(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    return f"rendered, to be downloaded{_kept(fields)}"


def _stored(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
    facts = [byte_size(fields["bytes"])]
    if fields.get("size"):
        facts.append(fields["size"])
    if fields.get("seconds"):
        facts.append(f"{fields['seconds']:g} s")
    return f"stored as videos/{fields['path']}: {', '.join(facts)}"


def _repaired(fields: Mapping[str, Any], currency: str) -> str:
    return (
        f"a repair found records lost{_because(fields)}; attempt {fields['attempt']} may have been made and paid for: "
        f"{_price(fields, currency)}"
    )


def _plainly(words: str) -> Callable[[Mapping[str, Any], str], str]:
    """*words*, and the reason that a record gives."""
    return lambda fields, currency: f"{words}{_because(fields)}"  # noqa: ARG005


def _settled(words: str) -> Callable[[Mapping[str, Any], str], str]:
    """*words*, and how it is known."""

    def tell(fields: Mapping[str, Any], currency: str) -> str:  # noqa: ARG001
        how = fields.get("how", "")
        return f"{words.format_map(fields)}{f': {_HOW.get(how, how)}' if how else ''}"

    return tell


def _note(record: Record) -> str:
    what, found = record.fields["what"], told(record)
    if what == VARIANT:
        return f"its {found.get('variant', 'picture')} was stored as videos/{found.get('path', '')}"
    if what == DELETED:
        return f"the provider has deleted its video {found.get('video_id', '')}, as it was asked to"
    if what == MEDIA:
        return f"its file was examined: {_examined(found)}"
    if what == ORPHANED:
        return "the manifest asks for it " + ("no longer" if found.get("orphaned") else "again")
    facts = ", ".join(f"{name} {value}" for name, value in found.items() if name != "job")
    return f"{what}: {facts or record.fields['text']}"


def _examined(found: Mapping[str, Any]) -> str:
    problems = found.get("problems")
    if isinstance(problems, list) and problems:
        return "; ".join(map(str, problems))
    return "it decodes to its end" if found.get("decodes") else "it does not decode to its end"


WORDS: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    PLAN: _planned,
    REPAIRED: _repaired,
    Fact.INTENT: _intent,
    Fact.NOT_SENT: _not_sent,
    Fact.THROTTLED: _nothing_made,
    Fact.TURNED_AWAY: _nothing_made,
    Fact.REJECTED: _nothing_made,
    Fact.ACCEPTED: _accepted,
    Fact.UNCERTAIN: _uncertain,
    Fact.STATUS: _status,
    Fact.FINISHED: _finished,
    Fact.FAILED: _plainly("the provider gave up on it"),
    Fact.EXPIRED: _plainly("expired: paid for and gone"),
    Fact.LOST: _plainly("lost: paid for, and the provider does not know its id any more"),
    Fact.STALLED: _plainly("stalled: no end in sight, its id is kept"),
    Fact.DOWNLOAD_FAILED: _plainly("could not be downloaded, and stays to be fetched"),
    Fact.STORED: _stored,
    Fact.UNFIT: _plainly("paid for, and not as asked for, which --strict-media refuses"),
    Fact.MISSING: _plainly("its file is not here any more; fetched again while it can be had"),
    Fact.BLOCKED: _plainly("blocked"),
    Fact.UNBLOCKED: _plainly("unblocked"),
    Fact.ADOPTED: _settled("it is the video {video_id}"),
    Fact.NOT_CREATED: _settled("that submit made nothing, nothing was paid"),
    Fact.RESUBMIT: _settled("another attempt was allowed, though the last may have been paid for"),
    Fact.RETRY: _settled("a person allowed another attempt"),
    Fact.DROPPED: _settled("given up by a person; what it cost stays spent"),
}
"""By record type: what its fields say."""
