"""A manifest file becomes a `Manifest`, or all its issues at once."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.document import Document, Findings, Place, Witness, without
from pipeline.manifest.expand import Expansion
from pipeline.manifest.fields import shown
from pipeline.manifest.files import Files, FolderLibrary, Library
from pipeline.manifest.form import form
from pipeline.manifest.frame import read_aftercare, read_limits, read_placing, read_provider
from pipeline.manifest.images import Images
from pipeline.manifest.overrides import read_overrides
from pipeline.manifest.patterns import is_pattern
from pipeline.manifest.profiles import Profiles
from pipeline.manifest.prompts import PromptFiles
from pipeline.manifest.reading import CSV, JSONL, YAML, Reading, suffix
from pipeline.manifest.report import issue_json, render_issue
from pipeline.manifest.settings import OUTPUT_PATH, Ground, over
from pipeline.manifest.sheet import Sheet, Written, left_out, report
from pipeline.manifest.source import read_source
from pipeline.manifest.sweep import further_faults
from pipeline.manifest.words import Pen
from pipeline.memory import garbage_left_alone
from pipeline.model import JSON, NOTHING, Manifest, ProviderChoice
from pipeline.naming import slug
from pipeline.profile import Profile

INCLUDES_MAX = 1_000
"""So many manifests may be included, in each other too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line states over the manifest."""

    provider: str = ""
    """A profile's name or file, for a manifest that cannot say or to override what it says."""
    allow_unknown: bool = False
    """What the profile refuses becomes a warning."""
    allow_large: bool = False
    """One entry may make more than 100,000 jobs, one manifest more than 200,000, of a data file beyond 64 MiB."""
    allow_outside: bool = False
    """Files may lie outside of the manifest's folder."""
    settings: tuple[str, ...] = ()
    """`NAME=VALUE` for every entry, over all that the manifest says; `NAME=A,B` is an axis."""
    fit: str = ""
    """`crop` or `pad`: reference images of another size are brought to their job's like this."""

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> Wishes:
        """The opposite of `stated`."""
        known = {name: value for name, value in stated.items() if name in cls.__slots__}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**known)

    def stated(self) -> dict[str, JSON]:
        """What is not as it would be anyway, as JSON."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items() if value}


def load(
    path: Path,
    *,
    find_profile: Callable[[str], Profile | None],
    profile_names: Sequence[str],
    wishes: Wishes = Wishes(),
    library: Library | None = None,
    name: str = "",
    profile: Profile | None = None,
    witness: Witness | None = None,
) -> Manifest:
    """The manifest at *path*.

    The files that it names come from *library*, else from its folder. *name* is what the manifest was called where it
    is kept under another, *profile* what it was run with, which is looked for nowhere then. *witness* is told of every
    issue, also of those that are told as "and more like it".
    Raises `InvalidManifest` with every issue in reading order, and `UsageError` where there is no such file, where it
    is of no known kind, or where the command line names an unknown provider.
    """
    kind = suffix(name or path.name)
    if kind not in (*YAML, *CSV, *JSONL) and not path.exists():
        raise UsageError(f"there is no file or folder {path}")
    if kind not in (*YAML, *CSV, *JSONL) and not path.is_dir():
        known = ", ".join((*YAML, *CSV, *JSONL))
        raise UsageError(f"{path}: what kind of manifest is this? its name must end in one of {known}")
    with garbage_left_alone():
        return _Loading(
            path=path,
            name=name or path.name,
            files=Files(library or FolderLibrary(path.parent, outside=wishes.allow_outside)),
            find_profile=find_profile,
            profile_names=profile_names,
            profile=profile,
            wishes=wishes,
            witness=witness,
        ).manifest()


class _Loading:
    """One manifest on its way from text to jobs."""

    def __init__(
        self,
        *,
        path: Path,
        name: str,
        files: Files,
        find_profile: Callable[[str], Profile | None],
        profile_names: Sequence[str],
        profile: Profile | None,
        wishes: Wishes,
        witness: Witness | None,
    ) -> None:
        self._path = path
        self._name = name
        self._files = files
        self._wishes = wishes
        self._form = form()
        self._overrides = read_overrides(wishes.settings, self._form)
        self._reading = Reading(
            files=files,
            form=self._form,
            folder=path.parent.as_posix(),
            large=wishes.allow_large,
            witness=witness,
        )
        self._profiles = Profiles(
            find=find_profile,
            names=profile_names,
            files=files,
            folder=path.parent,
            refuse=self._reading.refuse,
            kept=profile,
        )
        self._images = Images(files, wishes.fit)
        self._pen = Pen(PromptFiles(files), self._images)
        self._included: list[str] = []

    def manifest(self) -> Manifest:
        source, kept = read_source(self._path, bytes_max=self._reading.bytes_max(self._name))
        if self._name != self._path.name:
            source.name = self._name
        document, findings = self._reading.document(self._name, source)
        if document is None:
            raise InvalidManifest(self._reading.issues())
        frame, wrong = self._frame(document, findings)
        choice, profile = read_provider(
            frame, wish=self._wishes.provider, profiles=self._profiles, document=document, findings=findings
        )
        limits = read_limits(frame, document, findings)
        aftercare = read_aftercare(frame, profile, findings, allow_unknown=self._wishes.allow_unknown)
        ground = replace(self._ground(frame, findings, choice, profile), wrong=wrong)
        sheet = Sheet(document=document, findings=findings, ground=ground)
        expansion = self._expansion(sheet, frame)
        jobs = expansion.finish()
        sound = not self._reading.issues(warning=False)
        asked = {*self._pen.asked, *ground.vars, *(ground.placing.asked if ground.placing is not None else ())}
        self._reading.warn_of_columns(asked, alone=not sound)
        if not sound or profile is None:
            raise InvalidManifest(self._reading.issues())
        if len(jobs) != expansion.owed:
            raise AssertionError(f"{expansion.owed} jobs are asked for and {len(jobs)} made, without an issue")
        if self._overrides is not None:
            self._overrides.check_heard(asked, jobs)
        return Manifest(
            name=slug(frame.get("name", Path(self._name).stem)),
            provider=choice,
            profile=profile,
            limits=limits,
            jobs=jobs,
            files=(replace(kept, name=self._name), *self._files.kept()),
            aftercare=aftercare,
            warnings=tuple(self._reading.issues(warning=True)),
            reading=self._wishes.stated(),
        )

    def _ground(
        self, frame: Mapping[str, Any], findings: Findings, choice: ProviderChoice, profile: Profile | None
    ) -> Ground:
        stated = "path" in frame.get("output", NOTHING)
        return Ground(
            profile_name=choice.profile,
            profile=profile,
            placing=read_placing(frame, findings),
            output_place=Place(findings, OUTPUT_PATH) if stated else None,
            defaults=frame.get("defaults", NOTHING),
            vars=frame.get("vars", NOTHING),
            allow_unknown=self._wishes.allow_unknown,
            allow_large=self._wishes.allow_large,
        )

    def _frame(self, document: Document, findings: Findings) -> tuple[Mapping[str, Any], frozenset[str]]:
        """What stands around the entries, and what is left out of it since its form is wrong: that is found."""
        faults = self._form.judge_frame(document.frame)
        report(findings, faults)
        frame = document.frame if isinstance(document.frame, dict) else {}
        wrong = (left_out(fault.meant or fault.field, frame.get(fault.field)) for fault in faults)
        return without(frame, {fault.path for fault in faults}), frozenset(chain.from_iterable(wrong))

    def _expansion(self, sheet: Sheet, frame: Mapping[str, Any]) -> Expansion:
        expansion = Expansion(pen=self._pen, images=self._images, overrides=self._overrides)
        for below in self._sheets(sheet, frame, above=(self._name,)):
            self._take_in(below, expansion)
        return expansion

    def _sheets(self, sheet: Sheet, frame: Mapping[str, Any], *, above: Sequence[str]) -> Iterator[Sheet]:
        """The manifests that *sheet* includes, and those they include, each before the one that asks for it."""
        for number, pattern in _numbered(sheet.document.frame, frame, "include"):
            place = Place(sheet.findings, ("include", number))
            for name in self._others(sheet, pattern, place, above[-1]):
                yield from self._include(sheet, name, place, above)
        yield sheet

    def _others(self, sheet: Sheet, pattern: str, place: Place, own: str) -> Sequence[str]:
        """The manifests that *pattern*, written in the one called *own*, names: a pattern does not mean that one."""
        names = self._reading.names(sheet, pattern, place, (*YAML, *CSV, *JSONL))
        if own not in names or not is_pattern(pattern):
            return names
        if len(names) == 1:
            place.about("missing-file", f"'{shown(pattern)}' names no file but this one")
        return [name for name in names if name != own]

    def _include(self, sheet: Sheet, name: str, place: Place, above: Sequence[str]) -> Iterator[Sheet]:
        if name in above:
            place.about(
                "include-cycle", f"'{name}' is included by itself" if name == above[-1] else _cycle(name, above)
            )
            return
        if name in self._included or len(self._included) >= INCLUDES_MAX:
            message = (
                "is included already" if name in self._included else f"is one too many; {INCLUDES_MAX:,} is the most"
            )
            place.about("included-twice", f"'{name}' {message}")
            return
        self._included.append(name)
        opened = self._reading.open(name, place, alone=True)
        if opened is None:
            return
        document, findings = opened
        frame, wrong = self._frame(document, findings)
        for word in ("provider", "limits", "output", "name"):
            if word in frame:
                message = f"'{word}' of an included manifest says nothing: that of the including one counts"
                findings.about((word,), "no-effect", message, key=True, warning=True)
        ground = replace(
            sheet.ground,
            defaults=over(sheet.ground.defaults, frame.get("defaults", NOTHING)),
            vars={**sheet.ground.vars, **frame.get("vars", NOTHING)},
            wrong=sheet.ground.wrong | wrong,
        )
        below = Sheet(document=document, findings=findings, ground=ground, base=posixpath.dirname(name))
        yield from self._sheets(below, frame, above=(*above, name))

    def _take_in(self, sheet: Sheet, expansion: Expansion) -> None:
        if sheet.document.literal:
            for row in self._reading.judged(sheet, sheet.document):
                expansion.add(row)
            return
        for entry in sheet.document.entries():
            faults = self._form.judge_entry(entry.fields)
            if not isinstance(entry.fields, dict):
                report(sheet.findings, [fault.below(entry.path) for fault in faults])
                continue
            if faults and "matrix" in entry.fields:
                faults = [*faults, *further_faults(entry.fields["matrix"], faults)]
            written = Written.judged(sheet, entry, entry.fields, faults)
            expansion.add(written, self._reading.rows(written) if "from" in written.fields else None)


def _cycle(name: str, above: Sequence[str]) -> str:
    between = " which includes ".join(f"'{file}'" for file in (*above[above.index(name) + 1 :], name))
    return f"'{name}' includes {between}"


def _numbered(written: Any, sound: Mapping[str, Any], name: str) -> Iterator[tuple[int, Any]]:
    """The members of the list *name* of a frame that are *sound*, with the places at which they are *written*."""
    kept = sound.get(name, ())
    return ((number, value) for number, value in enumerate(written[name]) if value in kept) if kept else iter(())


__all__ = ["Wishes", "issue_json", "load", "render_issue"]
