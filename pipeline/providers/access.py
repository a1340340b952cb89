"""Where a provider is and what proves who we are: the manifest's word, else the environment's, else the profile's.

Keys come from the environment only; they are never in a manifest, a ledger, a log or an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from pipeline.errors import UsageError
from pipeline.loopback import is_here
from pipeline.model import ProviderChoice
from pipeline.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One provider's address and our key for it."""

    base_url: str
    """With the version segment, without a trailing slash."""
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What carries the key."""


def address_of(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str]) -> str:
    """The base URL in force; empty where vidbatch is to start the server itself. Raises `UsageError`."""
    source, url = _stated(choice, profile, environment)
    if url:
        return normal_url(_checked(url, source), profile.base_path, profile.wire.paths["submit"])
    if profile.embedded:
        return ""
    names, stated = profile.base_url_env, "provider.base_url in the manifest (--base-url for doctor)"
    if not names:
        raise UsageError(f"{profile.name}: no address: give {stated}")
    wanted = f"{' or '.join(names)} (export {names[0]}=https://…)"
    raise UsageError(f"{profile.name}: no address: set the environment variable {wanted}, or give {stated}")


def address_from(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str]) -> str:
    """Who says what the address in force is, in words; empty where nobody does."""
    return _stated(choice, profile, environment)[0]


def own_address(profile: Profile) -> str:
    """The base URL that the profile itself states; empty where it states none."""
    if not profile.base_url:
        return ""
    return normal_url(profile.base_url, profile.base_path, profile.wire.paths["submit"])


def key_of(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str]) -> str:
    """The key in force; empty where none is needed. Raises `UsageError` that names the variables that would do."""
    if not profile.wire.auth.header:
        return ""
    names = (choice.api_key_env,) if choice.api_key_env else profile.key_env
    for name in names:
        key = environment.get(name, "").strip()
        if key:
            return _usable(key, name)
    if profile.key_default:
        return profile.key_default
    if not names:
        raise UsageError(f"{profile.name}: no key: name the variable that holds it as provider.api_key_env")
    wanted = " or ".join(names)
    raise UsageError(f"{profile.name}: no key: set the environment variable {wanted} (export {names[0]}=…)")


def access(base_url: str, key: str, profile: Profile) -> Access:
    """Address and key as the transport needs them."""
    auth = profile.wire.auth
    headers = {auth.header: f"{auth.prefix}{key}"} if auth.header else {}
    return Access(base_url=base_url, key=key, headers=headers)


def normal_url(url: str, base_path: str = "/v1", submit: str = "/videos") -> str:
    """A base URL however it was written: with or without `/v1`, with or without `/videos` or the path of a *submit*;
    a host alone stands for *base_path* there.
    """
    url = url.strip()
    begin = url.find("/", url.find("://") + 3)  # a host is none of it, also where it is called as the path is
    host, path = (url, "") if begin < 0 else (url[:begin], url[begin:].rstrip("/"))
    end = next((end for end in (submit.rstrip("/"), "/videos") if end and path.endswith(end)), "")
    return f"{host}{path.removesuffix(end).rstrip('/') or base_path}"


def proxy_of(url: str) -> str:
    """The proxy on the way to *url*, as this machine's environment has it; empty: none. Raises `UsageError`.

    A proxy is for the world, never for this very machine.
    """
    from urllib.request import getproxies, proxy_bypass

    if is_here(url) or proxy_bypass(urlsplit(url).netloc):
        return ""
    proxies = getproxies()
    name = next((name for name in (urlsplit(url).scheme, "all") if proxies.get(name)), "")
    proxy = proxies.get(name, "")
    scheme, there, _ = proxy.rpartition("://")
    if not there:
        return f"http://{proxy}" if proxy else ""
    variable = f"the variable {name.upper()}_PROXY (or {name}_proxy)"
    if scheme not in ("http", "https", "socks5", "socks5h"):
        raise UsageError(f"{variable} names a proxy of the kind '{scheme}'; http, https, socks5 and socks5h are known")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise UsageError(f"{variable} names a SOCKS proxy, which needs one more package: pip install 'httpx[socks]'")
    return proxy


def _stated(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str]) -> tuple[str, str]:
    """Who states the address in force, and as what; both empty where nobody does."""
    named = next((name for name in profile.base_url_env if environment.get(name, "").strip()), "")
    stated = (
        ("the manifest's base_url", choice.base_url),
        (f"the variable {named}", environment.get(named, "") if named else ""),
        (f"the profile {profile.name}", profile.base_url),
    )
    return next(((source, url.strip()) for source, url in stated if url.strip()), ("", ""))


def _checked(url: str, source: str) -> str:
    if not url.isprintable() or any(c in url for c in " \\"):
        raise UsageError(f"{source} is no URL: it holds a blank, a line break or a backslash")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{source} is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{source} is no http(s) URL")
    if parts.username is not None:
        raise UsageError(f"{source} holds credentials; keys come from the environment only")
    if parts.query or parts.fragment:
        raise UsageError(f"{source} holds a query; a base URL has none")
    if parts.scheme == "http" and not is_here(url):
        raise UsageError(f"{source} is http://{host}…, which would send the key in the clear; use https://")
    return url


def _usable(key: str, name: str) -> str:
    if not key.isascii() or not key.isprintable() or any(c in key for c in " \"'"):
        raise UsageError(f"the variable {name} holds characters that no key has (a line break, a blank, a quote?)")
    return key
