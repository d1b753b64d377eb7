"""The HTTP shell against real servers on loopback."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    QuotaExhausted,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.sources.http import HttpShell, Reply, classify_status
from mds_engine.sources.scrub import Scrubber
from mds_engine.sources.transport_errors import describe_transport_error

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A well-behaved HTTP server; gives its base URL."""
    server = web.Server(handler)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A server that says whatever `talk` writes, however wrong; gives its base URL."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
def refusing() -> str:
    """A base URL at which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{holder.getsockname()[1]}"


@asynccontextmanager
async def shell(context, *urls: str, timeout_s: float = 5.0, **more) -> AsyncIterator[HttpShell]:
    made = HttpShell(context, urls, timeout_s=timeout_s, connections=more.pop("connections", 2), **more)
    await made.connect()
    try:
        yield made
    finally:
        await made.close()


async def read_request(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def test_sends_query_and_headers_and_returns_the_whole_answer(context) -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=b'{"ok":1}', headers={"X-Count": "7"})

    async with serving(handler) as url, shell(context, url, headers={"x-version": "3"}) as http:
        reply = await http.get("/quote", [("i", "NSE:M&M"), ("i", "NSE:NIFTY 50")])
    assert (reply.status, reply.body, reply.headers["x-count"]) == (200, b'{"ok":1}', "7")
    assert seen[0].query.getall("i") == ["NSE:M&M", "NSE:NIFTY 50"]
    assert seen[0].headers["X-Version"] == "3"


async def test_headers_set_later_are_sent_from_then_on(context) -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response()

    async with serving(handler) as url, shell(context, url) as http:
        await http.get("/")
        http.set_headers({"authorization": "token a:b"})
        await http.get("/")
    assert seen == [None, "token a:b"]


async def test_unpacks_gzip(context) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"})

    async with serving(handler) as url, shell(context, url) as http:
        assert (await http.get("/")).body == b"[1]"


async def test_a_redirect_is_not_followed(context) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(handler) as url, shell(context, url) as http:
        assert (await http.get("/")).status == 302


async def test_no_more_requests_are_in_flight_than_connections(context) -> None:
    in_flight = most = 0
    both_here = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        if in_flight == 2:
            both_here.set()
        await both_here.wait()
        in_flight -= 1
        return web.Response()

    async with serving(handler) as url, shell(context, url, connections=2) as http:
        await asyncio.gather(*(http.get("/") for _ in range(12)))
    assert most == 2


async def test_an_endpoint_that_refuses_is_passed_over_and_the_switch_reported(context, refusing) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"here")

    async with serving(handler) as second, shell(context, refusing, second) as http:
        assert (await http.get("/")).body == b"here"
        first_state, second_state = http.endpoints()
    assert [(switch.before, switch.after) for switch in context.switches] == [(refusing, second)]
    assert "refused" in context.switches[0].why
    assert (first_state.active, first_state.failures, second_state.active) == (False, 1, True)
    assert first_state.retry_in_s > 0


async def test_a_hanging_endpoint_takes_its_share_of_the_timeout_only(context) -> None:
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"here")

    async with talking(hang) as first, serving(handler) as second:
        async with shell(context, first, second, timeout_s=0.2) as http:
            assert (await http.get("/")).body == b"here"
        release.set()
    assert "timed out after 0.1 s" in context.switches[0].why


async def test_a_body_that_trickles_is_cut_off_by_the_same_timeout(context) -> None:
    release = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        await release.wait()
        writer.close()

    async with talking(trickle) as url:
        async with shell(context, url, timeout_s=0.1) as http:
            with pytest.raises(Unavailable, match=r"timed out after 0\.1 s"):
                await http.get("/")
        release.set()


async def test_5xx_is_returned_and_the_next_request_goes_to_another_endpoint(context) -> None:
    async def ill(request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def well(request: web.Request) -> web.Response:
        return web.Response(body=b"here")

    async with serving(ill) as first, serving(well) as second, shell(context, first, second) as http:
        assert (await http.get("/")).status == 503
        assert (await http.get("/")).body == b"here"
    assert "answered 503" in context.switches[0].why


async def test_refused_everywhere_is_unavailable(context, refusing) -> None:
    async with shell(context, refusing) as http:
        with pytest.raises(Unavailable, match="refused the connection"):
            await http.get("/")


async def test_reset_is_unavailable(context) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    async with talking(reset) as url, shell(context, url) as http:
        with pytest.raises(Unavailable, match=r"reset the connection|without an answer"):
            await http.get("/")


async def test_tls_where_there_is_none_is_unavailable(context) -> None:
    async def not_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with (
        talking(not_tls) as url,
        shell(context, url.replace("http:", "https:")) as http,
    ):
        with pytest.raises(Unavailable, match="TLS failed"):
            await http.get("/")


async def test_a_body_cut_short_is_an_invalid_payload(context) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":')
        writer.close()

    async with talking(cut) as url, shell(context, url) as http:
        with pytest.raises(InvalidPayload, match="cut short"):
            await http.get("/")


async def test_what_is_not_http_is_an_invalid_payload(context) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 mail.example ready\r\n\r\n")
        writer.close()

    async with talking(shout) as url, shell(context, url) as http:
        with pytest.raises(InvalidPayload, match="does not speak HTTP"):
            await http.get("/")


async def test_a_cancelled_request_frees_its_place(context) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/hang":
            arrived.set()
            await release.wait()
        return web.Response(body=b"free")

    async with serving(handler) as url, shell(context, url, connections=1) as http:
        hanging = asyncio.create_task(http.get("/hang"))
        await arrived.wait()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        assert (await http.get("/")).body == b"free"
        release.set()


async def test_close_is_safe_twice_and_before_connect(context, refusing) -> None:
    http = HttpShell(context, [refusing], timeout_s=1.0, connections=1)
    await http.close()
    await http.connect()
    await http.close()
    await http.close()


def test_name_resolution_is_told_from_other_failures() -> None:
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = OSError("All connection attempts failed")
    wrapped.__cause__.__context__ = socket.gaierror(-2, "Name or service not known")
    assert "could not be resolved" in describe_transport_error(wrapped, 1.0)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AuthRequired),
        (402, QuotaExhausted),
        (403, AuthRequired),
        (404, NotFound),
        (400, NotFound),
        (408, Unavailable),
        (418, Throttled),
        (429, Throttled),
        (451, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (302, InvalidPayload),
    ],
)
def test_statuses_have_a_usual_meaning(status: int, expected: type[SourceError]) -> None:
    error = classify_status(Reply(status, {}, b""), wall=0.0, scrub=Scrubber())
    assert type(error) is expected


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    for text, expected in (("3600", 3600.0), ("Thu, 01 Jan 1970 00:02:00 GMT", 60.0)):
        error = classify_status(Reply(429, {"retry-after": text}, b""), wall=60.0, scrub=Scrubber())
        assert isinstance(error, Throttled)
        assert error.retry_after_s == expected
        assert not error.banned


def test_418_is_a_ban() -> None:
    error = classify_status(Reply(418, {"retry-after": "120"}, b""), wall=0.0, scrub=Scrubber())
    assert isinstance(error, Throttled)
    assert error.banned


def test_a_web_page_with_status_200_is_an_invalid_payload() -> None:
    page = Reply(200, {"content-type": "text/html"}, b"<html>Maintenance</html>")
    assert isinstance(classify_status(page, wall=0.0, scrub=Scrubber()), InvalidPayload)
    unlabelled = Reply(200, {}, b"\n <!DOCTYPE html>")
    assert isinstance(classify_status(unlabelled, wall=0.0, scrub=Scrubber()), InvalidPayload)


def test_data_with_status_200_is_no_error() -> None:
    assert (
        classify_status(Reply(200, {"content-type": "text/csv"}, b"a,b"), wall=0.0, scrub=Scrubber()) is None
    )


def test_raw_is_short_and_without_secrets() -> None:
    scrub = Scrubber([Secret("s3cr3t/key")])
    body = b"We have detected your API key as s3cr3t/key or s3cr3t%2Fkey at ?apikey=other&x=1\n" + b"x" * 9000
    error = classify_status(Reply(500, {}, body), wall=0.0, scrub=scrub)
    assert error is not None
    assert "s3cr3t" not in error.raw
    assert "other" not in error.raw
    assert "x=1" in error.raw
    assert len(error.raw) <= 300


async def test_only_a_connection_that_never_came_about_speaks_against_the_whole_source(
    context, unused_tcp_port
) -> None:
    shell = HttpShell(context, [f"http://127.0.0.1:{unused_tcp_port}"], timeout_s=1.0, connections=1)
    with pytest.raises(Unavailable) as refused:
        await shell.get("/")
    assert refused.value.unreachable
    await shell.close()
