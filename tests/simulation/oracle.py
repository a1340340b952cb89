"""What must be true after every step: the money book, the ledger and the disk side by side."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.settling.replay import KEY_MARGIN_S
from tests.simulation.misled import misled
from tests.simulation.person import OPEN, Person
from tests.simulation.provider import PRICE, Fate, Sale
from tests.simulation.sequence import DEADLINE_S, Lived, Sequence

FAIR_S = 1800.0
"""So long a run at work, under a clear sky, may take to bring a finished video home that it knows of."""
OUTAGES = ("no connection", "silence")
OUTAGE_REQUESTS = 100
"""So many tries an outage may cost, and then one a minute in each lane."""
LANES = 3
CROWD_S = 300.0
"""What was sold so long before a submit is of another time, whatever clocks and readings allow for."""


class Fault(AssertionError):
    """A promise was broken."""


def check(sequence: Sequence, person: Person) -> None:
    """Raise `Fault` for anything that must not be, whatever has happened so far."""
    state = sequence.state
    for job in state.jobs.values():
        sales = sequence.sales_of(job)
        held = [*sales, *_orphans(sequence, person, job)]
        rules = ((_paid_once, sales), (_known, sales), (_whole, held), (_explained, held), (_built_right, held))
        for rule, known in rules:
            for words in rule(sequence, person, job, known):
                raise Fault(f"{job.id} ({job.state}): {words}")
    if hasty := sequence.provider.hasty:
        raise Fault(f"a remix of {hasty[0]} was asked for, which was not finished")
    billed = sum(_billed(sequence, person, job) for job in state.jobs.values()) * PRICE
    if state.spent < billed:
        raise Fault(f"the ledger says {state.spent} spent, the book {billed}")


def check_run(sequence: Sequence, lived: Lived) -> None:
    """Raise `Fault` where a run asked more than it may, or says other than what it wrote down."""
    jobs, hours = len(sequence.jobs), (lived.ended_s - lived.began_s) / 3600
    bound = 300 + jobs * (20 + 150 * hours) + 400 * hours
    if len(lived.requests) > bound:
        raise Fault(f"{len(lived.requests)} requests in {hours:.1f} hours for {jobs} jobs")
    course = lived.course
    if course.weather in OUTAGES:
        until_s = lived.began_s + course.spell_s + course.sleep_s
        tried = sum(at_s < until_s for at_s, *_ in lived.requests)
        if tried > OUTAGE_REQUESTS + LANES * course.spell_s / 60:
            raise Fault(f"{tried} requests in an outage of {course.spell_s / 60:.0f} minutes")
    if lived.outcome is not None and lived.outcome.state.counts != sequence.state.counts:
        raise Fault(f"the run says {lived.outcome.state.counts}, the ledger {sequence.state.counts}")


def check_calm(lived: Lived) -> None:
    """Raise `Fault` where a run stopped though nothing was in its way."""
    if lived.outcome is None or lived.outcome.stopped:
        raise Fault(f"a calm run stopped: {lived.outcome and lived.outcome.stopped}")


def check_end(sequence: Sequence, person: Person) -> None:
    """Raise `Fault` where a job is not home after calm runs, and has no reason that the history explains."""
    check(sequence, person)
    for job in sequence.state.jobs.values():
        if job.state is State.PENDING and _waits(sequence, job):
            continue
        if job.state is State.BLOCKED and not _lacks_its_source(sequence, job):
            raise Fault(f"{job.id} is still {job.state}, and its source is there: {job.reason}")
        if job.state in (State.PENDING, State.SUBMITTING, State.IN_FLIGHT, State.FINISHED):
            raise Fault(f"{job.id} is still {job.state} after calm runs: {job.reason}")
        if job.state is State.STALLED and (sale := sequence.provider.book[job.video_id]).known and _ends(sale):
            raise Fault(f"{job.id} is still {job.state}, and it is rendered")
        if job.state is State.UNCERTAIN and _can_be_settled(sequence, job):
            raise Fault(f"{job.id} is still uncertain, and the provider could tell")


def _billed(sequence: Sequence, person: Person, job: JobState) -> int:
    """How many sales the ledger must count: all but those of which it was told that they are none."""
    return max(len(sequence.sales_of(job)) - person.denied[job.key] - misled(sequence, job), 0)


def _paid_once(sequence: Sequence, person: Person, job: JobState, sales: list[Sale]) -> Iterator[str]:
    """Another sale needs a word that allows it."""
    retried = min(person.asked_again[job.key], sequence.facts(job.key).count(Fact.RETRY))
    allowed = 1 + retried + person.risked[job.key] + misled(sequence, job)
    if len(sales) > allowed:
        yield f"paid {len(sales)} times, {allowed} allowed: {[sale.video_id for sale in sales]}"


def _known(sequence: Sequence, person: Person, job: JobState, sales: list[Sale]) -> Iterator[str]:
    """A video that was paid for is known by its id, or the job says that nobody knows, or nobody wants to."""
    ids = sequence.ids_of(job.key)
    orphans = _orphans(sequence, person, job)
    if strange := ids - {sale.video_id for sale in (*sales, *orphans)}:
        yield f"it calls {sorted(strange)} its own, which it never bought"
    lost = [sale.video_id for sale in sales if sale.video_id not in ids]
    if len(lost) > person.given_up[job.key] + misled(sequence, job) + (job.state in OPEN):
        yield f"{lost} were paid for and are not known"


def _orphans(sequence: Sequence, person: Person, job: JobState) -> list[Sale]:
    """What it took of another job's: nobody wanted those videos any more, and no list told whose they are."""
    if sequence.provider.house.is_plain:
        return []
    return [sequence.provider.book[video_id] for video_id in sequence.ids_of(job.key) & person.disowned]


def _whole(sequence: Sequence, person: Person, job: JobState, sales: list[Sale]) -> Iterator[str]:
    """What is stored is the video that was bought, byte by byte."""
    if job.state is not State.STORED:
        return
    sale = next((sale for sale in sales if sale.video_id == job.video_id), None)
    file = sequence.folder / "videos" / job.path
    if sale is None or not file.is_file() or file.read_bytes() != sale.film:
        yield f"{job.path} does not hold {job.video_id}"


def _explained(sequence: Sequence, person: Person, job: JobState, sales: list[Sale]) -> Iterator[str]:
    """A job that ended without a video has the provider's truth behind it."""
    sale = next((sale for sale in sales if sale.video_id == job.video_id), None)
    now_s, provider = sequence.times.true_s, sequence.provider
    match job.state:
        case State.REJECTED if job.wish.prompt not in provider.refused:
            yield "nobody refused it"
        case State.FAILED if sale is None or sale.fate is not Fate.FAILED:
            yield "it did not fail"
        case State.LOST if sale is None or sale.known:
            yield "the provider has it"
        case State.STALLED if sale is None or (sale.known and now_s - sale.sold_s < DEADLINE_S):
            yield "its time is not up"
        case State.EXPIRED if sale is None or (sale.known and now_s < provider.gone_s(sale)):
            yield "the provider still has it"
        case State.EXPIRED if sale is not None and (fair_s := sequence.fair_s(sale)) > FAIR_S:
            yield f"it expired while a run had {fair_s:.0f} fair seconds to fetch it"


def _built_right(sequence: Sequence, person: Person, job: JobState, sales: list[Sale]) -> Iterator[str]:
    """What builds on a video builds on its own source's, which was finished by then."""
    sources = sequence.ids_of(job.wish.source) if job.wish.source else {""}
    for sale in sales:
        if sale.prompt == job.wish.prompt and sale.made_from not in sources:
            yield f"{sale.video_id} was made from {sale.made_from or 'nothing'}, not from one of {sorted(sources)}"


def _waits(sequence: Sequence, job: JobState) -> bool:
    """Whether it builds on what nobody can say the end of, at whatever remove."""
    source = sequence.state.jobs.get(job.wish.source)
    if source is None:
        return False
    return source.state in (State.UNCERTAIN, State.STALLED) or (
        source.state is State.PENDING and _waits(sequence, source)
    )


def _lacks_its_source(sequence: Sequence, job: JobState) -> bool:
    """Whether there is no video to build on, as far as our clock could tell."""
    source = sequence.state.jobs[job.wish.source]
    if source.state not in (State.FINISHED, State.STORED) or any(lived.course.jump_s for lived in sequence.lived):
        return source.state is not State.IN_FLIGHT
    return sequence.times.true_s >= sequence.provider.gone_s(sequence.provider.book[source.video_id])


def _ends(sale: Sale) -> bool:
    return sale.fate is not Fate.STUCK


def _can_be_settled(sequence: Sequence, job: JobState) -> bool:
    """Whether the provider could have told us by now what became of the latest submit, in spite of all it has."""
    house, latest = sequence.provider.house, job.attempts[-1]
    if any(lived.course.jump_s for lived in sequence.lived):
        return False  # a clock that was set proves nothing
    age_s = (sequence.times.now() - latest.submitted_at).total_seconds()
    by_key = house.honours_keys and age_s < house.keys_s - KEY_MARGIN_S
    tells = house.lists and house.is_plain and not house.renames and not sequence.provider.restarted
    by_list = tells and age_s < house.keeps_s and _shows_its_ways(sequence, age_s)
    if job.wish.source:  # its source may be gone, and not every list tells what a video was made from
        by_key, by_list = False, by_list and sequence.provider.lineage != "null"
    return by_key or (by_list and not _is_crowded(sequence, job, age_s))


def _shows_its_ways(sequence: Sequence, age_s: float) -> bool:
    """Whether the list has a video of ours that a reading for a submit of that age meets: it shows how rows look."""
    since_s = sequence.times.true_s - age_s
    return any(sequence.provider.book[video_id].sold_s >= since_s for video_id in sequence.ids)


def _is_crowded(sequence: Sequence, job: JobState, age_s: float) -> bool:
    """Whether a video that nobody here knows may be the latest submit's: one like it, or of its time."""
    doubtful = {one.attempts[-1].idempotency_key for one in sequence.state.jobs.values() if one.state in OPEN}
    since_s = sequence.times.true_s - age_s - CROWD_S
    return any(
        sale.prompt == job.wish.prompt or sale.sold_s >= since_s
        for sale in sequence.provider.book.values()
        if sale.video_id not in sequence.ids and sale.key not in doubtful
    )
