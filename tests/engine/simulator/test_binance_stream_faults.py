"""What can go wrong on a live stream, over Binance's own wire, and the log of what was due."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from mds_engine.simulator.truth import expected_trades
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"
PATIENCE_S = 60
"""A test that waits for what never comes fails instead of hanging."""


class Clock(Protocol):
    at: float

    async def advance(self, seconds: float) -> None: ...


@pytest.fixture
async def binance(virtual_clock: Any) -> AsyncIterator[Simulator]:
    async with Simulator(vendors=("binance",), clock=virtual_clock) as running:
        yield running


@asynccontextmanager
async def trades_of(simulator: Simulator, *symbols: str) -> AsyncIterator[ClientConnection]:
    """A stream of the trades of these symbols, open at the simulator, too."""
    vendor = simulator.vendor("binance")
    before = vendor.streams
    names = "/".join(f"{symbol.lower()}@trade" for symbol in symbols)
    async with connect(f"{vendor.ws}/stream?streams={names}", ping_interval=None, max_queue=None) as socket:
        await vendor.log.until(lambda _: vendor.streams > before)
        yield socket


async def told(socket: ClientConnection, count: int) -> list[Any]:
    async with asyncio.timeout(PATIENCE_S):
        return [json.loads(await socket.recv())["data"] for _ in range(count)]


async def ids(socket: ClientConnection, count: int) -> list[int]:
    return [trade["t"] for trade in await told(socket, count)]


async def test_dropped_frames_leave_a_gap_that_rest_fills_and_the_log_names(
    binance: Simulator, virtual_clock: Clock
) -> None:
    vendor = binance.vendor("binance")
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.DROPPED_FRAMES, first=3))
        await virtual_clock.advance(2)
        first, *rest = await ids(socket, 8)
    due = vendor.pushes.entries(instrument=BTC, kind="trade")
    lost = [push.told.number for push in due if not push.sent]
    assert lost == list(range(first - 3, first))
    assert rest == list(range(first + 1, first + 8))
    assert vendor.pushes.withheld == 3
    async with httpx.AsyncClient(base_url=vendor.http) as client:
        params = {"symbol": "BTCUSDT", "fromId": first - 3, "limit": 3}
        rows = (await client.get("/api/v3/historicalTrades", params=params)).json()
    assert [row["id"] for row in rows] == lost


async def test_the_same_seed_drops_the_same_frames(virtual_clock: Any) -> None:
    start = virtual_clock.at

    async def survivors(seed: int) -> list[int]:
        virtual_clock.at = start
        async with Simulator(vendors=("binance",), clock=virtual_clock, seed=seed) as simulator:
            async with trades_of(simulator, "BTCUSDT"):
                await simulator.inject("binance", Fault(kind=FaultKind.DROPPED_FRAMES, probability=0.5))
                await virtual_clock.advance(5)
            pushes = simulator.vendor("binance").pushes.entries(kind="trade")
        return [place for place, push in enumerate(pushes) if push.sent]

    once = await survivors(1)
    assert 5 < len(once) < 35
    assert await survivors(1) == once
    assert await survivors(2) != once


async def test_duplicate_frames_come_twice_at_once_or_later(binance: Simulator, virtual_clock: Clock) -> None:
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.DUPLICATE_FRAMES))
        await virtual_clock.advance(1)
        seen = await ids(socket, 8)
        assert seen == [seen[0] + place // 2 for place in range(8)]
        await binance.clear("binance")
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.DUPLICATE_FRAMES, first=1, delay_s=1.0))
        await virtual_clock.advance(3)
        seen = await ids(socket, 16)
    again = seen.index(seen[0], 1)
    # Eight trades a second.
    assert 5 <= again <= 11
    del seen[again]
    assert seen == list(range(seen[0], seen[0] + 15))


async def test_reordered_frames_change_places_or_come_late(binance: Simulator, virtual_clock: Clock) -> None:
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.REORDERED_FRAMES))
        await virtual_clock.advance(2)
        seen = await ids(socket, 8)
        first = min(seen)
        assert [number - first for number in seen] == [1, 0, 3, 2, 5, 4, 7, 6]
        await binance.clear("binance")
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.REORDERED_FRAMES, first=1, delay_s=1.0))
        await virtual_clock.advance(3)
        seen = await ids(socket, 16)
    late = seen.index(min(seen))
    assert 5 <= late <= 11
    assert sorted(seen) == list(range(min(seen), min(seen) + 16))
    assert all(push.sent for push in binance.vendor("binance").pushes.entries())


async def test_a_frame_that_waits_for_the_following_one_comes_before_the_next_word(
    binance: Simulator, virtual_clock: Clock
) -> None:
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.REORDERED_FRAMES, first=1))
        pushes = binance.vendor("binance").pushes
        while not pushes.total:
            await virtual_clock.advance(0.01)
        await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        async with asyncio.timeout(PATIENCE_S):
            trade, answer = json.loads(await socket.recv()), json.loads(await socket.recv())
    assert trade["data"]["t"] == pushes.entries()[0].told.number
    assert answer["id"] == 1


async def test_a_mute_instrument_is_missed_alone(binance: Simulator, virtual_clock: Clock) -> None:
    async with trades_of(binance, "BTCUSDT", "ETHUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument=BTC))
        await virtual_clock.advance(2)
        assert {trade["s"] for trade in await told(socket, 12)} == {"ETHUSDT"}
        await binance.clear("binance")
        await virtual_clock.advance(2)
        seen = [trade["s"] for trade in await told(socket, 20)]
        assert set(seen) == {"BTCUSDT", "ETHUSDT"}
    log = binance.vendor("binance").pushes
    assert {push.told.instrument for push in log.entries() if not push.sent} == {BTC}


async def test_two_instruments_can_be_mute_at_once(binance: Simulator, virtual_clock: Clock) -> None:
    async with trades_of(binance, "BTCUSDT", "ETHUSDT", "BNBUSDT") as socket:
        for name in (BTC, ETH):
            await binance.inject("binance", Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument=name))
        await virtual_clock.advance(3)
        assert {trade["s"] for trade in await told(socket, 8)} == {"BNBUSDT"}


def test_who_is_mute_must_be_said() -> None:
    with pytest.raises(ValueError, match="needs an instrument"):
        Fault(kind=FaultKind.MUTE_INSTRUMENT)


async def test_the_control_api_wants_to_know_who_is_mute(binance: Simulator) -> None:
    async with httpx.AsyncClient(base_url=binance.control_url) as client:
        order = {"vendor": "binance", "kind": "mute-instrument"}
        refused = await client.post("/faults", json=order)
        taken = await client.post("/faults", json={**order, "instrument": BTC})
    assert (refused.status_code, taken.status_code) == (400, 201)
    assert "needs an instrument" in refused.json()["error"]


async def test_a_shutdown_is_announced_and_then_comes_and_new_streams_live(
    binance: Simulator, virtual_clock: Clock
) -> None:
    async with trades_of(binance, "BTCUSDT") as old:
        await binance.inject("binance", Fault(kind=FaultKind.STREAM_SHUTDOWN, delay_s=5.0))
        await virtual_clock.advance(0.001)
        event = json.loads(await old.recv())
        assert (event["stream"], event["data"]["e"]) == ("!serverShutdown", "serverShutdown")
        async with trades_of(binance, "BTCUSDT") as new:
            await virtual_clock.advance(4.9)
            # The old one carries until its end.
            assert len(await ids(old, 32)) == 32
            await virtual_clock.advance(0.2)
            with pytest.raises(ConnectionClosed) as closed:
                await told(old, 100)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            await virtual_clock.advance(5)
            assert len(await ids(new, 64)) == 64


async def test_a_shutdown_that_is_cleared_in_time_does_not_come(
    binance: Simulator, virtual_clock: Clock
) -> None:
    async with trades_of(binance, "BTCUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.STREAM_SHUTDOWN, delay_s=1.0))
        await virtual_clock.advance(0.5)
        await binance.clear("binance")
        await virtual_clock.advance(3)
        assert len(await told(socket, 20)) == 20


async def test_trades_that_nobody_has_any_more(binance: Simulator) -> None:
    await binance.inject("binance", Fault(kind=FaultKind.NO_TRADES))
    async with httpx.AsyncClient(base_url=binance.vendor("binance").http + "/api/v3/") as client:
        for path in ("aggTrades", "historicalTrades"):
            answer = await client.get(path, params={"symbol": "BTCUSDT", "fromId": 5, "limit": 10})
            assert (answer.status_code, answer.json()) == (200, [])
        assert len((await client.get("klines", params={"symbol": "BTCUSDT", "interval": "1m"})).json()) == 500
        assert (await client.get("aggTrades", params={"symbol": "NOSUCH"})).status_code == 400


async def test_a_frozen_price_stands_still_on_binances_streams(
    binance: Simulator, virtual_clock: Clock
) -> None:
    async with trades_of(binance, "BTCUSDT") as socket:
        await virtual_clock.advance(10)
        assert len({trade["p"] for trade in await told(socket, 60)}) > 1
        await binance.inject("binance", Fault(kind=FaultKind.FROZEN_PRICE))
        await virtual_clock.advance(10)
        trades = (await told(socket, 80))[30:]
    assert len({trade["p"] for trade in trades}) == 1
    assert len({trade["T"] for trade in trades}) == 50


async def test_prices_of_requests_can_be_wrong_where_those_of_streams_are_right(
    binance: Simulator, virtual_clock: Clock
) -> None:
    vendor = binance.vendor("binance")
    await binance.inject("binance", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0, scope="http"))
    async with trades_of(binance, "BTCUSDT") as socket:
        await virtual_clock.advance(2)
        trade = (await told(socket, 1))[0]
    async with httpx.AsyncClient(base_url=vendor.http) as client:
        params = {"symbol": "BTCUSDT", "fromId": trade["t"], "limit": 1}
        (asked,) = (await client.get("/api/v3/historicalTrades", params=params)).json()
    assert asked["id"] == trade["t"]
    assert float(asked["price"]) == pytest.approx(2 * float(trade["p"]), abs=0.02)


async def test_the_log_of_binance_is_what_the_client_got_and_the_markets_truth(
    binance: Simulator, virtual_clock: Clock
) -> None:
    start = virtual_clock.at
    async with trades_of(binance, "BTCUSDT", "ETHUSDT") as socket:
        await binance.inject("binance", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0))
        await virtual_clock.advance(4)
        end = virtual_clock.at
        pushes = binance.vendor("binance").pushes
        got = await told(socket, pushes.total)
    for instrument in (BTC, ETH):
        due = [push.told for push in pushes.entries(instrument=instrument, start=start, end=end)]
        truth = expected_trades(binance.market, instrument, start, end - 0.1)
        mine = [trade for trade in got if instrument.endswith(trade["s"])]
        assert [(one.number, one.price, one.size) for one in due] == [
            (trade["t"], float(trade["p"]), float(trade["q"])) for trade in mine
        ]
        # The log says what was told, wrong as it was; the truth is the truth.
        known = {one.number: one for one in due}
        assert set(known) >= {trade.id for trade in truth}
        for trade in truth:
            assert round(known[trade.id].time * 1e9) == pytest.approx(trade.time_ns, abs=1000)
            assert known[trade.id].price == pytest.approx(2 * trade.price, rel=1e-4)
            assert known[trade.id].size == trade.size
    assert {push.stream for push in pushes.entries()} == {1}


async def test_a_market_in_a_hurry_still_tells_every_trade(virtual_clock: Any) -> None:
    async with (
        Simulator(vendors=("binance",), clock=virtual_clock, trades_per_s=1_000.0) as simulator,
        trades_of(simulator, "BTCUSDT") as socket,
    ):
        start = virtual_clock.at
        await virtual_clock.advance(2)
        trades = await told(socket, 1_900)
        truth = expected_trades(simulator.market, BTC, start, start + 1.9)
    known = {trade["t"]: trade for trade in trades}
    assert list(known) == list(range(trades[0]["t"], trades[0]["t"] + 1_900))
    assert len(truth) == pytest.approx(1_900, abs=2)
    for trade in truth[:1_890]:
        assert (known[trade.id]["T"] * 1_000_000, float(known[trade.id]["p"])) == (trade.time_ns, trade.price)
