"""Downloads led elsewhere (T16): two real origins that write down who asked for what, and with which headers."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import trustme
from anyio.abc import ByteStream

from pipeline.errors import Misled, NotSent, OutcomeUnknown
from pipeline.providers.access import Access
from pipeline.providers.base import Request
from pipeline.transport import Network, Transport, connect
from tests.edges.server import Asked, Server, answer, saying, saying_and_resetting, serving
from tests.edges.test_transport import certified, made_trusted

pytestmark = pytest.mark.anyio

KEY = "sk-0123456789abcdef"
SECRETS = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "api-key": KEY, "cookie": f"session={KEY}"}
CONTENT = Request(
    method="GET",
    path="/videos/video_1/content",
    headers={"range": "bytes=5-", "if-range": '"film-1"', "x-of-the-dialect": KEY},
)
FILM = b"....ftypisom and more"
FORBIDDEN = [
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://[::1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://127.0.0.1:{port}/",
    "https://localhost:{port}/",
    "https://localhost.:{port}/",
    "https://0.0.0.0:{port}/",
    "https://127.1:{port}/",
    "https://2130706433:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://user:pw@cdn.example:{port}/",
    "https://inside.example:{port}/",
    "https://both.example:{port}/",
    "http://cdn.example:{port}/",
]
NAMES: Mapping[str, Sequence[str]] = {
    "cdn.example": ["93.184.216.34"],
    "inside.example": ["10.0.0.1"],
    "both.example": ["93.184.216.34", "127.0.0.1"],
    "localhost": ["127.0.0.1"],
    "nobody.example": [],
}


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Whom this machine trusts; it is `gate.example` besides, the configured provider."""
    made_trusted(monkeypatch, tmp_path, made := trustme.CA())
    return made


def leading(status: str, location: str) -> bytes:
    return answer(status, b"", location=location)


async def look_up(host: str, port: int) -> Sequence[str]:
    """The names of these tests: what is public stays a number, and nothing here ever connects to it."""
    return NAMES[host]


async def look_up_here(host: str, port: int) -> Sequence[str]:
    """`cdn.example` is a server of this test."""
    return ["127.0.0.1"]


WORLD = Network(look_up=look_up)
"""With the real rule of which addresses are public."""
OURS = Network(look_up=look_up_here, admits=lambda address: address == "127.0.0.1")
"""In which this machine is the world, for what has to be reached."""


@asynccontextmanager
async def reaching(server: Server, network: Network) -> AsyncIterator[Transport]:
    access = Access(base_url=server.url("https", "gate.example"), key=KEY, headers=SECRETS)
    async with connect(access, submits=1, downloads=1, network=network) as transport:
        yield transport


async def fetched(transport: Transport) -> bytes:
    async with transport.fetch(CONTENT) as incoming:
        assert incoming.away
        return b"".join([block async for block in incoming.blocks()])


@asynccontextmanager
async def two_origins(
    authority: trustme.CA, *, name: str = "cdn.example", body: bytes = FILM
) -> AsyncIterator[tuple[Server, Server]]:
    """A gate that leads to a CDN on another port, both over TLS."""
    async with serving(saying(answer(body=body)), tls=certified(authority, name)) as cdn:
        there = leading("302 Found", f"https://cdn.example:{cdn.port}/film.mp4?sig=a%2Fb&e=1")
        async with serving(saying(there), tls=certified(authority, "gate.example")) as gate:
            yield gate, cdn


async def test_a_download_is_fetched_elsewhere_without_a_word_of_who_we_are(authority: trustme.CA) -> None:
    async with two_origins(authority) as (gate, cdn), reaching(gate, OURS) as transport:
        assert await fetched(transport) == FILM

    assert [asked.headers["authorization"] for asked in gate.asked] == [SECRETS["authorization"]]
    (asked,) = cdn.asked
    assert asked.line == "GET /film.mp4?sig=a%2Fb&e=1 HTTP/1.1"
    assert asked.headers["host"] == f"cdn.example:{cdn.port}"
    assert (asked.headers["range"], asked.headers["if-range"]) == ("bytes=5-", '"film-1"')
    assert asked.headers["accept-encoding"] == "identity"
    assert KEY not in str(asked.headers)


async def test_the_certificate_is_checked_against_the_name_and_not_the_address(authority: trustme.CA) -> None:
    async with two_origins(authority, name="127.0.0.1") as (gate, cdn), reaching(gate, OURS) as transport:
        with pytest.raises(Misled, match="the certificate cannot be verified"):
            await fetched(transport)

    assert cdn.asked == []


@pytest.mark.parametrize("location", FORBIDDEN)
async def test_nobody_is_led_to_where_we_do_not_go(authority: trustme.CA, location: str) -> None:
    async with serving(saying(answer(body=FILM)), tls=certified(authority, "cdn.example")) as inside:
        there = leading("307 Temporary Redirect", location.format(port=inside.port) + "?sig=secret")
        async with serving(saying(there), tls=certified(authority, "gate.example")) as gate, reaching(gate, WORLD) as t:
            with pytest.raises(Misled, match="redirected") as caught:
                await fetched(t)

    assert "secret" not in str(caught.value)
    assert len(gate.asked) == 1
    assert inside.connections == 0


async def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to(authority: trustme.CA) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    network = Network(look_up=rebinding, admits=OURS.admits)
    async with two_origins(authority) as (gate, _), reaching(gate, network) as transport:
        assert await fetched(transport) == FILM

    assert asked == ["cdn.example"]


async def test_where_one_address_does_not_answer_the_next_is_tried(authority: trustme.CA) -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    network = Network(look_up=two, admits=lambda address: address.startswith("127."))
    async with two_origins(authority) as (gate, cdn), reaching(gate, network) as transport:
        assert await fetched(transport) == FILM

    assert len(cdn.asked) == 1


async def test_a_name_that_nobody_has_was_not_sent(authority: trustme.CA) -> None:
    there = leading("302 Found", "https://nobody.example/film")
    async with serving(saying(there), tls=certified(authority, "gate.example")) as gate, reaching(gate, WORLD) as t:
        with pytest.raises(NotSent, match=r"nobody\.example"):
            await fetched(t)


async def test_a_name_that_cannot_be_looked_up_was_not_sent(authority: trustme.CA) -> None:
    async def down(host: str, port: int) -> Sequence[str]:
        raise OSError("temporary failure in name resolution")

    there = leading("302 Found", "https://cdn.example/film")
    async with (
        serving(saying(there), tls=certified(authority, "gate.example")) as gate,
        reaching(gate, Network(look_up=down)) as transport,
    ):
        with pytest.raises(NotSent, match="cannot look up"):
            await fetched(transport)


async def test_a_break_elsewhere_is_a_break_like_any_other(authority: trustme.CA) -> None:
    async with serving(saying_and_resetting(b""), tls=certified(authority, "cdn.example")) as cdn:
        there = leading("302 Found", f"https://cdn.example:{cdn.port}/film")
        async with serving(saying(there), tls=certified(authority, "gate.example")) as gate, reaching(gate, OURS) as t:
            with pytest.raises(OutcomeUnknown):
                await fetched(t)


async def test_a_link_that_holds_our_key_is_told_without_it(authority: trustme.CA) -> None:
    there = leading("302 Found", f"https://10.0.0.1/{KEY}/film.mp4")
    async with serving(saying(there), tls=certified(authority, "gate.example")) as gate, reaching(gate, WORLD) as t:
        with pytest.raises(Misled, match=r"https://10\.0\.0\.1/\[key\]/film\.mp4"):
            await fetched(t)


async def test_a_loop_ends_after_three_hops(authority: trustme.CA) -> None:
    hops = 0

    async def on_and_on(stream: ByteStream, asked: Asked) -> None:
        nonlocal hops
        hops += 1
        await stream.send(leading("308 Permanent Redirect", f"/v1/hop/{hops}" if hops < 20 else ""))

    async with serving(on_and_on, tls=certified(authority, "gate.example")) as gate, reaching(gate, WORLD) as transport:
        with pytest.raises(Misled, match="more than 3 times"):
            await fetched(transport)

    assert hops == 4


async def test_within_the_provider_we_say_who_we_are(authority: trustme.CA) -> None:
    async def to_the_files(stream: ByteStream, asked: Asked) -> None:
        moved = leading("307 Temporary Redirect", "/files/film?x=1")
        await stream.send(answer(body=FILM) if "/files" in asked.line else moved)

    async with (
        serving(to_the_files, tls=certified(authority, "gate.example")) as gate,
        reaching(gate, WORLD) as transport,
        transport.fetch(CONTENT) as incoming,
    ):
        assert not incoming.away
        assert b"".join([block async for block in incoming.blocks()]) == FILM

    assert [asked.line for asked in gate.asked][1] == "GET /files/film?x=1 HTTP/1.1"
    assert gate.asked[1].headers["authorization"] == SECRETS["authorization"]


@pytest.mark.parametrize("location", FORBIDDEN)
async def test_no_link_in_a_document_is_followed_to_where_we_do_not_go(authority: trustme.CA, location: str) -> None:
    async with serving(saying(answer(body=FILM)), tls=certified(authority, "cdn.example")) as inside:
        link = location.format(port=inside.port) + "?sig=secret"
        async with (
            serving(saying(answer()), tls=certified(authority, "gate.example")) as gate,
            reaching(gate, WORLD) as t,
        ):
            with pytest.raises(Misled) as caught:
                async with t.fetch(CONTENT, link=link):
                    pass

    assert "secret" not in str(caught.value)
    assert gate.connections + inside.connections == 0


async def test_a_link_in_a_document_is_fetched_without_a_word_of_who_we_are(authority: trustme.CA) -> None:
    async with two_origins(authority) as (gate, cdn), reaching(gate, OURS) as transport:
        link = f"https://cdn.example:{cdn.port}/狐.mp4?sig=a%2Fb"
        async with transport.fetch(CONTENT, link=link) as incoming:
            assert incoming.away
            assert b"".join([block async for block in incoming.blocks()]) == FILM

    (asked,) = cdn.asked
    assert asked.line == "GET /%E7%8B%90.mp4?sig=a%2Fb HTTP/1.1"
    assert (asked.headers["range"], asked.headers["if-range"]) == ("bytes=5-", '"film-1"')
    assert KEY not in str(asked.headers)
    assert gate.connections == 0


@pytest.mark.parametrize(
    "link", ["/files/film?x=1", "../../files/film?x=1", "https://gate.example:{port}/files/film?x=1"]
)
async def test_a_link_to_the_provider_itself_is_asked_for_as_it_is_wherever_it_stood(
    authority: trustme.CA, link: str
) -> None:
    result = Request(method="POST", path="/responses", body=b'{"model": "film-get"}')
    async with (
        serving(saying(answer(body=FILM)), tls=certified(authority, "gate.example")) as gate,
        reaching(gate, WORLD) as transport,
        transport.fetch(result, link=link.format(port=gate.port)) as incoming,
    ):
        assert not incoming.away
        assert b"".join([block async for block in incoming.blocks()]) == FILM

    (asked,) = gate.asked
    assert (asked.line, asked.body) == ("GET /files/film?x=1 HTTP/1.1", b"")
    assert asked.headers["authorization"] == SECRETS["authorization"]


async def test_a_post_for_a_result_that_is_redirected_is_not_posted_again(authority: trustme.CA) -> None:
    async def lead(stream: ByteStream, asked: Asked) -> None:
        home = asked.line.startswith("POST")
        await stream.send(leading("307 Again", "/files/film") if home else answer(body=FILM))

    result = Request(method="POST", path="/responses", body=b'{"model": "film-get"}')
    async with (
        serving(lead, tls=certified(authority, "gate.example")) as gate,
        reaching(gate, WORLD) as transport,
        transport.fetch(result) as incoming,
    ):
        assert b"".join([block async for block in incoming.blocks()]) == FILM

    assert [(asked.line.split(" ")[0], asked.body) for asked in gate.asked] == [("POST", result.body), ("GET", b"")]


async def test_who_leads_back_to_the_provider_gets_no_key_of_ours_to_lead_with(authority: trustme.CA) -> None:
    cdn_says = b""

    async def lead_back(stream: ByteStream, asked: Asked) -> None:
        await stream.send(cdn_says)

    async def gate_says(stream: ByteStream, asked: Asked) -> None:
        home = asked.line.startswith("GET /v1/videos/video_1")
        await stream.send(leading("302 Found", f"https://cdn.example:{cdn.port}/") if home else answer(body=FILM))

    async with (
        serving(lead_back, tls=certified(authority, "cdn.example")) as cdn,
        serving(gate_says, tls=certified(authority, "gate.example")) as gate,
        reaching(gate, OURS) as transport,
    ):
        cdn_says = leading("302 Found", f"https://gate.example:{gate.port}/v1/videos")
        assert await fetched(transport) == FILM

    first, second = gate.asked
    assert first.headers["authorization"] == SECRETS["authorization"]
    assert KEY not in str(second.headers)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For Good"])
async def test_a_post_is_never_repeated_and_no_look_is_led_anywhere(authority: trustme.CA, status: str) -> None:
    async def submit(transport: Transport) -> int:
        post = Request(method="POST", path="/videos", body=b'{"prompt": "x"}')
        return (await transport.submit(post)).status

    async def look(transport: Transport) -> int:
        return (await transport.look(Request(method="GET", path="/videos/video_1"))).status

    ways: list[Callable[[Transport], Awaitable[int]]] = [submit, look]
    async with serving(saying(answer()), tls=certified(authority, "cdn.example")) as cdn:
        there = leading(status, f"https://cdn.example:{cdn.port}/v1/videos")
        async with serving(saying(there), tls=certified(authority, "gate.example")) as gate, reaching(gate, OURS) as t:
            assert [await way(t) for way in ways] == [int(status[:3])] * 2

    assert [asked.line.split(" ")[0] for asked in gate.asked] == ["POST", "GET"]
    assert cdn.connections == 0


async def test_on_this_machine_a_provider_may_lead_to_a_neighbour_in_plain_http() -> None:
    async with serving(saying(answer(body=FILM))) as neighbour:
        there = leading("302 Found", f"http://localhost:{neighbour.port}/film")
        async with serving(saying(there)) as gate:
            access = Access(base_url=gate.url(), key=KEY, headers=SECRETS)
            async with connect(access, submits=1, downloads=1) as transport:
                assert await fetched(transport) == FILM

    assert KEY not in str(neighbour.asked[0].headers)


async def test_a_proxy_is_asked_by_name_and_an_address_is_checked_here_all_the_same(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(saying(answer("403 Forbidden"))) as proxy:
        for location, error, connects in (
            ("https://cdn.example/film", NotSent, ["CONNECT cdn.example:443 HTTP/1.1"]),
            ("https://169.254.169.254/", Misled, []),
        ):
            async with serving(
                saying(leading("302 Found", location)), tls=certified(authority, "gate.example")
            ) as gate:
                monkeypatch.setenv("NO_PROXY", "gate.example")
                monkeypatch.setenv("HTTPS_PROXY", proxy.url())
                proxy.asked.clear()
                async with reaching(gate, WORLD) as transport:
                    with pytest.raises(error):
                        await fetched(transport)
            assert [asked.line for asked in proxy.asked] == connects


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_nothing_older_than_tls_1_2_is_spoken(authority: trustme.CA, version: ssl.TLSVersion) -> None:
    old = certified(authority, "gate.example")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = old.maximum_version = version
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(saying(answer()), tls=old) as gate, reaching(gate, WORLD) as transport:
        with pytest.raises(NotSent):
            await transport.look(Request(method="GET", path="/videos/video_1"))
    assert gate.asked == []


async def test_nobodys_log_gets_a_link_or_a_header(authority: trustme.CA, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with two_origins(authority) as (gate, _), reaching(gate, OURS) as transport:
        assert await fetched(transport) == FILM
    await anyio.lowlevel.checkpoint()
    assert "sig=" not in caplog.text
    assert KEY not in caplog.text
