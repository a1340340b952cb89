"""What is wrong with a template that Jinja cannot read, in our words: it speaks of its parser's states. Pure."""

from __future__ import annotations

import re

from pipeline.manifest.fields import shown

ONLY = "templates hold values, filters and 'if' only; this one has '{}'"
CLOSINGS = {"{{": "}}", "{%": "%}", "{#": "#}"}
"""How each part of a template begins, and how it ends."""
_OPENING = re.compile(r"\{[{%#]")
_TAG = re.compile(r"\{%[-+]?[ \t]*(\w+)")
_THREE = re.compile(r"\{(\{\{[ \t]*[A-Za-z_][A-Za-z0-9_.]{0,60}[ \t]*\}\})\}")
_TAGS = frozenset({"if", "elif", "else", "endif", "raw", "endraw"})
_NEAR = re.compile(r"[^\n\\\"']{2,40}")
_JINJA_SAYS = tuple(
    (re.compile(said, re.IGNORECASE | re.DOTALL), ours)
    for said, ours in (
        (r"expected token 'end of \w+ statement', got '(.*)'", "'{0}' does not belong where it stands"),
        (r"expected an expression, got 'end of print statement'", "a value is missing before '}}}}'"),
        (r"expected an expression, got 'end of statement block'", "a value is missing before '%}}'"),
        (r"unexpected end of template.*", "an '{{% if … %}}' is never closed with '{{% endif %}}'"),
        (r"unexpected '(.*)'", "'{0}' does not belong where it stands"),
        (r"unexpected char (.*) at \d+", "{0} does not belong where it stands"),
        (r"expected token '(.*)', got '(.*)'", "'{0}' was expected where '{1}' stands"),
    )
)


_KINDS = {"str": "text", "int": "number", "float": "number", "bool": "yes or no", "list": "list"}
_NO_PART = re.compile(r"'?(\w+) object'? has no (?:attribute|element) '?([^']*)'?")


def no_such_part(said: str) -> tuple[str, str]:
    """What to say where Jinja *said* that a value has no such part; and the part's name."""
    match = _NO_PART.fullmatch(said)
    if match is None:
        return shown(said), ""
    return f"there is no '{shown(match[2])}' in this {_KINDS.get(match[1], 'mapping')}", match[2]


def misreading(text: str, said: str) -> tuple[str, str]:
    """What to say of the template *text*, of which Jinja *said* something; and what stands in it at that place."""
    return _unclosed(text) or _refused_tag(text) or _three_braces(text) or (_in_our_words(said), "")


def _unclosed(text: str) -> tuple[str, str] | None:
    """A mark that opens and never closes."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        closing = CLOSINGS[opening.group()]
        end = text.find(closing, opening.end())
        if end < 0:
            near = _NEAR.match(text, opening.start())
            return f"'{opening.group()}' is never closed with '{closing}'", near.group() if near else ""
        at = end + 2
    return None


def _refused_tag(text: str) -> tuple[str, str] | None:
    """A tag that no template may have."""
    tag = next((tag for tag in _TAG.finditer(text) if tag[1] not in _TAGS), None)
    return None if tag is None else (ONLY.format(tag[1]), tag.group())


def _three_braces(text: str) -> tuple[str, str] | None:
    """A name in three braces, as other template languages have it."""
    three = _THREE.search(text)
    return None if three is None else (f"a name stands in two braces, not three: '{three[1]}'", three.group())


def _in_our_words(said: str) -> str:
    for pattern, ours in _JINJA_SAYS:
        match = pattern.fullmatch(said.strip())
        if match:
            return f"the template cannot be read: {ours.format(*map(shown, match.groups()))}"
    return f"the template cannot be read: {shown(said)}"
