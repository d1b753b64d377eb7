"""The WebSocket shell against servers that write frames byte by byte, as no library would."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from mds_engine.errors import InvalidPayload, Unavailable
from mds_engine.sources import websocket
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell

from tests.engine.sources.websocket_wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    close_frame,
    frame,
    frames_sent,
    handshake_for,
    text_frame,
)

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


async def reading_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Without an answer to anything."""
    await reader.read()


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


# --- Messages ---------------------------------------------------------------------------------------------


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


# --- Ends -------------------------------------------------------------------------------------------------


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
