"""Profiles of a person's own: files like those that ship, read as manifests are, with every issue at its place.

A file may be based on another profile, so what is judged is what they come to together: a fault is told where the
first of them states it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.document import Findings, Unreadable, dotted, without
from pipeline.manifest.document import Path as Way
from pipeline.manifest.fields import did_you_mean, is_file_name, shown
from pipeline.manifest.nodes import NodeDocument
from pipeline.manifest.read_yaml import read_yaml
from pipeline.manifest.source import read_source
from pipeline.manifest.wording import Fault, faults_of
from pipeline.model import JSON, Issue, SourceFile
from pipeline.paths import schemas_folder
from pipeline.profile import Profile
from pipeline.providers.inherit import heir
from pipeline.providers.registry import document_of, parse, profile_names
from pipeline.providers.sense import nonsense

BYTES_MAX = 2**20
CHAIN_MAX = 8
"""So many files may be based on each other."""
_BASED_ON: Final = "based_on"
_RULES: Final = "problems"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One file, as it was read, with what is wrong in it."""

    path: Path
    file: SourceFile
    findings: Findings
    document: NodeDocument

    @property
    def stated(self) -> Mapping[str, Any]:
        return self.document.frame if isinstance(self.document.frame, dict) else {}

    @property
    def based_on(self) -> str:
        name = self.stated.get(_BASED_ON, "")
        return name if isinstance(name, str) else ""


def read_own(path: Path, *, place: Callable[[str], Path | None], names: Sequence[str], called: str = "") -> Profile:
    """The profile in the file at *path*, which is *called* so where that is how it was found.

    *place* says where the file of a person's profile of some name is, *names* are all there are. Raises `UsageError`
    where there is no such file, and `InvalidManifest` with every issue of it and of what it is based on.
    """
    layers = [_read(path)]
    while (above := _above(layers, place, names)) is not None:
        layers.append(_read(above))
    return _together(layers, called)[0]


def read_kept(files: Sequence[SourceFile]) -> tuple[Profile, Sequence[Issue]]:
    """The same of *files* that a run folder keeps, the first one based on the second and so on; and warnings.

    Videos were bought with them, and they cannot be edited: so they need their form alone. What does not go together by
    today's rules is told, and of `problems` it is not heard: to be without such a rule neither pays twice nor gives up
    what was paid for. Raises `UsageError` where they are no longer what was kept, and `InvalidManifest` without form.
    """
    layers = []
    for file in files:
        assert file.path is not None, "what was kept is somewhere"
        layer = _read(file.path)
        if layer.file.sha256 != file.sha256:
            raise UsageError(f"{file.path} is not the profile that was run with: name it anew with --provider")
        layers.append(replace(layer, file=replace(layer.file, name=file.name)))
    if (root := layers[-1].based_on) and root not in profile_names():
        raise UsageError(
            f"{layers[-1].path}: this vidbatch has no profile '{shown(root)}': use the one that it ran with"
        )
    return _together(layers, kept=True)


def _read(path: Path) -> _Layer:
    """The file at *path*, of which a tree can be made. Raises `UsageError` and `InvalidManifest`."""
    source, file = read_source(path, bytes_max=BYTES_MAX)
    findings = Findings(source)
    try:
        needs = "a profile needs 'name', and 'based_on' or all that it has"
        findings.document = document = read_yaml(source, findings, _typing(_schema()), needs=needs)
    except Unreadable:
        raise InvalidManifest(findings.in_order()) from None
    return _Layer(path=path, file=file, findings=findings, document=document)


def _above(layers: Sequence[_Layer], place: Callable[[str], Path | None], names: Sequence[str]) -> Path | None:
    """Which file the last of *layers* is based on; `None`: none, one that ships, or a wrong one, which is found."""
    layer, base = layers[-1], layers[-1].based_on
    if not base or base in profile_names():
        return None
    path = layer.path.parent / base if is_file_name(base) else place(base)
    if path is None:
        code, message = "unknown-profile", f"there is no profile '{shown(base)}'{did_you_mean(base, names)}"
    elif not path.is_file():
        code, message = "missing-file", f"there is no file '{shown(base)}' beside this one"
    elif any(path.samefile(known.path) for known in layers):
        code, message = "include-cycle", f"'{shown(base)}' is based on this file itself"
    elif len(layers) >= CHAIN_MAX:
        code, message = "too-deep", f"more than {CHAIN_MAX} files are based on each other"
    else:
        return path
    layer.findings.about((_BASED_ON,), code, message)
    return None


def _together(layers: Sequence[_Layer], called: str = "", *, kept: bool = False) -> tuple[Profile, Sequence[Issue]]:
    """What *layers* come to, the first one over the others, and warnings: of one that is *kept* what does not go
    together is no more. Raises `InvalidManifest`.
    """
    root = layers[-1].based_on
    merged = reduce(heir, (layer.stated for layer in reversed(layers)), document_of(root) or {})
    shapeless = [layer for layer in layers if not isinstance(layer.document.frame, dict)]
    for layer in shapeless:
        for fault in faults_of(_judge().iter_errors(layer.document.frame)):
            layer.findings.about(fault.path, fault.code, fault.message)
    formal = () if shapeless else _formal(merged, whole=not root or root in profile_names())
    meant = () if shapeless else _meant(merged, formal, called)
    for fault in formal:
        _tell(fault, layers)
    for fault in meant:
        _tell(_unheard(fault) if kept else fault, layers, warning=kept)
    issues = [issue for layer in layers for issue in layer.findings.in_order()]
    if not all(issue.warning for issue in issues):
        raise InvalidManifest(issues)
    profile = parse(_heard(merged, meant))
    return replace(profile, home=str(layers[0].path), files=tuple(layer.file for layer in layers)), issues


def _formal(merged: Mapping[str, JSON], *, whole: bool) -> Sequence[Fault]:
    """What has not its form in *merged*; of what is not the *whole* profile, what it lacks is not told."""
    errors = _judge().iter_errors(merged)
    formal = faults_of(error for error in errors if whole or error.validator != "required" or error.absolute_path)
    meant = {f"missing: '{fault.meant}'" for fault in formal if fault.meant}  # what is misspelt is told as that alone
    formal = [fault for fault in formal if fault.path or fault.message not in meant]
    misnamed = {fault.path for fault in formal if fault.code == "bad-name"}
    return [fault for fault in formal if fault.code == "bad-name" or fault.path not in misnamed]


def _meant(merged: Mapping[str, JSON], formal: Sequence[Fault], called: str) -> Sequence[Fault]:
    """What does not go together in the rest of it."""
    sound = _sound(merged, {fault.path for fault in formal})
    return list(nonsense(sound, shipped=profile_names(), called=called))


def _unheard(fault: Fault) -> Fault:
    """The same, with what becomes of it where it is in a profile that is kept."""
    if fault.path[0] != _RULES:
        return fault
    return replace(fault, message=f"{fault.message}; this rule is not heard (name a mended file with --provider)")


def _heard(merged: Mapping[str, JSON], faults: Sequence[Fault]) -> Mapping[str, JSON]:
    """*merged* without those of its `problems` that have *faults*."""
    unsound = {fault.path[1] for fault in faults if fault.path[0] == _RULES and len(fault.path) > 1}
    rules = merged.get(_RULES)
    if not unsound or not isinstance(rules, list):
        return merged
    return {**merged, _RULES: [rule for place, rule in enumerate(rules) if place not in unsound]}


def _sound(merged: Mapping[str, JSON], wrong: Collection[Way]) -> Mapping[str, Any]:
    """*merged* without what is *wrong*: of a list nothing is left, for what is said of the rest of it would be wrong
    too. Only each of the `problems` stands for itself, and `None` stands where a wrong one was.
    """
    sound = without(merged, {_whole(path) for path in wrong})
    rules = merged.get(_RULES)
    if _RULES in sound or not isinstance(rules, list):
        return sound
    kept = [None if any(path[:2] == (_RULES, n) for path in wrong) else rule for n, rule in enumerate(rules)]
    return {**sound, _RULES: kept}


def _whole(path: Way) -> Way:
    """*path*, or that of the list that it leads into."""
    return path[: next((n for n, part in enumerate(path) if isinstance(part, int)), len(path))]


def _tell(fault: Fault, layers: Sequence[_Layer], *, warning: bool = False) -> None:
    """Add *fault* where it is written, or, of what a profile that ships has, where that is named."""
    layer = next((layer for layer in layers if _states(layer.stated, fault.path)), None)
    if layer is not None:
        how = {"key": fault.key, "hidden": fault.hidden, "warning": warning}
        layer.findings.about(fault.path, fault.code, fault.message, **how)
        return
    last = layers[-1]
    message = f"with the {dotted(fault.path)} that '{shown(last.based_on)}' has: {fault.message}"
    last.findings.about((_BASED_ON,), fault.code, message, warning=warning)


def _states(value: Any, path: Way) -> bool:
    """Whether something is written at *path* of *value*."""
    for part in path:
        below = dict(enumerate(value)) if isinstance(value, list) else value
        if not isinstance(below, dict) or part not in below:
            return False
        value = below[part]
    return True


@lru_cache(maxsize=1)
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads((schemas_folder() / "profile.schema.json").read_text(encoding="utf-8"))
    return schema


@lru_cache(maxsize=1)
def _judge() -> Draft202012Validator:
    return Draft202012Validator(_schema())


def _typing(schema: Any) -> Any:
    """*schema* as far as values get their types by it, with what it lets one choose from in one."""
    if not isinstance(schema, dict):
        return schema
    choices = [schema, *map(_typing, schema.get("oneOf", ()))]
    types = [kind for choice in choices for kind in _types(choice)]
    joined: dict[str, Any] = {"type": types} if types else {}
    for choice in choices:
        joined |= {name: _typing(choice[name]) for name in ("items", "additionalProperties") if name in choice}
        if "properties" in choice:
            joined["properties"] = {name: _typing(below) for name, below in choice["properties"].items()}
    return joined


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    stated = schema.get("type", "string" if "enum" in schema else [])
    return [stated] if isinstance(stated, str) else stated
