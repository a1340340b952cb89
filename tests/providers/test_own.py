"""A profile of a person's own: found, based on another, judged whole, kept."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidManifest, UsageError
from pipeline.model import ProviderChoice, SourceFile
from pipeline.profile import ModelOffer, Profile
from pipeline.providers.access import address_of, own_address
from pipeline.providers.catalogue import Catalogue, own_folder
from pipeline.providers.own import CHAIN_MAX, read_kept
from pipeline.providers.registry import document_of, find_profile, profile_names
from pipeline.providers.sense import nonsense

BARE = "name: mine\ntitle: Mine\nauth: raw\nmodels: {'*': {}}\nretention_s: 60\ncurrency: EUR\n"


def find(folder: Path, text: str, name: str = "mine", **others: str) -> Profile:
    """The profile of this *text* in the *folder* of a person who has *others* beside it."""
    for file, content in {name: text, **others}.items():
        (folder / f"{file}.yaml").write_text(content, encoding="utf-8")
    profile = Catalogue(folder=folder).find(name)
    assert profile is not None
    return profile


def issues(folder: Path, text: str, name: str = "mine", **others: str) -> list[str]:
    """What is wrong with it, as `file:line:column code`."""
    with pytest.raises(InvalidManifest) as caught:
        find(folder, text, name, **others)
    return [f"{Path(i.position.file).name}:{i.position.line}:{i.position.column} {i.code}" for i in caught.value.issues]


def told(folder: Path, text: str, **others: str) -> str:
    """The words of the first issue."""
    with pytest.raises(InvalidManifest) as caught:
        find(folder, text, **others)
    return caught.value.issues[0].message


def test_a_profile_is_found_by_its_name_or_by_its_file(tmp_path: Path) -> None:
    by_name = find(tmp_path, BARE)
    by_file = Catalogue().find(str(tmp_path / "mine.yaml"))

    assert by_file == by_name
    assert (by_name.name, by_name.home) == ("mine", str(tmp_path / "mine.yaml"))
    assert by_name.files[0].content == BARE.encode()
    assert Catalogue(folder=tmp_path).names() == sorted([*profile_names(), "mine"])
    assert Catalogue(folder=tmp_path).find("nobody") is None
    assert Catalogue(folder=tmp_path / "nowhere").find("openai") == find_profile("openai")
    with pytest.raises(UsageError, match="there is no file"):
        Catalogue().find(str(tmp_path / "nothing.yaml"))


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CONFIG_HOME": "/etc/mine", "HOME": "/home/me"}, "/etc/mine/vidbatch/profiles"),
        ({"XDG_CONFIG_HOME": "here", "HOME": "/home/me"}, "/home/me/.config/vidbatch/profiles"),
        ({"HOME": "/home/me"}, "/home/me/.config/vidbatch/profiles"),
        ({}, None),
    ],
)
def test_own_profiles_are_where_such_files_belong(environment: dict[str, str], folder: str | None) -> None:
    assert own_folder(environment) == (None if folder is None else Path(folder))


def test_a_scalar_has_the_type_that_the_schema_gives_it(tmp_path: Path) -> None:
    text = BARE.replace("{'*': {}}", "{m: {seconds: [4], sizes: [1x1], price_per_second: {1x1: 0.10}}}")
    own = "prices_as_of: 2026-01-01\nfields: {size: null, seconds: {as: integer}}\nconstants: {n: 1}\n"
    own += "answers: {id: 0.id}\nproblems: [{http: 400, code: 1234, means: gone}]\nbase_url: https://h.example/v1\n"

    profile = find(tmp_path, text + own)

    assert profile.models == {"m": ModelOffer(seconds=(4,), sizes=("1x1",), price_per_second={"1x1": Decimal("0.10")})}
    assert (profile.prices_as_of, profile.wire.constants) == ("2026-01-01", {"n": 1})
    assert (profile.wire.fields["size"].name, profile.wire.fields["seconds"].form) == ("", "integer")
    assert (profile.wire.problems[0].http, profile.wire.problems[0].code) == ((400,), ("1234",))


def test_an_heir_has_what_it_states_over_what_it_is_based_on(tmp_path: Path) -> None:
    base = BARE.replace("'*': {}", "'*': {}, a: {seconds: [4]}") + "params: [seed, sound]\nlimits: {in_flight: 3}\n"
    own = "name: heir\nbased_on: mine\nparams: [seed]\nlimits: {downloads: 9}\nmodels: {'*': null, a: {sizes: [1x1]}}\n"

    heir = find(tmp_path, own, "heir", mine=base)

    assert (heir.name, heir.title, heir.currency, heir.params) == ("heir", "Mine", "EUR", ("seed",))
    assert heir.models == {"a": ModelOffer(seconds=(4,), sizes=("1x1",))}
    assert (heir.limits.in_flight, heir.limits.downloads) == (3, 9)
    assert [file.name for file in heir.files] == ["heir.yaml", "mine.yaml"]


@pytest.mark.parametrize("base", ["sandbox", "./up.yaml"])
def test_an_heir_at_an_address_of_its_own_has_nothing_that_speaks_of_the_other_one(tmp_path: Path, base: str) -> None:
    up = "name: up\nbased_on: sandbox\nkey_env: [UP_KEY]\n"
    own = f"name: mine\nbased_on: {base}\nmodels: {{sketch: {{price_per_second: {{1x1: '2'}}}}}}\n"

    same, moved = find(tmp_path, own, up=up), find(tmp_path, f"{own}base_url: https://h.example/v1\n", up=up)

    assert (same.embedded, same.bills, same.key_default) == (True, False, "sandbox")
    assert (moved.embedded, moved.bills, moved.key_default, moved.key_env) == (False, True, "", ())
    assert [(offer.seconds, offer.sizes) for offer in moved.models.values()] == [
        (offer.seconds, offer.sizes) for offer in same.models.values()
    ]
    assert (same.models["sora-2"].price_per_second, same.prices_as_of > "") == ({"*": Decimal("0.10")}, True)
    assert {price for name in ("sora-2", "sora-2-pro") for price in moved.models[name].price_per_second} == set()
    assert (moved.models["sketch"].price_per_second, moved.prices_as_of) == ({"1x1": Decimal(2)}, "")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("titel: Mine", "7:1 unknown-key"),
        ("key: sk-abcdefghijk", "7:1 secret"),
        ("body: jason", "7:7 unknown-word"),
        ("base_url: http://gate.example/v1", "7:11 insecure-url"),
        ("base_url: https://gate.example/v2\nbase_path: /v3", "7:11 bad-form"),
        ("defaults: {model: m, size: 1x2}", "7:28 bad-form"),
        ("defaults: {model: m, seconds: 5}", "7:31 bad-form"),
        ("paths: {look: /tasks}", "7:15 bad-form"),
        ("paths: {submit: '/{id}'}", "7:17 bad-form"),
        ("paths: {look: '/{id}/{key}'}", "7:15 bad-form"),
        ("paths: {look: '/{id}?a=b'}", "7:15 bad-form"),
        ("content_in: look", "7:13 bad-form"),
        ("status_words: {DONE: done}", "7:16 bad-form"),
        ("fields: {seconds: {as: sides}}", "7:24 bad-form"),
        ("fields: {prompt: null}", "7:18 bad-form"),
        ("result_models: {a: b}", "7:1 bad-form"),
        ("dialect: responses\nresult_models: {'*': null}", "8:22 bad-form"),
        ("paths: {look: '/tasks/${id}'}", "7:15 bad-form"),
        ("paths: {delete: '/tasks/$id'}", "7:17 bad-form"),
        ("paths: {content: '/{id}/$VIDEO'}", "7:18 bad-form"),
        ("paths: {content: '/{id}/$video_id'}", "7:18 bad-form"),
        ("paths: {content: '/{id}/${x}'}", "7:18 bad-form"),
        ("headers: {look: {authorization: Bearer x}}", "7:18 secret"),
        ("headers: {submit: {Content-Type: text/plain}}", "7:20 bad-form"),
        ("pace: {interval_s: 9, interval_s_max: 3}", "7:39 bad-form"),
        ("prices_as_of: yesterday", "7:15 bad-form"),
        ("retired: 2026-02-30", "7:10 bad-form"),
        ("problems: [{to: lok, means: gone}]", "7:17 unknown-word"),
        ("problems: [{to: [look, lok], means: gone}]", "7:24 unknown-word"),
        ("problems: [{http: abc, means: gone}]", "7:19 wrong-type"),
        ("answers: {id: ''}", "7:15 empty"),
        ("key_env: [A_KEY, A_KEY]", "7:10 duplicate-value"),
        ("problems: [{means: throttled}]", "7:12 bad-form"),
        ("problems: [{to: look, means: gone}]", "7:12 bad-form"),
        ("problems: [{http: [200, 503], means: throttled}]", "7:19 bad-form"),
        ("problems: [{to: look, http: 204, means: gone}]", "7:29 bad-form"),
        ("problems: [{http: 400, means: gone}, {to: [look, edit], http: [502], means: gone}]", "7:63 bad-form"),
        ("problems: [{to: submit, http: 409, means: rejected}]", "7:31 bad-form"),
        ("problems: [{text: busy, means: throttled}]", "7:19 bad-form"),
        ("problems: [{to: look, http: [410, 502], means: gone}]", "7:29 bad-form"),
        ("problems: [{to: look, http: 404, means: failed}]", "7:29 bad-form"),
        ("problems: [{to: look, text: dark, means: failed}]", "7:29 bad-form"),
        ("problems: [{http: abc, means: gone}, {code: busy, means: no_money}]", "7:45 bad-form"),
        ("fields: {seconds: size}", "7:19 bad-form"),
        ("fields: {model: height, size: {as: sides}}", "7:31 bad-form"),
        ("constants: {size: 1x1}", "7:13 bad-form"),
        ("fields: {seconds: length}\nparams: [seed, length]", "8:16 bad-form"),
        ("answers: {id: $.id}", "7:15 bad-form"),
        ("answers: {link: [url, 'data[0].url']}", "7:23 bad-form"),
        ("answers: {link: data..url}", "7:17 bad-form"),
        ("paths: {look: '/../{id}'}", "7:15 bad-form"),
        ("paths: {look: '/a b/{id}'}", "7:15 bad-form"),
        ("paths: {look: '/a\\{id}'}", "7:15 bad-form"),
        ("rehearsal: {id: film}", "7:17 bad-form"),
        ("rehearsal: {id: 'film-{hexx}{uuid}'}", "7:17 bad-form"),
        ("rehearsal: {id: 'film-{model}'}", "7:17 bad-form"),
        ("headers: {look: {X-Api-Key: x}}", "7:18 secret"),
        ("headers: {look: {cookie: x}}", "7:18 secret"),
        ("headers: {look: {X-Key: x}}", "7:18 secret"),
        ("headers: {look: {X-Mine-Key: 8f2b6c1e94d07a35aa11bb22}}", "7:18 secret"),
        ("headers: {look: {X-Mine: eyJhbGciOiJIUzI1NiJ9}}", "7:18 secret"),
        ("constants: {api_key: x}", "7:13 secret"),
        ("constants: {n: 1, login: {accessToken: x}}", "7:27 secret"),
        ("constants: {api_key: [abcd]}", "7:13 secret"),
        ("constants: {api_keys: {value: abcd}}", "7:13 secret"),
        ("constants: {api_key: 12345678901234}", "7:13 secret"),
        ("constants: {apikey1: x}", "7:13 secret"),
        ("constants: {n: [1, {clientSecret: x}]}", "7:21 secret"),
        ("constants: {who: Bearer sk-Ab3dE6gH9jK2}", "7:13 secret"),
        ("constants: {who: 8f2b6c1e94d07a35aa11bb22cc33dd44}", "7:13 secret"),
        ("constants: {who: [a, 8f2b6c1e94d07a35aa11bb22cc33dd44]}", "7:22 secret"),
        ("constants: {model_id: hf_AbCdEfGhIjKlMnOpQrStUv}", "7:13 secret"),
        ("reference_json: {api_key: abc, u: '{url}'}", "7:18 secret"),
        ("reference_json: ['{url}', {token: abc}]", "7:28 secret"),
        ("rehearsal: {errors: {api_key: abc, m: '{message}'}}", "7:22 secret"),
        ("rehearsal: {errors: {who: sk-Ab3dE6gH9jK2, m: '{message}'}}", "7:22 secret"),
        ("title2: x\nprices_source: 'https://h.example/sk-Ab3dE6gH9jK2'", "8:1 secret"),
        ("paths: {submit: /8f2b6c1e94d07a35aa11bb22cc33dd44/videos}", "7:9 secret"),
        ("queries: {submit: {token: x}}", "7:20 secret"),
        ("key_default: sk-Ab3dE6gH9jK2", "7:14 secret"),
        ("key_default: 8f2b6c1e94d07a35", "7:14 secret"),
        ("based_on: nobody", "7:11 unknown-profile"),
        ("based_on: ./nothing.yaml", "7:11 missing-file"),
        ("based_on: ./mine.yaml", "7:11 include-cycle"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, more: str, place: str) -> None:
    text = BARE.replace("{'*': {}}", "{m: {sizes: [1x1], seconds: [4]}}") + f"{more}\n"

    assert f"mine.yaml:{place}" in issues(tmp_path, text)


_KEYS_ALONE = ("abcdefghijklmnopqrst", "abcdefghijklmnopqrst=", "8f2b6c1e94d0 ", "Key a1b2=", "Token token=abc")


@pytest.mark.parametrize(
    "prefix",
    [
        "Bearer abcdefgh",
        "sk-abcdefghijk",
        "sk-abcdefghijk ",
        "Key=a1",
        "Key abc ",
        "AKIAABCDEFGHIJKLMNOP",
        "0a",
        *_KEYS_ALONE,
    ],
)
def test_what_stands_before_a_key_is_a_word_and_no_key(tmp_path: Path, prefix: str) -> None:
    text = BARE.replace("raw", f"{{header: X-Key, prefix: '{prefix}'}}")

    with pytest.raises(InvalidManifest) as caught:
        find(tmp_path, text)

    (issue,) = caught.value.issues
    assert (issue.code, issue.position.line, prefix in str(issue)) == ("secret", 3, False)


@pytest.mark.parametrize(
    "more",
    [
        *(f"auth: {{header: X-Key, prefix: '{word}'}}" for word in ("Key ", "Bearer ", "Api-Key: ", "token=", "")),
        *(
            f"auth: {{header: X-Key, prefix: '{word}'}}"
            for word in ("Token token=", "api_key=", "OAuth2 ", "Api-Key-V1 ")
        ),
        *(f"key_default: {word}" for word in ("EMPTY", "sandbox", "not-a-real-key", "local-development-1", "no-key")),
        *(f"key_default: {word}" for word in ("sk-no-key-required", "sk-anything", "sk-not-needed", "sk-1234")),
        "constants: {max_tokens: 4, keyframes: all, use_token: true, accept_cookie: false, secret: null}",
        "constants: {cache_key: none, output_key: films/out.mp4, trigger_token: ohwx}",
        "constants: {model_id: fal_ai_video_model, repo: hf_hub_repository_a, sampler: sk-dpm-solver}",
        "constants: {version: 5c7d5dc6dd8bf75c1acaa8565735e7986bc5b662, lora: AnimeLineart2024V3Final}",
        "constants: {at: 20261123T120000Z00000000, base: 'Wan-AI/Wan2.2-T2V-A14B-Diffusers'}",
        "queries: {list: {index: '0', custom_llm_provider: openai, page_token: '0'}, look: {sort_key: created_at}}",
        "headers: {submit: {X-Mode: 'async', HTTP-Referer: 'https://h.example', X-Idempotency-Key: none}}",
        "rehearsal: {says: {bad_key: {http: 401, message: Invalid token, document: {token: '{message}'}}}}",
        "paths: {list: '/tasks/$count', content: '/tasks/{id}/$value'}",
    ],
)
def test_what_is_no_key_is_not_taken_for_one(tmp_path: Path, more: str) -> None:
    text = f"{BARE.replace('auth: raw', '')}{'' if 'auth' in more else 'auth: raw'}\n{more}\n"

    assert find(tmp_path, text).name == "mine"


def test_all_that_is_wrong_is_told_at_once_in_every_file_where_it_is_written(tmp_path: Path) -> None:
    up = BARE.replace("name: mine", "name: up") + "body: jason\nstatus_words: {DONE: done}\n"
    own = "name: openai\nbased_on: up\nmodels: {'*': null, m: {sizes: [1x1], price_per_second: {1x2: 1}}}\n"
    own += "defaults: {model: n}\n"

    assert issues(tmp_path, own, up=up) == [
        "mine.yaml:1:7 bad-name",
        "mine.yaml:3:58 bad-form",
        "mine.yaml:4:19 bad-form",
        "up.yaml:7:7 unknown-word",
        "up.yaml:8:16 bad-form",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty; a profile needs 'name', and 'based_on' or all that it has"),
        ("- a\n", "expected a mapping, found a list"),
        ("based_on: openai\n", "missing: 'name'"),
        ("name: other\nbased_on: openai\n", "'other' is found as other.yaml only; give file and profile one name"),
        ("name: mine\nbased_on: openia\n", "there is no profile 'openia'; did you mean 'openai'?"),
        (
            "name: mine\nbased_on: openai\nmodels: {sora-2: null}\n",
            "with the defaults.model that 'openai' has: there is no model 'sora-2' here; did you mean 'sora-2-pro'?",
        ),
        (f"{BARE}paths: {{look: '/a/$id'}}\n", "a place in a path has no '$'; the video's id is written as '{id}'"),
        (f"{BARE}paths: {{look: '/a/${{id}}'}}\n", "a place in a path has no '$'; the video's id is written as '{id}'"),
        (
            f"{BARE}queries: {{submit: {{key: abc}}}}\n",
            "a key does not belong in a profile; name its variable in 'key_env', and the header that carries it in "
            "'auth'. A gateway that takes its key in the query or the body alone cannot be used",
        ),
        (
            f"{BARE}base_url: https://h.example/v2\nbase_path: /v3\n",
            "'/v2' at its end is not the base_path, '/v3', which a host alone would get; state both alike",
        ),
        (f"{BARE}fields: {{seconds: {{type: integer}}}}\n", "unknown key 'type'; known here: name, as"),
        (BARE.replace("raw", "{heder: X}"), "missing: 'header'"),
        (BARE.replace("raw", "beerer"), "'beerer' is not known here; did you mean 'bearer'?"),
        (BARE.replace("{'*': {}}", "{'*': null}"), "no model is left; write '*' for any"),
        (
            f"{BARE}answers: {{id: '$.data[0].id'}}\n",
            "names and numbers with dots between say where; write data.0.id",
        ),
    ],
)
def test_it_is_told_what_to_write(tmp_path: Path, text: str, words: str) -> None:
    assert told(tmp_path, text) == words


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("sizes: [1280x720, 720*1280]", "write width x height in pixels, such as 1280x720"),
        ("price_per_second: {'*': 0,35}", "a price has a point and no comma"),
    ],
)
def test_one_mistake_is_told_once(tmp_path: Path, more: str, words: str) -> None:
    text = f"name: mine\nbased_on: newapi\ndefaults: {{size: 720x1280}}\nmodels: {{sora-2: {{{more}}}}}\n"

    assert len(issues(tmp_path, text)) == 1
    assert words in told(tmp_path, text)


def test_a_required_key_that_is_misspelt_is_told_once(tmp_path: Path) -> None:
    assert issues(tmp_path, BARE.replace("title", "titel")) == ["mine.yaml:2:1 unknown-key"]
    assert issues(tmp_path, BARE.replace("title: Mine\n", "")) == ["mine.yaml:1:1 missing-field"]


@pytest.mark.parametrize(
    "rule",
    [
        "{http: 400, means: throttled}",
        "{http: 502, code: no_channel, means: throttled}",
        "{to: submit, http: 200, text: no channel, means: throttled}",
        "{to: [look, delete], http: 409, means: throttled}",
        "{to: content, text: busy, means: not_ready}",
        "{to: look, http: [400, 422], means: failed}",
        "{to: [look, content], http: 410, means: gone}",
        "{to: look, http: 500, code: E_DARK, means: failed}",
        "{text: busy, means: trouble}",
        "{http: 503, means: trouble}",
    ],
)
def test_a_rule_that_states_when_nothing_was_made_is_taken(tmp_path: Path, rule: str) -> None:
    assert find(tmp_path, f"{BARE}problems: [{rule}]\n").wire.problems


@pytest.mark.parametrize(
    "stated",
    [
        "https://h.example",
        "https://h.example/api/v3",
        "https://h.example/api/v3/renders",
        "https://h.example/api/v3/renders/",
        "https://h.example/api/v3/videos",
    ],
)
def test_an_address_with_the_path_of_a_submit_is_the_one_without_it(tmp_path: Path, stated: str) -> None:
    own = f"base_url: {stated}\nbase_path: /api/v3\npaths: {{submit: /renders, look: '/renders/{{id}}'}}\n"

    profile = find(tmp_path, BARE + own)

    assert own_address(profile) == "https://h.example/api/v3"
    assert address_of(ProviderChoice(base_url=stated), profile, {}) == "https://h.example/api/v3"


def test_a_file_of_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    assert issues(tmp_path, BARE.replace("mine", "openai"), "openai") == ["openai.yaml:1:7 bad-name"]


def test_files_are_based_on_each_other_in_circles_and_in_long_chains_for_so_long_only(tmp_path: Path) -> None:
    circle = {"mine": "name: mine\nbased_on: up\n", "up": "name: up\nbased_on: mine\n"}
    chain = {f"p{n}": f"name: p{n}\nbased_on: p{n + 1}\n" for n in range(CHAIN_MAX)} | {f"p{CHAIN_MAX}": BARE}

    assert "is based on this file itself" in told(tmp_path, circle["mine"], up=circle["up"])
    assert issues(tmp_path, chain["p0"], "p0", **chain) == [f"p{CHAIN_MAX - 1}.yaml:2:11 too-deep"]
    assert find(tmp_path, chain["p1"], "p1").name == "p1"


def test_what_a_run_kept_is_read_without_the_folders_it_came_from(tmp_path: Path) -> None:
    heir = find(tmp_path, "name: heir\nbased_on: ./mine.yaml\n", "heir", mine=BARE)
    kept = [SourceFile(name=f.name, sha256=f.sha256, path=tmp_path / f"{n}.yaml") for n, f in enumerate(heir.files)]
    for file, known in zip(kept, heir.files, strict=True):
        assert file.path is not None
        file.path.write_bytes(known.content)
    (tmp_path / "mine.yaml").unlink()

    again, doubts = read_kept(kept)

    assert doubts == []
    assert (again.name, again.wire, again.files) == (heir.name, heir.wire, heir.files)
    (tmp_path / "1.yaml").write_text(BARE + "params: []\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is not the profile that was run with"):
        read_kept(kept)


def test_what_a_run_kept_is_held_up_by_no_rule_of_later(tmp_path: Path) -> None:
    rules = (
        "{to: look, code: E_OLD, means: gone}, {http: 400, code: E_FULL, means: no_money}, {code: E, means: throttled}"
    )
    text = f"{BARE}queries: {{look: {{api_key: abc}}}}\nproblems: [{rules}]\n"
    assert len(issues(tmp_path, text)) == 3
    path = tmp_path / "mine.yaml"

    profile, doubts = read_kept([SourceFile(name="mine.yaml", sha256=sha256(text.encode()).hexdigest(), path=path)])

    assert profile.wire.queries["look"] == {"api_key": "abc"}
    assert [rule.code for rule in profile.wire.problems] == [("E_FULL",)]
    assert [(doubt.position.line, doubt.code, doubt.warning) for doubt in doubts] == [
        (7, "secret", True),
        (8, "bad-form", True),
        (8, "bad-form", True),
    ]
    assert ["not heard" in doubt.message for doubt in doubts] == [False, True, True]
    assert "abc" not in str(doubts)


def test_what_a_run_kept_has_to_have_its_form(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text := f"{BARE}boddy: json\n", encoding="utf-8")
    kept = SourceFile(name="mine.yaml", sha256=sha256(text.encode()).hexdigest(), path=tmp_path / "mine.yaml")

    with pytest.raises(InvalidManifest):
        read_kept([kept])


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_that_ships_makes_sense(name: str) -> None:
    document: Any = document_of(name)

    assert list(nonsense(document, shipped=())) == []
