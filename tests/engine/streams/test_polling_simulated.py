"""Alpha Vantage polled over real sockets: when Yahoo's stream is gone, and never beyond its plan."""

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import msgspec
import pytest
from mds_engine.clock import SystemClock
from mds_engine.config.load import parse_config
from mds_engine.config.simulated import SimulatorAddress, at_simulator
from mds_engine.control import events
from mds_engine.engine import Engine
from mds_engine.model import Capability, Gap, SourceSwitched, Tick, TickFlag, TickKind
from mds_engine.simulator.alphavantage import AlphaVantageVendor
from mds_engine.simulator.alphavantage.plan import AlphaVantagePlan
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.sources.alphavantage.errors import EASTERN, next_reset
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 30.0
DESK = """
[engine]
state_path = ":memory:"
[streams]
regular_hours = false
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
[sources.yahoo]
kind = "yahoo"
[sources.alphavantage]
kind = "alphavantage"
{pace}
[sources.binance]
kind = "binance"
[routes.NASDAQ]
sources = ["yahoo", "alphavantage"]
"""


class Noon(SystemClock):
    """The machine's, made at noon in New York: no day of the plan ends within a test."""

    def __init__(self) -> None:
        self._ahead_s = datetime(2026, 11, 20, 12, tzinfo=EASTERN).timestamp() - super().wall()

    def wall(self) -> float:
        return super().wall() + self._ahead_s


@asynccontextmanager
async def nasdaq(pace="", **plan):
    """An engine with the demo's NASDAQ route; `plan` is Alpha Vantage's."""
    plugins = find_plugins()
    vantage = partial(AlphaVantageVendor, plan=AlphaVantagePlan(**plan))
    clock = Noon()
    async with Simulator(vendors=("yahoo", vantage, "binance"), clock=clock) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = at_simulator(parse_config(DESK.format(pace=pace), plugins, {}).config, address)
        async with Engine(config, plugins, seed=1, clock=clock) as engine, asyncio.timeout(PATIENCE_S):
            yield simulator, engine


def told(engine, kind):
    return [event for event in engine.events() if isinstance(event, kind)]


def asked(simulator):
    return len(simulator.vendor("alphavantage").requests(path_prefix="/query"))


async def until(ticks, is_enough):
    """Read on until it is enough; returns all items."""
    items = []
    while not is_enough(items):
        items.append(await anext(ticks))
    return items


def ticks_of(source, count):
    """That so many ticks of a source came."""
    return lambda items: sum(isinstance(item, Tick) and item.source == source for item in items) >= count


async def test_polled_ticks_go_on_where_the_stream_is_gone_and_the_stream_takes_over_again():
    async with (
        nasdaq("pace_s = 1.2") as (simulator, engine),
        engine.ticks(["NASDAQ:AAPL", "NASDAQ:MSFT"]) as ticks,
    ):
        await until(ticks, ticks_of("yahoo", 3))
        assert asked(simulator) == 0
        await simulator.inject("yahoo", Fault(kind=FaultKind.REFUSE))
        await simulator.inject("yahoo", Fault(kind=FaultKind.CUT_STREAM))
        items = await until(ticks, ticks_of("alphavantage", 3))
        polled = [item for item in items if isinstance(item, Tick) and item.source == "alphavantage"]
        assert {str(tick.instrument) for tick in polled} == {"NASDAQ:AAPL", "NASDAQ:MSFT"}
        assert {(tick.kind, tick.flags, tick.time_ns) for tick in polled} == {
            (TickKind.QUOTE, TickFlag.POLLED, None)
        }
        for tick in polled:
            assert tick.price == pytest.approx(simulator.market.snapshot(str(tick.instrument)).last, rel=0.02)
        assert {gap.why for gap in items if isinstance(gap, Gap)} != set(), "what was missed is told"
        await simulator.clear("yahoo")
        items = await until(ticks, ticks_of("yahoo", 3))
        switched = [item for item in items if isinstance(item, SourceSwitched)]
        assert {(item.before, item.after) for item in switched} == {("alphavantage", "yahoo")}
        (meter,) = engine.snapshot().source("alphavantage").meters
        assert asked(simulator) == meter.used
        assert told(engine, events.Throttled) == told(engine, events.QuotaSpent) == []


async def test_by_default_one_poll_at_once_and_the_next_much_later():
    async with nasdaq() as (simulator, engine), engine.ticks(["NASDAQ:AAPL"]) as ticks:
        await simulator.inject("yahoo", Fault(kind=FaultKind.REFUSE))
        await simulator.inject("yahoo", Fault(kind=FaultKind.CUT_STREAM))
        await until(ticks, ticks_of("alphavantage", 1))
        runtime = engine.sources["alphavantage"]
        wall = runtime.clock.wall()
        rest_s = runtime.account.day(wall).rest_s
        assert rest_s == next_reset(wall) - wall, "the vendor's day ends at midnight in New York"
        assert asked(simulator) == 1
        assert runtime.polls.pace_s == pytest.approx(max(2.0, rest_s / 19), rel=0.01)
        assert Capability.TICKS in runtime.units


async def test_where_the_vendors_plan_is_spent_it_is_left_alone():
    """The vendor counts calls that we do not know of: its word ends the polls."""
    async with (
        nasdaq("pace_s = 1.2", per_day=2) as (simulator, engine),
        engine.ticks(["NASDAQ:AAPL", "NASDAQ:MSFT"]),
        engine.ticks(["BINANCE:BTCUSDT"]) as beats,
    ):
        await simulator.inject("yahoo", Fault(kind=FaultKind.REFUSE))
        await simulator.inject("yahoo", Fault(kind=FaultKind.CUT_STREAM))
        await until(beats, lambda _: told(engine, events.QuotaSpent))
        await until(beats, lambda _: told(engine, events.StreamLost)[-1].source == "alphavantage")
        assert asked(simulator) == 3
        spent_at = len(told(engine, events.StreamLost))
        await until(beats, ticks_of("binance", 50))
        assert (asked(simulator), len(told(engine, events.StreamLost))) == (3, spent_at)
        assert "quota spent" in engine.snapshot().source("alphavantage").why
