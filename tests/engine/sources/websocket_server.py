"""A WebSocket server that writes frames byte by byte, and our shell at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell

from tests.engine.sources.websocket_wire import handshake_for

PATIENCE_S = 5.0

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Lets `talk` have each connection, hangs up at the next word, and knows when a client has gone."""

    def __init__(self, talk: Talk, *, with_the_handshake: bytes = b"", hang: bool = False) -> None:
        self.url = ""
        self.gone = asyncio.Event()
        self._talk = talk
        self._with_the_handshake = with_the_handshake
        self._hang = hang
        self.connected = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.connected.set()
        try:
            if not self._hang:
                writer.write(handshake_for(request) + self._with_the_handshake)
                await self._talk(reader, writer)
            await reader.read(1)
        except ConnectionError:
            pass
        finally:
            self.gone.set()
            writer.close()


@asynccontextmanager
async def served(talk: Talk, **more) -> AsyncIterator[Server]:
    server = Server(talk, **more)
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listening:
        server.url = "ws://127.0.0.1:{}".format(*listening.sockets[0].getsockname()[1:])
        async with asyncio.timeout(PATIENCE_S):
            yield server


def saying(*frames: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(frames))

    return talk


def shell(context, server: Server, **more) -> WebSocketShell:
    return WebSocketShell(
        context.clock, Endpoints(context, (server.url,)), timeout_s=more.pop("timeout_s", 5.0), **more
    )


@asynccontextmanager
async def opened(context, server: Server, **more) -> AsyncIterator[WebSocketShell]:
    stream = shell(context, server, **more)
    await stream.open()
    try:
        yield stream
    finally:
        await stream.close()
