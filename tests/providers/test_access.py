"""Where a provider is, and what proves who we are."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import pytest

from pipeline.errors import UsageError
from pipeline.loopback import is_here
from pipeline.model import ProviderChoice
from pipeline.profile import Profile
from pipeline.providers.access import access, address_from, address_of, key_of, normal_url, proxy_of
from pipeline.providers.registry import find_profile
from pipeline.wire import Auth, Wire

KEY = "sk-0123456789abcdef"
P = "https://p.example/v1"
SOME = Profile(name="some", title="Some", base_url_env=("SOME_URL", "OTHER_URL"), key_env=("SOME_KEY", "OTHER_KEY"))


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://www.dmxapi.cn", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/v1", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/v1/", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/v1/videos", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/v1/videos/", "https://www.dmxapi.cn/v1"),
        ("https://www.dmxapi.cn/videos", "https://www.dmxapi.cn/v1"),
        (" https://www.dmxapi.cn/v1 \n", "https://www.dmxapi.cn/v1"),
        ("https://gate.example/openai/v1", "https://gate.example/openai/v1"),
        ("https://gate.example/api", "https://gate.example/api"),
        ("https://gate.example:8443", "https://gate.example:8443/v1"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700/v1"),
        ("http://[::1]:8700/v1", "http://[::1]:8700/v1"),
        ("https://videos", "https://videos/v1"),
        ("https://videos/videos/", "https://videos/v1"),
    ],
)
def test_an_address_may_be_written_in_many_ways(written: str, url: str) -> None:
    assert address_of(ProviderChoice(base_url=written), SOME, {}) == url
    assert normal_url(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://gate.example/v1", "no http(s) URL"),
        ("gate.example/v1", "no http(s) URL"),
        ("https:///v1", "no http(s) URL"),
        ("https://gate.example:port/v1", "no URL"),
        ("https://[::1/v1", "no URL"),
        ("https://gate example/v1", "no URL"),
        ("https://gate.example/v1\n/videos", "no URL"),
        ("https://127.0.0.1\\@gate.example/v1", "no URL"),
        ("https://me:secret@gate.example/v1", "holds credentials"),
        ("https://me@gate.example/v1", "holds credentials"),
        ("https://gate.example/v1?key=1", "holds a query"),
        ("https://gate.example?key=1", "holds a query"),
        ("https://gate.example/v1#part", "holds a query"),
        ("http://gate.example/v1", "in the clear"),
        ("http://10.0.0.1/v1", "in the clear"),
        ("http://localhost.gate.example/v1", "in the clear"),
    ],
)
@pytest.mark.parametrize("source", ["manifest", "variable"])
def test_a_bad_address_is_refused_with_its_source(url: str, why: str, source: str) -> None:
    choice = ProviderChoice(base_url=url if source == "manifest" else "")
    environment = {} if source == "manifest" else {"SOME_URL": url}
    words = "the manifest's base_url" if source == "manifest" else "the variable SOME_URL"

    with pytest.raises(UsageError, match=re.escape(words)) as caught:
        address_of(choice, SOME, environment)

    assert why in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "environment", "own", "address", "by"),
    [
        ("https://m.example", {"SOME_URL": "https://e.example"}, P, "https://m.example/v1", "the manifest's base_url"),
        ("", {"SOME_URL": "https://e.example"}, P, "https://e.example/v1", "the variable SOME_URL"),
        ("", {"OTHER_URL": "https://o.example"}, P, "https://o.example/v1", "the variable OTHER_URL"),
        ("", {"SOME_URL": "https://e.example", "OTHER_URL": P}, "", "https://e.example/v1", "the variable SOME_URL"),
        ("", {"SOME_URL": "  "}, P, P, "the profile some"),
        (" ", {}, P, P, "the profile some"),
    ],
)
def test_the_manifest_goes_before_the_environment_before_the_profile(
    written: str, environment: dict[str, str], own: str, address: str, by: str
) -> None:
    stated = ProviderChoice(base_url=written), replace(SOME, base_url=own), environment

    assert (address_of(*stated), address_from(*stated)) == (address, by)


def test_only_an_embedded_provider_may_have_no_address() -> None:
    assert address_of(ProviderChoice(), replace(SOME, embedded=True), {}) == ""
    named = re.escape(
        "some: no address: set the environment variable SOME_URL or OTHER_URL (export SOME_URL=https://…), or"
    )
    for profile, words in (
        (SOME, named),
        (replace(SOME, base_url_env=()), "no address: give provider.base_url in the"),
    ):
        with pytest.raises(UsageError, match=words):
            address_of(ProviderChoice(), profile, {})


@pytest.mark.parametrize(
    ("named", "environment", "own", "key"),
    [
        ("", {"SOME_KEY": KEY}, "", KEY),
        ("", {"OTHER_KEY": KEY}, "", KEY),
        ("", {"SOME_KEY": " ", "OTHER_KEY": KEY}, "", KEY),
        ("", {"SOME_KEY": f" {KEY}\n"}, "", KEY),
        ("MY_KEY", {"MY_KEY": KEY, "SOME_KEY": "no"}, "", KEY),
        ("", {"SOME_KEY": KEY}, "public", KEY),
        ("", {}, "public", "public"),
    ],
)
def test_the_first_key_that_is_set_is_taken(named: str, environment: dict[str, str], own: str, key: str) -> None:
    assert key_of(ProviderChoice(api_key_env=named), replace(SOME, key_default=own), environment) == key


@pytest.mark.parametrize(
    ("named", "profile", "words"),
    [
        ("", SOME, "SOME_KEY or OTHER_KEY (export SOME_KEY="),
        ("MY_KEY", SOME, "MY_KEY (export MY_KEY="),
        ("", replace(SOME, key_env=()), "provider.api_key_env"),
    ],
)
def test_a_missing_key_names_the_variables_that_would_do(named: str, profile: Profile, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        key_of(ProviderChoice(api_key_env=named), profile, {"UNRELATED": KEY})


@pytest.mark.parametrize(
    "key", ["sk-one\nsk-two", "sk one", '"sk-one"', "'sk-one'", "sk-ключ", "sk-\x07", "Bearer sk-one"]
)
def test_what_is_no_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError, match="SOME_KEY holds characters") as caught:
        key_of(ProviderChoice(), SOME, {"SOME_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (Auth(), {"authorization": f"Bearer {KEY}"}),
        (Auth(prefix=""), {"authorization": KEY}),
        (Auth(header="api-key", prefix=""), {"api-key": KEY}),
        (Auth(header=""), {}),
    ],
)
def test_the_key_goes_as_the_profile_says_and_is_never_shown(auth: Auth, headers: dict[str, str]) -> None:
    profile = replace(SOME, wire=Wire(auth=auth))
    key = key_of(ProviderChoice(), profile, {"SOME_KEY": KEY})

    got = access("https://gate.example/v1", key, profile)

    assert got.headers == headers
    assert key == ("" if not auth.header else KEY)
    assert KEY not in repr(got)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]/v1", True),
        ("http://localhost/v1", True),
        ("http://LOCALHOST/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://169.254.169.254/v1", False),
        ("http://127.0.0.1.example/v1", False),
        ("http://0x7f000001/v1", False),
        ("/v1", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(url: str, ours: bool) -> None:
    assert is_here(url) is ours


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://gate.example/v1", {}, ""),
        ("https://gate.example/v1", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://gate.example/v1", {"all_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("https://gate.example/v1", {"HTTP_PROXY": "http://proxy:3128"}, ""),
        ("https://gate.example/v1", {"https_proxy": "https://one", "ALL_PROXY": "http://other"}, "https://one"),
        ("https://gate.example/v1", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other, .example"}, ""),
        ("https://gate.example/v1", {"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "*"}, ""),
        ("http://127.0.0.1:1/v1", {"HTTP_PROXY": "http://proxy:3128", "ALL_PROXY": "socks5://proxy"}, ""),
        ("http://localhost:1/v1", {"HTTP_PROXY": "http://proxy:3128"}, ""),
    ],
)
def test_a_proxy_of_the_environment_is_for_the_world(
    url: str, environment: dict[str, str], proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == proxy


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://user:secret@proxy:1080", "ALL_PROXY.* SOCKS proxy, .* pip install 'httpx\\[socks\\]'"),
        ("socks5h://user:secret@proxy:1080", "ALL_PROXY.* SOCKS proxy, .* pip install 'httpx\\[socks\\]'"),
        ("socks4://user:secret@proxy:1080", "ALL_PROXY.* of the kind 'socks4'"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_by_its_variable(
    proxy: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)  # as where it is not installed
    with pytest.raises(UsageError, match=words) as caught:
        proxy_of("https://gate.example/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["dmxapi", "openai"])
@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"API_TOKEN": KEY, "API_URL": "https://www.dmxapi.com/v1/videos"}, "https://www.dmxapi.com/v1"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_API_BASE": "https://www.dmxapi.com"}, "https://www.dmxapi.com/v1"),
    ],
)
def test_the_variables_of_the_original_page_work(name: str, environment: dict[str, str], address: str) -> None:
    profile = find_profile(name)
    assert profile is not None
    assert address_of(ProviderChoice(profile=name), profile, environment) == address
    assert key_of(ProviderChoice(profile=name), profile, environment) == KEY
