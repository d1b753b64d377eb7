"""A source whose ticks flow must prove the rest of what it can do too, or its calls never come back to it."""

import asyncio

from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control.commands import FailOver
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings


def test_quotes_come_back_to_a_source_that_is_heard_of_by_its_ticks_alone(virtually, fake_desk) -> None:
    async def scene(clock):
        settings = {
            "health": HealthSettings(interval_s=30.0),
            "failback": FailbackSettings(after_s=30.0),
            "streams": StreamSettings(regular_hours=False),
        }
        async with fake_desk(clock, **settings) as desk, desk.engine.ticks(["X:ONE"]):

            async def flow() -> None:
                while True:
                    await clock.sleep(1.0)
                    desk["a"].stream.push(100.0 + clock.now() % 5)

            flowing = asyncio.create_task(flow())
            await desk.quote()
            await desk.engine.apply(FailOver(route="X/quote"))
            moved = desk.active()
            await clock.sleep(300.0)
            checks = desk["a"].checks
            await clock.sleep(300.0)
            flowing.cancel()
            return moved, desk.active(), desk["a"].checks - checks

    assert virtually(scene) == ("b", "a", 0)
