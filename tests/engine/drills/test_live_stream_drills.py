"""Drills of live ticks on a running engine: on our side of a connection, which stays the vendor's."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.commands import EndDrill, StartDrill
from mds_engine.control.drill import DrillCard
from mds_engine.drills.live import LiveDrills
from mds_engine.model import Tick, TickFlag
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.quality_settings import QualitySettings
from mds_engine.policy.reconnect import ReconnectSettings

FAULT_S = 20.0


@pytest.fixture
def desk_of(fake_desk):
    """Makes a desk that may be rehearsed on, whose second source stands by with its ticks."""

    def make(clock, names: str = "ab", *, standby: bool = True, **more: Any):
        settings = {
            "health": HealthSettings(interval_s=5.0, doubt_interval_s=1.0),
            "failback": FailbackSettings(after_s=5.0),
            "reconnect": ReconnectSettings(first_s=0.5, cap_s=2.0),
            "streams": StreamSettings(mute_after_s=3.0, open_timeout_s=2.0, regular_hours=False),
            "quality": QualitySettings(learn_after=5),
            **more,
        }
        return fake_desk(clock, names, rehearsals=LiveDrills, exchange={"standby": standby}, **settings)

    return make


class Reading:
    """Reads the ticks of `X:ONE` while every source pushes four a second."""

    def __init__(
        self, desk, price: Callable[[str, float], float] = lambda _name, now: 100.0 + now % 7
    ) -> None:
        self.desk = desk
        self.items: list[tuple[float, Any]] = []
        self._price = price

    async def __aenter__(self) -> Self:
        reader = self.desk.engine.ticks(["X:ONE"])
        self._tasks = [asyncio.create_task(self._read(reader)), asyncio.create_task(self._push())]
        await self.desk.clock.sleep(8.1)  # between two ticks
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, reader) -> None:
        async with reader as ticks:
            async for item in ticks:
                self.items.append((self.desk.clock.now(), item))

    async def _push(self) -> None:
        while True:
            await self.desk.clock.sleep(0.25)
            now = self.desk.clock.now()
            for name, vendor in self.desk.vendors.items():
                for stream in vendor.open_streams:
                    # Trades of the same second are the same trade at every vendor.
                    stream.deliver(
                        [
                            Tick(
                                instrument=instrument,
                                kind="trade",
                                price=self._price(name, now),
                                time_ns=int((1_750_000_000 + now) * 1e9),
                                source=name,
                            )
                            for instrument in sorted(stream.subscribed)
                        ]
                    )

    def ticks(self, since: float, until: float) -> list[Tick]:
        return [item for at, item in self.items if isinstance(item, Tick) and since <= at < until]


async def _over(desk) -> DrillCard:
    while desk.engine.snapshot().drill is not None:
        await desk.clock.sleep(0.5)
    return desk.told(events.DrillEnded)[-1].card


def _start(scenario: str, **more: Any) -> StartDrill:
    return StartDrill(scenario=scenario, target="a", duration_s=FAULT_S, by="asha", **more)


def _line(card: DrillCard, name: str) -> Any:
    return next(check for check in card.checks if check.name == name)


@pytest.mark.parametrize("scenario", ["stream-cut", "stream-mute", "refused", "hangs", "login-ended"])
def test_the_standby_takes_over_and_the_source_comes_back(virtually, desk_of, scenario: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk, Reading(desk) as reading:
            attempts, began = len(desk["a"].stream_attempts), clock.now()
            result = await desk.engine.apply(_start(scenario))
            await clock.sleep(FAULT_S - 0.1)
            opened = len(desk["a"].stream_attempts) - attempts
            card = await _over(desk)
            await clock.sleep(2.0)
            during = {tick.source for tick in reading.ticks(began + 8.0, began + FAULT_S)}
            now = clock.now()
            after = {tick.source for tick in reading.ticks(now - 1.0, now)}
            return result, opened, during, after, card

    result, opened, during, after, card = virtually(scene)
    assert result.accepted, result.message
    assert opened == 0  # nothing was sent to the vendor
    assert during == {"b"}
    assert after == {"a"}
    assert [check for check in card.checks if not check.ok] == []
    assert card.verdict == "pass"
    assert card.figures.ticks > 80
    assert card.figures.silence_s < 4.0


def test_a_mute_stream_is_the_vendors_own_and_stays_open(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk, Reading(desk) as reading:
            stream, began = desk["a"].stream, clock.now()
            await desk.engine.apply(_start("stream-mute"))
            await clock.sleep(1.0)
            silent = reading.ticks(began, began + 1.0)
            await desk.engine.apply(EndDrill())
            lifted = clock.now()
            await clock.sleep(1.0)
            hooks = [one.bend for one in desk.engine._hub.supervisors["a"].open_connections]
            after = {tick.source for tick in reading.ticks(lifted, clock.now())}
            return silent, desk["a"].stream is stream, hooks, after

    silent, same, hooks, after = virtually(scene)
    assert silent == []
    assert same
    assert hooks == [None]
    assert after == {"a"}


def _moving(_name: str, now: float) -> float:
    return 100.0 + now * 4 % 20 * 0.01


def test_wrong_prices_bear_a_flag_and_end_with_the_fault(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk, Reading(desk, _moving) as reading:
            await clock.sleep(40.0)  # until it is known by how much the sources differ
            stream, began = desk["a"].stream, clock.now()
            await desk.engine.apply(_start("wrong-price"))
            card = await _over(desk)
            await clock.sleep(15.0)
            bent = reading.ticks(began, began + FAULT_S)
            now = clock.now()
            return bent, reading.ticks(now - 1.0, now), desk["a"].stream is stream, card

    bent, after, same, card = virtually(scene)
    assert min(tick.price for tick in bent) >= 101.0
    assert all(tick.flags & TickFlag.SUSPECT for tick in bent)
    assert max(tick.price for tick in after) < 100.3
    assert {tick.flags for tick in after} == {0}
    assert same
    assert card.figures.bent == len(bent)
    assert _line(card, "noticed after").value < 10.0
    assert card.verdict == "pass"


def test_frozen_prices_stand_still_for_ticks_that_go_on(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk, Reading(desk) as reading:
            began = clock.now()
            await desk.engine.apply(_start("frozen-price"))
            await clock.sleep(10.0)
            frozen = reading.ticks(began, began + 10.0)
            await desk.engine.apply(EndDrill())
            lifted = clock.now()
            await clock.sleep(3.0)
            return frozen, reading.ticks(lifted, clock.now())

    frozen, after = virtually(scene)
    assert len(frozen) > 30
    assert len({tick.price for tick in frozen}) == 1
    assert len({tick.price for tick in after}) > 5
    assert sum(not tick.flags & TickFlag.SUSPECT for tick in frozen) <= 2  # before the price moved


def test_without_another_source_wrong_prices_must_be_accepted(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock, "a") as desk, Reading(desk):
            return await desk.engine.apply(_start("wrong-price"))

    result = virtually(scene)
    assert not result.accepted
    assert "X/ticks would be lost" in result.message


def test_a_source_that_is_polled_has_no_stream_to_cut(virtually, desk_of) -> None:
    async def scene(clock):
        desk = desk_of(clock, traits={"a": {"polls": True, "capabilities": ("quote",)}})
        async with desk:
            return await desk.engine.apply(_start("stream-cut"))

    result = virtually(scene)
    assert not result.accepted
    assert "serves nothing that 'stream-cut' could hit" in result.message


def test_a_stream_that_opens_during_the_drill_is_hit_too_and_flows_after_it(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock, standby=False) as desk:
            await desk.engine.apply(_start("stream-mute"))
            async with Reading(desk) as reading:
                opened = len(desk["a"].stream_attempts)
                during = {tick.source for _, tick in reading.items if isinstance(tick, Tick)}
                await _over(desk)
                await clock.sleep(15.0)
                now = clock.now()
                return opened, during, {tick.source for tick in reading.ticks(now - 1.0, now)}

    opened, during, after = virtually(scene)
    assert opened == 0
    assert "a" not in during
    assert after == {"a"}


def test_prices_of_a_stream_that_opens_during_the_drill_are_bent_and_then_true(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(_start("wrong-price"))
            async with Reading(desk, lambda _name, _now: 100.0) as reading:
                during = {round(tick.price, 6) for _, tick in reading.items if isinstance(tick, Tick)}
                await _over(desk)
                lifted = clock.now()
                await clock.sleep(3.0)
                return during, {tick.price for tick in reading.ticks(lifted, clock.now())}

    assert virtually(scene) == ({101.0}, {100.0})
