"""Sweeps as people write them, each with exactly the jobs it makes: ids, prompts and settings.

Every matrix of GitHub's documentation is here, translated. The expectations were derived by hand from the semantics.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import Wishes, load
from pipeline.model import Job, Manifest
from pipeline.profile import Profile


def digits(text: str) -> str:
    """What a label ends in where its letters do not tell it apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def told(job: Job) -> str:
    """A job on one line: its id, its prompt, and what is not `sora-2`, 4 seconds and 1280x720."""
    settings = {"model": job.model, "seconds": job.seconds, "size": job.size, "group": job.group}
    plain = {"model": "sora-2", "seconds": 4, "size": "1280x720", "group": ""}
    stated = {name: value for name, value in settings.items() if value != plain[name]}
    own = {**stated, **job.params, **{f"meta.{name}": value for name, value in job.meta.items()}}
    return " | ".join([job.id, job.prompt, *(f"{name}={value}" for name, value in own.items())])


GITHUB = {
    "single dimension": (
        """
        id: ci
        prompt: Test {{ version }}
        matrix: {version: [10, 12, 14]}
        """,
        """
        ci-version10 | Test 10
        ci-version12 | Test 12
        ci-version14 | Test 14
        """,
    ),
    "multiple dimensions": (
        """
        id: ci
        prompt: Test {{ version }} on {{ os }}
        matrix:
          version: [10, 12, 14]
          os: [ubuntu-latest, windows-latest]
        """,
        """
        ci-version10-ubuntu-latest | Test 10 on ubuntu-latest
        ci-version10-windows-latest | Test 10 on windows-latest
        ci-version12-ubuntu-latest | Test 12 on ubuntu-latest
        ci-version12-windows-latest | Test 12 on windows-latest
        ci-version14-ubuntu-latest | Test 14 on ubuntu-latest
        ci-version14-windows-latest | Test 14 on windows-latest
        """,
    ),
    "multiple dimensions, the other way round": (
        """
        id: ci
        prompt: Test {{ version }} on {{ os }}
        matrix:
          os: [ubuntu-22.04, ubuntu-20.04]
          version: [10, 12, 14]
        """,
        """
        ci-ubuntu-22-04-version10 | Test 10 on ubuntu-22.04
        ci-ubuntu-22-04-version12 | Test 12 on ubuntu-22.04
        ci-ubuntu-22-04-version14 | Test 14 on ubuntu-22.04
        ci-ubuntu-20-04-version10 | Test 10 on ubuntu-20.04
        ci-ubuntu-20-04-version12 | Test 12 on ubuntu-20.04
        ci-ubuntu-20-04-version14 | Test 14 on ubuntu-20.04
        """,
    ),
    "array of objects": (
        """
        id: ci
        prompt: "{{ os }}, {{ node.version }}, {{ node.env | default('none') }}"
        matrix:
          os: [ubuntu-latest, macos-latest]
          node:
            - version: 14
            - version: 20
              env: NODE_OPTIONS=--openssl-legacy-provider
        """,
        """
        ci-ubuntu-latest-14 | ubuntu-latest, 14, none
        ci-ubuntu-latest-20-node_options-openssl | ubuntu-latest, 20, NODE_OPTIONS=--openssl-legacy-provider
        ci-macos-latest-14 | macos-latest, 14, none
        ci-macos-latest-20-node_options-openssl | macos-latest, 20, NODE_OPTIONS=--openssl-legacy-provider
        """,
    ),
    "expanding or adding": (
        """
        id: ci
        prompt: "{{ fruit }} {{ animal | default('-') }} {{ color | default('-') }} {{ shape | default('-') }}"
        matrix:
          fruit: [apple, pear]
          animal: [cat, dog]
          include:
            - color: green
            - color: pink
              animal: cat
            - fruit: apple
              shape: circle
            - fruit: banana
            - fruit: banana
              animal: cat
        """,
        """
        ci-apple-cat | apple cat pink circle
        ci-apple-dog | apple dog green circle
        ci-pear-cat | pear cat pink -
        ci-pear-dog | pear dog green -
        ci-banana | banana - - -
        ci-banana-cat | banana cat - -
        """,
    ),
    "expanding": (
        """
        id: ci
        prompt: "{{ os }} {{ node }} {{ npm | default('-') }}"
        matrix:
          os: [windows-latest, ubuntu-latest]
          node: [14, 16]
          include:
            - os: windows-latest
              node: 16
              npm: 6
        """,
        """
        ci-windows-latest-node14 | windows-latest 14 -
        ci-windows-latest-node16 | windows-latest 16 6
        ci-ubuntu-latest-node14 | ubuntu-latest 14 -
        ci-ubuntu-latest-node16 | ubuntu-latest 16 -
        """,
    ),
    "adding": (
        """
        id: ci
        prompt: "{{ os }} {{ version }}"
        matrix:
          os: [macos-latest, windows-latest, ubuntu-latest]
          version: [12, 14, 16]
          include:
            - os: windows-latest
              version: 17
        """,
        """
        ci-macos-latest-version12 | macos-latest 12
        ci-macos-latest-version14 | macos-latest 14
        ci-macos-latest-version16 | macos-latest 16
        ci-windows-latest-version12 | windows-latest 12
        ci-windows-latest-version14 | windows-latest 14
        ci-windows-latest-version16 | windows-latest 16
        ci-ubuntu-latest-version12 | ubuntu-latest 12
        ci-ubuntu-latest-version14 | ubuntu-latest 14
        ci-ubuntu-latest-version16 | ubuntu-latest 16
        ci-windows-latest-version17 | windows-latest 17
        """,
    ),
    "include alone": (
        """
        id: ci
        prompt: Deploy {{ site }} to {{ datacenter }}
        matrix:
          include:
            - site: "production"
              datacenter: "site-a"
            - site: "staging"
              datacenter: "site-b"
        """,
        """
        ci-production-site-a | Deploy production to site-a
        ci-staging-site-b | Deploy staging to site-b
        """,
    ),
    "excluding": (
        """
        id: ci
        prompt: "{{ os }} {{ version }} {{ environment }}"
        matrix:
          os: [macos-latest, windows-latest]
          version: [12, 14, 16]
          environment: [staging, production]
          exclude:
            - os: macos-latest
              version: 12
              environment: production
            - os: windows-latest
              version: 16
        """,
        """
        ci-macos-latest-version12-staging | macos-latest 12 staging
        ci-macos-latest-version14-staging | macos-latest 14 staging
        ci-macos-latest-version14-production | macos-latest 14 production
        ci-macos-latest-version16-staging | macos-latest 16 staging
        ci-macos-latest-version16-production | macos-latest 16 production
        ci-windows-latest-version12-staging | windows-latest 12 staging
        ci-windows-latest-version12-production | windows-latest 12 production
        ci-windows-latest-version14-staging | windows-latest 14 staging
        ci-windows-latest-version14-production | windows-latest 14 production
        """,
    ),
    "handling failures": (
        """
        id: ci
        prompt: "{{ version }} {{ experimental }}"
        matrix:
          version: [6, 7, 8]
          experimental: [false]
          include:
            - version: 9
              experimental: true
        """,
        """
        ci-version6-experimental-false | 6 false
        ci-version7-experimental-false | 7 false
        ci-version8-experimental-false | 8 false
        ci-version9-experimental-true | 9 true
        """,
    ),
    "a matrix of another job's output": (
        """
        id: ci
        prompt: "{{ color }}"
        matrix: {color: [red, green, blue]}
        """,
        """
        ci-red | red
        ci-green | green
        ci-blue | blue
        """,
    ),
}

OURS = {
    "a setting as an axis": (
        """
        id: heron
        prompt: a heron, {{ seconds }} s
        matrix: {seconds: [4, 8, "12"]}
        """,
        """
        heron-4s | a heron, 4 s
        heron-8s | a heron, 8 s | seconds=8
        heron-12s | a heron, 12 s | seconds=12
        """,
    ),
    "sizes and models": (
        """
        id: heron
        prompt: a heron
        matrix: {model: [sora-2, sora-2-pro], size: [1280x720, 720x1280]}
        """,
        """
        heron-sora-2-1280x720 | a heron
        heron-sora-2-720x1280 | a heron | size=720x1280
        heron-sora-2-pro-1280x720 | a heron | model=sora-2-pro
        heron-sora-2-pro-720x1280 | a heron | model=sora-2-pro | size=720x1280
        """,
    ),
    "a cell goes over its entry": (
        """
        id: heron
        prompt: a heron, {{ mood }}
        seconds: 12
        vars: {mood: calm}
        matrix: {seconds: [4, 8], mood: [wild]}
        """,
        """
        heron-4s-wild | a heron, wild
        heron-8s-wild | a heron, wild | seconds=8
        """,
    ),
    "prompts as an axis": (
        """
        id: birds
        prompt: a bird
        matrix: {prompt: ["a heron at {{ hour }}", "A heron stands in the reeds while the sun comes up"], hour: [dawn]}
        """,
        """
        birds-a-heron-at-hour-dawn | a heron at dawn
        birds-a-heron-stands-in-the-dawn | A heron stands in the reeds while the sun comes up
        """,
    ),
    "prompts that stand in the axis alone": (
        """
        id: birds
        matrix: {prompt: [a heron, a tern]}
        """,
        """
        birds-a-heron | a heron
        birds-a-tern | a tern
        """,
    ),
    "prompt files as an axis": (
        """
        id: zoo
        matrix: {prompt_file: [prompts/fox.txt, prompts/owl.txt], mood: [calm]}
        """,
        """
        zoo-fox-calm | a fox, calm
        zoo-owl-calm | an owl, calm
        """,
    ),
    "groups as an axis": (
        """
        id: heron
        prompt: a heron
        matrix: {zip: {group: [coast, "lake/{{ seconds }}"], seconds: [4, 8]}}
        """,
        """
        heron-coast-4s | a heron | group=coast
        heron-lake-seconds-8s | a heron | seconds=8 | group=lake/8
        """,
    ),
    "one name of params as an axis": (
        """
        id: heron
        prompt: a heron
        params: {seed: 1, cfg: 2}
        matrix: {params.seed: [7, 8], params.cfg: [0.5, -1]}
        """,
        """
        heron-seed7-cfg0-5 | a heron | seed=7 | cfg=0.5
        heron-seed7-cfg-1 | a heron | seed=7 | cfg=-1
        heron-seed8-cfg0-5 | a heron | seed=8 | cfg=0.5
        heron-seed8-cfg-1 | a heron | seed=8 | cfg=-1
        """,
    ),
    "params that differ in a template": (
        """
        id: heron
        prompt: a heron
        matrix: {params.negative_prompt: ["no {{ what }}", blurry], what: [fog]}
        """,
        """
        heron-no-what-fog | a heron | negative_prompt=no fog
        heron-blurry-fog | a heron | negative_prompt=blurry
        """,
    ),
    "one name of meta as an axis": (
        """
        id: heron
        prompt: a heron in scene {{ scene }}
        matrix: {zip: {meta.shot: [1, 2], scene: [dawn, dusk]}}
        """,
        """
        heron-dawn | a heron in scene dawn | meta.shot=1
        heron-dusk | a heron in scene dusk | meta.shot=2
        """,
    ),
    "an axis of one value": (
        """
        id: heron
        prompt: a {{ subject }}
        matrix: {model: sora-2-pro, subject: heron, seconds: [8]}
        """,
        """
        heron-sora-2-pro-heron-8s | a heron | model=sora-2-pro | seconds=8
        """,
    ),
    "pairs": (
        """
        id: heron
        prompt: a heron, {{ framing }}
        matrix: {zip: {size: [1280x720, 720x1280], framing: [wide, tall]}}
        """,
        """
        heron-wide | a heron, wide
        heron-tall | a heron, tall | size=720x1280
        """,
    ),
    "pairs of settings": (
        """
        id: heron
        prompt: a heron
        matrix: {zip: {size: [1280x720, 720x1280], seconds: [4, 8]}}
        """,
        """
        heron-1280x720-4s | a heron
        heron-720x1280-8s | a heron | seconds=8 | size=720x1280
        """,
    ),
    "several zips, each where it stands": (
        """
        id: x
        prompt: "{{ a }} {{ b }} {{ c }} {{ d }}"
        matrix:
          zip:
            - {a: [one, two], b: [uno, dos]}
            - {c: [red, blue], d: [rojo, azul]}
          seconds: [4, 8]
        """,
        """
        x-one-uno-red-rojo-4s | one uno red rojo
        x-one-uno-red-rojo-8s | one uno red rojo | seconds=8
        x-one-uno-blue-azul-4s | one uno blue azul
        x-one-uno-blue-azul-8s | one uno blue azul | seconds=8
        x-two-dos-red-rojo-4s | two dos red rojo
        x-two-dos-red-rojo-8s | two dos red rojo | seconds=8
        x-two-dos-blue-azul-4s | two dos blue azul
        x-two-dos-blue-azul-8s | two dos blue azul | seconds=8
        """,
    ),
    "a zip between two axes": (
        """
        id: x
        prompt: "{{ a }}{{ b }}{{ c }}{{ d }}"
        matrix: {a: [k, l], zip: {b: [m, n], c: [o, p]}, d: [q, r]}
        """,
        """
        x-k-m-o-q | kmoq
        x-k-m-o-r | kmor
        x-k-n-p-q | knpq
        x-k-n-p-r | knpr
        x-l-m-o-q | lmoq
        x-l-m-o-r | lmor
        x-l-n-p-q | lnpq
        x-l-n-p-r | lnpr
        """,
    ),
    "exclude meets a zip": (
        """
        id: x
        prompt: "{{ subject }}, {{ framing }}"
        matrix:
          subject: [heron, tug]
          zip: {size: [1280x720, 720x1280], framing: [wide, tall]}
          exclude: [{subject: tug, size: 720x1280}]
        """,
        """
        x-heron-wide | heron, wide
        x-heron-tall | heron, tall | size=720x1280
        x-tug-wide | tug, wide
        """,
    ),
    "exclude by number, however it is written": (
        """
        id: x
        prompt: "{{ n }}"
        matrix: {seconds: [4, 8], n: [1, 2, "2"], exclude: [{seconds: 8.0}, {n: 2.0}]}
        """,
        """
        x-4s-n1 | 1
        x-4s-2 | 2
        """,
    ),
    "include comes after exclude": (
        """
        id: x
        prompt: "{{ a }} {{ b | default('-') }}"
        matrix:
          a: [one, two]
          exclude: [{a: two}]
          include: [{a: two, b: back}, {b: extra}]
        """,
        """
        x-one | one extra
        x-two-back | two back
        """,
    ),
    "exclude that empties all, and include": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [one, two], exclude: [{a: one}, {a: two}], include: [{a: three}]}
        """,
        "x-three | three",
    ),
    "a later include goes over an earlier one": (
        """
        id: x
        prompt: "{{ a }} {{ b }}"
        matrix: {a: [one, two], include: [{b: first}, {b: second, a: two}]}
        """,
        """
        x-one | one first
        x-two | two second
        """,
    ),
    "an include sets a setting": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [one, two], include: [{a: two, seconds: 8, params.seed: 7}]}
        """,
        """
        x-one | one
        x-two | two | seconds=8 | seed=7
        """,
    ),
    "an include does not change the values of a setting": (
        """
        id: x
        prompt: a heron
        matrix: {seconds: [4, 8], include: [{seconds: 12, model: sora-2-pro}, {seconds: 8, size: 720x1280}]}
        """,
        """
        x-4s | a heron
        x-8s | a heron | seconds=8 | size=720x1280
        x-12s-sora-2-pro | a heron | model=sora-2-pro | seconds=12
        """,
    ),
    "empty lists of rules": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [one], exclude: [], include: []}
        """,
        "x-one | one",
    ),
    "a range of lengths": (
        """
        id: heron
        prompt: a heron
        matrix: {seconds: {range: [4, 12, 4]}}
        """,
        """
        heron-4s | a heron
        heron-8s | a heron | seconds=8
        heron-12s | a heron | seconds=12
        """,
    ),
    "ranges of a parameter": (
        """
        id: heron
        prompt: a heron
        matrix: {params.cfg: {range: [0.1, 0.3, 0.1]}, params.seed: {range: [2, 1]}}
        """,
        """
        heron-cfg0-1-seed2 | a heron | cfg=0.1 | seed=2
        heron-cfg0-1-seed1 | a heron | cfg=0.1 | seed=1
        heron-cfg0-2-seed2 | a heron | cfg=0.2 | seed=2
        heron-cfg0-2-seed1 | a heron | cfg=0.2 | seed=1
        heron-cfg0-3-seed2 | a heron | cfg=0.3 | seed=2
        heron-cfg0-3-seed1 | a heron | cfg=0.3 | seed=1
        """,
    ),
    "a range in a zip, excluded by number": (
        """
        id: x
        prompt: shot {{ n }} {{ mood }}
        matrix: {zip: {n: {range: [1, 10, 3]}, mood: [a, b, c, d]}, exclude: [{n: 7}]}
        """,
        """
        x-n1-a | shot 1 a
        x-n4-b | shot 4 b
        x-n10-d | shot 10 d
        """,
    ),
    "mappings as values": (
        """
        id: x
        prompt: "{{ subject }}, {{ camera }}, {{ camera.lens }}"
        params: {seed: 1}
        matrix:
          subject: [heron]
          camera:
            - {name: low, lens: 24mm, params: {seed: 7}, model: sora-2-pro, vars: {unused: 1}}
            - {name: from above, lens: 85mm, seconds: "8", meta: {rig: drone}}
        """,
        """
        x-heron-low | heron, low, 24mm | model=sora-2-pro | seed=7
        x-heron-from-above | heron, from above, 85mm | seconds=8 | seed=1 | meta.rig=drone
        """,
    ),
    "mappings without a name": (
        """
        id: x
        prompt: "{{ lens }}"
        matrix: {lens: [{mm: 35, field: wide}, {mm: 85}]}
        """,
        """
        x-35-wide | 35, wide
        x-85 | 85
        """,
    ),
    "mappings excluded by name and in full": (
        """
        id: x
        prompt: "{{ camera }}"
        matrix:
          camera: [{name: low, mm: 24}, {name: high, mm: 35}, {name: wide, mm: 18}]
          exclude: [{camera: low}, {camera: {name: wide, mm: 18}}]
        """,
        "x-high | high",
    ),
    "a mapping in a zip and in an include": (
        """
        id: x
        prompt: "{{ camera.mm }} {{ mood }}"
        matrix:
          zip: {camera: [{name: low, mm: 24}, {name: high, mm: 35}], mood: [calm, wild]}
          include: [{camera: {name: aerial, mm: 50, seconds: 8}, mood: vast}]
        """,
        """
        x-low-calm | 24 calm
        x-high-wild | 35 wild
        x-aerial-vast | 50 vast | seconds=8
        """,
    ),
    "takes of every cell": (
        """
        id: x
        prompt: "{{ a }}"
        takes: 2
        matrix: {a: [one, two]}
        """,
        """
        x-one-t1 | one
        x-one-t2 | one
        x-two-t1 | two
        x-two-t2 | two
        """,
    ),
    "an id of one's own": (
        """
        id: "{{ subject }}_{{ seconds }}"
        prompt: "{{ subject }}"
        matrix: {subject: [a heron, a tug], seconds: [4, 8]}
        """,
        """
        a-heron_4 | a heron
        a-heron_8 | a heron | seconds=8
        a-tug_4 | a tug
        a-tug_8 | a tug | seconds=8
        """,
    ),
    "YAML's traps stay what was written": (
        """
        id: x
        prompt: "{{ a }}."
        matrix: {a: [on, 012, 16:9, 1_000, 2024-01-01, "8", null, true]}
        """,
        """
        x-on | on.
        x-012 | 012.
        x-16-9 | 16:9.
        x-1_000 | 1_000.
        x-2024-01-01 | 2024-01-01.
        x-8 | 8.
        x-a-none | .
        x-a-true | true.
        """,
    ),
    "unicode values": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [Möwe, 鷺, 鹭, "crème brûlée 🍮"]}
        """,
        f"""
        x-mowe | Möwe
        x-{digits("鷺")} | 鷺
        x-{digits("鹭")} | 鹭
        x-creme-brulee | crème brûlée 🍮
        """,
    ),
    "values that slug alike": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [a heron, "A heron!", a tug]}
        """,
        f"""
        x-a-heron-{digits('"a heron"')} | a heron
        x-a-heron-{digits('"A heron!"')} | A heron!
        x-a-tug | a tug
        """,
    ),
    "long values": (
        """
        id: x
        prompt: "{{ a }}"
        matrix: {a: [an old lighthouse keeper in rain, an old lighthouse keeper at sea, incomprehensibilities_of_one]}
        """,
        f"""
        x-an-old-lighthouse-keeper-{digits('"an old lighthouse keeper in rain"')} | an old lighthouse keeper in rain
        x-an-old-lighthouse-keeper-{digits('"an old lighthouse keeper at sea"')} | an old lighthouse keeper at sea
        x-incomprehensibilities_of | incomprehensibilities_of_one
        """,
    ),
    "an axis that Windows does not like": (
        """
        id: x
        prompt: "{{ a }}."
        matrix: {a: [con, nul, "", "../up"]}
        """,
        """
        x-con-x | con.
        x-nul-x | nul.
        x-a-none | .
        x-up | ../up.
        """,
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "fox.txt").write_text("a fox, {{ mood }}\n", encoding="utf-8")
    (tmp_path / "prompts" / "owl.txt").write_text("an owl, {{ mood }}\n", encoding="utf-8")
    return tmp_path


def swept(folder: Path, profiles: dict[str, Profile], entry: str, *settings: str, around: str = "") -> Manifest:
    """The manifest of one *entry*."""
    body = indent(dedent(entry).strip(), "    ").replace("    ", "  - ", 1)
    (folder / "m.yaml").write_text(f"{around}\njobs:\n{body}\n", encoding="utf-8")
    return load(
        folder / "m.yaml",
        find_profile=profiles.get,
        profile_names=sorted(profiles),
        wishes=Wishes(settings=tuple(settings)),
    )


@pytest.mark.parametrize("name", [*GITHUB, *OURS])
def test_a_sweep_makes_exactly_these_jobs(name: str, folder: Path, profiles: dict[str, Profile]) -> None:
    entry, expected = {**GITHUB, **OURS}[name]

    manifest = swept(folder, profiles, entry)

    assert [told(job) for job in manifest.jobs] == dedent(expected).strip().splitlines()
    assert manifest.warnings == ()


def test_there_are_as_many_sweeps_as_we_think() -> None:
    assert len(GITHUB) + len(OURS) >= 45


HARBOUR = """
id: harbour
group: coast
prompt: "{{ subject }} at dawn, {{ style }}"
matrix:
  subject: [a heron, a tug]
  seconds: [4, 8]
  zip: {size: [1280x720, 720x1280], framing: [wide, tall]}
  exclude: [{subject: a tug, framing: tall}]
  include: [{subject: a seal, seconds: 4}]
takes: 2
"""
AROUND = "version: 1\nname: harbour\ndefaults: {model: sora-2, seconds: 8, size: 1280x720}\nvars: {style: 35mm film}"


def test_the_sweep_of_the_design_is_as_it_is_shown(folder: Path, profiles: dict[str, Profile]) -> None:
    manifest = swept(folder, profiles, HARBOUR, around=AROUND)

    assert [told(job) for job in manifest.jobs if job.take == 1] == [
        "harbour-a-heron-4s-wide-t1 | a heron at dawn, 35mm film | group=coast",
        "harbour-a-heron-4s-tall-t1 | a heron at dawn, 35mm film | size=720x1280 | group=coast",
        "harbour-a-heron-8s-wide-t1 | a heron at dawn, 35mm film | seconds=8 | group=coast",
        "harbour-a-heron-8s-tall-t1 | a heron at dawn, 35mm film | seconds=8 | size=720x1280 | group=coast",
        "harbour-a-tug-4s-wide-t1 | a tug at dawn, 35mm film | group=coast",
        "harbour-a-tug-8s-wide-t1 | a tug at dawn, 35mm film | seconds=8 | group=coast",
        "harbour-a-seal-4s-t1 | a seal at dawn, 35mm film | group=coast",
    ]
    assert [job.take for job in manifest.jobs] == [1, 2] * 7
    assert manifest.jobs[4].path == "coast/harbour-a-heron-8s-wide-t1.mp4"
    assert dict(manifest.jobs[4].axes) == {
        "subject": "a heron",
        "seconds": 8,
        "size": "1280x720",
        "framing": "wide",
    }


def test_a_sweep_without_an_id_takes_the_prompts_words(folder: Path, profiles: dict[str, Profile]) -> None:
    manifest = swept(folder, profiles, "prompt: a heron\nmatrix: {seconds: [4, 8]}")

    assert [re.sub("[0-9a-f]{6}$", "#", job.id) for job in manifest.jobs] == ["a-heron-4s-#", "a-heron-8s-#"]


def test_a_matrix_and_a_list_of_its_cells_ask_for_the_same_videos(folder: Path, profiles: dict[str, Profile]) -> None:
    one = swept(folder, profiles, "prompt: '{{ a }}'\nmatrix: {a: [heron, tug], seconds: [4, 8]}")
    listed = [f"{{prompt: {a}, seconds: {n}}}" for n in (8, 4) for a in ("tug", "heron")]
    (folder / "m.yaml").write_text("jobs:\n" + "".join(f"  - {line}\n" for line in listed), encoding="utf-8")
    other = load(folder / "m.yaml", find_profile=profiles.get, profile_names=sorted(profiles))

    assert {job.key for job in one.jobs} == {job.key for job in other.jobs}


def test_another_value_and_another_order_disturb_no_id_and_no_key(folder: Path, profiles: dict[str, Profile]) -> None:
    def wishes(matrix: str) -> dict[str, str]:
        manifest = swept(folder, profiles, f"id: x\nprompt: '{{{{ a }}}} {{{{ b }}}}'\nmatrix: {matrix}")
        return {job.id: job.key for job in manifest.jobs}

    before = wishes("{a: [heron], b: [dawn, dusk]}")
    after = wishes("{a: [tug, heron], b: [noon, dusk, dawn]}")

    assert before.items() <= after.items()
    assert len(after) == 6


@pytest.mark.parametrize(
    ("entry", "settings", "expected"),
    [
        ("id: x\nprompt: p", ["seconds=4,8"], ["x-4s | p", "x-8s | p | seconds=8"]),
        (
            "id: x\nprompt: p\nmatrix: {seconds: [4, 8]}",
            ["model=sora-2-pro"],
            ["x-4s | p | model=sora-2-pro", "x-8s | p | model=sora-2-pro | seconds=8"],
        ),
        ("id: x\nprompt: p\nmatrix: {seconds: [4, 8]}", ["seconds=12"], ["x-12s | p | seconds=12"]),
        (
            "id: x\nprompt: '{{ mood }}'\nmatrix: {seconds: [4]}",
            ["mood=calm,wild"],
            ["x-4s-calm | calm", "x-4s-wild | wild"],
        ),
    ],
)
def test_the_command_line_sets_and_adds_axes(
    entry: str, settings: list[str], expected: list[str], folder: Path, profiles: dict[str, Profile]
) -> None:
    manifest = swept(folder, profiles, entry, *settings)

    assert [told(job) for job in manifest.jobs] == expected


def test_an_id_that_is_lengthened_changes_nothing_else_of_the_path(folder: Path, profiles: dict[str, Profile]) -> None:
    camera = "{name: low, lens: 24mm, vars: {tilt: 5}, seconds: 8}"
    sweep = "matrix: {camera: [CAMERA], mood: [calm]}".replace("CAMERA", camera)
    (folder / "in.yaml").write_text(
        f"vars: {{style: noir}}\njobs:\n  - {{id: x, prompt: b, {sweep}}}\n", encoding="utf-8"
    )
    path = "{{ style }}/{{ camera.lens }}-{{ tilt }}/{{ camera }}-{{ mood }}-{{ seconds }}-{{ w }}/{{ id }}.mp4"
    frame = f"include: [in.yaml]\nvars: {{style: film, w: 1}}\noutput: {{path: '{path}'}}\n"
    (folder / "m.yaml").write_text(f"{frame}jobs:\n  - {{id: x, prompt: a, {sweep}}}\n", encoding="utf-8")

    jobs = load(folder / "m.yaml", find_profile=profiles.get, profile_names=list(profiles)).jobs

    ids = [f"x-low-calm-{job.key[:12]}" for job in jobs]
    assert [job.id for job in jobs] == ids
    expected = [f"{style}/24mm-5/low-calm-8-1/{name}.mp4" for style, name in zip(("noir", "film"), ids, strict=True)]
    assert [job.path for job in jobs] == expected


def test_a_sample_is_a_part_of_the_sweep_in_its_order(folder: Path, profiles: dict[str, Profile]) -> None:
    entry = "id: x\nprompt: p\nmatrix: {params.seed: {range: [1, 40]}, seconds: [4, 8]}"

    whole = [job.id for job in swept(folder, profiles, entry).jobs]
    drawn = [
        [job.id for job in swept(folder, profiles, f"{entry}\nsample: {sample}").jobs]
        for sample in ("{count: 5}", "{count: 9, seed: 0}", "{count: 9, seed: 1}", "{count: 100}")
    ]

    assert [len(ids) for ids in drawn] == [5, 9, 9, 80]
    assert set(drawn[0]) < set(drawn[1])
    assert drawn[1] != drawn[2]
    assert drawn[3] == whole
    assert all(ids == [name for name in whole if name in ids] for ids in drawn)


@pytest.mark.parametrize(
    ("matrix", "issues"),
    [
        ("{subject: []}", ["empty jobs[0].matrix.subject"]),
        ("{subject: }", ["empty jobs[0].matrix.subject"]),
        ("{}", ["empty-matrix jobs[0].matrix"]),
        ("[seconds, 4]", ["wrong-type jobs[0].matrix"]),
        ("{seconds: [4, 8], exclude: [{seconds: 4}, {seconds: 8}]}", ["empty-matrix jobs[0].matrix"]),
        ("{zip: {size: [1280x720, 720x1280], framing: [wide]}}", ["zip-length jobs[0].matrix.zip.framing"]),
        ("{zip: []}", ["empty jobs[0].matrix.zip"]),
        ("{zip: wide}", ["wrong-type jobs[0].matrix.zip"]),
        ("{seconds: [4, 8s]}", ["bad-form jobs[0].matrix.seconds[1]"]),
        ("{seconds: 8s}", ["bad-form jobs[0].matrix.seconds"]),
        ("{seconds: {range: [0, 8, 4]}}", ["out-of-range jobs[0].matrix.seconds.range[0]"]),
        ("{seconds: {range: [4, 12, 3]}}", ["bad-range jobs[0].matrix.seconds.range"]),
        ("{seconds: {from: 4, to: 12}}", ["bad-axis jobs[0].matrix.seconds"]),
        (
            "{cfg: {range: [a, b]}}",
            ["wrong-type jobs[0].matrix.cfg.range[0]", "wrong-type jobs[0].matrix.cfg.range[1]"],
        ),
        ("{size: [16:9]}", ["bad-form jobs[0].matrix.size[0]"]),
        ("{size: [{w: 1280, h: 720}]}", ["wrong-type jobs[0].matrix.size[0]"]),
        ("{camera: [{name: low, size: 16:9}]}", ["bad-form jobs[0].matrix.camera[0].size"]),
        ("{camera: [{name: low, params: {model: a}}]}", ["reserved-name jobs[0].matrix.camera[0].params.model"]),
        ("{a: [1], include: [{size: big}]}", ["bad-form jobs[0].matrix.include[0].size"]),
        ("{a: [1], exclude: {a: 1}}", ["wrong-type jobs[0].matrix.exclude"]),
        ("{a: [1], exclude: [a]}", ["wrong-type jobs[0].matrix.exclude[0]"]),
        ("{a: [1], exclude: [{b: 1}]}", ["unknown-axis jobs[0].matrix.exclude[0].b"]),
        ("{takes: [1, 2]}", ["bad-axis jobs[0].matrix.takes"]),
        ("{secnds: [4, 8]}", ["near-miss jobs[0].matrix.secnds"]),
        ("{seconds: [4, 8], zip: {seconds: [4, 8]}}", ["duplicate-axis jobs[0].matrix.zip.seconds"]),
        ("{seconds: [4, 8, 4.0]}", ["duplicate-value jobs[0].matrix.seconds[2]"]),
    ],
)
def test_a_sweep_that_makes_no_sense_says_where(
    matrix: str, issues: list[str], folder: Path, profiles: dict[str, Profile]
) -> None:
    with pytest.raises(InvalidManifest) as caught:
        swept(folder, profiles, f"id: x\nprompt: p\nmatrix: {matrix}")

    assert [f"{issue.code} {issue.path}" for issue in caught.value.issues] == issues


@pytest.mark.parametrize(
    ("sample", "issue"),
    [
        ("{}", "missing-field jobs[0].sample"),
        ("{count: 0}", "out-of-range jobs[0].sample.count"),
        ("{count: 5, sed: 1}", "unknown-key jobs[0].sample.sed"),
        ("5", "wrong-type jobs[0].sample"),
    ],
)
def test_a_sample_that_makes_no_sense_says_where(
    sample: str, issue: str, folder: Path, profiles: dict[str, Profile]
) -> None:
    with pytest.raises(InvalidManifest) as caught:
        swept(folder, profiles, f"id: x\nprompt: p\nmatrix: {{seconds: [4, 8]}}\nsample: {sample}")

    assert [f"{found.code} {found.path}" for found in caught.value.issues] == [issue]


def test_a_rule_without_effect_is_a_warning(folder: Path, profiles: dict[str, Profile]) -> None:
    manifest = swept(folder, profiles, "id: x\nprompt: p\nmatrix: {seconds: [4, 8], exclude: [{seconds: 12}]}")

    assert [(issue.code, issue.path) for issue in manifest.warnings] == [("no-effect", "jobs[0].matrix.exclude[0]")]
    assert len(manifest.jobs) == 2
