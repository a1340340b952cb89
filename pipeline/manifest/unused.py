"""A prompt of an entry that none of its data rows takes: each has its own, and nobody would hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.manifest.sheet import Sheet, Written, left_out
from pipeline.manifest.template import asks_for

_PROMPTS: Final = ("prompt", "prompt_file")
_REMEDY: Final = {
    "prompt": "write {{ prompt }} where a row's text belongs, or remove this one",
    "prompt_file": "remove it, or write the words around a row's text as a 'prompt' with {{ prompt }} in it",
}


class Watch:
    """Sees which rows of an entry have prompts of their own."""

    def __init__(self, entry: Written) -> None:
        self._entry = entry
        axes = {*left_out("matrix", entry.fields.get("matrix"))}
        self._field = next((name for name in _PROMPTS if entry.states(name)), "") if axes.isdisjoint(_PROMPTS) else ""
        self._sheets: list[Sheet] = []
        self.unused = False
        """All rows were seen, and none takes the prompt of their entry."""

    def over(self, rows: Iterable[Written]) -> Iterable[Written]:
        """The *rows*. Once all were seen, it is an issue that none took the entry's prompt."""
        wraps = self._field == "prompt" and asks_for("prompt", self._entry.fields["prompt"])
        return rows if wraps or not self._field else self._watched(iter(rows))

    def columns(self) -> frozenset[str]:
        """What the rows call their values."""
        return frozenset().union(*(sheet.document.names for sheet in self._sheets))

    def _watched(self, rows: Iterator[Written]) -> Iterator[Written]:
        for row in rows:
            yield row
            if not _has_its_own(row):
                yield from rows
                return
            if not self._sheets or row.sheet is not self._sheets[-1]:
                self._sheets.append(row.sheet)
        if self._sheets:
            self.unused = True
            message = f"no row uses this prompt: each has its own; {_REMEDY[self._field]}"
            self._entry.place(self._field).about("unused-prompt", message)


def _has_its_own(row: Written) -> bool:
    return any(row.states(name) or name in row.wrong for name in _PROMPTS)
