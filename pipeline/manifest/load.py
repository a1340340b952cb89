"""A manifest file becomes a `Manifest`, or all its issues at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.document import Document, Findings, Unreadable
from pipeline.manifest.expand import Expansion
from pipeline.manifest.form import Form, form
from pipeline.manifest.frame import Profiles, read_limits, read_placing, read_provider
from pipeline.manifest.prompts import PromptFiles
from pipeline.manifest.read_csv import read_csv
from pipeline.manifest.read_jsonl import read_jsonl
from pipeline.manifest.read_yaml import read_yaml
from pipeline.manifest.report import issue_json, render_issue
from pipeline.manifest.settings import Ground
from pipeline.manifest.source import Source, read_source
from pipeline.manifest.wording import Fault
from pipeline.memory import garbage_left_alone
from pipeline.model import NOTHING, Job, Manifest, Profile, SourceFile
from pipeline.naming import slug

BYTES_MAX = 64 * 2**20
LARGE_BYTES_MAX = 512 * 2**20
"""A data file may have so many with `--allow-large`."""

_YAML = (".yaml", ".yml")
_CSV = (".csv", ".tsv")
_JSONL = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line states over the manifest."""

    provider: str = ""
    """A profile's name, for a manifest that cannot say or to override what it says."""
    allow_unknown: bool = False
    """What the profile refuses becomes a warning."""
    allow_large: bool = False
    """One entry may make more than 100,000 jobs, one manifest more than 200,000, of a data file beyond 64 MiB."""


def load(
    path: Path,
    *,
    find_profile: Callable[[str], Profile | None],
    profile_names: Sequence[str],
    wishes: Wishes = Wishes(),
) -> Manifest:
    """The manifest at *path*.

    Raises `InvalidManifest` with every issue in reading order, and `UsageError` where there is no such file, where it
    is of no known kind, or where the command line names an unknown provider.
    """
    suffix = path.suffix.lower()
    if suffix not in (*_YAML, *_CSV, *_JSONL) and not path.is_dir():
        known = ", ".join((*_YAML, *_CSV, *_JSONL))
        raise UsageError(f"{path}: what kind of manifest is this? its name must end in one of {known}")
    with garbage_left_alone():
        large = wishes.allow_large and suffix not in _YAML
        source, kept = read_source(path, bytes_max=LARGE_BYTES_MAX if large else BYTES_MAX)
        return _Loading(path, source, kept, Profiles(find=find_profile, names=profile_names), wishes).manifest()


class _Loading:
    """One manifest on its way from text to jobs."""

    def __init__(self, path: Path, source: Source, kept: SourceFile, profiles: Profiles, wishes: Wishes) -> None:
        self._path = path
        self._source = source
        self._kept = kept
        self._profiles = profiles
        self._wishes = wishes
        self._form = form()
        self._findings = Findings(source)

    def manifest(self) -> Manifest:
        try:
            document = _read(self._path, self._source, self._findings, self._form)
        except Unreadable:
            raise InvalidManifest(self._findings.in_order(warning=False)) from None
        self._findings.document = document
        frame = self._frame(document)
        choice, profile = read_provider(
            frame,
            wish=self._wishes.provider,
            profiles=self._profiles,
            document=document,
            findings=self._findings,
        )
        ground = Ground(
            profile_name=choice.profile,
            profile=profile,
            placing=read_placing(frame, document, self._findings),
            placing_stated="path" in frame.get("output", NOTHING),
            defaults=frame.get("defaults", NOTHING),
            vars=frame.get("vars", NOTHING),
            allow_unknown=self._wishes.allow_unknown,
            allow_large=self._wishes.allow_large,
        )
        limits = read_limits(frame, document, self._findings)
        files = PromptFiles(self._path.parent)
        jobs = self._jobs(document, ground, files)
        issues = self._findings.in_order(warning=False)
        if issues or profile is None:
            raise InvalidManifest(issues)
        return Manifest(
            name=slug(frame.get("name", self._path.stem)),
            provider=choice,
            profile=profile,
            limits=limits,
            jobs=jobs,
            files=(self._kept, *files.files()),
            warnings=tuple(self._findings.in_order(warning=True)),
        )

    def _frame(self, document: Document) -> Mapping[str, Any]:
        """What stands around the entries, without the parts whose form is wrong: those are among the findings."""
        faults = self._form.judge_frame(document.frame)
        self._report(faults)
        frame = document.frame if isinstance(document.frame, dict) else {}
        return _without(frame, {fault.path for fault in faults})

    def _jobs(self, document: Document, ground: Ground, files: PromptFiles) -> tuple[Job, ...]:
        expansion = Expansion(document=document, findings=self._findings, ground=ground, files=files)
        for entry in document.entries():
            faults = self._form.judge_entry(entry.fields)
            if not faults and isinstance(entry.fields, dict):
                expansion.add(entry, entry.fields)
                continue
            self._report([fault.below(entry.path) for fault in faults])
            if isinstance(entry.fields, dict):
                wrong = frozenset(str(fault.path[0]) for fault in faults if fault.path)
                sound = {name: value for name, value in entry.fields.items() if name not in wrong}
                expansion.look(entry, sound, wrong)
        return expansion.finish()

    def _report(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            self._findings.about(fault.path, fault.code, fault.message, key=fault.key, hidden=fault.hidden)


def _read(path: Path, source: Source, findings: Findings, shape: Form) -> Document:
    suffix = path.suffix.lower()
    if suffix in _CSV:
        findings.document = document = read_csv(source, findings, shape.entry_schema)
        return document
    if suffix in _JSONL:
        return read_jsonl(source, findings, shape.entry_schema)
    return read_yaml(source, findings, shape.schema)


def _without(frame: Mapping[str, Any], wrong: set[tuple[str | int, ...]]) -> Mapping[str, Any]:
    """*frame* without what stands at the paths in *wrong*."""

    def sound(value: Any, path: tuple[str | int, ...]) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: sound(below, (*path, key)) for key, below in value.items() if (*path, key) not in wrong}

    result: Mapping[str, Any] = sound(frame, ())
    return result


__all__ = ["Wishes", "issue_json", "load", "render_issue"]
