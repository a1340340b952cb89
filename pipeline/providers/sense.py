"""What is wrong with a profile whose form is right: what its parts say does not go together. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from pipeline.manifest.addresses import BadAddress, checked_address
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.wording import Fault
from pipeline.providers.access import normal_url
from pipeline.providers.results import KNOWN, folded, says_so
from pipeline.providers.rules import unsound
from pipeline.providers.secrecy import written_keys
from pipeline.providers.written import fields_of
from pipeline.wire import SHAPES

_Document: TypeAlias = Mapping[str, Any]

_WITH_ID = ("look", "content", "remix", "delete")
_OURS = frozenset(
    ("accept-encoding", "connection", "content-length", "content-type", "host", "idempotency-key", "transfer-encoding")
)
"""Headers that say what a request is, not who sends it."""
_OF_KEYS = frozenset(("authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"))
"""Headers that carry keys wherever they are used."""
_PLACE = re.compile(r"\{(\w*)\}")
_OTHER_PLACE = re.compile(r"\$\{|\$(?:\w*_)?id\b|\$\w*I[dD]\b|\$[A-Z_]+\b")
"""A place of a shell or a template of another kind; OData's `$value` and `$count` are none."""
_DIFFERS = re.compile(r"(?:hex|alnum|digits)[1-9][0-9]{0,2}|uuid")
"""Places of an id that differ from video to video."""


def nonsense(document: _Document, *, shipped: Sequence[str], called: str = "") -> Iterator[Fault]:
    """What does not go together in a whole *document*, whose parts all have their form; some may be missing.

    *shipped* are names that are taken, *called* is the name by which its file is found (empty: by its path).
    """
    yield from _name(document, shipped, called)
    for rule in _RULES:
        yield from rule(document)


def _fault(message: str, *path: str | int, code: str = "bad-form", key: bool = False) -> Fault:
    return Fault(path=path, code=code, message=message, key=key)


def _name(document: _Document, shipped: Sequence[str], called: str) -> Iterator[Fault]:
    name = document.get("name", "")
    if name in shipped:
        yield _fault(f"'{name}' is a profile that comes with vidbatch; choose another name", "name", code="bad-name")
    elif called and name and name != called:
        yield _fault(f"'{name}' is found as {name}.yaml only; give file and profile one name", "name", code="bad-name")


def _address(document: _Document) -> Iterator[Fault]:
    if not (url := document.get("base_url", "")):
        return
    try:
        checked_address(url)
    except BadAddress as bad:
        yield Fault(path=("base_url",), code=bad.code, message=str(bad), hidden=bad.secret)
        return
    base_path = document.get("base_path", "")
    submit = document.get("paths", {}).get("submit", SHAPES[_dialect(document)].paths["submit"])
    ends = urlsplit(normal_url(url, base_path, submit)).path
    if base_path and not ends.endswith(base_path):
        message = f"'{shown(ends)}' at its end is not the base_path, '{shown(base_path)}', which a host alone would get"
        yield _fault(f"{message}; state both alike", "base_url")


def _default_model(document: _Document) -> Iterator[Fault]:
    models: _Document = {name: offer for name, offer in document.get("models", {}).items() if offer is not None}
    if "models" in document and not models:
        yield _fault("no model is left; write '*' for any", "models", code="empty")
    defaults = document.get("defaults", {})
    model = defaults.get("model", "")
    if not models or not model:
        return
    offer = models.get(model, models.get("*"))
    if offer is None:
        yield _fault(f"there is no model '{shown(model)}' here{did_you_mean(model, models)}", "defaults", "model")
        return
    for field, offered in (("seconds", "seconds"), ("size", "sizes")):
        taken = offer.get(offered, ())
        if field in defaults and taken and defaults[field] not in taken:
            known = ", ".join(map(str, taken))
            yield _fault(f"{shown(model)} takes {known}, not {shown(defaults[field])}", "defaults", field)


def _prices(document: _Document) -> Iterator[Fault]:
    for model, offer in document.get("models", {}).items():
        sizes = (offer or {}).get("sizes", ())
        for size in (offer or {}).get("price_per_second", ()):
            if sizes and size != "*" and size not in sizes:
                message = f"a price for a size that it does not take{did_you_mean(size, sizes)}"
                yield _fault(message, "models", model, "price_per_second", size, key=True)


def _dates(document: _Document) -> Iterator[Fault]:
    for field in ("retired", "prices_as_of"):
        text = document.get(field, "")
        try:
            if text and date.fromisoformat(text).isoformat() == text:
                continue
        except ValueError:
            pass
        if text:
            yield _fault(f"'{shown(text)}' is no date; write it as 2026-09-24", field)


def _ids_in_paths(document: _Document) -> Iterator[Fault]:
    for call, path in document.get("paths", {}).items():
        rest = path.replace("{id}", "")
        if _OTHER_PLACE.search(path):  # a 404 says so after the submit is paid
            yield _fault("a place in a path has no '$'; the video's id is written as '{id}'", "paths", call)
        elif call in _WITH_ID and "{id}" in SHAPES[_dialect(document)].paths[call] and "{id}" not in path:
            yield _fault("the path needs '{id}', the video's id", "paths", call)
        elif call not in _WITH_ID and "{id}" in path:
            yield _fault("there is no '{id}' in this call; the path is the same for every video", "paths", call)
        elif set("{}") & set(rest):
            yield _fault("'{id}' is all that a path can hold in braces", "paths", call)
        elif set("?#\\") & set(rest) or " " in rest or not rest.isprintable():
            yield _fault("a path holds no blank, '?', '#' or '\\'; a query stands in 'queries'", "paths", call)
        elif not {".", ".."}.isdisjoint(rest.lower().replace("%2e", ".").split("/")):
            yield _fault("a path leads down from the base URL, and holds no '.' or '..'", "paths", call)


def _content(document: _Document) -> Iterator[Fault]:
    content = document.get("content", SHAPES[_dialect(document)].content)
    if document.get("content_in") == "look" and content == "bytes":
        yield _fault("a look can hold a video as 'link' or 'base64' only; state it as 'content'", "content_in")


def _words(document: _Document) -> Iterator[Fault]:
    for word in document.get("status_words", {}):
        if word != word.lower():
            message = f"write '{shown(word.lower())}': the words of answers are compared in lower case"
            yield _fault(message, "status_words", word, key=True)


def _fields(document: _Document) -> Iterator[Fault]:
    for field, how in document.get("fields", {}).items():
        if field == "prompt" and how is None:
            yield _fault("without its prompt no video is what was asked for", "fields", field)
        elif isinstance(how, dict) and how.get("as") == "sides" and field != "size":
            yield _fault("only a size has sides", "fields", field, "as")


def _names(document: _Document) -> Iterator[Fault]:
    """What is sent under one name twice: only one of them would arrive."""
    stated, taken = document.get("fields", {}), dict[str, str]()
    for field, sent in fields_of(document).items():
        for name in sent.names:
            other = taken.setdefault(name, field)
            if other != field:
                where = field if field in stated else other
                message = f"'{field}' and '{other}' would both be sent as '{shown(name)}', and one of them be lost"
                yield _fault(message, "fields", where)
    ours = "and what a job says goes before it"
    for name in document.get("constants", {}):
        if name in taken:
            yield _fault(f"'{shown(name)}' is how '{taken[name]}' is sent, {ours}", "constants", name, key=True)
    for place, name in enumerate(document.get("params", ())):
        if name in taken and taken[name] != name:
            yield _fault(f"'{shown(name)}' is how '{taken[name]}' is sent, {ours}", "params", place)


def _answers(document: _Document) -> Iterator[Fault]:
    for name, stated in document.get("answers", {}).items():
        for place, path in enumerate(stated if isinstance(stated, list) else [stated]):
            if all(path.split(".")) and not set("$[]") & set(path):
                continue
            steps = [step for step in re.split(r"[.\[\]$'\"]+", path) if step]
            write = f"; write {shown('.'.join(steps))}" if steps else ""
            message = f"names and numbers with dots between say where{write}"
            yield _fault(message, "answers", name, *([place] if isinstance(stated, list) else []))


def _rehearsed_id(document: _Document) -> Iterator[Fault]:
    pattern = document.get("rehearsal", {}).get("id")
    if pattern is None:
        return
    places = _PLACE.findall(pattern)
    known = "{hex32}, {alnum32}, {digits8}, {uuid} and {model} are such"
    if unknown := next((place for place in places if not _DIFFERS.fullmatch(place) and place != "model"), None):
        yield _fault(f"there is no place {{{shown(unknown)}}} in an id; {known}", "rehearsal", "id")
    elif not any(map(_DIFFERS.fullmatch, places)):
        yield _fault("every video would have the same id: put {hex32} or the like into it", "rehearsal", "id")


def _problems(document: _Document) -> Iterator[Fault]:
    return unsound(document.get("problems", ()))


def _result_models(document: _Document) -> Iterator[Fault]:
    result_models = document.get("result_models", {})
    if _dialect(document) != "responses":
        if result_models:
            yield _fault("only the dialect 'responses' asks a model for results", "result_models", key=True)
        return
    if not result_models:
        yield _fault(
            "without 'result_models' no video of this dialect can be asked for", "dialect", code="missing-field"
        )
    yield from _buying_looks(document)


def _buying_looks(document: _Document) -> Iterator[Fault]:
    """Which of the result models might make a video, when they are asked for one."""
    result_models = document.get("result_models", {})
    makers = {folded(name) for name, offer in document.get("models", {}).items() if offer is not None}
    makers |= {folded(document.get("defaults", {}).get("model", "")), *map(folded, result_models)}
    for name, model in result_models.items():
        if folded(model) in makers:
            message = f"'{shown(model)}' makes videos here: to ask it for a result could buy another"
            yield _fault(message, "result_models", name)
        elif not says_so(model):
            message = f"'{shown(model)}' may be one that makes videos, and to ask it for a result could buy another"
            known = f"one that only hands out has {KNOWN} as the first or the last word of its name, as in sora-2-get"
            yield _fault(f"{message}: {known}", "result_models", name)


def _dialect(document: _Document) -> str:
    return str(document.get("dialect", "videos"))


def _headers(document: _Document) -> Iterator[Fault]:
    auth = document.get("auth")
    carrier = auth.get("header", "").lower() if isinstance(auth, dict) else "authorization"
    if carrier in _OURS:
        yield _fault(f"'{carrier}' says what a request is, and carries no key", "auth", "header")
    for call, headers in document.get("headers", {}).items():
        for name in headers:
            if name.lower() == carrier or name.lower() in _OF_KEYS:
                message = "a key does not belong in a profile; name its variable in 'key_env'"
                yield Fault(path=("headers", call, name), code="secret", message=message, key=True, hidden=True)
            elif name.lower() in _OURS:
                yield _fault(f"vidbatch itself says '{shown(name)}'", "headers", call, name, key=True)


def _pace(document: _Document) -> Iterator[Fault]:
    pace = document.get("pace", {})
    if pace.get("interval_s", 0) > pace.get("interval_s_max", float("inf")):
        yield _fault("the longest time between looks is shorter than the shortest", "pace", "interval_s_max")


_RULES: Sequence[Callable[[_Document], Iterator[Fault]]] = (
    *(_address, _default_model, _prices, _dates, _ids_in_paths, _content),
    *(_words, _fields, _names, _answers, _problems, _rehearsed_id, _result_models, _headers, _pace, written_keys),
)
