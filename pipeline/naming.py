"""Where a file lives: names made from our own template, portable to every file system we know.

A *slug* is lower-case, made of `a-z 0-9 - _`, never empty, never a word that Windows reserves. A *path* is slugs
joined by `/` and ends in `.mp4`. Nothing a provider says ever becomes part of either.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

NAME_BYTES_MAX = 100
"""The longest file name, with its suffix; leaves room for `.part` and a digest under every limit of 255."""
PATH_BYTES_MAX = 240

_RESERVED = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})
_NOT_PORTABLE = re.compile(r"[^a-z0-9_]+")
_SUFFIX = ".mp4"


class UnsafePath(ValueError):
    """A rendered output path that we will not use; the message says why."""


def slug(text: str, *, bytes_max: int = 60) -> str:
    """*text* as a portable word. Where letters had to be dropped or it was too long, a digest keeps it apart."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    word = _NOT_PORTABLE.sub("-", plain).strip("-_")
    lost_letters = any(ord(c) > 127 and c.isalnum() for c in plain)
    if lost_letters or not word:
        return _marked(word, _digest(text)[:6], bytes_max)
    if word in _RESERVED:
        word += "-x"
    return word if len(word) <= bytes_max else _marked(word, _digest(text)[:6], bytes_max)


def portable_path(rendered: str) -> str:
    """A rendered output template as the path below `videos/`. Raises `UnsafePath`.

    Empty segments vanish (a job without a group), `.mp4` is added where it is missing, and every segment is slugged.
    """
    if "\\" in rendered or "\0" in rendered:
        raise UnsafePath("it contains a backslash or a NUL character; folders are separated by '/'")
    *folders, name = [part.strip() for part in rendered.split("/") if part.strip()] or [""]
    if ".." in (*folders, name) or "." in (*folders, name):
        raise UnsafePath("it leaves the run's folder: '.' and '..' are not allowed as segments")
    stem = name.removesuffix(_SUFFIX)
    if not stem:
        raise UnsafePath("it names no file")
    extension = re.search(r"\.(avi|gif|jpe?g|json|m4v|mkv|mov|mpe?g|png|txt|webm|webp)$", stem, re.IGNORECASE)
    if extension:
        raise UnsafePath(f"it ends in '{extension.group()}': videos are stored as '.mp4'")
    path = "/".join([*(slug(f) for f in folders), slug(stem, bytes_max=NAME_BYTES_MAX - len(_SUFFIX)) + _SUFFIX])
    if len(path) > PATH_BYTES_MAX:
        raise UnsafePath(f"it is {len(path)} characters long; {PATH_BYTES_MAX} is the most")
    return path


def beside(path: str, mark: str) -> str:
    """Where a newcomer goes whose *path* belongs to another job: its name with *mark* (hex digits) added.

    Longer than *path* by the mark and a dash at most, and the name no longer than any other.
    """
    folder, slash, name = path.removesuffix(_SUFFIX).rpartition("/")
    return f"{folder}{slash}{_marked(name, mark, NAME_BYTES_MAX - len(_SUFFIX))}{_SUFFIX}"


def sidecar(path: str) -> str:
    """Where the JSON beside a video lives."""
    return path.removesuffix(_SUFFIX) + ".json"


def poster(sha256: str) -> str:
    """Where the poster of the video with this digest lives, below `report/`: the same bytes keep theirs."""
    return f"posters/{sha256[:12]}.jpg"


def variant(path: str, name: str, suffix: str) -> str:
    """Where the picture *name* of a video lives, beside it: `coast/fox-thumbnail.webp`.

    Where that is too long for a name, the video's is cut, and a digest of it keeps the two apart.
    """
    folder, slash, stem = path.removesuffix(_SUFFIX).rpartition("/")
    bytes_max = NAME_BYTES_MAX - len(suffix)
    word = f"{stem}-{name}"
    word = word if len(word) <= bytes_max else _marked(stem, f"{_digest(stem)[:6]}-{name}", bytes_max)
    return f"{folder}{slash}{word}{suffix}"


def _marked(word: str, mark: str, bytes_max: int) -> str:
    """*word*, as much of it as fits, and *mark*."""
    head = word[: bytes_max - len(mark) - 1].rstrip("-_")
    return f"{head}-{mark}" if head else mark


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
