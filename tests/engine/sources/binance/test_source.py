"""The Binance source against the simulated exchange, and against servers of the test's own making."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Capability, Instrument, Interval, Tick, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.binance import plugin
from mds_engine.sources.contract import BarsRequest, Source, TickStream

BTC, ETH = Instrument("BINANCE", "BTCUSDT"), Instrument("BINANCE", "ETHUSDT")
HOUR_NS = 3600 * 10**9


@asynccontextmanager
async def source_at(context, http: tuple[str, ...], ws: tuple[str, ...] = ()) -> AsyncIterator[Source]:
    settings = plugin.settings(
        kind="binance", endpoints=http, stream_endpoints=ws or ("ws://127.0.0.1:1",), timeout_s=2.0
    )
    source = plugin.create(settings, context)
    await source.connect()
    try:
        yield source
    finally:
        await source.close()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["binance"]) as running:
        yield running


@pytest.fixture
async def source(simulator: Simulator, context) -> AsyncIterator[Source]:
    port = simulator.vendor("binance")
    endpoints = tuple(one.http for one in port.endpoints)
    streams = tuple(stream_base(one.ws) for one in port.endpoints)
    async with source_at(context, endpoints, streams) as made:
        yield made


def stream_base(url: str) -> str:
    """The simulator names the path too; ours is a base URL."""
    return "/".join(url.split("/")[:3])


async def test_quotes_of_one_and_of_many(source: Source, context) -> None:
    one = await source.quotes([BTC])
    assert set(one) == {BTC}
    many = await source.quotes([BTC, ETH, BTC])
    assert set(many) == {BTC, ETH}
    quote = many[ETH]
    assert quote.instrument == ETH
    assert quote.bid is not None
    assert quote.ask is not None
    assert 0 < quote.bid <= quote.ask
    assert quote.time_ns is not None
    # The guarded call has paid for each first request; the vendor's own count comes with every answer.
    assert context.paid == []
    assert [(use.group, use.window_s) for use in context.usage] == [("default", 60.0)] * 2
    assert context.usage[1].used == context.usage[0].used + 2


async def test_one_unknown_symbol_does_not_keep_the_others_from_coming(source: Source, context) -> None:
    bad = Instrument("BINANCE", "NOSUCHCOIN")
    assert set(await source.quotes([BTC, bad, ETH])) == {BTC, ETH}
    first = len(context.paid)
    assert first > 0
    assert {cost.weight for cost in context.paid} == {2}
    # Found once, it is left out of the next batches: no further request is needed.
    assert set(await source.quotes([BTC, bad, ETH])) == {BTC, ETH}
    assert len(context.paid) == first


async def test_looking_for_the_unknown_symbol_ends_with_the_purse(source: Source, context) -> None:
    bad = Instrument("BINANCE", "NOSUCHCOIN")
    context.purse = 1
    assert set(await source.quotes([BTC, ETH, bad])) == {BTC}
    assert len(context.paid) == 1


async def test_only_unknown_symbols_is_not_found(source: Source) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            await source.quotes([Instrument("BINANCE", "NOSUCHCOIN")])


async def test_more_than_twenty_symbols_go_in_batches_of_twenty(
    simulator: Simulator, source: Source, context
) -> None:
    http = simulator.vendor("binance").http
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        info = (await client.get(f"{http}/api/v3/exchangeInfo")).json()
    symbols = [Instrument("BINANCE", entry["symbol"]) for entry in info["symbols"][:45]]
    quotes = await source.quotes(symbols)
    assert set(quotes) == set(symbols)
    assert [cost.weight for cost in context.paid] == [2, 2]


async def test_bars_are_paged_and_cover_the_span_exactly(source: Source, context) -> None:
    end_ns = int(context.clock.wall()) // 60 * 60 * 10**9 - 60 * 10**9
    start_ns = end_ns - 2_500 * 60 * 10**9
    bars = await source.bars(BarsRequest(BTC, Interval.M1, start_ns, end_ns))
    assert bars.time_ns.tolist() == list(range(start_ns, end_ns, 60 * 10**9))
    assert [cost.weight for cost in context.paid] == [2, 2]
    assert {"quote_volume", "trades"} <= set(bars.extra)


async def test_the_bar_that_is_still_open_is_kept(source: Source, context) -> None:
    now_ns = int(context.clock.wall() * 1e9)
    bars = await source.bars(BarsRequest(BTC, Interval.H1, now_ns - 3 * HOUR_NS, now_ns))
    assert bars.time_ns[-1] == now_ns // HOUR_NS * HOUR_NS


async def test_bars_that_are_not_there_are_not_found(source: Source) -> None:
    future_ns = 4_000_000_000 * 10**9
    for request in (
        BarsRequest(BTC, Interval.M10, 0, HOUR_NS),
        BarsRequest(Instrument("BINANCE", "NOSUCHCOIN"), Interval.H1, 0, HOUR_NS),
        BarsRequest(BTC, Interval.H1, future_ns, future_ns + HOUR_NS),
    ):
        with pytest.raises(NotFound):
            await source.bars(request)


async def test_the_first_check_learns_the_limits_and_the_next_only_pings(source: Source, context) -> None:
    await source.check()
    await source.check()
    assert [(limit.group, limit.window_s, limit.limit) for limit in context.limits] == [
        ("default", 60.0, 6000)
    ]
    assert [cost.weight for cost in context.paid] == [20, 1]


def test_what_it_serves_and_costs(context) -> None:
    source = plugin.create(plugin.settings(kind="binance"), context)
    assert source.serves(Capability.TICKS, BTC)
    assert not source.serves(Capability.QUOTE, Instrument("NSE", "BTCUSDT"))
    assert not source.serves(Capability.QUOTE, Instrument("BINANCE", "BTC/USDT"))
    assert source.cost(Capability.QUOTE, 20).weight == 2
    assert [tuple(window) for window in source.limits()["default"]] == [(6000, 60.0)]
    assert source.endpoints()[0].url == "https://api.binance.com"


FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault(kind=FaultKind.REFUSE), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=500), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=503), Unavailable),
    (Fault(kind=FaultKind.STATUS, status=403), Throttled),
    (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600.0), Throttled),
    (Fault(kind=FaultKind.BAN, retry_after_s=600.0), Throttled),
    (Fault(kind=FaultKind.TOKEN_EXPIRED), AuthRequired),
    (Fault(kind=FaultKind.HTML), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE), InvalidPayload),
    (Fault(kind=FaultKind.TRUNCATE, cut_connection=True), InvalidPayload),
    (Fault(kind=FaultKind.ERROR_IN_200), Unavailable),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_has_its_class(
    simulator: Simulator, source: Source, fault: Fault, expected: type[SourceError]
) -> None:
    await simulator.inject("binance", fault)
    for ask in (
        lambda: source.quotes([BTC, ETH]),
        lambda: source.bars(BarsRequest(BTC, Interval.H1, 10**18, 10**18 + HOUR_NS)),
        source.check,
    ):
        with pytest.raises(expected) as caught:
            await ask()
        assert type(caught.value) is expected


async def test_a_throttle_and_a_ban_say_for_how_long(simulator: Simulator, source: Source) -> None:
    await simulator.inject(
        "binance", Fault(kind=FaultKind.THROTTLE, retry_after_s=3600.0, retry_after_as_date=True)
    )
    with pytest.raises(Throttled) as throttled:
        await source.quotes([BTC])
    assert throttled.value.retry_after_s == pytest.approx(3600, abs=5)
    assert not throttled.value.banned
    await simulator.clear("binance")
    # Without the header the ban's end stands in the message.
    await simulator.inject("binance", Fault(kind=FaultKind.BAN))
    with pytest.raises(Throttled) as banned:
        await source.quotes([BTC])
    assert banned.value.banned
    assert banned.value.retry_after_s == pytest.approx(120, abs=5)


async def test_an_endpoint_that_is_down_is_passed_over(simulator: Simulator, source: Source, context) -> None:
    assert len(simulator.vendor("binance").endpoints) > 1
    await simulator.inject("binance", Fault(kind=FaultKind.REFUSE), endpoint=0)
    assert set(await source.quotes([BTC])) == {BTC}
    assert "refused the connection" in context.switches[0].why


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


@asynccontextmanager
async def open_stream(source: Source) -> AsyncIterator[tuple[TickStream, list[Tick], asyncio.Event]]:
    got: list[Tick] = []
    came = asyncio.Event()

    def deliver(ticks) -> None:
        got.extend(ticks)
        came.set()

    stream = source.stream(deliver)
    await stream.open()
    try:
        yield stream, got, came
    finally:
        await stream.close()
        await stream.close()


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
        # A thousand streams in ten messages, three in any second.
        assert context.clock.at - start == pytest.approx(3.0)
        await stream.unsubscribe([coins[0]])
        await exchange.has_heard(11)
    assert [message["method"] for message in exchange.messages] == ["SUBSCRIBE"] * 10 + ["UNSUBSCRIBE"]
    asked = [name for message in exchange.messages[:10] for name in message["params"]]
    assert len(asked) == len(set(asked)) == 1000
    assert asked[:2] == ["coin0usdt@trade", "coin0usdt@bookTicker"]
    assert exchange.messages[10]["params"] == ["coin0usdt@trade", "coin0usdt@bookTicker"]
    assert len({message["id"] for message in exchange.messages}) == 11


async def test_more_streams_than_a_connection_carries_are_refused_before_anything_is_sent(context) -> None:
    from mds_engine.errors import InvalidRequest

    coins = [Instrument("BINANCE", f"COIN{number}USDT") for number in range(513)]
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, _, _):
        with pytest.raises(InvalidRequest, match="at most 512"):
            await stream.subscribe(coins)
        assert exchange.messages == []


async def test_an_announced_shutdown_ends_the_stream(context) -> None:
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, _, _):
        exchange.to_say.put_nowait('{"result":null,"id":1}')
        exchange.to_say.put_nowait('{"e":"serverShutdown","E":1770123456789}')
        with pytest.raises(Unavailable, match="announced a shutdown"):
            await asyncio.wait_for(stream.run(), 5)


async def test_the_stream_ends_by_itself_before_the_vendor_cuts_it_at_24_hours(context) -> None:
    async with at_exchange(context) as (source, exchange), open_stream(source) as (stream, got, _):
        context.clock.at += 23.8 * 3600
        exchange.to_say.put_nowait('{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}')
        with pytest.raises(Unavailable, match="24 hours"):
            await asyncio.wait_for(stream.run(), 5)
        assert len(got) == 1


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, -1121, NotFound),
        (400, -1120, NotFound),
        (400, -1100, NotFound),
        (400, -1003, Throttled),
        (503, -1008, Unavailable),
    ],
)
async def test_the_vendors_codes(context, status: int, code: int, expected: type[SourceError]) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"code": code, "msg": "words"}, status=status)

    async with answering(refuse) as url, source_at(context, (url,)) as source:
        with pytest.raises(expected):
            await source.bars(BarsRequest(BTC, Interval.H1, 0, HOUR_NS))
