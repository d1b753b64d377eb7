"""The official SDKs as clients, unmodified but for the base URL, each script in the SDKs' own environment."""

import asyncio
import json
import subprocess
from collections.abc import Callable

import pytest
from mds_engine.simulator.faults import Fault, FaultKind
from mds_engine.simulator.server import Simulator

Run = Callable[..., subprocess.CompletedProcess[str]]

PYTHON_BINANCE = """
import asyncio, json, sys
from binance import AsyncClient, BinanceSocketManager
from binance.exceptions import BinanceAPIException

http, ws = sys.argv[1:]
AsyncClient.API_URL = http + "/api"
BinanceSocketManager.STREAM_URL = ws + "/"

async def main():
    client = AsyncClient()
    try:
        klines = await client.get_klines(symbol="BTCUSDT", interval="1m", limit=5)
        ticker = await client.get_ticker(symbol="ETHUSDT")
        price = await client.get_symbol_ticker(symbol="BTCUSDT")
        book = await client.get_orderbook_ticker(symbol="BTCUSDT")
        depth = await client.get_order_book(symbol="BTCUSDT", limit=5)
        trades = await client.get_aggregate_trades(symbol="BTCUSDT", limit=3)
        info = await client.get_symbol_info("BTCUSDT")
        history = [row async for row in await client.get_historical_klines_generator(
            "BTCUSDT", "1d", "1 Jan, 2021", "1 Jan, 2024")]
        try:
            await client.get_klines(symbol="NOSUCH", interval="1m")
            error = None
        except BinanceAPIException as refused:
            error = [refused.status_code, refused.code, refused.message]
        manager = BinanceSocketManager(client)
        async with manager.trade_socket("BTCUSDT") as socket:
            live = await socket.recv()
        async with manager.multiplex_socket(["btcusdt@trade", "ethusdt@trade"]) as socket:
            several = await socket.recv()
        print(json.dumps(dict(klines=klines, ticker=ticker, price=price, book=book, depth=depth,
            trades=trades, info=info, history=len(history), error=error, live=live, several=several)))
    finally:
        await client.close_connection()

asyncio.run(main())
"""

SDK_SPOT_REST = """
import json, sys
from binance_sdk_spot.spot import Spot, ConfigurationRestAPI

client = Spot(config_rest_api=ConfigurationRestAPI(api_key="", api_secret="", base_path=sys.argv[1]))
klines = client.rest_api.klines(symbol="BTCUSDT", interval="1m", limit=3)
price = client.rest_api.ticker_price(symbol="ETHUSDT")
day = client.rest_api.ticker24hr(symbols=["BTCUSDT", "ETHUSDT"])
try:
    client.rest_api.klines(symbol="NOSUCH", interval="1m")
    error = None
except Exception as refused:
    error = [type(refused).__name__, str(refused)]
print(json.dumps(dict(
    klines=klines.data(),
    limits=[[str(limit.rateLimitType), limit.count] for limit in klines.rate_limits],
    price=price.data().actual_instance.price,
    day=len(day.data().actual_instance),
    error=error)))
"""

TRADES_BY_NUMBER = """
import asyncio, json, sys
from binance import AsyncClient
from binance_sdk_spot.spot import Spot, ConfigurationRestAPI

http, first = sys.argv[1], int(sys.argv[2])
AsyncClient.API_URL = http + "/api"

async def main():
    client = AsyncClient()
    try:
        aggregates = await client.get_aggregate_trades(symbol="BTCUSDT", fromId=first, limit=5)
        trades = await client.get_historical_trades(symbol="BTCUSDT", fromId=first, limit=5)
    finally:
        await client.close_connection()
    spot = Spot(config_rest_api=ConfigurationRestAPI(api_key="", api_secret="", base_path=http))
    others = spot.rest_api.agg_trades(symbol="BTCUSDT", from_id=first, limit=5)
    olds = spot.rest_api.historical_trades(symbol="BTCUSDT", from_id=first, limit=5)
    print(json.dumps([
        [[row["a"], row["p"], row["q"], row["T"], row["m"]] for row in aggregates],
        [[row["id"], row["price"], row["qty"], row["time"], row["isBuyerMaker"]] for row in trades],
        [[row.a, row.p, row.q, row.T, row.m] for row in others.data()],
        [[row.id, row.price, row.qty, row.time, row.is_buyer_maker] for row in olds.data()],
    ]))

asyncio.run(main())
"""

SDK_SPOT_STREAM = """
import asyncio, json, sys
from binance_sdk_spot.spot import Spot, ConfigurationWebSocketStreams

async def main():
    client = Spot(config_ws_streams=ConfigurationWebSocketStreams(stream_url=sys.argv[1]))
    connection = await client.websocket_streams.create_connection()
    got = asyncio.get_running_loop().create_future()
    stream = await connection.trade(symbol="btcusdt")
    stream.on("message", lambda trade: got.done() or got.set_result(trade))
    trade = await asyncio.wait_for(got, 20)
    print(json.dumps(dict(s=trade.s, t=trade.t, p=trade.p, T=trade.T)))
    await stream.unsubscribe()
    await connection.close_connection(close_session=True)

asyncio.run(main())
"""

THROTTLED = """
import sys
from binance import Client
from binance.exceptions import BinanceAPIException

Client.API_URL = sys.argv[1] + "/api"
client = Client(ping=False)
try:
    client.get_symbol_ticker(symbol="BTCUSDT")
except BinanceAPIException as refused:
    print(refused.status_code, refused.code, refused.response.headers["Retry-After"])
"""


async def answers(run: Run, script: str, *arguments: str) -> str:
    """What a script prints; the loop, and the simulator on it, goes on meanwhile."""
    done = await asyncio.to_thread(run, "binance", script, *arguments)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.fixture
def run(run_sdk: Run) -> Run:
    return run_sdk


async def test_python_binance_over_rest_and_sockets(run: Run) -> None:
    async with Simulator(vendors=("binance",)) as simulator:
        vendor = simulator.vendor("binance")
        got = json.loads(await answers(run, PYTHON_BINANCE, vendor.http, vendor.ws))
        market = simulator.market
        first_id = got["trades"][0]["a"]
        truth = market.trades("BINANCE:BTCUSDT", range(first_id, first_id + 3))
        closed = got["klines"][:-1]  # the last was still open when it was read
        minutes = market.candles("BINANCE:BTCUSDT", 60, closed[0][0] // 1000, closed[-1][0] // 1000 + 1)
        live = got["live"]
        heard = market.trades("BINANCE:BTCUSDT", range(live["t"], live["t"] + 1))
    assert [row[0] for row in closed] == [start * 1000 for start in minutes.start.tolist()]
    for column, name in enumerate(("open", "high", "low", "close"), 1):
        assert [float(row[column]) for row in closed] == getattr(minutes, name).tolist()
    assert [float(row[5]) for row in closed] == pytest.approx(minutes.volume.tolist())
    assert (float(live["p"]), float(live["q"])) == (heard.price[0], heard.size[0])
    assert live["T"] == round(heard.time[0] * 1000)
    for told in (got["price"]["price"], got["book"]["bidPrice"], got["book"]["askPrice"]):
        assert float(told) == pytest.approx(truth.price[-1], rel=0.01)
    assert [float(trade["p"]) for trade in got["trades"]] == truth.price.tolist()
    assert len(got["klines"]) == 5
    assert got["history"] == 365 * 3 + 1
    assert got["ticker"]["symbol"] == "ETHUSDT"
    assert float(got["book"]["bidPrice"]) < float(got["book"]["askPrice"])
    assert len(got["depth"]["bids"]) == 5
    assert got["info"]["baseAsset"] == "BTC"
    assert got["error"] == [400, -1121, "Invalid symbol."]
    assert (got["live"]["e"], got["live"]["s"]) == ("trade", "BTCUSDT")
    assert got["several"]["stream"] in {"btcusdt@trade", "ethusdt@trade"}


async def test_binance_sdk_spot_over_rest(run: Run) -> None:
    async with Simulator(vendors=("binance",)) as simulator:
        got = json.loads(await answers(run, SDK_SPOT_REST, simulator.vendor("binance").http))
        opened = got["klines"][0][0] // 1000
        minutes = simulator.market.candles("BINANCE:BTCUSDT", 60, opened, opened + 61)
        ether = simulator.market.price("BINANCE:ETHUSDT")
    for place, row in enumerate(got["klines"][:-1]):
        told = [float(value) for value in row[1:5]]
        assert told == [getattr(minutes, name)[place] for name in ("open", "high", "low", "close")]
    assert len(got["klines"]) == 3
    assert got["limits"][0][0].endswith("REQUEST_WEIGHT")
    assert {count for _, count in got["limits"]} == {2}
    assert float(got["price"]) == pytest.approx(ether, rel=0.01)
    assert got["day"] == 2
    assert got["error"][0] == "BadRequestError"
    assert "Invalid symbol." in got["error"][1]


async def test_both_sdks_read_trades_by_number(run: Run) -> None:
    async with Simulator(vendors=("binance",)) as simulator:
        market = simulator.market
        first = market.trade_ids("BINANCE:BTCUSDT", market.now() - 60, market.now()).start
        url = simulator.vendor("binance").http
        got = json.loads(await answers(run, TRADES_BY_NUMBER, url, str(first)))
        truth = market.trades("BINANCE:BTCUSDT", range(first, first + 5))
    expected = [
        [number, price, size, round(at * 1000), maker]
        for number, price, size, at, maker in zip(
            truth.id.tolist(),
            truth.price.tolist(),
            truth.size.tolist(),
            truth.time.tolist(),
            truth.buyer_is_maker.tolist(),
            strict=True,
        )
    ]
    assert len(got) == 4
    for rows in got:
        assert [[row[0], float(row[1]), float(row[2]), *row[3:]] for row in rows] == expected


async def test_binance_sdk_spot_over_streams(run: Run) -> None:
    async with Simulator(vendors=("binance",)) as simulator:
        got = json.loads(await answers(run, SDK_SPOT_STREAM, simulator.vendor("binance").ws))
        truth = simulator.market.trades("BINANCE:BTCUSDT", range(got["t"], got["t"] + 1))
    assert got["s"] == "BTCUSDT"
    assert (float(got["p"]), got["T"]) == (truth.price[0], round(truth.time[0] * 1000))


async def test_python_binance_reads_a_throttle(run: Run) -> None:
    async with Simulator(vendors=("binance",)) as simulator:
        await simulator.inject("binance", Fault(kind=FaultKind.THROTTLE, retry_after_s=3600))
        assert await answers(run, THROTTLED, simulator.vendor("binance").http) == "429 -1003 3600\n"
