"""A request that is given up at any moment leaves no socket to the garbage collector."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterator

import pytest
from mds_engine.sources.http import HttpShell

TURNS = 40
"""Of the event loop: more than it takes until the request has been sent."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Connections come about by the system's hand; nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def crowded() -> Iterator[socket.socket]:
    """A listener whose queue is full, so that connecting hangs."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield server
        for one in waiting:
            one.close()


@pytest.mark.parametrize("where", ["listener", "crowded"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_request_cancelled_at_any_moment_leaves_no_socket_open(
    context, request, unraisable, where: str, host: str
) -> None:
    port = request.getfixturevalue(where).getsockname()[1]
    for turns in range(TURNS):
        shell = HttpShell(context, [f"http://{host}:{port}"], timeout_s=5.0, connections=1)
        await shell.connect()
        asking = asyncio.create_task(shell.get("/"))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        await shell.close()
        # A transport closes its socket in the loop's next turn.
        await asyncio.sleep(0)
        del shell, asking
    gc.collect()
    assert unraisable == []


async def test_requests_that_find_it_unconnected_share_one_pool(context, unraisable) -> None:
    serving: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        shell = HttpShell(context, [f"http://127.0.0.1:{port}"], timeout_s=5.0, connections=4)
        await asyncio.gather(shell.connect(), *(shell.get("/") for _ in range(4)))
        await shell.close()
        await asyncio.gather(*(writer.wait_closed() for writer in serving))
    del shell
    gc.collect()
    assert unraisable == []


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the garbage collector complains of."""
    heard: list[str] = []
    monkeypatch.setattr("sys.unraisablehook", lambda told: heard.append(str(told.exc_value)))
    return heard
