"""The simulated exchange, and a source at it."""

from collections.abc import AsyncIterator

import pytest
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import Source

from tests.engine.sources.binance.opened import source_at


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["binance"]) as running:
        yield running


@pytest.fixture
async def source(simulator: Simulator, context) -> AsyncIterator[Source]:
    port = simulator.vendor("binance")
    endpoints = tuple(one.http for one in port.endpoints)
    streams = tuple(stream_base(one.ws) for one in port.endpoints)
    async with source_at(context, endpoints, streams) as made:
        yield made


def stream_base(url: str) -> str:
    """The simulator names the path too; ours is a base URL."""
    return "/".join(url.split("/")[:3])
