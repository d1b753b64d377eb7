"""One deadline bounds a call, whatever the sources do, and patience is the caller's own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from mds_engine.config.schema import EngineSettings
from mds_engine.errors import AllSourcesFailedError, Unavailable
from mds_engine.policy.retry import RetrySettings


def test_a_call_ends_by_its_deadline_though_every_source_hangs(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abcde", retry=RetrySettings()) as desk:
            for vendor in desk.vendors.values():
                vendor.hangs = True
            error = await desk.failure(deadline_s=2.5)
            asked = [len(vendor.asked) for vendor in desk.vendors.values()]
            return clock.now(), [step.source for step in error.decision.steps], asked, desk.permits

    took_s, sources, asked, permits = virtually(scene)
    assert asked == [1, 1, 1, 0, 0], "nobody is asked when the time is over"
    assert took_s == pytest.approx(2.5, abs=0.05)
    assert sources == list("abcde"), "those that were not asked any more are named too"
    assert permits == 0


def test_the_configured_deadlines_hold_for_quotes_and_for_bars(virtually, fake_desk):
    async def scene(clock):
        settings = EngineSettings(state_path=":memory:", deadline_s=3.0, bars_deadline_s=7.0)
        async with fake_desk(clock, "abcdefgh", engine=settings) as desk:
            for vendor in desk.vendors.values():
                vendor.hangs = True
            began = clock.now()
            await desk.failure()
            quote_s, began = clock.now() - began, clock.now()
            with pytest.raises(AllSourcesFailedError):
                await desk.engine.quotes(["X:ONE", "X:TWO"])
            quotes_s, began = clock.now() - began, clock.now()
            end = datetime(2026, 1, 2, tzinfo=UTC)
            with pytest.raises(AllSourcesFailedError):
                await desk.engine.fetch_bars("X:ONE", "1d", end - timedelta(days=1), end)
            return quote_s, quotes_s, clock.now() - began

    assert virtually(scene) == tuple(pytest.approx(limit, abs=0.05) for limit in (3.0, 3.0, 7.0))


def test_a_hanging_primary_costs_one_timeout_a_call_until_its_breaker_opens(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].hangs = True
            costs = []
            for _ in range(20):
                began = clock.now()
                assert (await desk.quote()).source == "b"
                costs.append(round(clock.now() - began, 2))
            return costs, len(desk["a"].asked)

    costs, asked = virtually(scene)
    assert costs[:5] == [1.01] * 5
    assert costs[5:] == [0.01] * 15
    assert asked == 5


def test_a_source_that_hangs_while_it_connects_costs_no_more_than_its_timeout(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock)
        desk["a"].connect_takes_s, desk["a"].hangs = 1e9, True
        async with desk:
            costs = []
            for _ in range(20):
                began = clock.now()
                assert (await desk.quote()).source == "b"
                costs.append(round(clock.now() - began, 2))
            return costs

    costs = virtually(scene)
    assert costs[0] == 1.01
    assert costs[1:] == [0.01] * 19


def test_a_call_made_before_the_source_is_connected_waits_for_it(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock)
        desk["a"].connect_takes_s = 0.4
        async with desk:
            return (await desk.quote()).source, clock.now()

    source, at = virtually(scene)
    assert (source, at) == ("a", pytest.approx(0.41, abs=0.02))


def test_an_adapter_that_cannot_connect_is_tried_all_the_same(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock)
        desk["a"].connect_fails = lambda: Unavailable("refused")
        desk["b"].connect_fails = lambda: KeyError("a bug")
        async with desk:
            first = (await desk.quote()).source
            second = (await desk.quote(source="b")).source
            broken = asyncio.ensure_future(desk.engine.wait_broken())
            await clock.sleep(1.0)
            fine = not broken.done()
            broken.cancel()
            return first, second, fine, desk.engine.sources["b"].last_error

    assert virtually(scene) == ("a", "b", True, "InvalidPayload: the adapter failed: KeyError: 'a bug'")


def test_a_hasty_caller_opens_no_breaker(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].takes_s = desk["b"].takes_s = 0.2
            for _ in range(50):
                error = await desk.failure(deadline_s=0.05)
            runtime = desk.engine.sources["a"]
            rate = runtime.health.success_rate(clock.now())
            return (
                desk.state("a"),
                rate,
                error.decision.steps[0].why,
                desk.permits,
                (await desk.quote()).source,
            )

    assert virtually(scene) == ("closed", 1.0, "the caller's deadline came first", 0, "a")


def test_a_caller_that_goes_away_counts_nowhere(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].hangs = True
            for number in range(30):
                call = asyncio.create_task(desk.quote(f"S{number % 3}", source="a"))
                await clock.sleep(0.1)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            runtime = desk.engine.sources["a"]
            return (
                desk.state("a"),
                desk.state("a", ""),
                runtime.health.success_rate(clock.now()),
                desk.permits,
                desk.engine.snapshot().source("a").failures,
            )

    assert virtually(scene) == ("closed", "closed", 1.0, 0, 0)


def test_a_probe_whose_caller_goes_away_leaves_room_for_the_next(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down()
            for _ in range(5):
                await desk.quote()
            await clock.sleep(61.0)
            desk["a"].recover()
            desk["a"].hangs = True
            probe = asyncio.create_task(desk.quote(source="a"))
            await clock.sleep(0.1)
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)
            desk["a"].recover()
            sources = [(await desk.quote(source="a")).source for _ in range(3)]
            return sources, desk.state("a"), desk.permits

    assert virtually(scene) == (["a"] * 3, "closed", 0)


def test_calls_in_flight_end_when_the_engine_stops_and_reach_nobody_any_more(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, retry=RetrySettings(attempts=3)) as desk:
            desk["a"].hangs = True
            calls = [asyncio.create_task(desk.failure(f"S{number}")) for number in range(5)]
            await clock.sleep(0.1)
        errors = await asyncio.gather(*calls)
        after = await desk.failure("LATER")
        return clock.now(), desk["b"].asked, desk.permits, [type(error) for error in (*errors, after)]

    at, asked, permits, errors = virtually(scene)
    assert at == pytest.approx(0.1, abs=0.05)
    assert (asked, permits) == ([], 0)
    assert errors == [AllSourcesFailedError] * 6
