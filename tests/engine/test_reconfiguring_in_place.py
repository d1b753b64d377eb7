"""Another configuration on a running engine: what is applied at once, without a new connection."""

import msgspec
from mds_engine.clock import SystemClock
from mds_engine.config.schema import ConsoleSettings, ExchangeSettings, RouteSettings
from mds_engine.control import commands, events
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.limiter_settings import LimiterSettings

from tests.engine.reconfigured import with_source


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
