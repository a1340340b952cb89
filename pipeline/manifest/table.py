"""The fields of a manifest as a table for the documentation, made from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


def field_table(schema: Mapping[str, Any]) -> str:
    """A Markdown table of every field in *schema* (without references), in the schema's order.

    What stands in a field with a `$comment` is told elsewhere: the comment says where.
    """
    rows = "".join(f"| `{path}` | {_type(field)} | {_meaning(field)} |\n" for path, field in _fields(schema))
    return f"| field | what it holds | meaning |\n| --- | --- | --- |\n{rows}"


def _fields(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        path = f"{above}{name}"
        yield path, field
        if "$comment" in field:
            continue
        yield from _fields(field, f"{path}.")
        if "items" in field:
            yield from _fields(field["items"], f"{path}[].")


def _type(field: Mapping[str, Any]) -> str:
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return " or ".join(_TYPES[name] for name in types)


def _meaning(field: Mapping[str, Any]) -> str:
    bounds = [
        f"{words} {field[keyword]:,}"
        for keyword, words in (("minimum", "from"), ("exclusiveMinimum", "more than"), ("maximum", "up to"))
        if keyword in field
    ]
    extent = f" ({', '.join(bounds)})" if bounds else ""
    default = f" Default: `{_written(field['default'])}`." if "default" in field else ""
    example = f" Such as `{_written(field['examples'][0])}`."
    elsewhere = f" {field['$comment']}" if "$comment" in field else ""
    return f"{field['description']}{extent}{default}{example}{elsewhere}".replace("|", "\\|")


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
