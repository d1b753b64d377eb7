"""Messages through the WebSocket shell, from servers that write frames byte by byte, as no library would."""

import asyncio

import pytest
from mds_engine.errors import Unavailable

from tests.engine.sources.websocket_server import opened, saying, served
from tests.engine.sources.websocket_wire import (
    BINARY,
    CONTINUATION,
    PING,
    TEXT,
    close_frame,
    frame,
    frames_sent,
    text_frame,
)


async def test_messages_in_parts_are_put_together_and_pings_between_them_answered(context) -> None:
    answered: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The cut goes through the two bytes of an accented letter.
        writer.write(frame(TEXT, b"caf\xc3", last=False) + frame(PING, b"\x01payload"))
        answered.put_nowait(await reader.readexactly(2 + 4 + 8))
        writer.write(frame(CONTINUATION, b"\xa9", last=False) + frame(CONTINUATION))
        writer.write(frame(BINARY, b"\x00", last=False) + frame(CONTINUATION, b"\x01"))
        writer.write(text_frame("whole") + close_frame(1000))

    seen: list[str | bytes] = []
    async with served(talk) as server, opened(context, server) as stream:
        with pytest.raises(Unavailable):
            await stream.pump(seen.append)
    assert seen == ["café", b"\x00\x01", "whole"]
    ((opcode, payload),) = frames_sent(answered.get_nowait())
    assert (opcode, payload) == (0xA, b"\x01payload")


async def test_texts_are_left_undecoded_for_who_reads_utf8(context) -> None:
    says = saying(frame(TEXT, b"\xff"), frame(TEXT, b"a", last=False), frame(CONTINUATION, b"\xfe"))
    seen: list[bytes] = []
    came = asyncio.Event()

    def take(message: bytes) -> None:
        seen.append(message)
        if len(seen) == 2:
            came.set()

    async with served(says) as server, opened(context, server) as stream:
        pumping = asyncio.create_task(stream.pump_bytes(take))
        await came.wait()
        await stream.close()
        with pytest.raises(Unavailable, match="closed by us"):
            await pumping
    assert seen == [b"\xff", b"a\xfe"]


async def test_what_comes_before_somebody_takes_it_is_held_in_order(context) -> None:
    """Also what comes in one piece with the handshake, and more than is held: then the vendor waits."""
    told = [f"{number} {'x' * 10_000}" for number in range(4_000)]
    all_written = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for text in told[2:]:
            writer.write(text_frame(text))
            await writer.drain()
        all_written.set()
        writer.write(close_frame(1000))

    first = text_frame(told[0]) + text_frame(told[1])
    async with served(talk, with_the_handshake=first) as server, opened(context, server) as stream:
        await server.connected.wait()
        for _ in range(2_000):
            await asyncio.sleep(0)
        assert not all_written.is_set()
        seen: list[str | bytes] = []
        with pytest.raises(Unavailable, match="1000"):
            await stream.pump(seen.append)
    assert seen == told


async def test_who_gathers_is_told_when_all_that_came_at_once_is_through(context) -> None:
    more = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await more.wait()
        # A ping at the end of what comes at once hides nothing.
        writer.write(text_frame("c") + text_frame("d") + frame(PING))
        await reader.readexactly(6)
        writer.write(text_frame("e"))

    heard: list[object] = []

    def after_read() -> None:
        heard.append(None)
        more.set()
        if "e" in heard:
            raise LookupError

    greeting = text_frame("a") + text_frame("b")
    async with served(talk, with_the_handshake=greeting) as server, opened(context, server) as stream:
        with pytest.raises(LookupError):
            await stream.pump(heard.append, after_read)
    assert heard == ["a", "b", None, "c", "d", None, "e", None]


async def test_a_flood_comes_in_pieces_between_which_others_have_the_loop(context) -> None:
    one = frame(BINARY, b"x" * 1000)
    count = 20_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(20):
            writer.write(one * (count // 20))
            await writer.drain()
        writer.write(close_frame(1000))

    taken, of_each_read = 0, [0]

    def take(message: str | bytes) -> None:
        nonlocal taken
        taken += 1

    async with served(talk) as server, opened(context, server) as stream:
        with pytest.raises(Unavailable):
            await stream.pump(take, lambda: of_each_read.append(taken - sum(of_each_read)))
    assert taken == count
    _, _, *reads = of_each_read  # the first is what was held until somebody took it
    assert max(reads) <= 64 * 1024 // len(one) + 1


async def test_an_exception_of_the_taker_ends_it_and_is_left_as_it_is(context) -> None:
    heard: list[object] = []

    def take(message: str | bytes) -> None:
        if message == "bad":
            raise KeyError(message)
        heard.append(message)

    async def once_it_pumps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text_frame("good") + text_frame("bad") + text_frame("never") + frame(BINARY))

    async with served(once_it_pumps) as server, opened(context, server) as stream:
        with pytest.raises(KeyError, match="bad"):
            await stream.pump(take, lambda: heard.append("read"))
    assert [one for one in heard if one != "read"] == ["good"]
    assert heard[-1] == "read"


async def test_the_tap_sees_each_message_before_it_is_taken(context) -> None:
    heard: list[object] = []

    class Tap:
        def __call__(self, message: bytes | str, /) -> None:
            heard.append(("tap", message))

        def note(self, payload: bytes) -> None:
            heard.append(("note", payload))

    says = saying(text_frame("a"), frame(BINARY, b"\x00"), close_frame(1000))
    async with served(says) as server, opened(context, server, tap=Tap()) as stream:
        with pytest.raises(Unavailable):
            await stream.pump(heard.append)
    assert heard == [("tap", "a"), "a", ("tap", b"\x00"), b"\x00"]


async def test_a_text_waits_for_a_vendor_that_reads_slowly(context) -> None:
    read: asyncio.Queue[int] = asyncio.Queue()
    go = asyncio.Event()
    text = "x" * 8_000_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        read.put_nowait(len(await reader.readexactly(len(text) + 14)))

    async with served(talk) as server, opened(context, server) as stream:
        sending = asyncio.create_task(stream.send(text))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not sending.done()
        go.set()
        await sending
        await read.get()
