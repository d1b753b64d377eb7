"""What can go wrong on a live stream, over Yahoo's own wire, and the log of what was due."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from websockets.asyncio.client import ClientConnection, connect

from tests.engine.simulator.rushing import PATIENCE_S, RushingClock, since

BTC = "BINANCE:BTCUSDT"


@pytest.fixture
async def yahoo() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["yahoo"], clock=RushingClock()) as running:
        yield running


@asynccontextmanager
async def streamer(simulator: Simulator, *symbols: str) -> AsyncIterator[ClientConnection]:
    async with asyncio.timeout(PATIENCE_S), connect(simulator.vendor("yahoo").ws) as socket:
        await socket.send(json.dumps({"subscribe": symbols}))
        yield socket


async def prices(socket: ClientConnection, count: int) -> list[tuple[str, float]]:
    """Symbol and price of each of the next messages."""
    found = []
    for _ in range(count):
        message = base64.b64decode(json.loads(await socket.recv())["message"])
        end = 2 + message[1]
        # Field 1 is the symbol, field 2 the price as a float32.
        assert (message[0], message[end]) == (0x0A, 0x15)
        found.append((message[2:end].decode(), struct.unpack_from("<f", message, end + 1)[0]))
    return found


async def test_a_mute_instrument_is_missed_alone_at_yahoo(yahoo: Simulator) -> None:
    await yahoo.inject("yahoo", Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument="NASDAQ:AAPL"))
    async with streamer(yahoo, "AAPL", "MSFT") as socket:
        assert {symbol for symbol, _ in await prices(socket, 10)} == {"MSFT"}
        await yahoo.clear("yahoo")
        assert {symbol for symbol, _ in await prices(socket, 1_000)} == {"AAPL", "MSFT"}


async def test_wrong_and_frozen_prices_reach_yahoos_streams(yahoo: Simulator) -> None:
    async with streamer(yahoo, "AAPL") as socket:
        assert len({price for _, price in await prices(socket, 60)}) > 3
        arrive = partial(prices, socket, 1)
        frozen = await since(yahoo, "yahoo", Fault(kind=FaultKind.FROZEN_PRICE), arrive)
        # Yahoo's last price is noisy by a step on either side.
        assert frozen == pytest.approx([frozen[0]] * len(frozen), abs=0.021)
        wrong = await since(yahoo, "yahoo", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0), arrive)
        assert wrong == pytest.approx([2 * frozen[0]] * len(wrong), abs=0.05)
        while (await arrive())[0][1] < 1.5 * frozen[0]:
            pass


async def test_the_log_of_yahoo_is_what_the_client_got(yahoo: Simulator) -> None:
    async with streamer(yahoo, "AAPL", "BTC-USD") as socket:
        got = await prices(socket, 20)
    names = {"AAPL": "NASDAQ:AAPL", "BTC-USD": BTC}
    pushes = yahoo.vendor("yahoo").pushes.entries(kind="pricing")
    assert [push.told.instrument for push in pushes][:20] == [names[symbol] for symbol, _ in got]
    assert [push.told.price for push in pushes][:20] == pytest.approx([price for _, price in got])
    assert all(push.at - 30 < push.told.time <= push.at for push in pushes)
    assert all(push.told.size and push.told.volume for push in pushes)
