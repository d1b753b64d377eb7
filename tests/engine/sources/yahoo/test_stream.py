"""The streamer's client against a small streamer on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from mds_engine.clock import SystemClock
from mds_engine.errors import InvalidPayload, Unavailable
from mds_engine.model import Instrument, Tick
from mds_engine.sources.yahoo import plugin
from websockets.asyncio.server import ServerConnection, serve

AAPL = Instrument("NASDAQ", "AAPL")
APPLE_ANYWHERE = Instrument("US", "AAPL")
BITCOIN = Instrument("CRYPTO", "BTC-USD")
FRAME = "CgRBQVBMFZqZmUMY8PTPovpnKgNOTVMwCDgBRc9iNL9I9PGVBWUAhQvAsAFi2AEE"


class SmallStreamer:
    """Writes down what it is asked; a test says what it sends."""

    def __init__(self) -> None:
        self.url = ""
        self.path = ""
        self.asked: asyncio.Queue[dict[str, list[str]]] = asyncio.Queue()
        self.connections: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.path = connection.request.path
        await self.connections.put(connection)
        async for message in connection:
            await self.asked.put(json.loads(message))


class SteppedClock(SystemClock):
    """A clock whose sleepers wake when the test says so."""

    def __init__(self) -> None:
        self.slept: asyncio.Queue[float] = asyncio.Queue()
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.slept.put(seconds)
        await self.wake.wait()
        self.wake.clear()


@pytest.fixture
async def streamer() -> AsyncIterator[SmallStreamer]:
    small = SmallStreamer()
    async with serve(small.handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        small.url = f"ws://127.0.0.1:{port}/?version=2"
        yield small


@pytest.fixture
def ticks() -> asyncio.Queue[Tick]:
    return asyncio.Queue()


@pytest.fixture
async def stream(streamer, context, ticks):
    context.clock = SteppedClock()

    def deliver(batch) -> None:
        for tick in batch:
            ticks.put_nowait(tick)

    settings = plugin.settings(kind="yahoo", stream_endpoints=("ws://127.0.0.1:9", streamer.url))
    stream = plugin.create(settings, context).stream(deliver)
    await stream.open()
    yield stream
    await stream.close()
    await stream.close()


@pytest.mark.parametrize(
    "frame", [FRAME, json.dumps({"type": "pricing", "message": FRAME})], ids=["v1", "v2"]
)
async def test_ticks_bear_the_instrument_that_was_asked_for(stream, streamer, ticks, context, frame) -> None:
    running = asyncio.create_task(stream.run())
    await stream.subscribe([AAPL, APPLE_ANYWHERE])
    assert await streamer.asked.get() == {"subscribe": ["AAPL"]}
    connection = await streamer.connections.get()
    opened_at = stream.last_frame_at
    await connection.send(frame)
    first, second = await ticks.get(), await ticks.get()
    assert [first.instrument, second.instrument] == [AAPL, APPLE_ANYWHERE]
    assert (first.price, first.source) == (307.2, context.name)
    assert first.received_ns > 0
    assert stream.last_frame_at > opened_at
    assert streamer.path == "/?version=2"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_tap_sees_each_frame_as_it_came(streamer, context, ticks, monkeypatch) -> None:
    seen: list[str | bytes] = []
    monkeypatch.setattr(context, "frame_tap", lambda: seen.append, raising=False)
    stream = plugin.create(plugin.settings(kind="yahoo", stream_endpoints=(streamer.url,)), context).stream(
        ticks.put_nowait
    )
    await stream.open()
    running = asyncio.create_task(stream.run())
    await stream.subscribe([AAPL])
    connection = await streamer.connections.get()
    await connection.send(FRAME)
    await ticks.get()
    assert seen == [FRAME]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await stream.close()


async def test_the_whole_subscription_is_sent_again_to_keep_it_alive(stream, streamer, context) -> None:
    running = asyncio.create_task(stream.run())
    await stream.subscribe([AAPL])
    await stream.subscribe([BITCOIN, AAPL])
    assert await streamer.asked.get() == {"subscribe": ["AAPL"]}
    assert await streamer.asked.get() == {"subscribe": ["BTC-USD"]}
    for _ in range(2):
        assert await context.clock.slept.get() == 15.0
        context.clock.wake.set()
        assert await streamer.asked.get() == {"subscribe": ["AAPL", "BTC-USD"]}
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_nobody_wants_any_more_is_unsubscribed_and_not_delivered(stream, streamer, ticks) -> None:
    running = asyncio.create_task(stream.run())
    await stream.subscribe([AAPL, APPLE_ANYWHERE])
    await stream.unsubscribe([AAPL])
    await stream.unsubscribe([APPLE_ANYWHERE])
    await stream.subscribe([AAPL])
    asked = [await streamer.asked.get() for _ in range(3)]
    assert asked == [{"subscribe": ["AAPL"]}, {"unsubscribe": ["AAPL"]}, {"subscribe": ["AAPL"]}]
    connection = await streamer.connections.get()
    await connection.send(FRAME)
    assert (await ticks.get()).instrument == AAPL
    assert ticks.empty()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_end_of_the_connection_is_unavailable(stream, streamer) -> None:
    running = asyncio.create_task(stream.run())
    connection = await streamer.connections.get()
    connection.transport.abort()
    with pytest.raises(Unavailable):
        await running


async def test_a_frame_that_cannot_be_read_ends_the_stream(stream, streamer) -> None:
    running = asyncio.create_task(stream.run())
    connection = await streamer.connections.get()
    await connection.send("not base64!")
    with pytest.raises(InvalidPayload):
        await running


async def test_the_first_endpoint_that_takes_the_connection_is_used(stream, context, streamer) -> None:
    assert [switch.after for switch in context.switches] == [streamer.url]
