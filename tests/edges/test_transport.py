"""Carrying requests: what is called "not sent" was not sent, and all else that goes wrong is "unknown"."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import anyio
import httpcore
import httpx
import pytest
import trustme
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from pipeline.errors import NotAVideo, NotSent, OutcomeUnknown, ProviderError, Truncated, Untrusted
from pipeline.providers.access import Access
from pipeline.providers.base import Reply, Request
from pipeline.transport import LOOKS_AT_ONCE, NETWORK, REPLY_BYTES_MAX, Network, Transport, connect, failures
from pipeline.version import __version__
from tests.edges.server import (
    Asked,
    Behaviour,
    answer,
    dripping,
    saying,
    saying_and_closing,
    saying_and_resetting,
    saying_and_waiting,
    serving,
)

pytestmark = pytest.mark.anyio

KEY = "sk-0123456789abcdef"
LONG_KEY = "sk-Canary/7f3a9c+Zq-81bd52e0-Wombat"
POST = Request(method="POST", path="/videos", headers={"content-type": "application/json"}, body=b'{"prompt": "x"}')
GET = Request(method="GET", path="/videos/video_1%2F%3D", query={"limit": "100"})

Way: TypeAlias = Callable[[Transport], Awaitable[object]]


@asynccontextmanager
async def connected(
    url: str, *, downloads: int = 2, network: Network = NETWORK, key: str = KEY
) -> AsyncIterator[Transport]:
    access = Access(base_url=url, key=key, headers={"authorization": f"Bearer {key}"})
    async with connect(access, submits=2, downloads=downloads, network=network) as transport:
        yield transport


async def submit(transport: Transport) -> Reply:
    return await transport.submit(POST, deadline_s=5.0)


async def look(transport: Transport) -> Reply:
    return await transport.look(GET, deadline_s=5.0)


async def fetch(transport: Transport) -> bytes:
    async with transport.fetch(GET) as incoming:
        return b"".join([block async for block in incoming.blocks()])


async def fetch_reply(transport: Transport) -> Reply:
    async with transport.fetch(GET) as incoming:
        return await incoming.reply()


every_way = pytest.mark.parametrize("way", [submit, look, fetch, fetch_reply])


async def failure(way: Way, url: str, network: Network = NETWORK, *, key: str = KEY) -> ProviderError:
    async with connected(url, network=network, key=key) as transport:
        with pytest.raises(ProviderError) as caught:
            await way(transport)
    return caught.value


class TestNotSent:
    """No byte of the request left this machine: it is safe to repeat."""

    @every_way
    async def test_a_refused_port(self, way: Way) -> None:
        error = await failure(way, f"http://127.0.0.1:{unused_port()}/v1")
        assert isinstance(error, NotSent)
        assert str(error).startswith("cannot connect")

    @every_way
    async def test_a_name_that_nobody_has(self, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(*_: object, **__: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", nobody)
        error = await failure(way, "https://gate.example/v1")
        assert isinstance(error, NotSent)

    @every_way
    async def test_tls_to_a_port_that_speaks_plainly(self, way: Way) -> None:
        async with serving_anything(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            assert isinstance(await failure(way, f"https://127.0.0.1:{port}/v1"), NotSent)

    @every_way
    async def test_a_handshake_that_never_ends(self, way: Way) -> None:
        async with serving_anything(b"") as port:
            error = await failure(way, f"https://127.0.0.1:{port}/v1", Network(connect_s=0.2))
        assert isinstance(error, NotSent)
        assert str(error).startswith("no connection in time")

    @every_way
    async def test_an_address_that_is_none(self, way: Way) -> None:
        assert isinstance(await failure(way, "http://127.0.0.1:1\x00/v1"), NotSent)
        assert isinstance(await failure(way, "gopher://127.0.0.1:1/v1"), NotSent)

    @every_way
    @pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
    async def test_a_proxy_that_lets_nobody_through(
        self, way: Way, status: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with serving(saying(answer(status))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url())
            error = await failure(way, "https://gate.example/v1")
        assert isinstance(error, NotSent)
        assert str(error).startswith(f"the proxy refused: {status[:3]}")
        assert [asked.line for asked in proxy.asked] == ["CONNECT gate.example:443 HTTP/1.1"]

    @every_way
    async def test_a_proxy_behind_which_nobody_speaks_tls(self, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
        async with serving(saying_and_closing(answer("200 OK", b"", content_length=""))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url())
            error = await failure(way, "https://gate.example/v1")
        assert isinstance(error, NotSent)

    @pytest.mark.parametrize(
        ("event", "method", "error"),
        [
            ("connection.connect_tcp.started", b"POST", NotSent),
            ("http11.send_request_headers.started", b"CONNECT", NotSent),
            ("http11.send_request_headers.started", b"POST", OutcomeUnknown),
        ],
    )
    async def test_only_what_the_trace_did_not_see_go_out(
        self, event: str, method: bytes, error: type[ProviderError]
    ) -> None:
        trace = failures.Trace()
        await trace.note(event, {"request": httpcore.Request(method, "https://gate.example/v1")})
        assert type(failures.translated(httpx.ConnectError("refused"), trace)) is error


class TestUnknown:
    """Something was sent, and no whole answer came: it may have been accepted and billed."""

    @every_way
    @pytest.mark.parametrize("how", [saying_and_closing, saying_and_resetting])
    async def test_the_connection_ends_before_an_answer(self, way: Way, how: Callable[[bytes], Behaviour]) -> None:
        async with serving(how(b"")) as server:
            error = await failure(way, server.url())
        assert type(error) is OutcomeUnknown
        assert len(server.asked) == 1

    @every_way
    @pytest.mark.parametrize("how", [saying_and_closing(b""), saying_and_resetting(b"")], ids=["closed", "reset"])
    async def test_a_warm_connection_ends_before_an_answer(self, way: Way, how: Behaviour) -> None:
        async def behave(stream: ByteStream, asked: Asked) -> None:
            if len(server.asked) == 1:
                await stream.send(answer())
            else:
                await how(stream, asked)

        async with serving(behave) as server, connected(server.url()) as transport:
            await way(transport)
            with pytest.raises(ProviderError) as caught:
                await way(transport)
        assert type(caught.value) is OutcomeUnknown
        assert [asked.connection for asked in server.asked] == [1, 1]

    @pytest.mark.parametrize("way", [submit, look, fetch_reply])
    @pytest.mark.parametrize("how", [saying_and_closing, saying_and_resetting])
    @pytest.mark.parametrize("length", [10, 60, 500])
    async def test_half_an_answer(self, way: Way, how: Callable[[bytes], Behaviour], length: int) -> None:
        whole = answer("404 Not Found", bytes(1000))
        async with serving(how(whole[:length])) as server:
            assert type(await failure(way, server.url())) is OutcomeUnknown

    @every_way
    @pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nsome"])
    async def test_a_garbled_record_of_tls(
        self, way: Way, begun: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        """Neither a certificate that is wrong nor a disk that fails, though an `ssl.SSLError` is an `OSError`."""

        async def garble(stream: ByteStream, asked: Asked) -> None:
            assert isinstance(stream, TLSStream)
            if begun:
                await stream.send(begun)
            await stream.transport_stream.send(b"\x17\x03\x03\x00\x40" + bytes(64))

        url = made_trusted(monkeypatch, tmp_path, authority := trustme.CA())
        async with serving(garble, tls=certified(authority, "gate.example")) as server:
            error = await failure(way, url.format(port=server.port))
        assert type(error) is OutcomeUnknown
        assert len(server.asked) == 1

    @every_way
    async def test_no_http_at_all(self, way: Way) -> None:
        async with serving(saying_and_closing(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as server:
            assert type(await failure(way, server.url())) is OutcomeUnknown

    @pytest.mark.parametrize("way", [submit, look, fetch_reply])
    @pytest.mark.parametrize("announced", [True, False])
    async def test_an_answer_that_is_far_too_large(self, way: Way, announced: bool) -> None:
        body = bytes(REPLY_BYTES_MAX + 1)
        content = answer("404 Not Found", body, content_length=str(len(body)) if announced else "")
        async with serving(saying_and_closing(content)) as server:
            error = await failure(way, server.url())
        assert type(error) is OutcomeUnknown
        assert "larger than 1048576 bytes" in str(error)

    @pytest.mark.parametrize(
        "behave",
        [
            saying_and_waiting(b""),
            saying_and_waiting(answer(body=bytes(100))[:-1]),
            dripping(answer(body=bytes(10_000)), 0.01),
            dripping(b"HTTP/1.1 200 OK\r\nx-long: " + bytes(10_000).replace(b"\0", b"x"), 0.01),
        ],
        ids=["silence", "a byte missing", "a dripping body", "a dripping head"],
    )
    @pytest.mark.parametrize("way", ["submit", "look"])
    async def test_an_answer_slower_than_the_deadline(self, way: str, behave: Behaviour) -> None:
        async with serving(behave) as server, connected(server.url()) as transport:
            began_s = anyio.current_time()
            with pytest.raises(OutcomeUnknown, match="no whole answer in time"):
                await getattr(transport, way)(POST, deadline_s=0.3)
            assert 0.3 <= anyio.current_time() - began_s < 3.0

    @pytest.mark.parametrize("way", [fetch, fetch_reply])
    async def test_a_download_that_brings_nothing_for_too_long(self, way: Way) -> None:
        async with serving(saying_and_waiting(answer(body=bytes(100))[:-1])) as server:
            error = await failure(way, server.url(), Network(idle_s=0.2))
        assert type(error) is OutcomeUnknown
        assert str(error).startswith("no answer in time")

    @every_way
    @pytest.mark.parametrize("start", ["", "HTTP/1.1 200 OK\r\n"])
    async def test_what_is_no_http_is_told_without_our_key(self, way: Way, start: str) -> None:
        async with serving(saying_and_closing(f"{start}you said Bearer {LONG_KEY}\r\n\r\n".encode())) as server:
            error = await failure(way, server.url(), key=LONG_KEY)
        assert type(error) is OutcomeUnknown
        assert "you said Bearer [key]" in str(error)
        assert LONG_KEY not in "".join(traceback.format_exception(error))


class TestUntrusted:
    """The certificate is wrong: nothing was said, and nothing will be."""

    @every_way
    async def test_a_certificate_that_nobody_vouches_for(self, way: Way) -> None:
        async with serving(saying(answer()), tls=certified(trustme.CA(), "127.0.0.1")) as server:
            error = await failure(way, server.url("https"))
        assert isinstance(error, Untrusted)
        assert server.asked == []

    async def test_a_certificate_of_another_name(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        url = made_trusted(monkeypatch, tmp_path, authority := trustme.CA())
        async with serving(saying(answer()), tls=certified(authority, "other.example")) as server:
            error = await failure(submit, url.format(port=server.port))
        assert isinstance(error, Untrusted)
        assert server.asked == []

    async def test_a_good_certificate_is_trusted(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        url = made_trusted(monkeypatch, tmp_path, authority := trustme.CA())
        tls = certified(authority, "gate.example")
        async with serving(saying(answer()), tls=tls) as server, connected(url.format(port=server.port)) as transport:
            assert (await submit(transport)).status == 200
        assert server.asked[0].headers["host"] == f"gate.example:{server.port}"


class TestCarried:
    """What goes out, and what comes back."""

    async def test_a_look_at_a_film_reads_no_more_than_tells_of_it(self) -> None:
        body, went = bytes(64 << 20), 0

        async def behave(stream: ByteStream, asked: Asked) -> None:
            nonlocal went
            await stream.send(answer(body=b"", content_length=str(len(body))))
            for at in range(0, len(body), 1 << 16):
                await stream.send(body[at : at + (1 << 16)])
                went += 1 << 16

        async with serving(behave) as server, connected(server.url()) as transport:
            reply = await transport.look(replace(GET, enough_bytes=16_384), deadline_s=5.0)
            again = await transport.look(replace(GET, enough_bytes=16_384), deadline_s=5.0)

        assert (reply.status, reply.body, again) == (200, bytes(16_384), reply)
        assert server.connections == 2
        assert went < len(body)  # the rest is in no buffer, and never comes

    async def test_an_answer_may_be_as_long_as_its_request_allows(self) -> None:
        async with serving(saying(answer(body=bytes(3000)))) as server, connected(server.url()) as transport:
            assert len((await transport.look(replace(GET, reply_bytes_max=3000))).body) == 3000
            with pytest.raises(OutcomeUnknown, match="larger than 2999 bytes"):
                await transport.look(replace(GET, reply_bytes_max=2999))

    async def test_a_document_may_be_as_long_as_a_film_and_has_a_films_time(self) -> None:
        long, bounds = bytes(REPLY_BYTES_MAX + 1), Network(head_s=0.2)
        body = answer(body=long)

        async def behave(stream: ByteStream, asked: Asked) -> None:
            await stream.send(body[:-1])
            await anyio.sleep(0.25)  # longer than a short answer has
            await stream.send(body[-1:])

        async with serving(behave) as server, connected(server.url(), network=bounds) as transport:
            async with transport.fetch(GET) as incoming:
                assert (await incoming.document(len(long))).body == long
            with pytest.raises(NotAVideo, match="a document of more than 1000 bytes"):
                async with transport.fetch(GET) as incoming:
                    await incoming.document(1000)

    async def test_a_document_that_breaks_off_is_none(self) -> None:
        cut = saying_and_closing(answer(body=bytes(100))[:-1])
        async with serving(cut) as server, connected(server.url()) as transport:
            with pytest.raises(Truncated):
                async with transport.fetch(GET) as incoming:
                    await incoming.document(1000)

    async def test_a_request_goes_out_as_it_was_made(self) -> None:
        async with serving(saying(answer())) as server, connected(server.url()) as transport:
            await transport.submit(POST)
            await transport.look(GET)

        post, get = server.asked
        assert post.line == "POST /v1/videos HTTP/1.1"
        assert post.body == POST.body
        assert get.line == "GET /v1/videos/video_1%2F%3D?limit=100 HTTP/1.1"
        assert get.body == b""
        for asked in (post, get):
            assert asked.headers["authorization"] == f"Bearer {KEY}"
            assert asked.headers["user-agent"] == f"vidbatch/{__version__}"
            assert asked.headers["accept-encoding"] == "identity"
        assert post.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("way", [submit, look, fetch_reply])
    async def test_an_answer_comes_back_as_it_was_sent(self, way: Way) -> None:
        body = gzip.compress(b'{"id": "video_1"}')
        content = answer("429 Too Many Requests", body, content_encoding="gzip", Retry_After="7", X_Request_Id="r")
        async with serving(saying(content)) as server, connected(server.url()) as transport:
            reply = await way(transport)

        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (429, body)
        assert reply.headers["retry-after"] == "7"
        assert reply.headers["x-request-id"] == "r"

    @pytest.mark.parametrize("way", [submit, look])
    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For Good"])
    async def test_no_submit_and_no_look_follows_a_redirect(self, way: Way, status: str) -> None:
        content = answer(status, b"", location="/v1/elsewhere")
        async with serving(saying(content)) as server, connected(server.url()) as transport:
            reply = await way(transport)

        assert isinstance(reply, Reply)
        assert reply.status == int(status[:3])
        assert len(server.asked) == 1

    @pytest.mark.parametrize("way", [submit, look, fetch_reply])
    async def test_our_key_does_not_come_back(self, way: Way) -> None:
        body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}."}}).encode()
        async with serving(saying(answer("401 Unauthorized", body))) as server, connected(server.url()) as transport:
            reply = await way(transport)

        assert isinstance(reply, Reply)
        assert json.loads(reply.body) == {"error": {"message": "Incorrect API key provided: [key]."}}

    async def test_a_public_key_is_a_word_like_others(self) -> None:
        body = b'{"error": "the sandbox says no"}'
        async with (
            serving(saying(answer("401 Unauthorized", body))) as server,
            connect(Access(base_url=server.url(), key="sandbox"), submits=1, downloads=1) as transport,
        ):
            assert (await submit(transport)).body == body

    async def test_a_proxy_of_the_environment_is_not_for_loopback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
        async with serving(saying(answer())) as server, connected(server.url()) as transport:
            assert (await submit(transport)).status == 200


class TestConnections:
    """Submits, looks and downloads have a few each, and use them again while they are warm."""

    @every_way
    async def test_a_warm_connection_is_used_again(self, way: Way) -> None:
        async with serving(saying(answer())) as server, connected(server.url()) as transport:
            for _ in range(3):
                await way(transport)
        assert [asked.connection for asked in server.asked] == [1, 1, 1]

    async def test_a_submit_takes_no_connection_that_has_cooled(self) -> None:
        async with (
            serving(saying(answer())) as server,
            connected(server.url(), network=Network(warm_s=0.0)) as transport,
        ):
            for _ in range(3):
                await submit(transport)
        assert [asked.connection for asked in server.asked] == [1, 2, 3]

    @every_way
    async def test_a_connection_that_the_server_closed_is_not_used_again(self, way: Way) -> None:
        closed = anyio.Event()

        async def behave(stream: ByteStream, asked: Asked) -> None:
            await stream.send(answer())
            await stream.aclose()
            closed.set()

        async with serving(behave) as server, connected(server.url()) as transport:
            for _ in range(3):
                await way(transport)
                await closed.wait()
                closed = anyio.Event()
        assert [asked.connection for asked in server.asked] == [1, 2, 3]

    async def test_so_many_looks_at_once_and_no_more(self) -> None:
        under_way, most, full = 0, 0, anyio.Event()

        async def behave(stream: ByteStream, asked: Asked) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            if under_way == LOOKS_AT_ONCE:
                full.set()
            await full.wait()
            await anyio.sleep(0.05)  # room for one too many to show itself
            under_way -= 1
            await stream.send(answer())

        async with (
            serving(behave) as server,
            connected(server.url()) as transport,
            anyio.create_task_group() as lookers,
        ):
            for _ in range(3 * LOOKS_AT_ONCE):
                lookers.start_soon(look, transport)
        assert most == LOOKS_AT_ONCE
        assert len(server.asked) == 3 * LOOKS_AT_ONCE

    async def test_a_download_does_not_stand_in_a_looks_way(self) -> None:
        async def behave(stream: ByteStream, asked: Asked) -> None:
            whole = answer(body=bytes(100))
            await stream.send(whole[:-1] if asked.line.startswith("GET /v1/content") else answer())

        async with (
            serving(behave) as server,
            connected(server.url(), downloads=1) as transport,
            transport.fetch(Request(method="GET", path="/content")),
        ):
            assert (await look(transport)).status == 200
            assert (await submit(transport)).status == 200


class TestFetch:
    """A download comes in blocks, and a cut one is seen to be cut."""

    async def test_a_download_is_all_its_blocks(self) -> None:
        film = bytes(range(256)) * 4000
        content = answer(body=film, etag='"film-1"', content_type="video/mp4")
        request = Request(method="GET", path="/content", headers={"range": "bytes=5-"})
        async with (
            serving(saying(content)) as server,
            connected(server.url()) as transport,
            transport.fetch(request) as incoming,
        ):
            assert (incoming.status, incoming.length) == (200, len(film))
            assert incoming.headers["etag"] == '"film-1"'
            blocks = [block async for block in incoming.blocks()]

        assert b"".join(blocks) == film
        assert server.asked[0].headers["range"] == "bytes=5-"
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"

    async def test_an_unannounced_length_is_not_known(self) -> None:
        content = answer(body=b"film", content_length="")
        async with (
            serving(saying_and_closing(content)) as server,
            connected(server.url()) as transport,
            transport.fetch(GET) as incoming,
        ):
            assert incoming.length is None
            assert [block async for block in incoming.blocks()] == [b"film"]

    async def test_what_came_before_a_cut_is_handed_on_first(self) -> None:
        film = bytes(100_000)
        came = bytearray()

        async def take(transport: Transport) -> None:
            async with transport.fetch(GET) as incoming:
                async for block in incoming.blocks():
                    came.extend(block)

        async with serving(saying_and_closing(answer(body=film)[:-1])) as server, connected(server.url()) as transport:
            with pytest.raises(Truncated, match="ended early"):
                await take(transport)
        assert len(came) == len(film) - 1

    async def test_a_download_that_is_left_ends_at_the_server_too(self) -> None:
        gone = anyio.Event()

        async def behave(stream: ByteStream, asked: Asked) -> None:
            try:
                while True:
                    await stream.send(
                        answer(body=bytes(1 << 16), content_length=str(1 << 40)) if not gone.is_set() else b""
                    )
            except anyio.BrokenResourceError:
                gone.set()
                raise

        async with serving(behave) as server, connected(server.url()) as transport:
            with anyio.CancelScope() as scope:
                async with transport.fetch(GET) as incoming:
                    async for _ in incoming.blocks():
                        scope.cancel()
            with anyio.fail_after(5.0):
                await gone.wait()

    async def test_what_comes_in_chunks_has_no_length_whatever_else_it_says(self) -> None:
        content = answer(body=b"5\r\nhello\r\n0\r\n\r\n", transfer_encoding="chunked")
        async with (
            serving(saying(content)) as server,
            connected(server.url()) as transport,
            transport.fetch(GET) as incoming,
        ):
            assert b"content-length: 15" in content
            assert incoming.length is None
            assert [block async for block in incoming.blocks()] == [b"hello"]


class TestSlow:
    """A download that does not end by itself is ended."""

    async def test_a_crawl_is_cut_and_what_came_is_handed_on(self) -> None:
        came = bytearray()

        async def take(transport: Transport) -> None:
            async with transport.fetch(GET) as incoming:
                async for block in incoming.blocks():
                    came.extend(block)

        network = Network(crawl_s=0.3, crawl_bytes_per_s=1000)
        async with (
            serving(dripping(answer(body=bytes(10_000)), 0.005)) as server,
            connected(server.url(), network=network) as transport,
        ):
            began_s = anyio.current_time()
            with pytest.raises(OutcomeUnknown, match=r"less than 300 bytes in 0\.3 s"):
                await take(transport)
        assert anyio.current_time() - began_s < 10.0
        assert 0 < len(came) < 300

    async def test_what_is_faster_than_a_crawl_is_not_cut(self) -> None:
        network = Network(crawl_s=0.2, crawl_bytes_per_s=25)
        content = answer(body=bytes(200))
        async with (
            serving(dripping(content, 0.002)) as server,
            connected(server.url(), network=network) as transport,
        ):
            assert await fetch(transport) == bytes(200)

    @pytest.mark.parametrize(
        "behave",
        [
            saying_and_waiting(b""),
            dripping(b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 10_000, 0.01),
            dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, 0.001),
        ],
        ids=["silence", "dripping headers", "100 Continue for ever"],
    )
    async def test_headers_come_in_time_or_not_at_all(self, behave: Behaviour) -> None:
        async with serving(behave) as server:
            began_s = anyio.current_time()
            error = await failure(fetch, server.url(), Network(head_s=0.3))
        assert type(error) is OutcomeUnknown
        assert str(error).startswith("no whole answer in time")
        assert 0.3 <= anyio.current_time() - began_s < 5.0

    @every_way
    async def test_headers_without_end_are_cut(self, way: Way) -> None:
        async def behave(stream: ByteStream, asked: Asked) -> None:
            await stream.send(b"HTTP/1.1 200 OK\r\n")
            for n in range(1000):
                await stream.send(f"x-{n}: {'x' * 1000}\r\n".encode())

        async with serving(behave) as server:
            error = await failure(way, server.url())
        assert type(error) is OutcomeUnknown

    async def test_a_refusal_that_drips_ends_too(self) -> None:
        async with serving(dripping(answer("404 Not Found", bytes(10_000)), 0.005)) as server:
            error = await failure(fetch_reply, server.url(), Network(head_s=0.5))
        assert type(error) is OutcomeUnknown
        assert str(error).startswith("no whole answer in time")


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def serving_anything(content: bytes) -> AsyncIterator[int]:
    """A server that says *content* to whatever comes, and then listens on."""

    async def converse(stream: ByteStream) -> None:
        try:
            async with stream:
                await stream.receive()
                await stream.send(content)
                await stream.receive()
        except (anyio.BrokenResourceError, anyio.EndOfStream):
            pass

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as conversations,
    ):
        conversations.start_soon(listener.serve, converse)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        conversations.cancel_scope.cancel()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """What a server shows that *authority* vouches for as *name*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def made_trusted(monkeypatch: pytest.MonkeyPatch, folder: Any, authority: trustme.CA) -> str:
    """Make this machine trust *authority*, and be `gate.example`; the base URL, without its port."""
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        here = "127.0.0.1" if host in ("gate.example", b"gate.example") else host
        return real(here, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return "https://gate.example:{port}/v1"
