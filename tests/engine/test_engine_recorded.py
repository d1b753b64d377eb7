"""On recorded payloads the engine's answers equal what the files say, read here by json alone."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from mds_engine.config.schema import ConsoleSettings
from mds_engine.config.simulated import SimulatorAddress, demo_config
from mds_engine.engine import Engine
from mds_engine.simulator.server import Simulator
from mds_engine.sources.plugins import find_plugins


@asynccontextmanager
async def recorded(recordings, vendor):
    """The demo's engine on one vendor's recordings."""
    plugins = find_plugins()
    async with Simulator(recorded=recordings, vendors=(vendor,)) as simulator:
        address = msgspec.convert(simulator.describe(), SimulatorAddress)
        config = msgspec.structs.replace(demo_config(plugins, address), console=ConsoleSettings())
        async with Engine(config, plugins, seed=1) as engine, asyncio.timeout(30):
            yield engine


def rows_of(frame):
    """(epoch seconds, open, high, low, close, volume) of each bar."""
    columns = (frame[name] for name in ("open", "high", "low", "close", "volume"))
    return list(zip((stamp.timestamp() for stamp in frame.index), *columns, strict=True))


def read(recordings, name):
    return json.loads((recordings / name).read_text(encoding="utf-8"))


async def test_a_quote_of_kite(recordings):
    async with recorded(recordings, "kite") as engine:
        quote = await engine.quote("NSE:INFY")
    said = read(recordings, "kite/quote.json")["data"]["NSE:INFY"]
    seen = datetime.fromisoformat(said["timestamp"]).replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    assert quote.source == "zerodha"
    assert quote.price == said["last_price"]
    assert quote.volume == said["volume"]
    assert quote.open == said["ohlc"]["open"]
    assert quote.high == said["ohlc"]["high"]
    assert quote.low == said["ohlc"]["low"]
    assert quote.previous_close == said["ohlc"]["close"]
    assert quote.time_ns == int(seen.timestamp()) * 1_000_000_000


async def test_bars_of_kite(recordings):
    said = [
        (datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z").timestamp(), *map(float, values))
        for time, *values in read(recordings, "kite/historical_minute.json")["data"]["candles"]
    ]
    async with recorded(recordings, "kite") as engine:
        frame = await engine.bars("NSE:INFY", "1m", *span_of(said, timedelta(minutes=1)))
    assert frame.attrs["source"] == "zerodha"
    assert rows_of(frame) == said


def span_of(rows, length):
    """From the first bar's opening to the last one's end."""
    return datetime.fromtimestamp(rows[0][0], UTC), datetime.fromtimestamp(rows[-1][0], UTC) + length


async def test_bars_of_binance(recordings):
    said = [
        (row[0] / 1000, *map(float, row[1:6]))
        for row in read(recordings, "binance/http_spot_market_klines.json")
    ]
    async with recorded(recordings, "binance") as engine:
        frame = await engine.bars("BINANCE:BTCUSDT", "1m", *span_of(said, timedelta(minutes=1)))
    assert frame.attrs["source"] == "binance"
    assert rows_of(frame) == said


async def test_a_quote_of_binance(recordings):
    async with recorded(recordings, "binance") as engine:
        quote = await engine.quote("BINANCE:BNBBTC")
    said = read(recordings, "binance/docs_http_ticker_24hr.json")
    assert quote.source == "binance"
    assert quote.price == float(said["lastPrice"])
    assert quote.volume == float(said["volume"])
    assert (quote.open, quote.high, quote.low) == tuple(
        float(said[name]) for name in ("openPrice", "highPrice", "lowPrice")
    )
    assert (quote.bid, quote.ask) == (float(said["bidPrice"]), float(said["askPrice"]))
    assert quote.previous_close == float(said["prevClosePrice"])


async def test_a_quote_of_yahoo(recordings):
    async with recorded(recordings, "yahoo") as engine:
        quote = await engine.quote("NASDAQ:AAPL")
    body = read(recordings, "yahoo/quote-AAPL.json")["response"]["bodyJson"]
    (said,) = body["quoteResponse"]["result"]
    assert quote.source == "yahoo"
    assert quote.price == said["regularMarketPrice"]
    assert quote.volume == said["regularMarketVolume"]
    assert quote.previous_close == said["regularMarketPreviousClose"]
    assert quote.currency == said["currency"]
    assert quote.time_ns == said["regularMarketTime"] * 1_000_000_000


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("chart-AAPL-2020-01-01-to-2020-01-03.json", (1577836800, 1578009600)),
        ("chart-AAPL-2020-08-31-to-2020-11-07.json", (1598832000, 1604707200)),
    ],
)
async def test_bars_of_yahoo(recordings, name, span):
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in span)
    async with recorded(recordings, "yahoo") as engine:
        frame = await engine.bars("NASDAQ:AAPL", "1d", start, end)
    (result,) = read(recordings, f"yahoo/{name}")["response"]["bodyJson"]["chart"]["result"]
    (prices,) = result["indicators"]["quote"]
    assert frame.attrs["source"] == "yahoo"
    for column in ("open", "high", "low", "close", "volume"):
        # Yahoo writes float32 as if it were float64: 74.05999755859375 is 74.06.
        assert np.float32(frame[column]).tolist() == np.float32(prices[column]).tolist(), column
    new_york = ZoneInfo("America/New_York")
    days = [datetime.fromtimestamp(stamp, new_york).date() for stamp in result["timestamp"]]
    assert [stamp.tz_convert(new_york).date() for stamp in frame.index] == days


async def test_a_quote_of_alpha_vantage(recordings):
    async with recorded(recordings, "alphavantage") as engine:
        quote = await engine.quote("NASDAQ:MSFT")
    said = read(recordings, "alphavantage/GLOBAL_QUOTE_MSFT.json")["Global Quote"]
    assert quote.source == "alphavantage"
    assert [step.source for step in quote.decision.steps] == ["yahoo", "alphavantage"]
    assert quote.price == float(said["05. price"])
    assert quote.volume == float(said["06. volume"])
    assert quote.previous_close == float(said["08. previous close"])
    assert (quote.open, quote.high, quote.low) == tuple(
        float(said[name]) for name in ("02. open", "03. high", "04. low")
    )


async def test_bars_of_alpha_vantage(recordings):
    document = read(recordings, "alphavantage/TIME_SERIES_INTRADAY_MSFT_1min.json")
    zone = ZoneInfo(document["Meta Data"]["6. Time Zone"])
    said = sorted(
        (datetime.fromisoformat(time).replace(tzinfo=zone).timestamp(), *map(float, values.values()))
        for time, values in document["Time Series (1min)"].items()
    )
    async with recorded(recordings, "alphavantage") as engine:
        frame = await engine.bars("NASDAQ:MSFT", "1m", *span_of(said, timedelta(minutes=1)))
    assert frame.attrs["source"] == "alphavantage"
    assert rows_of(frame) == said
