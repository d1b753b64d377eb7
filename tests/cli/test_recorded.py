"""`simulate --recorded` with our own verbs on it: through the whole engine, the answers equal the files."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_S = 30.0

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def control(recordings: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "mds_tui.cli", "simulate", "--json", "--recorded", str(recordings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield json.loads(process.stdout.readline())["control"]
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.fixture
def fetched(run, lines, control):
    def fetch(*words):
        result = run(*words, "--json", "--simulator", control)
        assert (result.exit_code, result.stderr) == (0, "")
        return [
            {name: value for name, value in row.items() if name not in ("source", "decision", "received")}
            for row in lines(result)
        ]

    yield fetch
    # A verb ends while sources are still connecting; what their libraries leave behind is collected here.
    gc.collect()


@pytest.fixture
def decoded(run, lines, recordings):
    """What `decode` prints of a file, which test_decode_recordings.py holds to the file itself."""
    return lambda vendor, kind, name: lines(run("decode", vendor, kind, recordings / vendor / name, "--json"))


@pytest.mark.parametrize(
    ("instrument", "source", "vendor", "kind", "name"),
    [
        ("NSE:INFY", "zerodha", "kite", "quote", "quote.json"),
        ("NASDAQ:AAPL", "yahoo", "yahoo", "quote", "quote-AAPL.json"),
        ("NASDAQ:MSFT", "alphavantage", "alphavantage", "quote", "GLOBAL_QUOTE_MSFT.json"),
        ("BINANCE:BNBBTC", "binance", "binance", "ticker", "docs_http_ticker_24hr.json"),
        ("BINANCE:BTCUSDT", "binance", "binance", "ticker", "http_spot_market_ticker_price.json"),
    ],
)
def test_a_quote_is_the_files(fetched, decoded, instrument, source, vendor, kind, name) -> None:
    (quote,) = fetched("quote", instrument, "--source", source)
    (recorded,) = decoded(vendor, kind, name)
    assert quote == recorded | {"instrument": instrument}


@pytest.mark.parametrize(
    ("instrument", "interval", "span", "source", "vendor", "kind", "name"),
    [
        # The recorded list of instruments lacks INFY: its token comes from the recorded quote.
        (
            "NSE:INFY",
            "1m",
            ("2017-12-15T09:15:00+05:30", "2017-12-15T09:30:00+05:30"),
            "zerodha",
            "kite",
            "historical",
            "historical_minute.json",
        ),
        (
            "BINANCE:BTCUSDT",
            "1m",
            ("2021-10-22T23:00:00Z", "2021-10-23"),
            "binance",
            "binance",
            "klines",
            "http_spot_market_klines.json",
        ),
        (
            "NASDAQ:AAPL",
            "1d",
            ("2020-08-31", "2020-11-07"),
            "yahoo",
            "yahoo",
            "chart",
            "chart-AAPL-2020-08-31-to-2020-11-07.json",
        ),
        (
            "NASDAQ:AAPL",
            "1d",
            ("2020-01-01", "2020-01-03"),
            "yahoo",
            "yahoo",
            "chart",
            "chart-AAPL-2020-01-01-to-2020-01-03.json",
        ),
        (
            "NASDAQ:MSFT",
            "1m",
            ("2017-12-18", "2017-12-19"),
            "alphavantage",
            "alphavantage",
            "series",
            "TIME_SERIES_INTRADAY_MSFT_1min.json",
        ),
    ],
)
def test_bars_are_the_files(fetched, decoded, instrument, interval, span, source, vendor, kind, name) -> None:
    start, end = span
    bars = fetched("bars", instrument, interval, "--start", start, "--end", end, "--source", source)
    assert bars == decoded(vendor, kind, name)


@pytest.mark.parametrize(
    ("instrument", "vendor", "kind", "name", "count"),
    [
        ("NSE:INFY", "kite", "ticker", "ticker_full.packet", 1),
        ("BINANCE:DOTUSDT", "binance", "stream", "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz", 177),
        # Three captures of three years, the last of them the oldest: the first two stand in order.
        ("NASDAQ:AAPL", "yahoo", "stream", "stream_messages.jsonl", 2),
    ],
)
def test_ticks_are_the_files(fetched, decoded, instrument, vendor, kind, name, count) -> None:
    ticks = fetched("ticks", instrument, "--count", str(count))
    assert ticks == _recorded(decoded(vendor, kind, name), instrument)[:count]


def test_ticks_of_configured_streams_are_the_files(fetched, decoded, tmp_path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        """\
[sources.binance]
kind = "binance"
stream_kinds = ["trade", "bookTicker"]
[routes.BINANCE]
sources = ["binance"]
"""
    )
    ticks = fetched("ticks", "BINANCE:BTCUSDT", "--count", "200", "--config", config)
    rows = decoded("binance", "stream", "ws_spot_btcusdt_20240808_head.hftbacktest.log.gz")
    assert ticks == _recorded(rows, "BINANCE:BTCUSDT")[:200]


def _recorded(rows, instrument):
    return [
        {key: value for key, value in row.items() if key != "received"} | {"instrument": instrument}
        for row in rows
        if row["instrument"] in (instrument, "KITE:408065") and row.get("kind") != "bar"
    ]
