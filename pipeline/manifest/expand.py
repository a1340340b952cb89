"""Entries become jobs. Everything wrong with an entry is found in one go; an entry with a fault makes no job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.manifest.claims import Claims, check_paths
from pipeline.manifest.document import Document, Entry, Findings, Path
from pipeline.manifest.fields import shown
from pipeline.manifest.identity import ID_FORM, ID_WORDS, derived_id, job_key, take_id
from pipeline.manifest.offers import Refusal, refusals
from pipeline.manifest.placing import portable_value
from pipeline.manifest.prompts import NoPrompt, PromptFiles
from pipeline.manifest.scalars import canonical
from pipeline.manifest.settings import OUTPUT_PATH, SETTINGS, Ground
from pipeline.manifest.template import BadTemplate
from pipeline.manifest.texts import Texts
from pipeline.model import JSON, NOTHING, Job, Position
from pipeline.naming import UnsafePath

TAKES_MAX = 100_000
"""More jobs from one entry want a word of consent."""
JOBS_MAX = 200_000
"""So do more jobs from one manifest."""

PROMPT_MAX = 32_000
_VALUES = (*SETTINGS, "takes", "group")


@dataclass(slots=True)
class _Wish:
    """An entry with its settings, the same for all its takes."""

    entry: Entry
    fields: Mapping[str, Any]
    offset: int
    position: Position
    values: Mapping[str, Any]
    """By name; `None` for a setting that nobody states."""
    variables: Mapping[str, JSON]
    params: Mapping[str, Any]
    meta: Mapping[str, Any]


@dataclass(slots=True)
class _Words:
    """The texts of one take, filled in."""

    prompt: str
    group: str
    name: str
    params: Mapping[str, JSON]
    meta: Mapping[str, JSON]


class Expansion:
    """Makes the jobs of one manifest."""

    def __init__(self, *, document: Document, findings: Findings, ground: Ground, files: PromptFiles) -> None:
        self._document = document
        self._findings = findings
        self._ground = ground
        self._base = ground.base()
        self._files = files
        self._texts = Texts(document, findings)
        self._claims = Claims(findings)
        self._refused: dict[tuple[Any, ...], Sequence[Refusal]] = {}
        self._derived: list[int] = []
        self._full = False
        self._jobs: list[Job] = []
        self._offsets: list[int] = []
        """Where the entry of each job stands."""

    def add(self, entry: Entry, fields: Mapping[str, Any]) -> None:
        """Make the jobs of *entry*, whose *fields* have the right form."""
        wish = self._wish(entry, fields)
        takes = int(wish.values["takes"])
        if not self._is_whole(wish) or not self._may_take(wish, takes):
            self._words(wish, 1, takes)  # for what else is wrong with it
            return
        self._check_offer(wish, wrong=frozenset())
        base = ""
        for take in range(1, takes + 1):
            words = self._words(wish, take, takes)
            if words is None:
                return
            base = self._append(wish, words, take, base)

    def look(self, entry: Entry, fields: Mapping[str, Any], wrong: frozenset[str]) -> None:
        """What else is wrong with an entry that makes no job: *fields* are left, the *wrong* ones have no form."""
        wish = self._wish(entry, fields)
        if "model" not in wrong:
            self._check_offer(wish, wrong)
        self._words(wish, 1, int(wish.values["takes"]))

    def finish(self) -> tuple[Job, ...]:
        """All jobs, in reading order, with what is only known once all are there."""
        self._claims.settle(self._jobs, self._derived, self._place_again)
        check_paths(self._jobs, self._report_collision)
        return tuple(self._jobs)

    def _wish(self, entry: Entry, fields: Mapping[str, Any]) -> _Wish:
        ground = self._ground
        values = {name: fields.get(name, self._base.get(name)) for name in _VALUES}
        meta = ground.merged(fields, "meta")
        offset = self._document.offset(entry.path)
        return _Wish(
            entry=entry,
            fields=fields,
            offset=offset,
            position=self._findings.source.position(offset),
            values=values,
            variables=NOTHING
            if self._document.literal
            else {**ground.vars, **fields.get("vars", NOTHING), **{name: values[name] for name in SETTINGS}},
            params=ground.merged(fields, "params"),
            meta={**entry.columns, **meta} if entry.columns and meta else entry.columns or meta,
        )

    def _is_whole(self, wish: _Wish) -> bool:
        missing = [name for name in SETTINGS if wish.values[name] is None]
        if self._ground.profile is not None:
            for name in missing:
                message = f"there is no '{name}': state it here or in 'defaults'; {self._ground.profile_name} has none"
                self._findings.about(wish.entry.path, "missing-setting", message)
        return not missing

    def _may_take(self, wish: _Wish, takes: int) -> bool:
        if self._ground.allow_large or (takes <= TAKES_MAX and len(self._jobs) + takes <= JOBS_MAX):
            return True
        if takes > TAKES_MAX:
            message = f"{takes:,} jobs from one entry; more than {TAKES_MAX:,} want --allow-large"
            self._findings.about(self._where(wish, "takes"), "too-many", message)
        elif not self._full:
            self._full = True
            message = f"more than {JOBS_MAX:,} jobs up to here; so many in one manifest want --allow-large"
            self._findings.about(wish.entry.path, "too-many", message)
        return False

    def _where(self, wish: _Wish, name: str, part: str = "") -> Path:
        return self._ground.where(wish.entry, wish.fields, name, part)

    def _check_offer(self, wish: _Wish, wrong: frozenset[str]) -> None:
        """Report what the profile refuses of these settings. The same settings are refused the same way."""
        profile, values = self._ground.profile, wish.values
        if profile is None or any(values[name] is None for name in SETTINGS):
            return
        settings = (values["model"], canonical(values["seconds"]), values["size"], *wish.params)
        refused = self._refused.get(settings)
        if refused is None:
            model, seconds, size, *params = settings
            refused = refusals(profile, model=model, seconds=seconds, size=size, params=params)
            self._refused[settings] = refused
        for refusal in refused:
            if refusal.field in wrong:
                continue
            path = self._where(wish, *(("params", refusal.field) if refusal.param else (refusal.field,)))
            self._findings.about(path, refusal.code, refusal.message, warning=self._ground.allow_unknown)

    def _words(self, wish: _Wish, take: int, takes: int) -> _Words | None:
        """The texts of one take; `None` where one of them is at fault."""
        if self._document.literal:
            return self._literal_words(wish, take, takes)
        known = len(self._findings)
        variables = {**wish.variables, "take": take}
        group = self._texts.fill(wish.values["group"], variables, self._where(wish, "group"))
        name = self._name(wish, variables, take, takes)
        prompt = self._prompt(wish, variables)
        params, meta = self._mapping(wish, "params", variables), self._mapping(wish, "meta", variables)
        if group is None or name is None or prompt is None or len(self._findings) > known:
            return None
        return _Words(prompt=prompt, group=group, name=name, params=params, meta=meta)

    def _literal_words(self, wish: _Wish, take: int, takes: int) -> _Words | None:
        """The same for a data file, where nothing is filled in."""
        name, prompt = self._name(wish, NOTHING, take, takes), self._prompt(wish, NOTHING)
        if name is None or prompt is None:
            return None
        return _Words(prompt=prompt, group=wish.values["group"], name=name, params=wish.params, meta=wish.meta)

    def _name(self, wish: _Wish, variables: Mapping[str, JSON], take: int, takes: int) -> str | None:
        """The id that was given, empty where none was."""
        given = wish.fields.get("id")
        if given is None:
            return ""
        path = (*wish.entry.path, "id")
        base = self._texts.fill(given, variables, path, portable_value)
        if base is None:
            return None
        if ID_FORM.fullmatch(base) is None:
            self._findings.about(path, "bad-id", f"'{shown(base)}': {ID_WORDS}")
            return None
        name = take_id(base, take, takes)
        self._claims.id(name, wish.position.line, path)
        return name

    def _prompt(self, wish: _Wish, variables: Mapping[str, JSON]) -> str | None:
        fields = wish.fields
        if "prompt" not in fields and "prompt_file" not in fields:
            return None
        path = (*wish.entry.path, "prompt" if "prompt" in fields else "prompt_file")
        try:
            text = fields["prompt"] if "prompt" in fields else self._files.text(fields["prompt_file"])
        except NoPrompt as fault:
            self._findings.about(path, fault.code, str(fault))
            return None
        prompt = self._texts.fill(text, variables, path, of=fields.get("prompt_file", ""))
        if prompt is not None and not self._document.literal:
            prompt = prompt.removesuffix("\n")  # a block of YAML ends with one that nobody meant
        if prompt is None or (prompt.strip() and len(prompt) <= PROMPT_MAX):
            return prompt
        message = f"the prompt has {len(prompt):,} characters; {PROMPT_MAX:,} is the most"
        code, words = ("too-long", message) if prompt.strip() else ("empty", "the prompt is empty")
        self._findings.about(path, code, words)
        return None

    def _mapping(self, wish: _Wish, name: str, variables: Mapping[str, JSON]) -> Mapping[str, JSON]:
        given: Mapping[str, JSON] = wish.params if name == "params" else wish.meta
        if not given:
            return given
        return {
            part: self._texts.fill_all(value, variables, self._where(wish, name, part)) for part, value in given.items()
        }

    def _append(self, wish: _Wish, words: _Words, take: int, base: str) -> str:
        """Make the job; the id of the entry that was made for its first take is the base of all its takes."""
        values = wish.values
        seconds = canonical(values["seconds"])
        key = job_key(
            profile=self._ground.profile_name,
            model=values["model"],
            prompt=words.prompt,
            seconds=seconds,
            size=values["size"],
            params=words.params,
            take=take,
        )
        self._claims.key(key, wish.position.line, wish.entry.path)
        if not words.name:
            base = base or derived_id(words.prompt, key)
            self._derived.append(len(self._jobs))
        name = words.name or take_id(base, take, int(values["takes"]))
        axes = wish.fields.get("vars", NOTHING) or wish.entry.columns
        variables = {**wish.variables, "take": take, "key": key[:8]} if wish.variables else NOTHING
        path = self._path(wish.entry.path, variables, group=words.group, name=name)
        self._offsets.append(wish.offset)
        self._jobs.append(
            Job(
                key=key,
                id=name,
                prompt=words.prompt,
                model=values["model"],
                seconds=seconds,
                size=values["size"],
                params=words.params,
                take=take,
                group=words.group,
                axes=axes,
                meta=words.meta,
                path=path,
                position=wish.position,
            )
        )
        return base

    def _path(self, entry: Path, variables: Mapping[str, JSON], *, group: str, name: str) -> str:
        """Where the video goes; empty where that cannot be said, which is then among the findings."""
        if self._ground.placing is None:
            return ""
        try:
            return self._ground.placing.path(variables, group=group, name=name)
        except BadTemplate as fault:
            self._texts.blame(OUTPUT_PATH, fault)
        except UnsafePath as fault:
            path = OUTPUT_PATH if self._ground.placing_stated else entry
            self._findings.about(path, "unsafe-path", f"the output path cannot be used: {fault}")
        return ""

    def _place_again(self, job: Job) -> str:
        settings: dict[str, JSON] = {"model": job.model, "seconds": job.seconds, "size": job.size}
        variables = {**self._ground.vars, **job.axes, **settings, "take": job.take, "key": job.key[:8]}
        return self._path(OUTPUT_PATH, variables, group=job.group, name=job.id)

    def _report_collision(self, n: int, first: Job) -> None:
        job = self._jobs[n]
        message = f"'{job.id}' goes to {job.path}, where '{first.id}' (line {first.position.line}) goes already"
        self._findings.at(self._offsets[n], "path-collision", message)
