"""The simulated broker, and a source at it."""

from collections.abc import AsyncIterator

import pytest
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import Source

from tests.engine.sources.kite.opened import settings_for, source_of


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"]) as running:
        yield running


@pytest.fixture
def settings(simulator: Simulator):
    port = simulator.vendor("kite")
    return settings_for(port.http, "/".join(port.ws.split("/")[:3]))


@pytest.fixture
async def source(context, settings) -> AsyncIterator[Source]:
    async with source_of(context, settings) as made:
        yield made
