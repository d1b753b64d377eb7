"""Another configuration on a running engine: only what changed is touched, and all else goes on."""

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mds_engine.clock import SystemClock
from mds_engine.config.schema import Config, ConsoleSettings, EngineSettings, ExchangeSettings, RouteSettings
from mds_engine.config.secret import Secret
from mds_engine.config.simulated import SimulatorAddress, demo_config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import commands, events
from mds_engine.engine import Engine
from mds_engine.errors import ConfigError
from mds_engine.model import Gap, SourceSwitched, Tick, TickKind
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.limiter_settings import LimiterSettings
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins

PATIENCE_S = 30.0


def with_source(config: Config, name: str, **changes) -> Config:
    """The same with one source set otherwise."""
    changed = msgspec.structs.replace(config.sources[name], **changes)
    return msgspec.structs.replace(config, sources={**config.sources, name: changed})


def without(config: Config, name: str) -> Config:
    """The same without a source, on no route either."""
    exchanges = {
        exchange: msgspec.structs.replace(
            routes, sources=tuple(source for source in routes.sources if source != name)
        )
        for exchange, routes in config.exchanges.items()
    }
    sources = {source: settings for source, settings in config.sources.items() if source != name}
    return msgspec.structs.replace(config, sources=sources, exchanges=exchanges)


def push(vendor, price: float) -> None:
    """A trade of all that is subscribed, at the vendor's time."""
    stream, now_ns = vendor.stream, int(vendor.clock.wall() * 1e9)
    stream.deliver(
        [
            Tick(instrument=one, kind=TickKind.TRADE, price=price, time_ns=now_ns, source=vendor.name)
            for one in sorted(stream.subscribed)
        ]
    )


# --- In place ------------------------------------------------------------------------------------------


def test_limits_prices_and_breakers_change_without_a_new_connection(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", sources={"a": {"calls_per_day": 10}}) as desk:
            await desk.quote()
            before, breaker = desk.engine.sources["a"], desk.engine.sources["a"].units["quote"].breaker
            after = with_source(
                msgspec.structs.replace(
                    desk.engine.config,
                    breaker=BreakerSettings(consecutive_failures=2, open_jitter=0.0, open_s=7.0),
                    limiter=LimiterSettings(margin_s=0.5),
                ),
                "a",
                rate_limit=3,
                rate_window_s=60.0,
                calls_per_day=50,
            )
            changes = await desk.engine.reconfigure(after)
            assert not changes.interrupts
            assert desk.engine.sources["a"] is before
            view = desk.engine.snapshot().source("a")
            assert [(limiter.limit, limiter.window_s) for limiter in view.limiters] == [
                (3, 60.0),
                (1_000_000, 1.0),
            ]
            assert [(meter.used, meter.limit) for meter in view.meters] == [(1, 50)], "what was sent counts"
            assert view.calls == 1
            desk["a"].break_down()
            await desk.quote("TWO")
            await desk.quote("THREE")
            assert breaker.state(clock.now()).value == "open"
            assert breaker.timeline[-1].open_for_s == 7.0
            assert [event.what for event in desk.told(events.ConfigApplied)] == [changes.summary]

    virtually(scene)


def test_a_limit_that_an_operator_set_stays_until_the_configuration_says_otherwise(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            await desk.engine.apply(commands.SetRateLimit(source="a", limit=7, window_s=1.0))
            await desk.engine.reconfigure(
                msgspec.structs.replace(desk.engine.config, limiter=LimiterSettings(margin_s=0.5))
            )
            assert desk.engine.snapshot().source("a").limiters[0].limit == 7
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", rate_limit=9))
            assert desk.engine.snapshot().source("a").limiters[0].limit == 9

    virtually(scene)


def test_a_plan_that_grows_ends_a_spent_quota(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", sources={"a": {"calls_per_day": 1}}) as desk:
            assert [(await desk.quote(symbol)).source for symbol in ("ONE", "TWO")] == ["a", "b"]
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", calls_per_day=3))
            await clock.sleep(0.2)
            assert (await desk.quote("THREE", source="a")).source == "a"
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", calls_per_day=2))
            assert "quota" in desk.engine.sources["a"].blocks

    virtually(scene)


def test_in_and_out_of_service(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", sources={"a": {"enabled": False}}) as desk:
            assert (await desk.quote()).source == "b"
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", enabled=True))
            await clock.sleep(1.0)
            assert desk.told(events.SourceConnected)[-1].source == "a", "it was left alone until now"
            assert (await desk.quote("TWO", source="a")).source == "a"
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", enabled=False))
            assert (await desk.quote("THREE")).source == "b"

    virtually(scene)


def test_an_operators_word_holds_where_the_configuration_says_nothing_new(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            await desk.engine.apply(commands.SetPriority(route="X/quote", sources=("c", "a", "b")))
            await desk.engine.apply(commands.EnableSource(source="b", enabled=False))
            await desk.engine.apply(commands.Pin(route="X/bars", source="b"))
            await desk.engine.apply(
                commands.ForceBreaker(source="a", state=commands.ForcedState.OPEN, capability="bars")
            )
            await desk.engine.reconfigure(with_source(desk.engine.config, "a", timeout_s=2.0))
            picture = desk.engine.snapshot()
            assert picture.route("X/quote").sources == ("c", "a", "b")
            assert not picture.source("b").enabled
            assert picture.route("X/bars").pinned == "b"
            assert desk.state("a", "bars") == "forced-open", "although it was made anew"
            await clock.sleep(901.0)
            assert desk.state("a", "bars") != "forced-open", "and it ends when it was to end"

    virtually(scene)


# --- Sources that come, go, and reconnect -----------------------------------------------------------


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


def test_routes_of_an_exchange_come_and_go(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab") as desk:
            before = desk.engine.config
            only = {"X": ExchangeSettings(sources=("b",), bars=RouteSettings(sources=("a",)))}
            await desk.engine.reconfigure(msgspec.structs.replace(before, exchanges=only))
            assert desk.active() == "b"
            assert desk.engine.snapshot().route("X/bars").sources == ("a",)
            await desk.engine.reconfigure(msgspec.structs.replace(before, exchanges={}))
            assert desk.engine.snapshot().routes == ()
            assert (await desk.quote()).source == "a", "all by priority, where no route is configured"

    virtually(scene)


def test_what_is_watched_follows_the_list_and_leaves_what_an_operator_added(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "ab", console=ConsoleSettings(watch=("X:ONE", "X:TWO"))) as desk:
            await desk.engine.apply(commands.Subscribe(instruments=("X:MINE",)))
            await desk.engine.reconfigure(
                msgspec.structs.replace(desk.engine.config, console=ConsoleSettings(watch=("X:TWO", "X:NEW")))
            )
            watched = {row.instrument for row in desk.engine.snapshot().watch}
            assert watched == {"X:TWO", "X:MINE", "X:NEW"}

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


async def test_the_newer_word_holds_over_a_restart(fake_desk, tmp_path):
    state = str(tmp_path / "state.sqlite")
    clock = SystemClock()
    async with fake_desk(clock, "ab", state_path=state) as desk:
        await desk.engine.apply(commands.SetPriority(route="X/quote", sources=("b", "a")))
        await desk.engine.apply(commands.EnableSource(source="b", enabled=False))
        turned = msgspec.structs.replace(
            desk.engine.config, exchanges={"X": ExchangeSettings(sources=("a",))}
        )
        await desk.engine.reconfigure(turned)
        await desk.engine.apply(commands.CheckHealth(source="a"))
    async with fake_desk(clock, "ab", state_path=state) as desk:
        picture = desk.engine.snapshot()
        assert picture.route("X/quote").sources == ("a", "b"), "its own order was ended by the file's"
        assert not picture.source("b").enabled, "of which the file said nothing"


# --- From anywhere to anywhere -----------------------------------------------------------------------

NAMES = "abcd"


def orders(names):
    return st.permutations(sorted(names)).flatmap(
        lambda order: st.integers(1, len(order)).map(lambda count: tuple(order[:count]))
    )


@st.composite
def configs(draw):
    """A configuration of up to four fake sources on up to one exchange, of all that can be set of them."""
    names = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    order = draw(st.permutations(sorted(names)))
    sources = {
        name: SourceSettings(
            kind=name,
            connections=draw(st.sampled_from((100, 200))),
            enabled=draw(st.booleans()),
            priority=draw(st.integers(0, 2)),
            rate_limit=draw(st.sampled_from((None, 50, 80))),
            rate_window_s=draw(st.sampled_from((1.0, 60.0))),
            calls_per_day=draw(st.sampled_from((None, 1000, 2000))),
            cost_per_month=draw(st.sampled_from(("0", "10"))),
            currency=draw(st.sampled_from(("USD", "INR"))),
        )
        for name in order
    }
    exchanges = {}
    if draw(st.booleans()):
        exchanges["X"] = ExchangeSettings(
            sources=draw(st.none() | orders(names)),
            standby=draw(st.booleans()),
            bars=draw(st.none() | orders(names).map(lambda chosen: RouteSettings(sources=chosen))),
        )
    return Config(
        engine=EngineSettings(state_path=":memory:", deadline_s=draw(st.sampled_from((3.0, 9.0)))),
        sources=sources,
        exchanges=exchanges,
        breaker=BreakerSettings(half_open_successes=draw(st.integers(1, 3))),
        health=HealthSettings(interval_s=1e6, doubt_interval_s=1e6),
        streams=StreamSettings(mute_after_s=0.0, instrument_mute_after_s=1e9, confirm_within_s=1e9),
        failback=FailbackSettings(after_s=draw(st.sampled_from((5.0, 50.0)))),
        console=ConsoleSettings(watch=tuple(draw(st.sets(st.sampled_from(("X:ONE", "X:TWO")))))),
    )


def configured(engine) -> dict:
    """What of a snapshot follows from the configuration alone."""
    picture = engine.snapshot()
    return {
        "sources": [
            (
                source.name,
                source.enabled,
                source.breaker.probes_needed,
                [(limit.group, limit.limit, limit.window_s) for limit in source.limiters],
                [(meter.meter, meter.limit) for meter in source.meters],
                [(money.currency, money.month) for money in source.money],
                [view.capability for view in source.capabilities],
            )
            for source in picture.sources
        ],
        "routes": [
            (route.key, route.sources, route.pinned, route.instruments)
            for route in picture.routes
            if route.exchange in engine.config.exchanges
        ],
        "watch": sorted(row.instrument for row in picture.watch),
    }


def running() -> list[str]:
    """The names of all tasks, but for those without one, and of connections that wait for wishes."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return sorted(name for name in names if not name.startswith(("Task-", "connection ")))


def connects(engine) -> dict[str, int]:
    told = [event.source for event in engine.events() if isinstance(event, events.SourceConnected)]
    return {name: told.count(name) for name in NAMES}


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.lists(configs(), min_size=2, max_size=4))
def test_whatever_the_way_the_end_is_as_if_begun_with_it(virtually, fake_desk, path):
    async def scene(clock):
        desk = fake_desk(clock, NAMES)
        async with engine_on(desk, clock, path[0]) as engine:
            await clock.sleep(100.0)
            for before, after in pairwise(path):
                stood, opened = connects(engine), {name: len(desk[name].streams) for name in NAMES}
                runtimes = dict(engine.sources)
                changes = await engine.reconfigure(after)
                await clock.sleep(200.0)
                for name in after.sources.keys() & before.sources.keys() - changes.reconnected.keys():
                    assert engine.sources[name] is runtimes[name]
                    assert connects(engine)[name] - stood[name] <= (not before.sources[name].enabled)
                    wanted = engine._hub.supervisors[name].wanted
                    assert len(desk[name].open_streams) == bool(wanted) * after.sources[name].enabled
                    assert len(desk[name].streams) - opened[name] <= 1, "opened where newly wanted, at most"
            reached = configured(engine)
            tasks = running()
        async with engine_on(fake_desk(clock, NAMES), clock, path[-1]) as engine:
            await clock.sleep(100.0)
            assert reached == configured(engine)
            assert tasks == running()

    virtually(scene)


@asynccontextmanager
async def engine_on(desk, clock, config):
    """An engine on a desk's vendors with a configuration of its own."""
    async with Engine(config, desk.engine._plugins, clock=clock, seed=1) as engine:
        yield engine


# --- On the simulator's sockets ----------------------------------------------------------------------


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
