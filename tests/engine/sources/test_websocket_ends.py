"""How a connection of the WebSocket shell ends, and that nothing of it is left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from mds_engine.errors import InvalidPayload, Unavailable
from mds_engine.sources import websocket

from tests.engine.sources.websocket_server import PATIENCE_S, opened, saying, served, shell
from tests.engine.sources.websocket_wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    close_frame,
    frame,
    frames_sent,
    text_frame,
)


async def reading_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Without an answer to anything."""
    await reader.read()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(0x3), 1002),
        (frame(TEXT, b"a", reserved=4), 1002),
        (frame(BINARY, b"a", reserved=2), 1002),
        (frame(BINARY, b"a", reserved=1), 1002),
        (frame(CONTINUATION, b"a"), 1002),
        (frame(TEXT, b"a", last=False) + frame(TEXT, b"b"), 1002),
        (frame(PING, b"a", last=False), 1002),
        (bytes([0x81, 0x81, 0, 0, 0, 0, 0x61]), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (close_frame(1005), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xc3", last=False) + frame(CONTINUATION, b"a"), 1007),
        (frame(BINARY, b"x" * 1001), 1009),
        (frame(BINARY, b"x" * 600, last=False) + frame(CONTINUATION, b"x" * 600), 1009),
    ],
    ids=[
        "unknown-opcode",
        "compressed",
        "second-reserved-bit",
        "third-reserved-bit",
        "part-of-nothing",
        "new-message-inside-another",
        "ping-in-parts",
        "masked",
        "half-a-close-code",
        "close-code-that-may-not-be-sent",
        "text-not-utf8",
        "parts-not-utf8",
        "too-large",
        "too-large-in-parts",
    ],
)
@pytest.mark.parametrize("pumping", [True, False], ids=["while-pumping", "before"])
async def test_what_breaks_the_protocol_is_an_invalid_payload(
    context, wrong: bytes, code: int, pumping: bool
) -> None:
    go = asyncio.Event()
    answer: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if pumping:
            await go.wait()
        writer.write(text_frame("good") + wrong + text_frame("never taken"))
        answer.put_nowait(await reader.read(1000))

    seen: list[str | bytes] = []
    async with served(talk) as server, opened(context, server, largest_message=1000) as stream:
        asyncio.get_running_loop().call_soon(go.set)
        with pytest.raises(InvalidPayload, match=f"broke the protocol \\({code}"):
            await stream.pump(seen.append)
        told = frames_sent(await answer.get())
    assert seen == ["good"]
    assert told[0][0] == CLOSE
    assert int.from_bytes(told[0][1][:2], "big") == code


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (close_frame(4001, "bye"), r"the vendor ended the stream \(4001: bye\)"),
        (frame(CLOSE), r"the vendor ended the stream \(0\)"),
        (b"", "broke off"),
    ],
)
async def test_what_the_vendor_said_last_is_told_however_early_it_ended(
    context, end: bytes, told: str
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    seen: list[str | bytes] = []
    early = text_frame("last words") + end
    async with served(talk, with_the_handshake=early) as server, opened(context, server) as stream:
        with pytest.raises(Unavailable, match=told):
            await stream.pump(seen.append)
        with pytest.raises(Unavailable, match=told):
            await stream.send("too late")
    assert seen == ["last words"]


async def test_a_vendor_that_answers_no_ping_is_dead(context) -> None:
    async with served(reading_to_the_end) as server, opened(context, server, ping_after_s=0.05) as stream:
        with pytest.raises(Unavailable, match="answered no ping"):
            await stream.pump(lambda message: None)
        await server.gone.wait()


async def test_a_vendor_that_answers_pings_lives_however_silent_it_is(context) -> None:
    pings: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(pings) < 3:
            pings.append(await reader.readexactly(6))
            writer.write(frame(0xA, frames_sent(pings[-1])[0][1]))
        writer.write(close_frame(1000, "seen enough"))

    async with served(talk) as server, opened(context, server, ping_after_s=0.05) as stream:
        with pytest.raises(Unavailable, match="seen enough"):
            await stream.pump(lambda message: None)
    assert [frames_sent(ping)[0][0] for ping in pings] == [PING] * 3


# --- Nothing is left behind -------------------------------------------------------------------------------


@asynccontextmanager
async def no_task_left() -> AsyncIterator[None]:
    """Every task that was begun inside has ended, or ends by itself, when it is left."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before
    if left:
        _, pending = await asyncio.wait(left, timeout=PATIENCE_S)
        assert not pending


async def test_a_handshake_that_is_cancelled_leaves_no_socket(context) -> None:
    async with no_task_left(), served(saying(), hang=True) as server:
        opening = asyncio.create_task(shell(context, server).open())
        await server.connected.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await server.gone.wait()


async def test_a_handshake_that_takes_too_long_leaves_no_socket(context) -> None:
    async with no_task_left(), served(saying(), hang=True) as server:
        with pytest.raises(Unavailable, match="timed out"):
            await shell(context, server, timeout_s=0.05).open()
        await server.gone.wait()


async def test_a_stream_that_is_cancelled_and_closed_leaves_nothing(context) -> None:
    came = asyncio.Event()
    async with no_task_left(), served(saying(text_frame("a"))) as server:
        async with opened(context, server) as stream:
            pumping = asyncio.create_task(stream.pump(lambda message: came.set()))
            await came.wait()
            pumping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pumping
        await server.gone.wait()


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_vendor_that_never_says_goodbye_is_left_all_the_same(
    context, monkeypatch, cancelled: bool
) -> None:
    monkeypatch.setattr(websocket, "_CLOSE_WITHIN_S", 60.0 if cancelled else 0.05)
    goodbye = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2 + 4 + 2)
        goodbye.set()
        await reader.read()

    async with no_task_left(), served(talk) as server:
        stream = shell(context, server)
        await stream.open()
        closing = asyncio.create_task(stream.close())
        await goodbye.wait()
        if cancelled:
            closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        assert closing.cancelled() is cancelled
        await server.gone.wait()


async def test_we_say_goodbye_before_we_go(context) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read(1000))
        writer.write(text_frame("a last one") + close_frame(1000))

    async with served(talk) as server:
        async with opened(context, server):
            pass
        ((opcode, payload),) = frames_sent(await heard.get())
    assert (opcode, payload) == (CLOSE, (1000).to_bytes(2, "big"))
