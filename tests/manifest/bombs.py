"""Manifests that are small to write and large to read, and texts that a careless reader would obey."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

from tests.manifest.row_bombs import BRACKETS_MAX, ODD, ROW_BOMBS, Bomb

_TEMPLATES = (
    *("{{ ''.__class__.__mro__ }}", "{{ self }}", "{{ x | attr('a') }}", "{{ [1] * 1000000000 }}", "{{ cycler }}"),
    *("{{ 'a' * 10**9 }}", "{{ 9 ** 9 ** 9 ** 9 }}", "{{ 10 ** 100000000 }}", "{{ '%1000000000d' % 1 }}"),
    *("{% for a in range(10**9) %}a{% endfor %}", "{% set a = a %}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"),
    *("{% include 'a' %}", "{% extends self %}", "{% block a %}{% endblock %}", "{% raw %}", "{% call a() %}", "{{ x "),
    *("{{ x | replace('', x) }}", "{{ x | join(x) }}", "{{ (x ~ x) | replace('h', x) }}", "{{ x | truncate(-1) }}"),
    *("{{ x | float | int }}", "{{ '1e400' | float | int }}", "{{ '9' * 9 }}", "{{ x[::0] }}", "{{ x[1:10**9] }}"),
    *("{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ -2 ** 63 }}", "{{ x in x in x }}", "{{ {} }}", "{{ {x: x} }}", "{{ (x,) }}"),
    *("{{ " + "x ~ " * 300 + "x }}", "{{ " + "(" * 3_000 + ")" * 3_000 + " }}", "{{ " + "-" * 10_000 + "1 }}"),
    *("{{ x" + ".a" * 5_000 + " }}", "{{ " + "not " * 8_000 + "x }}", "{{ " + "1+" * 10_000 + "1 }}"),
    *("{{ x" + " | lower" * 3_000 + " }}", "{% if x %}" * 2_000 + "{% endif %}" * 2_000, "{{ x }}" * 4_500),
    *("{{ x | int(base=999) }}", "{{ ('9' * 1) | int }}", "{{ " + "9" * 8_000 + " }}", "{#" * 10_000, "{{" * 10_000),
    *('{{ "}}' + "{%" * 15_000 + '" }}', "{{ '}}" + "{#" * 15_000 + "' }}", "{x}" * 10_000, "{ x }{x.y}" * 3_000),
    *("{{ x | default(x, true) | title | abs }}", "{{ x | first | last | length }}", "{{ missing | default(1) }}"),
)


def _text(value: str) -> str:
    return json.dumps(value)


def _yaml(text: str) -> Bomb:
    return "yaml", text.encode("utf-8", "surrogatepass")


def _aliases(chance: random.Random) -> Bomb:
    levels, width = chance.choice([(9, 9), (30, 2), (3, 1_000), (14, 30), (1, 100_000)])
    lines = ["vars:", "  a0: &a0 [x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels + 1)]
    return _yaml("\n".join([*lines, "jobs: [{prompt: a heron}]", ""]))


def _merges(chance: random.Random) -> Bomb:
    levels, width = chance.choice([(10, 10), (500, 2), (5, 1_000), (2_000, 1)])
    lines = ["vars:", "  m0: &m0 {k: v}"]
    lines += [
        f"  m{n}: &m{n}\n    <<: [{', '.join([f'*m{n - 1}'] * width)}]\n    k{n}: v" for n in range(1, levels + 1)
    ]
    return _yaml("\n".join([*lines, "jobs: [{prompt: a heron}]", ""]))


def _merged_entries(chance: random.Random) -> Bomb:
    names = ", ".join(f"n{n}: {n}" for n in range(chance.choice([10, 1_000, 10_000])))
    count = chance.choice([10, 300])
    entries = "".join(f"  - {{prompt: heron {n}, meta: {{<<: *base}}}}\n" for n in range(count))
    return _yaml(f"vars:\n  base: &base {{{names}}}\njobs:\n{entries}")


def _aliased_jobs(chance: random.Random) -> Bomb:
    count = chance.choice([100, 3_000])
    return _yaml(f"jobs:\n  - &a {{prompt: a heron}}\n{'  - *a' + chr(10)}" + "  - *a\n" * count)


def _brackets(chance: random.Random) -> Bomb:
    count = chance.choice([10, 17, 1_000, 50_000, BRACKETS_MAX])
    opening, closing = chance.choice([("[", "]"), ("{", "}"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]"), ("? ", "")])
    closed = closing * count if chance.random() < 0.5 else ""
    head = chance.choice(["", "jobs: ", "jobs:\n  - prompt: a\n    meta: "])
    return _yaml(f"{head}{opening * count}{closed}\n")


def _indents(chance: random.Random) -> Bomb:
    return _yaml("".join(f"{' ' * n}a:\n" for n in range(chance.choice([20, 1_500]))))


def _scalar(chance: random.Random) -> Bomb:
    length = chance.choice([33_000, 1_000_000, 8_000_000])
    style = chance.choice(["{0}", '"{0}"', "'{0}'", "|\n      {0}", ">\n      {0}"])
    field = chance.choice(["prompt", "id", "group", "model", "size", "seconds", "takes", "prompt_file", "nothing"])
    return _yaml(f"jobs:\n  - prompt: a\n  - {field}: {style.format('x' * length)}\n")


def _number(chance: random.Random) -> Bomb:
    digits = chance.choice(
        ["9" * 5_000, "1" + "0" * 399, "1e400", "-1e400", "1e-400", ".inf", "-.inf", ".nan", "0x" + "f" * 900]
    )
    field = chance.choice(["seconds", "takes", "params: {seed", "meta: {a", "vars: {a"])
    place = f"{field}: {digits}{'}' if '{' in field else ''}"
    head = chance.choice(["", "limits: {budget: " + digits + "}\n", "limits: {in_flight: " + digits + "}\n"])
    return _yaml(f"{head}jobs:\n  - prompt: a heron\n    {place}\n")


def _takes(chance: random.Random) -> Bomb:
    takes, count = chance.choice([(100_001, 1), (1_000_000, 3), (10**9, 1), (-1, 1), (100, 200)])
    return _yaml("jobs:\n" + "".join(f"  - {{prompt: heron {n}, takes: {takes}}}\n" for n in range(count)))


def _keys(chance: random.Random) -> Bomb:
    count = chance.choice([1_000, 50_000])
    same = chance.random() < 0.5
    where = chance.choice(["", "  "])
    keys = "".join(f"{where}{'same' if same else f'k{n}'}: {n}\n" for n in range(count))
    return _yaml(f"{'vars:' + chr(10) if where else ''}{keys}jobs: [{{prompt: a}}]\n")


def _bad_entries(chance: random.Random) -> Bomb:
    """As many issues as there are entries."""
    count = chance.choice([100, 10_000])
    entry = chance.choice(
        ["{}", "7", "{prompt: a, secnds: 8}", "{prompt: '{{ nowhere }}'}", "{prompt: '', takes: x}", "[]"]
    )
    return _yaml("jobs:\n" + f"  - {entry}\n" * count)


def _templates(chance: random.Random) -> Bomb:
    text = chance.choice(_TEMPLATES)
    field = chance.choice(["prompt", "id", "group", "meta: {a", "params: {seed"])
    value = f"{field}: {_text(text)}{'}' if '{' in field else ''}"
    output = f"output: {{path: {_text(text)}}}\n" if chance.random() < 0.3 else ""
    x = _text("heron " * chance.choice([1, 1_000]))
    takes = chance.choice([1, 1, 100])
    entry = f"  - {value}\n" if field == "prompt" else f"  - prompt: a\n    {value}\n"
    return _yaml(f"vars: {{x: {x}, y: [1, 2], z: {{a: b}}}}\n{output}jobs:\n{entry}    takes: {takes}\n")


def _growing(chance: random.Random) -> Bomb:
    """Each use of a long variable is cheap to write."""
    uses, takes = chance.choice([(1_000, 1), (4_000, 5), (30, 1_000)])
    prompt = chance.choice(["{{ x }}", "{{ x ~ x }}", "{{ x | upper }}", "{{ [x, x, x] | join }}"]) * uses
    return _yaml(f'vars: {{x: {"x" * 30_000}}}\njobs:\n  - prompt: "{prompt}"\n    takes: {takes}\n')


def _odd_names(chance: random.Random) -> Bomb:
    odd = chance.choice(ODD)
    lines = [f"  - prompt: {_text(chance.choice(ODD))}", f"    group: {_text(chance.choice(ODD))}"]
    for name in chance.sample(["id", "name", "path", "vars", "meta", "params", "model", "prompt_file"], 3):
        if name in ("vars", "meta", "params"):
            lines.append(f"    {name}: {{{_text(odd)}: {_text(odd)}}}")
        elif name in ("id", "model", "prompt_file"):
            lines.append(f"    {name}: {_text(odd)}")
        else:
            shape = _text(odd) if name == "name" else f"{{path: {_text(odd + '/{{ id }}')}}}"
            lines.insert(0, f"{'name' if name == 'name' else 'output'}: {shape}")
    at = next(n for n, line in enumerate(lines) if line.startswith("  - "))
    return _yaml("\n".join([*lines[:at], "jobs:", *lines[at:], ""]))


def _tags(chance: random.Random) -> Bomb:
    tag = chance.choice(
        [
            "!!python/object/apply:os.system",
            "!!python/name:os.system",
            "!!binary",
            "!!set",
            "!!timestamp",
            "!a",
            "!<tag:x>",
            "!!",
        ]
    )
    where = chance.choice(
        ["{0} [jobs]", "jobs: {0} []", "jobs:\n  - {0}\n    prompt: a", "jobs:\n  - prompt: {0} [id]"]
    )
    return _yaml(where.format(tag) + "\n")


def _encodings(chance: random.Random) -> Bomb:
    text = chance.choice(["jobs:\n  - prompt: a hérön\n", "prompt\na hérön\n", '{"prompt": "a hérön"}\n'])
    names = [
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "utf-32-le",
        "latin-1",
        "cp1252",
        "cp037",
        "utf-7",
        "shift_jis",
    ]
    content = text.encode(chance.choice(names), "replace")
    tricks = [
        b"",
        b"\xc0\xae\xc0\xae/",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xef\xbb\xbf" * 2,
        b"\xfe\xff",
    ]
    suffix = chance.choice(["yaml", "csv", "jsonl"])
    return suffix, chance.choice(
        [content, text.encode() + chance.choice(tricks), chance.choice(tricks) + text.encode()]
    )


def _large(chance: random.Random) -> Bomb:
    """A file beyond what is read, or just below."""
    size = chance.choice([8 * 2**20, 65 * 2**20])
    line = chance.choice([b"# a remark of no importance at all, as long as a line may be\n", b"\n", b"x"])
    return "yaml", line * (size // len(line))


BOMBS: Mapping[str, Callable[[random.Random], Bomb]] = {
    "aliases": _aliases,
    "merges": _merges,
    "merged-entries": _merged_entries,
    "aliased-jobs": _aliased_jobs,
    "brackets": _brackets,
    "indents": _indents,
    "scalar": _scalar,
    "number": _number,
    "takes": _takes,
    "keys": _keys,
    "bad-entries": _bad_entries,
    "templates": _templates,
    "growing": _growing,
    "odd-names": _odd_names,
    "tags": _tags,
    "encodings": _encodings,
    "large": _large,
    **ROW_BOMBS,
}
