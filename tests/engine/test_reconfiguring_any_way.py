"""Whatever way an engine came to a configuration, it is as if it had begun with it."""

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mds_engine.config.schema import Config, ConsoleSettings, EngineSettings, ExchangeSettings, RouteSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.engine import Engine
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings

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
