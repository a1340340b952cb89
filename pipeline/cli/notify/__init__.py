"""`--notify`: word to whoever is away, at the end of a run and when it needs a person.

What is worth telling and when is decided in `needs` and written in `message`; `post` and `program` carry it, each
target in a thread of its own (`herald`): none of them can hold up a run, end it or change its exit code.
"""

from pipeline.cli.notify.herald import Herald, targets_for

__all__ = ["Herald", "targets_for"]
