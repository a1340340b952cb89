"""One wish becomes its jobs, a take at a time; what is at fault with it becomes issues where it was written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.manifest.claims import Claims
from pipeline.manifest.fields import shown
from pipeline.manifest.identity import ID_FORM, ID_WORDS, derived_id, take_id
from pipeline.manifest.labels import derived_name
from pipeline.manifest.shape import By, Shape
from pipeline.manifest.shapes import Shapes, key_frame
from pipeline.manifest.sheet import SOURCES_OF_NAMES
from pipeline.manifest.template import BadTemplate
from pipeline.manifest.texts import blame
from pipeline.manifest.twins import report_twins
from pipeline.manifest.wish import Wish
from pipeline.manifest.words import Pen, Words
from pipeline.model import JSON, NOTHING, Job, Position
from pipeline.naming import UnsafePath

if TYPE_CHECKING:
    from pipeline.manifest.images import Images
    from pipeline.manifest.sweep import Cell


class Making:
    """Makes the jobs of one manifest, wish by wish."""

    def __init__(self, *, pen: Pen, images: Images, claims: Claims, jobs: list[Job]) -> None:
        self._pen = pen
        self._claims = claims
        self._jobs = jobs
        self._shapes = Shapes(images)
        self._at: tuple[object, Position] = (None, Position(file="", line=1, column=1))
        self.owed = 0
        """So many jobs the wishes so far ask for: where fewer are made, there is an issue."""
        self._given = ""
        """The last id that had the form of one: all cells of an entry give the same."""
        self._files: dict[str, Wish] = {}
        """By the file of a position: a wish of that file, for what is found out at the end."""
        self._placed: dict[str, tuple[Shape, Cell]] = {}
        """By key, where a path asks for more than an id that we made: what its job does not tell of its variables."""

    def shape(self, wish: Wish) -> Shape:
        """What *wish* has in common with others."""
        return self._shapes.of(wish)

    def make(self, wish: Wish, shape: Shape) -> None:
        """Make the jobs of *wish*, which has this *shape*, unless it is at fault."""
        self.owed += shape.takes
        if shape.faults:
            _report(wish, shape)
        if not shape.whole:
            self._pen.words(wish, shape, 1)  # for what else is wrong with it
            self._claim_id(wish, shape)
            return
        position = self._position(wish)
        source = "" if wish.source is None else wish.source.key
        placing = wish.sheet.ground.placing
        asks = placing is not None and not placing.is_default
        base, derived = "", False
        first = 1 if wish.data is None else wish.data.entry.take
        for take in range(first, first + shape.takes):
            words = self._pen.words(wish, shape, take)
            if words is None:
                self._claim_id(wish, shape)
                return
            frame = shape.frame or key_frame(wish, shape, words.params, words.reference)
            key = frame.key(words.prompt, take, source)
            if not self._claims.key(key, position, wish.place_of_all):
                report_twins(wish)
            if not base or (words.id is not None and not derived):
                base, derived = self._base(wish, shape, words, key)
            if not base:
                return
            name = take_id(base, take, shape.takes)
            if derived:
                self._claims.derived(len(self._jobs))
                if asks:
                    self._placed[key] = shape, wish.mappings
            elif not self._claims.id(name, position, wish):
                return
            self._jobs.append(self._job(wish, shape, words, asks, key=key, name=name, take=take, position=position))

    def look(self, wish: Wish, wrong: frozenset[str]) -> None:
        """What else is wrong with a wish that makes no job: the *wrong* ones among its fields are left out already."""
        shape = self._shapes.of(wish, wrong)
        _report(wish, shape)
        self._pen.words(wish, shape, 1)
        if not wrong & SOURCES_OF_NAMES:  # else nobody can say what its jobs would be called
            self._claim_id(wish, shape)

    def look_at_prompt(self, wish: Wish, columns: Collection[str]) -> None:
        """What else is wrong with an entry's prompt that no row takes: they have these *columns* together."""
        self._pen.look_at_prompt(wish, self._shapes.of(wish, wish.wrong), columns)

    def place_again(self, job: Job) -> str:
        """Where *job* goes, now that it has another id."""
        wish = self._files[job.position.file]
        if job.key not in self._placed:
            return self._path(wish, NOTHING, group=job.group, name=job.id)
        shape, mappings = self._placed[job.key]
        settings: dict[str, JSON] = {"model": job.model, "seconds": job.seconds, "size": job.size}
        parts = {name: value for point in mappings for name, value in point.variables.items()}
        own = {**shape.variables, **job.axes, **parts, **wish.set_variables}
        variables = {**own, **settings, "take": job.take, "key": job.key[:8]}
        return self._path(wish, variables, group=job.group, name=job.id)

    def report_collision(self, job: Job, first: Job) -> None:
        """*job* goes where *first* goes already."""
        findings = self._files[job.position.file].place_of_all().findings
        at = f"line {first.position.line}" if first.position.file == job.position.file else str(first.position)
        message = f"'{job.id}' goes to {job.path}, where '{first.id}' ({at}) goes already"
        findings.at(findings.source.offset(job.position), "path-collision", message)

    # --- what a wish asks for

    def _position(self, wish: Wish) -> Position:
        """Where the row or the entry stands; the same value for all that is made of it."""
        written = wish.data or wish.entry
        known, position = self._at
        if known is not written:
            position = written.position()
            self._at = written, position
            self._files.setdefault(position.file, wish)
        return position

    def _claim_id(self, wish: Wish, shape: Shape) -> None:
        """What makes no job has the id that it was given all the same: who takes it as well is told at once."""
        given = self._pen.id(wish, shape, 1)
        words = Words("", "", given, NOTHING, NOTHING, None)
        if given is not None and self._base(wish, shape, words, "")[0] == given:
            name = take_id(given, 1, shape.takes)
            self._claims.id(name, self._position(wish), wish)

    def _base(self, wish: Wish, shape: Shape, words: Words, key: str) -> tuple[str, bool]:
        """What the ids of all takes begin with (empty: what was given cannot be one), and whether we made it."""
        given = words.id
        labels = wish.labels() if wish.cell or wish.source is not None else ()
        if given is None:
            return _derived("", words.prompt, key, labels), True
        if given != self._given and ID_FORM.fullmatch(given) is None:
            wish.place("id").about("bad-id", f"'{shown(given)}': {ID_WORDS}")
            return "", False
        self._given = given
        by_entry = shape.slots["id"].by is not By.ROW
        if by_entry and wish.entry.plain_text("id") is None:  # a template says all that there is to say
            return given, False
        if wish.row is not None and by_entry:
            return _derived(given, words.prompt, key, labels), True
        return (derived_name(given, labels), True) if labels else (given, False)

    def _job(
        self, wish: Wish, shape: Shape, words: Words, asks: bool, *, key: str, name: str, take: int, position: Position
    ) -> Job:
        variables: Mapping[str, JSON] = NOTHING
        if asks:
            variables = {**wish.variables(shape.variables), "take": take, "key": key[:8]}
        return Job(
            key=key,
            id=name,
            prompt=words.prompt,
            model=shape.model,
            seconds=shape.seconds,
            size=shape.size,
            params=words.params,
            take=take,
            group=words.group,
            axes=wish.axes(),
            meta=words.meta,
            path=self._path(wish, variables, group=words.group, name=name),
            source="" if wish.source is None else wish.source.key,
            link=shape.link,
            reference=words.reference,
            position=position,
        )

    def _path(self, wish: Wish, variables: Mapping[str, JSON], *, group: str, name: str) -> str:
        """Where the video goes; empty where that cannot be said, which is then an issue."""
        ground = wish.sheet.ground
        if ground.placing is None:
            return ""
        try:
            return ground.placing.path(variables, group=group, name=name)
        except BadTemplate as fault:
            blame(ground.output_place or wish.place_of_all(), fault)
        except UnsafePath as fault:
            place = ground.output_place or wish.place_of_all()
            place.about("unsafe-path", f"the output path cannot be used: {fault}")
        return ""


def _report(wish: Wish, shape: Shape) -> None:
    """Make issues of what is wrong with every wish of this *shape*."""
    for fault in shape.faults:
        place = wish.place(fault.field, fault.part) if fault.field else wish.place_of_all()
        said = " (--set)" if wish.by_command_line(fault.field, fault.part) else ""
        place.about(fault.code, f"{fault.message}{said}", key=fault.key, warning=fault.warning)


def _derived(given: str, prompt: str, key: str, labels: Sequence[str]) -> str:
    """An id of the prompt's first words and digits of the key, with what *labels* say that these words do not."""
    name = derived_id(prompt, key)
    if not given and not labels:
        return name
    words, _, digits = name.rpartition("-")
    own = [said for said in labels if said not in words]
    return derived_name(given, [words, *own, digits]) if given else derived_name(words, [*own, digits])
