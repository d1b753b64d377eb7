"""The engine on the simulator, over real sockets: the demo's routes, endpoints in order, ticks that go on."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from mds_engine.config.load import parse_config
from mds_engine.config.schema import ConsoleSettings
from mds_engine.config.simulated import SimulatorAddress, at_simulator, demo_config
from mds_engine.control import events
from mds_engine.engine import Engine
from mds_engine.errors import AllSourcesFailedError
from mds_engine.model import Gap, Tick, TickKind
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def plugins():
    return find_plugins()


@asynccontextmanager
async def demo(plugins, vendors=("kite", "yahoo", "alphavantage", "binance")):
    """The demo's sources and routes, without its watch list: that spends what Kite allows."""
    async with Simulator(vendors=vendors) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = msgspec.structs.replace(demo_config(plugins, address), console=ConsoleSettings())
        async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(PATIENCE_S):
            yield simulator, engine


def told(engine, kind):
    return [event for event in engine.events() if isinstance(event, kind)]


# --- The demo's routes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "source", "candidates"),
    [
        ("NSE:RELIANCE", "zerodha", ("zerodha", "yahoo", "alphavantage")),
        ("NASDAQ:AAPL", "yahoo", ("yahoo", "alphavantage")),
        ("BINANCE:BTCUSDT", "binance", ("binance",)),
    ],
)
async def test_quotes_and_bars_come_from_the_primary_of_each_route(plugins, instrument, source, candidates):
    async with demo(plugins) as (_, engine):
        quote = await engine.quote(instrument)
        end = datetime.now(UTC)
        frame = await engine.bars(instrument, "1d", end - timedelta(days=30), end)
        route = engine.snapshot().route(quote.decision.route)
        assert (quote.source, quote.decision.source, str(quote.instrument)) == (source, source, instrument)
        assert quote.price > 0
        assert frame.attrs["source"] == frame.attrs["decision"].source == source
        assert len(frame) >= 15
        assert str(frame.index.tz) == "UTC"
        assert route.sources == candidates
        assert engine.snapshot().engine.simulated


async def test_many_quotes_come_from_the_sources_of_their_exchanges(plugins):
    wanted = ["NSE:RELIANCE", "NSE:INFY", "NASDAQ:AAPL", "NASDAQ:MSFT", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"]
    async with demo(plugins) as (simulator, engine):
        quotes = await engine.quotes(wanted)
        assert list(quotes) == wanted
        assert [quote.source for quote in quotes.values()] == ["zerodha"] * 2 + ["yahoo"] * 2 + [
            "binance"
        ] * 2
        assert len(simulator.vendor("kite").requests(group="quote")) == 1, "one request for all of a vendor"


async def test_ticks_come_over_every_vendors_stream(plugins):
    wanted = ["NSE:RELIANCE", "NASDAQ:AAPL", "BINANCE:BTCUSDT"]
    async with demo(plugins) as (_, engine), engine.ticks(wanted) as ticks:
        found = {}
        async for tick in ticks:
            found.setdefault(str(tick.instrument), tick.source)
            if len(found) == len(wanted):
                break
        assert found == {"NSE:RELIANCE": "zerodha", "NASDAQ:AAPL": "yahoo", "BINANCE:BTCUSDT": "binance"}


async def test_when_the_first_vendor_is_down_another_vendor_answers(plugins):
    async with demo(plugins, ("kite", "yahoo", "alphavantage")) as (simulator, engine):
        await simulator.inject("kite", Fault(kind=FaultKind.STATUS, status=503))
        quote = await engine.quote("NSE:RELIANCE")
        assert quote.source == "yahoo"
        assert [(step.source, step.error) for step in quote.decision.steps] == [
            ("zerodha", "Unavailable"),
            ("yahoo", ""),
        ]


# --- Endpoints ------------------------------------------------------------------------------------------


async def test_another_endpoint_answers_before_another_source_is_thought_of(plugins):
    async with demo(plugins, ("binance",)) as (simulator, engine):
        await simulator.inject("binance", Fault(kind=FaultKind.REFUSE), 0)
        quotes = [await engine.quote("BINANCE:BTCUSDT") for _ in range(10)]
        source = engine.snapshot().source("binance")
        (switched,) = told(engine, events.EndpointSwitched)
        urls = [endpoint.http for endpoint in simulator.vendor("binance").endpoints]
        assert {quote.source for quote in quotes} == {"binance"}
        assert {len(quote.decision.steps) for quote in quotes} == {1}
        assert (switched.before, switched.after) == (urls[0], urls[1])
        assert "refused the connection" in switched.why
        assert [endpoint.active for endpoint in source.endpoints][:2] == [False, True]
        assert source.breaker.state == "closed"
        assert told(engine, events.BreakerOpened) == []


async def test_all_endpoints_down_are_one_source_down(plugins):
    async with demo(plugins, ("binance",)) as (simulator, engine):
        await simulator.inject("binance", Fault(kind=FaultKind.REFUSE))
        with pytest.raises(AllSourcesFailedError, match="refused the connection"):
            await engine.quote("BINANCE:BTCUSDT")


# --- Streams --------------------------------------------------------------------------------------------

PAIR = """
[engine]
state_path = ":memory:"
[health]
interval_s = 1.0
doubt_interval_s = 0.2
[failback]
after_s = 0.3
[reconnect]
first_s = 0.1
cap_s = 0.2
[breaker]
open_s = 0.5
[sources.primary]
kind = "binance"
[sources.backup]
kind = "binance"
[routes.BINANCE]
sources = ["primary", "backup"]
"""


@asynccontextmanager
async def pair(plugins):
    """Two sources, each with one endpoint of the simulated exchange."""
    async with Simulator(vendors=("binance",)) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = at_simulator(parse_config(PAIR, plugins, {}).config, address)
        ends = address.vendors["binance"].endpoints
        sources = {
            name: msgspec.structs.replace(settings, endpoints=(end.http,), stream_endpoints=(end.ws,))
            for (name, settings), end in zip(config.sources.items(), ends, strict=False)
        }
        config = msgspec.structs.replace(config, sources=sources)
        async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(PATIENCE_S):
            yield simulator, engine


async def until(ticks, source, instruments):
    """Read on until each of the instruments has ticked from that source; returns all that came."""
    missing, items = set(instruments), []
    async for item in ticks:
        items.append(item)
        if isinstance(item, Tick) and item.source == source:
            missing.discard(str(item.instrument))
        if not missing:
            return items
    return items


async def test_ticks_go_on_from_the_backup_and_come_back_to_the_primary(plugins):
    wanted = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT")
    async with pair(plugins) as (simulator, engine), engine.ticks(wanted) as ticks:
        items = await until(ticks, "primary", wanted)
        await simulator.inject("binance", Fault(kind=FaultKind.STATUS, status=503, scope="ws"), 0)
        await simulator.inject("binance", Fault(kind=FaultKind.CUT_STREAM), 0)
        items += await until(ticks, "backup", wanted)
        await simulator.clear("binance", endpoint=0)
        items += await until(ticks, "primary", wanted)
        for instrument in wanted:
            numbers = [
                item.sequence
                for item in items
                if isinstance(item, Tick)
                and str(item.instrument) == instrument
                and item.kind is TickKind.TRADE
            ]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none lost, none twice"
        assert not [item for item in items if isinstance(item, Gap)]
        assert told(engine, events.StreamLost)[0].source == "primary"
        moves = [
            (type(event).__name__, event.before, event.after)
            for event in engine.events()
            if isinstance(event, events.FailedOver | events.FailedBack) and event.route == "BINANCE/ticks"
        ]
        assert moves[0] == ("FailedOver", "primary", "backup")
        assert moves[-1] == ("FailedBack", "backup", "primary")


async def test_a_stream_that_is_cut_once_is_subscribed_anew(plugins):
    wanted = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT")
    async with demo(plugins, ("binance",)) as (simulator, engine), engine.ticks(wanted) as ticks:
        await until(ticks, "binance", wanted)
        await simulator.inject("binance", Fault(kind=FaultKind.CUT_STREAM))
        await simulator.clear("binance")
        while not told(engine, events.StreamLost):
            await anext(ticks)
        await until(ticks, "binance", wanted)
        assert len(told(engine, events.StreamConnected)) == 2


# --- The end --------------------------------------------------------------------------------------------


async def test_nothing_is_left_behind_though_it_ends_in_the_middle_of_everything(plugins):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    before = asyncio.all_tasks()
    async with demo(plugins) as (simulator, engine):
        await simulator.inject("kite", Fault(kind=FaultKind.HANG))
        reader = engine.ticks(["BINANCE:BTCUSDT", "NSE:RELIANCE"])
        await anext(reader)
        calls = [
            asyncio.create_task(engine.quote(name))
            for name in ("NSE:RELIANCE", "BINANCE:BTCUSDT", "NASDAQ:AAPL")
        ]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert asyncio.all_tasks() - before == set()
    assert complaints == []


async def test_an_engine_can_be_stopped_twice_and_before_anything_was_asked(plugins):
    async with demo(plugins) as (_, engine):
        await engine.stop()
        await engine.stop()
    assert [type(event).__name__ for event in engine.events()][-1] == "EngineStopped"
    assert len(told(engine, events.EngineStopped)) == 1
