"""Fixtures for live streams."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.supervised import PATIENT, Supervised, some


@pytest.fixture
def supervise(fake_desk):
    """`async with supervise(clock, limits=..., wanted="ABC") as one:` with stream settings as keywords."""

    @asynccontextmanager
    async def supervised(
        clock, wanted="AB", limits=None, exchange="X", open_exchanges=("X",), breaker=PATIENT, **settings
    ):
        traits = {"a": {"stream_limits": limits or StreamLimits()}}
        async with fake_desk(clock, "a", traits=traits, breaker=breaker) as desk:
            await clock.sleep(0.1)
            one = Supervised(clock, desk, [], StreamSettings(**settings), set(open_exchanges))
            one.supervisor.want(some(wanted, exchange))
            task = asyncio.create_task(one.supervisor.run())
            try:
                await clock.sleep(0.1)
                yield one
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert desk.permits == 0
            assert one.vendor.open_streams == []

    return supervised
