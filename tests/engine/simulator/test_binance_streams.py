"""Binance over WebSocket: payloads, control messages, limits, pings, the end, recordings."""

import asyncio
import gzip
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import httpx
import pytest
from mds_engine.simulator.binance import BinanceVendor
from mds_engine.simulator.binance.streams import StreamRules
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


class Clock(Protocol):
    at: float

    async def advance(self, seconds: float) -> None: ...


@pytest.fixture
async def simulator(virtual_clock: Any) -> AsyncIterator[Simulator]:
    async with Simulator(vendors=(partial(BinanceVendor, listed=8),), clock=virtual_clock) as running:
        yield running


@asynccontextmanager
async def stream(simulator: Simulator, path: str) -> AsyncIterator[ClientConnection]:
    url = simulator.vendor("binance").ws + path
    async with connect(url, ping_interval=None, max_queue=None) as connection:
        await simulator.vendor("binance").log.until(lambda _: simulator.vendor("binance").streams > 0)
        yield connection


async def receive(connection: ClientConnection, count: int) -> list[Any]:
    return [json.loads(await connection.recv()) for _ in range(count)]


async def ask(connection: ClientConnection, method: str, *params: object) -> Any:
    await connection.send(json.dumps({"method": method, "params": list(params), "id": 7}))
    return json.loads(await connection.recv())


async def test_trades_come_as_they_happen_in_the_current_shape(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with stream(simulator, "/ws/btcusdt@trade") as connection:
        await virtual_clock.advance(3)
        trades = await receive(connection, 16)
    first = trades[0]
    assert list(first) == ["e", "E", "s", "t", "p", "q", "T", "m", "M"]
    assert (first["e"], first["s"]) == ("trade", "BTCUSDT")
    assert [trade["t"] for trade in trades] == list(range(first["t"], first["t"] + 16))
    assert all(0 <= trade["E"] - trade["T"] <= 100 for trade in trades)

    url = simulator.vendor("binance").http + "/api/v3/aggTrades"
    async with httpx.AsyncClient() as client:
        rest = (await client.get(url, params={"symbol": "BTCUSDT", "fromId": first["t"], "limit": 16})).json()
    assert [(row["a"], row["p"], row["q"], row["T"], row["m"]) for row in rest] == [
        (trade["t"], trade["p"], trade["q"], trade["T"], trade["m"]) for trade in trades
    ]


async def test_combined_streams_are_wrapped(simulator: Simulator, virtual_clock: Clock) -> None:
    async with stream(simulator, "/stream?streams=btcusdt@aggTrade/ethusdt@bookTicker") as connection:
        await virtual_clock.advance(2)
        frames = await receive(connection, 12)
    data = {frame["stream"]: frame["data"] for frame in frames}
    assert set(data) == {"btcusdt@aggTrade", "ethusdt@bookTicker"}
    assert list(data["btcusdt@aggTrade"]) == ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"]
    book = data["ethusdt@bookTicker"]
    assert list(book) == ["u", "s", "b", "B", "a", "A"]
    assert float(book["b"]) < float(book["a"])


async def test_klines_run_every_two_seconds_and_close_once(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with stream(simulator, "/ws/btcusdt@kline_1m") as connection:
        await virtual_clock.advance(39)  # to 13:36:02
        events = await receive(connection, 20)
    bars = [event["k"] for event in events]
    closed = [bar for bar in bars if bar["x"]]
    assert len(closed) == 1
    assert bars[-1]["t"] == closed[0]["t"] + 60_000
    assert [event["E"] // 1000 % 2 for event in events] == [0] * 20
    url = simulator.vendor("binance").http + "/api/v3/klines"
    async with httpx.AsyncClient() as client:
        params = {"symbol": "BTCUSDT", "interval": "1m", "startTime": str(closed[0]["t"]), "limit": "1"}
        (row,) = (await client.get(url, params=params)).json()
    assert row == [closed[0][key] for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")]


async def test_depth_updates_follow_each_other_without_a_gap(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with stream(simulator, "/ws/btcusdt@depth@100ms") as connection:
        await virtual_clock.advance(2)
        updates = await receive(connection, 15)
    assert list(updates[0]) == ["e", "E", "s", "U", "u", "b", "a"]
    assert all(new["U"] == old["u"] + 1 for old, new in itertools.pairwise(updates))


async def test_the_slower_streams(simulator: Simulator, virtual_clock: Clock) -> None:
    names = "btcusdt@miniTicker/btcusdt@ticker/btcusdt@depth5/!miniTicker@arr/!ticker@arr"
    async with stream(simulator, f"/stream?streams={names}") as connection:
        await virtual_clock.advance(1.2)
        data = {frame["stream"]: frame["data"] for frame in await receive(connection, 4)}
    assert list(data["btcusdt@miniTicker"]) == ["e", "E", "s", "c", "o", "h", "l", "v", "q"]
    assert data["!miniTicker@arr"][0] == data["btcusdt@miniTicker"]
    assert len(data["!miniTicker@arr"]) == 8
    assert data["btcusdt@ticker"]["e"] == "24hrTicker"
    assert len(data["btcusdt@depth5"]["bids"]) == 5


async def test_the_ticker_has_the_documented_keys(
    simulator: Simulator, virtual_clock: Clock, recordings: Path
) -> None:
    documented = json.loads((recordings / "binance" / "docs_ws_ticker_24hr.json").read_text())
    async with stream(simulator, "/ws/btcusdt@ticker") as connection:
        await virtual_clock.advance(1.2)
        (ticker,) = await receive(connection, 1)
    assert list(ticker) == list(documented)


async def test_times_in_microseconds_on_request(simulator: Simulator, virtual_clock: Clock) -> None:
    async with stream(simulator, "/ws/btcusdt@trade?timeUnit=MICROSECOND") as connection:
        await virtual_clock.advance(1)
        (trade,) = await receive(connection, 1)
    assert len(str(trade["T"])) == len(str(trade["E"])) == 16


async def test_subscribe_unsubscribe_and_list(simulator: Simulator, virtual_clock: Clock) -> None:
    async with stream(simulator, "/ws") as connection:
        assert await ask(connection, "GET_PROPERTY", "combined") == {"result": False, "id": 7}
        names = ["ethusdt@trade", "nosuch@trade", "BTCUSDT@trade"]
        assert await ask(connection, "SUBSCRIBE", *names) == {"result": None, "id": 7}
        assert await ask(connection, "LIST_SUBSCRIPTIONS") == {"result": names, "id": 7}
        await virtual_clock.advance(2)
        # Unknown and capital names are accepted, and nothing ever comes on them.
        assert {trade["s"] for trade in await receive(connection, 12)} == {"ETHUSDT"}
    async with stream(simulator, "/stream") as connection:
        assert await ask(connection, "SET_PROPERTY", "combined", False) == {"result": None, "id": 7}
        assert await ask(connection, "GET_PROPERTY", "combined") == {"result": False, "id": 7}
        await ask(connection, "SUBSCRIBE", "btcusdt@trade")
        assert await ask(connection, "UNSUBSCRIBE", "btcusdt@trade") == {"result": None, "id": 7}
        assert await ask(connection, "LIST_SUBSCRIPTIONS") == {"result": [], "id": 7}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{broken", 3),
        ("[1]", 2),
        ('{"method":"DANCE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1.5}', 2),
        ('{"method":"GET_PROPERTY","params":["colour"],"id":1}', 0),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1),
    ],
)
async def test_bad_messages_get_the_documented_code(simulator: Simulator, message: str, code: int) -> None:
    async with stream(simulator, "/ws") as connection:
        await connection.send(message)
        assert json.loads(await connection.recv())["code"] == code


async def test_a_connection_takes_1024_streams(simulator: Simulator) -> None:
    names = [f"sim{number:04d}usdt@trade" for number in range(1_024)]
    async with stream(simulator, "/ws") as connection:
        assert (await ask(connection, "SUBSCRIBE", *names))["result"] is None
        assert (await ask(connection, "SUBSCRIBE", "btcusdt@trade"))["code"] == 2


async def test_the_sixth_message_of_a_second_cuts_the_connection(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with stream(simulator, "/ws") as connection:
        for _ in range(5):
            await ask(connection, "LIST_SUBSCRIPTIONS")
        await virtual_clock.advance(1.1)
        for _ in range(4):
            await ask(connection, "LIST_SUBSCRIPTIONS")
        await (await connection.ping())
        with pytest.raises(ConnectionClosed):
            await ask(connection, "LIST_SUBSCRIPTIONS")


@asynccontextmanager
async def bare_stream(simulator: Simulator) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client that leaves pings to the test."""
    vendor = simulator.vendor("binance")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(vendor.ws + "/ws", autoping=False) as socket,
    ):
        await vendor.log.until(lambda _: vendor.streams > 0)
        yield socket


async def test_pings_come_every_20_seconds_and_a_pong_with_their_payload_keeps_the_line(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with bare_stream(simulator) as socket:
        await virtual_clock.advance(1)
        for _ in range(6):
            await virtual_clock.advance(20)
            ping = await socket.receive()
            assert ping.type is aiohttp.WSMsgType.PING
            assert len(ping.data) > 0
            await socket.pong(ping.data)
            # An answer that comes back proves that the pong before it was read.
            await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
        assert simulator.vendor("binance").streams == 1


async def test_a_client_that_does_not_answer_pings_is_cut_after_a_minute(
    simulator: Simulator, virtual_clock: Clock
) -> None:
    async with bare_stream(simulator) as socket:
        await virtual_clock.advance(1)
        await socket.pong(b"unsolicited")
        for _ in range(4):
            await virtual_clock.advance(20)
        kinds = [(await socket.receive()).type for _ in range(4)]
    assert kinds[:3] == [aiohttp.WSMsgType.PING] * 3
    assert kinds[3] in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)


async def test_a_connection_is_announced_its_end_and_ended(virtual_clock: Clock) -> None:
    rules = StreamRules(longest_connection_s=30, shutdown_notice_s=10, ping_every_s=1_000)
    vendor = partial(BinanceVendor, rules=rules)
    async with (
        Simulator(vendors=(vendor,), clock=virtual_clock) as simulator,
        stream(simulator, "/stream") as connection,
    ):
        await virtual_clock.advance(21)
        event = json.loads(await connection.recv())
        assert event["stream"] == "!serverShutdown"
        assert list(event["data"]) == ["e", "E"]
        assert event["data"]["e"] == "serverShutdown"
        await virtual_clock.advance(10)
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_a_wrong_price_reaches_live_streams(simulator: Simulator, virtual_clock: Clock) -> None:
    async with stream(simulator, "/ws/btcusdt@trade") as connection:
        await virtual_clock.advance(1)
        (right,) = await receive(connection, 1)
        await simulator.inject("binance", Fault(kind=FaultKind.WRONG_PRICE, factor=2.0))
        await virtual_clock.advance(1)
        wrong = right
        while float(wrong["p"]) < float(right["p"]) * 1.9:
            (wrong,) = await receive(connection, 1)
    assert float(wrong["p"]) == pytest.approx(2 * float(right["p"]), rel=0.01)


async def test_recorded_frames_are_played_as_they_are(recordings: Path) -> None:
    log = recordings / "binance" / "ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz"
    names = ("nknusdt@bookTicker", "lrcbtc@depth@100ms")
    frames = [
        line.partition(": ")[2].rstrip("\n")
        for line in gzip.decompress(log.read_bytes()).decode().splitlines()
        if any(f'"stream":"{name}"' in line for name in names)
    ]
    async with Simulator(vendors=("binance",), recorded=recordings) as simulator:
        async with stream(simulator, "/stream?streams=" + "/".join(names)) as connection:
            played = [await connection.recv() for _ in frames]
        assert played == frames
        async with stream(simulator, "/ws/nknusdt@bookTicker") as connection:
            first = str(await connection.recv())
    wrapped = next(frame for frame in frames if "bookTicker" in frame)
    assert f'{{"stream":"nknusdt@bookTicker","data":{first}}}' == wrapped


async def test_recorded_frames_of_two_logs_are_merged_by_their_time(recordings: Path) -> None:
    async with (
        Simulator(vendors=("binance",), recorded=recordings) as simulator,
        stream(simulator, "/stream?streams=btcusdt@trade/ethusdt@trade") as connection,
    ):
        frames = await receive(connection, 200)
    assert {frame["stream"] for frame in frames} == {"btcusdt@trade", "ethusdt@trade"}
    ids = [frame["data"]["t"] for frame in frames if frame["data"]["s"] == "BTCUSDT"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_many_subscriptions_at_once_are_served(simulator: Simulator, virtual_clock: Clock) -> None:
    names = "/".join(f"sim{number:04d}usdt@trade" for number in range(200))
    async with stream(simulator, f"/stream?streams={names}") as connection:
        await virtual_clock.advance(2)
        async with asyncio.timeout(20):
            frames = await receive(connection, 200)
    assert len({frame["stream"] for frame in frames}) > 100
