"""Jobs that wait for a person: what they build on is of unknown outcome, and no run finds out by itself. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pipeline.model import Job


def waiting(jobs: Iterable[Job], due: Collection[str], unsettled: Mapping[str, str]) -> dict[str, str]:
    """Why those of *jobs* wait that build on something unsettled, directly or not, by key.

    *due* are the keys of all that would be submitted if it were for themselves alone; *unsettled* says why, by the key
    of what is to be settled.
    """
    sources = {job.key: job.source for job in jobs if job.source and job.key in due}
    roots: dict[str, str] = {}
    for last in sources:
        row, key = [], last
        while key in sources and key not in roots:  # it has an end: a key is a hash of its source's
            row.append(key)
            key = sources[key]
        roots.update(dict.fromkeys(row, roots.get(key, key)))
    return {key: unsettled[root] for key, root in roots.items() if root in unsettled}
