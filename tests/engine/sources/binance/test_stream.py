"""Binance's live stream against the simulated exchange, and against one of the test's own making."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from mds_engine.errors import (
    InvalidPayload,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.binance import plugin
from mds_engine.sources.contract import Source, TickStream

from tests.engine.sources.binance.opened import open_stream, source_at
from tests.engine.sources.websocket_wire import handshake_for, text_frame

BTC, ETH = Instrument("BINANCE", "BTCUSDT"), Instrument("BINANCE", "ETHUSDT")


async def first_ticks(
    stream: TickStream, got: list[Tick], enough: Callable[[], bool], came: asyncio.Event
) -> None:
    """Run the stream until there is enough."""
    running = asyncio.create_task(stream.run())
    try:
        async with asyncio.timeout(10):
            while not enough():
                came.clear()
                arrival = asyncio.create_task(came.wait())
                await asyncio.wait({arrival, running}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    arrival.cancel()
                    running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_ticks_come_for_what_is_subscribed(source: Source, context) -> None:
    async with open_stream(source) as (stream, got, came):
        await stream.subscribe([BTC, ETH])
        await first_ticks(
            stream, got, lambda: {(tick.instrument, tick.kind) for tick in got} >= set(WANTED), came
        )
        assert stream.last_frame_at > 0
    trade = next(tick for tick in got if tick.kind is TickKind.TRADE)
    assert trade.source == context.name
    assert abs(trade.received_ns / 1e9 - context.clock.wall()) < 60
    assert trade.sequence is not None


WANTED = [(one, kind) for one in (BTC, ETH) for kind in (TickKind.TRADE, TickKind.BOOK)]


STREAM_FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault(kind=FaultKind.CUT_STREAM), Unavailable),
    (Fault(kind=FaultKind.REFUSE), Unavailable),
    (Fault(kind=FaultKind.TRUNCATED_FRAMES), InvalidPayload),
]


@pytest.mark.parametrize(("fault", "expected"), STREAM_FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_of_a_live_stream_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    async with open_stream(source) as (stream, _, _):
        await stream.subscribe([BTC])
        running = asyncio.create_task(stream.run())
        await simulator.inject("binance", fault)
        with pytest.raises(expected) as caught:
            async with asyncio.timeout(10):
                await running
        assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind=FaultKind.REFUSE), Unavailable),
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=60.0), Throttled),
        (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
async def test_each_fault_of_a_handshake_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    await simulator.inject("binance", fault)
    with pytest.raises(expected):
        async with open_stream(source):
            pytest.fail("the stream opened")


class Exchange:
    """A WebSocket server that keeps what it is told and says what it is given."""

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.heard = asyncio.Event()
        self.to_say: asyncio.Queue[str] = asyncio.Queue()

    async def talk(self, connection) -> None:
        """Until the client has gone."""
        speaking = asyncio.create_task(self.speak(connection))
        try:
            async for message in connection:
                self.messages.append(json.loads(message))
                self.heard.set()
        finally:
            speaking.cancel()

    async def speak(self, connection) -> None:
        while True:
            await connection.send(await self.to_say.get())

    async def has_heard(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.messages) < count:
                self.heard.clear()
                await self.heard.wait()


class SteppingClock:
    """A clock whose sleepers never wait: sleeping moves it on."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return 1_700_000_000.0 + self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@asynccontextmanager
async def at_exchange(context) -> AsyncIterator[tuple[Source, Exchange]]:
    from websockets.asyncio.server import serve

    exchange = Exchange()
    context.clock = SteppingClock()
    async with serve(exchange.talk, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with source_at(context, ("http://127.0.0.1:1",), (url,)) as source:
            yield source, exchange


async def test_subscriptions_go_in_batches_at_the_vendors_rate(context) -> None:
    coins = [Instrument("BINANCE", f"COIN{number}USDT") for number in range(500)]
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, _, _):
        start = context.clock.at
        await stream.subscribe(coins)
        await stream.subscribe(coins[:3])
        await exchange.has_heard(10)
        # A thousand streams in ten messages, three in any second with a quarter to spare.
        assert context.clock.at - start == pytest.approx(3.75)
        await stream.unsubscribe([coins[0]])
        await exchange.has_heard(11)
    assert [message["method"] for message in exchange.messages] == ["SUBSCRIBE"] * 10 + ["UNSUBSCRIBE"]
    asked = [name for message in exchange.messages[:10] for name in message["params"]]
    assert len(asked) == len(set(asked)) == 1000
    assert asked[:2] == ["coin0usdt@aggTrade", "coin0usdt@bookTicker"]
    assert exchange.messages[10]["params"] == ["coin0usdt@aggTrade", "coin0usdt@bookTicker"]
    assert len({message["id"] for message in exchange.messages}) == 11


async def test_more_streams_than_a_connection_carries_are_refused_before_anything_is_sent(context) -> None:
    from mds_engine.errors import InvalidRequest

    coins = [Instrument("BINANCE", f"COIN{number}USDT") for number in range(513)]
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, _, _):
        with pytest.raises(InvalidRequest, match="at most 512"):
            await stream.subscribe(coins)
        assert exchange.messages == []


async def running_until(stream: TickStream, came: asyncio.Event) -> asyncio.Task[None]:
    """The stream as it runs, from its first tick on."""
    running = asyncio.create_task(stream.run())
    await asyncio.wait_for(came.wait(), 5)
    return running


BOOK = '{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}'


async def test_an_announced_shutdown_calls_for_another_connection_and_data_goes_on(context) -> None:
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, got, came):
        exchange.to_say.put_nowait('{"result":null,"id":1}')
        exchange.to_say.put_nowait('{"e":"serverShutdown","E":1770123456789}')
        exchange.to_say.put_nowait(BOOK)
        running = await running_until(stream, came)
        assert stream.renew_at == context.clock.at
        assert len(got) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_another_connection_is_wanted_before_the_vendor_cuts_this_one_at_24_hours(context) -> None:
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, got, came):
        opened_at = context.clock.at
        assert stream.renew_at == opened_at + 23.75 * 3600
        context.clock.at += 23.9 * 3600
        exchange.to_say.put_nowait(BOOK)
        running = await running_until(stream, came)
        assert (stream.renew_at, stream.last_frame_at) == (opened_at + 23.75 * 3600, context.clock.at)
        assert len(got) == 1
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(("kinds", "instruments"), [(("trade",), 1024), (("aggTrade", "bookTicker"), 512)])
async def test_a_connection_carries_as_many_instruments_as_its_streams_allow(
    context, kinds, instruments
) -> None:
    settings = plugin.settings(kind="binance", stream_kinds=kinds)
    limits = plugin.create(settings, context).stream_limits
    assert limits.instruments == instruments
    assert limits.connections


async def test_what_one_read_brings_is_delivered_at_once_and_an_error_after_what_came_before_it(
    context,
) -> None:
    """A server that writes frames itself, so that they come in one piece."""
    batches: list[list[Tick]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(handshake_for(await reader.readuntil(b"\r\n\r\n")))
        writer.write(b"".join(text_frame(text) for text in (BOOK, BOOK, "{", BOOK)))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        url = "ws://127.0.0.1:{}".format(*server.sockets[0].getsockname()[1:])
        async with source_at(context, ("http://127.0.0.1:1",), (url,)) as source:
            stream = source.stream(lambda ticks: batches.append(list(ticks)))
            await stream.open()
            with pytest.raises(InvalidPayload):
                await asyncio.wait_for(stream.run(), 5)
            await stream.close()
    ((first, second),) = batches
    assert first.received_ns == second.received_ns > 0
