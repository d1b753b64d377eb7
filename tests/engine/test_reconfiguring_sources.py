"""Another configuration on a running engine: only sources that changed come, go or reconnect."""

import asyncio

import msgspec
import pytest
from mds_engine.clock import SystemClock
from mds_engine.config.secret import Secret
from mds_engine.config.simulated import SimulatorAddress, demo_config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control import commands, events
from mds_engine.engine import Engine
from mds_engine.errors import ConfigError
from mds_engine.model import Gap, SourceSwitched, Tick, TickKind
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

from tests.engine.reconfigured import with_source, without

PATIENCE_S = 30.0


def push(vendor, price: float) -> None:
    """A trade of all that is subscribed, at the vendor's time."""
    stream, now_ns = vendor.stream, int(vendor.clock.wall() * 1e9)
    stream.deliver(
        [
            Tick(instrument=one, kind=TickKind.TRADE, price=price, time_ns=now_ns, source=vendor.name)
            for one in sorted(stream.subscribed)
        ]
    )


def test_a_source_that_reconnects_keeps_its_count_and_the_others_notice_nothing(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", sources={"a": {"calls_per_day": 10}}) as desk:
            for symbol in ("ONE", "TWO", "THREE"):
                await desk.quote(symbol)
            other, old = desk.engine.sources["b"], desk.engine.sources["a"]
            changes = await desk.engine.reconfigure(with_source(desk.engine.config, "a", timeout_s=2.5))
            fresh = desk.engine.sources["a"]
            assert changes.reconnected == {"a": ("timeout_s",)}
            assert (fresh is old, fresh.timeout_s, desk.engine.sources["b"] is other) == (False, 2.5, True)
            assert desk.engine.snapshot().source("a").meters[0].used == 3
            assert desk.engine.snapshot().source("a").limiters[0].used == 3
            assert (await desk.quote("FOUR")).source == "a"
            await clock.sleep(5.0)
            connected = [event.source for event in desk.told(events.SourceConnected)]
            assert connected == ["a", "b", "a"]

    virtually(scene)


def test_a_call_in_flight_ends_as_it_would(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            desk["a"].takes_s = 0.5
            closed: list[float] = []

            async def close() -> None:
                closed.append(clock.now())

            desk.engine.sources["a"].source.close = close
            call = asyncio.ensure_future(desk.quote())
            await clock.sleep(0.1)
            await desk.engine.reconfigure(without(desk.engine.config, "a"))
            assert (await call).source == "a"
            assert closed == [pytest.approx(0.5, abs=0.1)], "not before that"
            assert desk.engine.snapshot().source("a") is None
            assert (await desk.quote("TWO")).source == "b"

    virtually(scene)


def test_the_stream_of_a_source_that_goes_is_taken_over_without_a_gap(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, "ab", exchange={"standby": True})
        async with desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await clock.sleep(1.0)
            for price in (1.0, 2.0):
                push(desk["a"], price)
                push(desk["b"], price)
                await clock.sleep(1.0)
            kept = desk["b"].stream
            await desk.engine.reconfigure(without(desk.engine.config, "a"))
            assert desk["b"].open_streams == [kept]
            assert not desk["a"].open_streams
            push(desk["b"], 3.0)
            await clock.sleep(1.0)
            async with asyncio.timeout(10.0):
                got = [await anext(ticks) for _ in range(4)]
        assert [item.price for item in got if isinstance(item, Tick)] == [1.0, 2.0, 3.0]
        (switched,) = (item for item in got if isinstance(item, SourceSwitched))
        assert (switched.before, switched.after) == ("a", "b")

    virtually(scene)


def test_a_stream_that_is_alone_is_opened_anew_and_says_what_may_be_missing(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk, desk.engine.ticks(["X:ONE"]) as ticks:
            await clock.sleep(1.0)
            desk["a"].stream.push(1.0)
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", connections=7))
            await clock.sleep(1.0)
            assert len(desk["a"].streams) == 2
            assert len(desk["a"].open_streams) == 1
            desk["a"].stream.push(2.0)
            await clock.sleep(1.0)
            got = [await anext(ticks) for _ in range(3)]
        assert [type(item) for item in got] == [Tick, Gap, Tick]

    virtually(scene)


def test_a_new_source_takes_part_at_once_and_its_stream_beside_the_old_ones(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            whole = desk.engine.config
            small = without(whole, "a")
            await desk.engine.reconfigure(small)
            async with desk.engine.ticks(["X:ONE"]):
                await clock.sleep(1.0)
                kept = desk["b"].stream
                push(desk["b"], 1.0)
                await desk.engine.reconfigure(whole)
                assert tuple(desk.engine.sources) == ("a", "b", "c")
                assert (await desk.quote()).source == "a"
                await clock.sleep(1.0)
                assert kept.is_open, "it is listened to until the new one overlaps"
                assert desk["a"].stream.subscribed == kept.subscribed

    virtually(scene)


def test_what_cannot_be_used_changes_nothing(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            before = desk.engine.config
            sources = {**before.sources, "d": SourceSettings(kind="nobody")}
            wrong = msgspec.structs.replace(with_source(before, "a", rate_limit=1), sources=sources)
            runtimes = dict(desk.engine.sources)
            with pytest.raises(ConfigError, match="nobody"):
                await desk.engine.reconfigure(wrong)
            assert desk.engine.config is before
            assert desk.engine.sources == runtimes
            assert not desk.told(events.ConfigApplied)

    virtually(scene)


async def test_what_was_used_of_a_plan_is_known_when_its_source_comes_back(fake_desk, tmp_path):
    state = str(tmp_path / "state.sqlite")
    clock = SystemClock()
    async with fake_desk(clock, "ab", sources={"a": {"calls_per_day": 9}}, state_path=state) as desk:
        whole = desk.engine.config
        await desk.quote()
        await desk.quote("TWO")
        await desk.engine.reconfigure(without(whole, "a"))
        await desk.engine.apply(commands.CheckHealth(source="b"))  # returns when all is on the disk
        await desk.engine.reconfigure(whole)
        assert desk.engine.snapshot().source("a").meters[0].used == 2


async def test_on_real_sockets_only_what_changed_reconnects():
    plugins = find_plugins()
    async with Simulator(vendors=("kite", "yahoo", "alphavantage", "binance")) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = demo_config(plugins, address)
        async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(PATIENCE_S):

            async def until(condition):
                while not condition():  # noqa: ASYNC110  the engine tells nobody
                    await asyncio.sleep(0.01)

            def streams(kind):
                return sum(
                    isinstance(event, events.StreamConnected) and event.source == kind
                    for event in engine.events()
                )

            async with engine.ticks(["NSE:INFY", "BINANCE:BTCUSDT", "NASDAQ:AAPL"]) as ticks:
                sources = {"zerodha", "binance", "yahoo"}
                await until(lambda: all(streams(source) for source in sources))
                before = {source: streams(source) for source in sources}
                lost = sum(isinstance(event, events.StreamLost) for event in engine.events())
                token = msgspec.structs.replace(config.sources["zerodha"], api_secret=Secret("tomorrow's"))
                turned = msgspec.structs.replace(
                    config,
                    sources={**config.sources, "zerodha": token},
                    breaker=BreakerSettings(open_s=11.0),
                )
                changes = await engine.reconfigure(turned)
                assert changes.reconnected == {"zerodha": ("api_secret",)}
                await until(lambda: streams("zerodha") > before["zerodha"])
                seen: set[str] = set()
                while seen < {"zerodha", "binance", "yahoo"}:
                    item = await anext(ticks)
                    if isinstance(item, Tick):
                        seen.add(item.source)
                assert {source: streams(source) for source in ("binance", "yahoo")} == {
                    source: before[source] for source in ("binance", "yahoo")
                }
                assert lost == sum(isinstance(event, events.StreamLost) for event in engine.events())
                told = "".join(repr(event) for event in engine.events())
                assert "tomorrow's" not in told
