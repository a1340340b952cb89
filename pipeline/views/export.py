"""The jobs of a run in the formats of others, from its ledger alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.views import export_batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write jobs down."""

    help: str
    sayable: Callable[[Sequence[JobState]], tuple[Sequence[JobState], Mapping[str, Sequence[str]]]]
    """Those of some jobs that can be said in it, in order, and by reason the ids of the others."""
    write: Callable[[Sequence[JobState]], Iterator[bytes]]
    """The bytes of the file, piece by piece."""


FORMATS: Mapping[str, Format] = {
    "openai-batch": Format(
        help="requests of the OpenAI Batch API, as JSON lines",
        sayable=export_batch.sayable,
        write=export_batch.batch_lines,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What of a run a format can say."""

    format: Format
    jobs: Sequence[JobState]
    """In the order in which they were first planned; takes of one wish in their own."""
    left_out: Mapping[str, Sequence[str]]
    """By reason, the ids of those that it cannot say, each once: an edited manifest gives an id again."""

    def parts(self) -> Iterator[bytes]:
        """The bytes of the file, piece by piece."""
        return self.format.write(self.jobs)


def export(state: RunState, name: str, states: Collection[State] = ()) -> Export:
    """The jobs of a run that are in one of *states* (none named: in any), in the format called *name*."""
    form = FORMATS[name]
    jobs, left_out = form.sayable([job for job in state.jobs.values() if not states or job.state in states])
    return Export(format=form, jobs=jobs, left_out={why: list(dict.fromkeys(ids)) for why, ids in left_out.items()})
