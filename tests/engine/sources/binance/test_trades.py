"""Trades by number over REST: what a stream has missed, as the stream would have brought it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from mds_engine.errors import InvalidPayload, NotFound, SourceError, Throttled, Unavailable
from mds_engine.model import Instrument, Tick, TickFlag, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.binance import plugin
from mds_engine.sources.binance.decode_trades import read_aggregate_trades, read_trades, ticks_of
from mds_engine.sources.contract import Source, TradesRequest

BTC = Instrument("BINANCE", "BTCUSDT")
WEIGHTS = {"trade": 25, "aggTrade": 4}


@asynccontextmanager
async def source_at(
    context, http: tuple[str, ...], ws: tuple[str, ...] = ("ws://127.0.0.1:1",), kind: str = "aggTrade"
) -> AsyncIterator[Source]:
    source = plugin.create(
        plugin.settings(kind="binance", endpoints=http, stream_endpoints=ws, stream_kinds=(kind,)), context
    )
    await source.connect()
    try:
        yield source
    finally:
        await source.close()


@asynccontextmanager
async def simulated(context, kind: str = "aggTrade") -> AsyncIterator[tuple[Simulator, Source]]:
    async with Simulator(vendors=["binance"]) as simulator:
        port = simulator.vendor("binance")
        ws = "/".join(port.ws.split("/")[:3])
        async with source_at(context, (port.http,), (ws,), kind) as source:
            yield simulator, source


def newest(simulator: Simulator) -> int:
    """The number of the newest trade."""
    now = simulator.market.now()
    return simulator.market.trade_ids(str(BTC), now - 60, now).stop - 1


def test_recorded_aggregates(recordings: Path) -> None:
    body = (recordings / "binance/http_spot_market_agg_trades.json").read_bytes()
    ticks, rows = ticks_of(read_aggregate_trades(body), BTC, source="b", received_ns=7), json.loads(body)
    assert ticks == [
        Tick(
            instrument=BTC,
            kind=TickKind.TRADE,
            price=float(row["p"]),
            size=float(row["q"]),
            time_ns=row["T"] * 1_000_000,
            sequence=row["a"],
            buyer_is_maker=row["m"],
            source="b",
            received_ns=7,
            flags=TickFlag.FILLED,
        )
        for row in rows
    ]
    assert len(ticks) == 10


def row(number: int, *, price: str = "1.5", time: int = 1_634_944_096_633, **more: object) -> dict:
    """A row of /aggTrades."""
    return {"a": number, "p": price, "q": "2", "f": 1, "l": 1, "T": time, "m": True, "M": True, **more}


@pytest.mark.parametrize("time", [1_634_944_096_633, 1_634_944_096_633_123])
def test_times_in_milliseconds_and_in_microseconds(time: int) -> None:
    told = {"id": 3, "price": "1", "qty": "2", "quoteQty": "2", "time": time, "isBuyerMaker": True}
    for rows in (
        read_aggregate_trades(json.dumps([row(3, time=time)]).encode()),
        read_trades(json.dumps([told]).encode()),
    ):
        (tick,) = ticks_of(rows, BTC)
        assert tick.time_ns == int(str(time).ljust(19, "0"))


def test_an_aggregate_that_was_taken_out_is_missing() -> None:
    rows = [row(1), row(2, price="0.00000000", q="0.00000000", f=-1, l=-1), row(3)]
    ticks = ticks_of(read_aggregate_trades(json.dumps(rows).encode()), BTC)
    assert [tick.sequence for tick in ticks] == [1, 3]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([row(1, price="0")]),
        json.dumps([row(1, price="-1")]),
        json.dumps([row(2), row(1)]),
        json.dumps([row(2), row(2)]),
        json.dumps([row(1)])[:-5],
        '[{"a":1,"p":"1"}]',
        '{"a":1}',
        "<html>",
    ],
    ids=["zero", "negative", "descending", "twice", "truncated", "without a size", "object", "html"],
)
def test_trades_that_cannot_be_are_invalid_payloads(body: str) -> None:
    with pytest.raises(InvalidPayload):
        ticks_of(read_aggregate_trades(body.encode()), BTC)


@pytest.mark.parametrize("kind", ["trade", "aggTrade"])
async def test_they_are_the_ticks_that_the_stream_brought(context, kind: str) -> None:
    got: list[Tick] = []
    enough = asyncio.Event()

    def deliver(ticks) -> None:
        got.extend(ticks)
        if len(got) >= 5:
            enough.set()

    async with simulated(context, kind) as (_, source):
        stream = source.stream(deliver)
        await stream.open()
        running = asyncio.create_task(stream.run())
        await stream.subscribe([BTC])
        async with asyncio.timeout(20):
            await enough.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await stream.close()
        streamed = list(got)
        began_ns = int(context.clock.wall() * 1e9)
        filled = await source.trades(TradesRequest(BTC, streamed[0].sequence, streamed[-1].sequence))
    assert {tick.flags for tick in streamed} == {0}
    assert [msgspec.structs.replace(tick, flags=0, received_ns=0) for tick in filled] == [
        msgspec.structs.replace(tick, received_ns=0) for tick in streamed
    ]
    assert {tick.flags for tick in filled} == {TickFlag.FILLED}
    assert all(tick.received_ns >= began_ns for tick in filled)
    assert [cost.weight for cost in context.paid] == [WEIGHTS[kind]]


@pytest.mark.parametrize("kind", ["trade", "aggTrade"])
async def test_pages_go_on_to_the_last_number_and_each_is_paid(context, kind: str) -> None:
    async with simulated(context, kind) as (simulator, source):
        last = newest(simulator)
        ticks = await source.trades(TradesRequest(BTC, last - 2_499, last))
        truth = simulator.market.trades(str(BTC), range(last - 2_499, last + 1))
        queries = [entry.query for entry in simulator.vendor("binance").requests(group="trades")]
    assert [tick.sequence for tick in ticks] == truth.id.tolist()
    assert [(tick.price, tick.size) for tick in ticks] == list(
        zip(truth.price.tolist(), truth.size.tolist(), strict=True)
    )
    assert [cost.weight for cost in context.paid] == [WEIGHTS[kind]] * 3
    assert {cost.group for cost in context.paid} == set(source.limits())
    # No more is asked for than is wanted.
    assert [query.rpartition("limit=")[2] for query in queries] == ["1000", "1000", "500"]


async def test_what_has_not_happened_yet_is_missing(context) -> None:
    async with simulated(context) as (simulator, source):
        last = newest(simulator)
        ticks = await source.trades(TradesRequest(BTC, last - 2, last + 3_000))
        assert [tick.sequence for tick in ticks][:3] == [last - 2, last - 1, last]
        assert len(ticks) < 1_000
        assert await source.trades(TradesRequest(BTC, last + 10_000, last + 10_001)) == []
    # A short answer is the end: nothing is asked twice.
    assert len(context.paid) == 2


async def test_nothing_wanted_costs_nothing(context) -> None:
    async with simulated(context) as (simulator, source):
        assert await source.trades(TradesRequest(BTC, 5, 4)) == []
        assert simulator.vendor("binance").log.total == 0
    assert context.paid == []


async def test_what_is_not_to_be_had_has_its_class(context) -> None:
    async with simulated(context) as (simulator, source):
        with pytest.raises(NotFound):
            await source.trades(TradesRequest(Instrument("BINANCE", "NOSUCHCOIN"), 1, 2))
        await simulator.inject(
            "binance", Fault(kind=FaultKind.STATUS, status=503, path_prefix="/api/v3/aggTrades")
        )
        with pytest.raises(Unavailable):
            await source.trades(TradesRequest(BTC, 1, 2))
        await simulator.clear("binance")
        context.paid.clear()
        context.purse = 1
        with pytest.raises(Throttled):
            await source.trades(TradesRequest(BTC, 1, 1_001))


async def trades_of(context, rows: list[dict], first: int, last: int) -> list[Tick]:
    """What the source makes of a server that answers everything with these rows."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(rows)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with source_at(context, (f"http://127.0.0.1:{runner.addresses[0][1]}",)) as source:
            return await source.trades(TradesRequest(BTC, first, last))
    finally:
        await runner.cleanup()


async def test_an_answer_that_begins_later_leaves_out_what_the_vendor_no_longer_has(context) -> None:
    ticks = await trades_of(context, [row(8), row(9), row(10), row(11), row(12)], 6, 10)
    assert [tick.sequence for tick in ticks] == [8, 9, 10]


async def test_an_answer_that_begins_earlier_than_asked_is_no_answer(context) -> None:
    with pytest.raises(SourceError) as caught:
        await trades_of(context, [row(3), row(4)], 4, 5)
    assert type(caught.value) is InvalidPayload


@pytest.mark.parametrize(
    ("kinds", "has_trades"),
    [
        (("trade", "bookTicker"), True),
        (("aggTrade",), True),
        (("bookTicker", "kline_1m"), False),
    ],
)
async def test_only_a_stream_of_one_kind_of_trades_can_be_filled(
    context, kinds: tuple[str, ...], *, has_trades: bool
) -> None:
    source = plugin.create(plugin.settings(kind="binance", stream_kinds=kinds), context)
    assert source.has_trades is has_trades
    if not has_trades:
        with pytest.raises(NotImplementedError):
            await source.trades(TradesRequest(BTC, 1, 2))


def test_trades_that_are_numbered_in_two_ways_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="numbered apart: choose one"):
        plugin.settings(kind="binance", stream_kinds=("trade", "bookTicker", "aggTrade"))


@pytest.mark.parametrize(
    ("kinds", "numbering"),
    [(("bookTicker", "trade"), "trade"), (("aggTrade",), "aggTrade"), (("bookTicker",), "")],
)
async def test_trades_and_aggregates_are_numbered_apart(
    context, kinds: tuple[str, ...], numbering: str
) -> None:
    assert plugin.create(plugin.settings(kind="binance", stream_kinds=kinds), context).numbering == numbering
