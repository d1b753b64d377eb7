"""What can go wrong on a live stream, over Kite's own wire, and the log of what was due."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.simulator.truth import expected_trades
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.engine.simulator.rushing import PATIENCE_S, RushingClock, since

INFY, TCS = 408065, 2953217


@pytest.fixture
async def kite() -> AsyncIterator[Simulator]:
    async with Simulator(vendors=["kite"], clock=RushingClock()) as running:
        yield running


@asynccontextmanager
async def ticker(simulator: Simulator, *tokens: int) -> AsyncIterator[ClientConnection]:
    url = f"{simulator.vendor('kite').ws}?api_key=simulated&access_token=simulated"
    async with asyncio.timeout(PATIENCE_S), connect(url) as socket:
        await socket.recv(), await socket.recv()
        await socket.send(json.dumps({"a": "subscribe", "v": list(tokens)}))
        yield socket


async def packets(socket: ClientConnection, frames: int) -> list[tuple[int, float]]:
    """Token and last price of each packet of the next frames with data."""
    found: list[tuple[int, float]] = []
    while frames:
        message = await socket.recv()
        if isinstance(message, bytes) and len(message) > 1:
            frames, place = frames - 1, 2
            while place < len(message):
                length, token, paise = struct.unpack_from(">HII", message, place)
                found.append((token, paise / 100))
                place += 2 + length
    return found


async def test_a_mute_instrument_leaves_the_frames_of_kite(kite: Simulator) -> None:
    await kite.inject("kite", Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument="NSE:INFY"))
    async with ticker(kite, INFY, TCS) as socket:
        assert {token for token, _ in await packets(socket, 10)} == {TCS}
        log = kite.vendor("kite").pushes.entries()
        assert {push.told.instrument for push in log if not push.sent} == {"NSE:INFY"}
        assert {push.told.instrument for push in log if push.sent} == {"NSE:TCS"}
        await kite.clear("kite")
        while {token for token, _ in await packets(socket, 1)} != {INFY, TCS}:
            pass


async def test_kite_goes_on_with_heartbeats_where_all_that_it_had_is_kept_back(kite: Simulator) -> None:
    for fault in (
        Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument="NSE:INFY"),
        Fault(kind=FaultKind.DROPPED_FRAMES),
    ):
        await kite.inject("kite", fault)
        async with ticker(kite, INFY) as socket:
            assert [await socket.recv() for _ in range(3)] == [b"\x00"] * 3
        await kite.clear("kite")


async def test_wrong_and_frozen_prices_reach_kites_streams(kite: Simulator) -> None:
    async with ticker(kite, INFY) as socket:
        assert len({price for _, price in await packets(socket, 60)}) > 1
        arrive = partial(packets, socket, 1)
        (frozen,) = set(await since(kite, "kite", Fault(kind=FaultKind.FROZEN_PRICE), arrive))
        wrong = await since(kite, "kite", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0), arrive)
        assert wrong == pytest.approx([2 * frozen] * len(wrong), abs=0.06)
        while (await arrive())[0][1] != wrong[-1]:
            pass


async def test_the_log_of_kite_is_what_the_client_got(kite: Simulator) -> None:
    async with ticker(kite, INFY, TCS) as socket:
        got = await packets(socket, 20)
    names = {"NSE:INFY": INFY, "NSE:TCS": TCS}
    pushes = kite.vendor("kite").pushes.entries(kind="quote")
    assert [(names[push.told.instrument], push.told.price) for push in pushes][: len(got)] == got
    for push in pushes[:20]:
        trades = expected_trades(kite.market, push.told.instrument, push.at - 5, push.at)
        assert (push.told.price, push.told.size) in {(trade.price, trade.size) for trade in trades}
        assert push.told.volume > 0


async def test_a_shutdown_of_kite_is_not_announced(kite: Simulator) -> None:
    async with ticker(kite, INFY) as socket:
        await packets(socket, 1)
        await kite.inject("kite", Fault(kind=FaultKind.STREAM_SHUTDOWN))
        with pytest.raises(ConnectionClosed) as closed:
            await packets(socket, 1_000_000)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
