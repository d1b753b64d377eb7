"""The WebSocket shell against real servers on loopback."""

import asyncio
import http
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from mds_engine.config.secret import Secret
from mds_engine.errors import AuthRequired, InvalidPayload, SourceError, Throttled, Unavailable
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, **more) -> AsyncIterator[str]:
    async with serve(talk, "127.0.0.1", 0, **more) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{holder.getsockname()[1]}"


def shell(context, *urls: str, **more) -> WebSocketShell:
    return WebSocketShell(
        context.clock, Endpoints(context, urls), timeout_s=more.pop("timeout_s", 5.0), **more
    )


class Enough(Exception):
    """Raised by a test that has seen what it waited for."""


async def first(stream: WebSocketShell, count: int = 1) -> list[str | bytes]:
    """The first messages that come. Raises what ends the stream before them."""
    seen: list[str | bytes] = []

    def take(message: str | bytes) -> None:
        seen.append(message)
        if len(seen) == count:
            raise Enough

    with pytest.raises(Enough):
        await stream.pump(take)
    return seen


async def until_the_end(stream: WebSocketShell) -> list[str | bytes]:
    """What comes before the stream ends, which raises the reason."""
    seen: list[str | bytes] = []
    await stream.pump(seen.append)
    return seen


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


def answering(status: int, headers: dict[str, str] | None = None) -> Callable[..., Response]:
    def process_request(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(http.HTTPStatus(status), "no access_token=abc here")
        for name, value in (headers or {}).items():
            response.headers[name] = value
        return response

    return process_request


async def test_texts_and_binaries_come_as_they_are(context) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send('{"e":1}')
        await connection.send(b"\x00\x01")
        await connection.send('{"e":2}')
        await connection.wait_closed()

    async with serving(talk) as url:
        stream = shell(context, url)
        await stream.open()
        assert await first(stream, 3) == ['{"e":1}', b"\x00\x01", '{"e":2}']
        await stream.close()


async def test_opens_at_the_path_and_sends(context) -> None:
    paths: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        paths.append(connection.request.path)
        await echo(connection)

    async with serving(talk) as url:
        stream = shell(context, url)
        await stream.open("/stream?x=1")
        await stream.send("ping")
        assert await first(stream) == ["ping"]
        await stream.close()
    assert paths == ["/stream?x=1"]


async def test_no_compression_is_asked_for_and_the_client_has_a_name(context) -> None:
    """Some firewalls let nobody pass who has none."""
    asked: list[str | None] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = connection.request.headers
        asked.extend(headers.get(name) for name in ("Sec-WebSocket-Extensions", "User-Agent"))

    async with serving(talk) as url:
        stream = shell(context, url)
        await stream.open()
        await stream.close()
    assert asked == [None, "mds-engine"]


async def test_an_endpoint_that_refuses_is_passed_over(context, refusing) -> None:
    async with serving(echo) as url:
        stream = shell(context, refusing, url)
        await stream.open()
        await stream.close()
    assert [(switch.before, switch.after) for switch in context.switches] == [(refusing, url)]
    assert "refused the connection" in context.switches[0].why


async def test_refused_everywhere_is_unavailable(context, refusing) -> None:
    with pytest.raises(Unavailable, match="refused the connection"):
        await shell(context, refusing).open()


async def test_a_handshake_that_hangs_is_unavailable(context) -> None:
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Unavailable, match=r"timed out after 0\.05 s"):
        await shell(context, url, timeout_s=0.05).open()
    release.set()
    server.close()


async def test_a_server_that_hangs_up_during_the_handshake_is_unavailable(context) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Unavailable, match="without an answer"):
        await shell(context, url).open()
    server.close()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AuthRequired),
        (403, AuthRequired),
        (429, Throttled),
        (418, Throttled),
        (503, Unavailable),
        (404, Unavailable),
    ],
)
async def test_a_refused_handshake_is_classified(context, status: int, expected: type[SourceError]) -> None:
    async with serving(echo, process_request=answering(status)) as url:
        with pytest.raises(expected) as caught:
            await shell(context, url).open()
    assert "abc" not in caught.value.raw


async def test_a_throttled_handshake_says_for_how_long(context) -> None:
    async with serving(echo, process_request=answering(429, {"Retry-After": "60"})) as url:
        with pytest.raises(Throttled) as caught:
            await shell(context, url).open()
    assert caught.value.retry_after_s == 60.0


async def test_a_login_wanted_is_not_tried_at_the_next_endpoint(context) -> None:
    async with serving(echo, process_request=answering(403)) as first, serving(echo) as second:
        with pytest.raises(AuthRequired):
            await shell(context, first, second).open()
    assert context.switches == []


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (CloseCode.NORMAL_CLOSURE, "", Unavailable),
        (CloseCode.GOING_AWAY, "maintenance", Unavailable),
        (CloseCode.POLICY_VIOLATION, "Too many requests", Throttled),
        (CloseCode.INTERNAL_ERROR, "oops", Unavailable),
    ],
)
async def test_a_closed_stream_says_why(context, code: int, reason: str, expected: type[SourceError]) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    async with serving(talk) as url:
        stream = shell(context, url)
        await stream.open()
        with pytest.raises(expected, match=f"ended the stream \\({code}.*{reason}"):
            await until_the_end(stream)
        await stream.close()


async def test_a_cut_stream_is_unavailable(context) -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with serving(talk) as url:
        stream = shell(context, url)
        await stream.open()
        with pytest.raises(Unavailable, match="broke off"):
            await until_the_end(stream)
        await stream.close()


async def test_a_message_that_is_too_large_is_an_invalid_payload(context) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"x" * 2000)
        await connection.wait_closed()

    async with serving(talk) as url:
        stream = shell(context, url, largest_message=1000)
        await stream.open()
        with pytest.raises(InvalidPayload, match="1009"):
            await until_the_end(stream)
        await stream.close()


async def test_sending_on_an_ended_stream_is_unavailable(context) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close()

    async with serving(talk) as url:
        stream = shell(context, url)
        with pytest.raises(Unavailable, match="not connected"):
            await stream.send("early")
        await stream.open()
        with pytest.raises(Unavailable):
            await until_the_end(stream)
        with pytest.raises(Unavailable):
            await stream.send("late")
        await stream.close()
        await stream.close()


async def test_the_access_token_in_the_url_is_never_logged(context, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    silent = logging.Logger("server", logging.CRITICAL)  # noqa: LOG001 (the server's log is not ours)
    async with serving(echo, logger=silent) as url:
        stream = shell(context, url, secrets=[Secret("t0k3n")])
        await stream.open("/?access_token=t0k3n")
        await stream.close()
    assert "t0k3n" not in caplog.text
