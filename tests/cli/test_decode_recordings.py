"""`decode` over every recording of the four vendors equals what json, csv and struct alone say of the file.

Nothing of the engine is used to read the files here: only the command's output is compared.
"""

import gzip
import json
import struct
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.read_by_hand.alphavantage import alphavantage_csv, alphavantage_json, alphavantage_quote
from tests.cli.read_by_hand.binance import (
    binance_csv,
    binance_frame,
    binance_klines,
    binance_log,
    binance_ticker,
    binance_zip,
)
from tests.cli.read_by_hand.kite import kite_bare, kite_frame, kite_historical, kite_instruments, kite_quote
from tests.cli.read_by_hand.rows import Row
from tests.cli.read_by_hand.yahoo import yahoo_chart, yahoo_quote, yahoo_stream

DECODED: list[tuple[str, str, Callable[[bytes], list[Row]]]] = [
    ("kite/quote.json", "quote", kite_quote),
    ("kite/ohlc.json", "ohlc", kite_quote),
    ("kite/ltp.json", "ohlc", kite_quote),
    ("kite/historical_minute.json", "historical", kite_historical),
    ("kite/instruments_nse.csv", "instruments", kite_instruments),
    ("kite/ticker_full.packet", "ticker", kite_bare),
    ("kite/ticker_quote.packet", "ticker", kite_bare),
    ("kite/built/frame_full_realpayload.bin", "ticker", kite_frame),
    ("kite/built/frame_index_quote_full.bin", "ticker", kite_frame),
    ("kite/built/frame_ltp.bin", "ticker", kite_frame),
    ("kite/built/frame_mixed_5.bin", "ticker", kite_frame),
    ("kite/built/frame_quote_realpayload.bin", "ticker", kite_frame),
    ("binance/http_spot_market_klines.json", "klines", binance_klines),
    ("binance/docs_http_ticker_24hr.json", "ticker", binance_ticker),
    ("binance/http_spot_market_ticker_price.json", "ticker", binance_ticker),
    ("binance/http_spot_market_book_ticker.json", "ticker", binance_ticker),
    ("binance/docs_ws_ticker_24hr.json", "stream", binance_frame),
    ("binance/ws_spot_trade.json", "stream", binance_frame),
    ("binance/ws_binanceTR_2023-04-10.cryptofeed.log.gz", "stream", binance_log),
    ("binance/ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz", "stream", binance_log),
    (
        "binance/ws_spot_2021-10-12_depth_bookTicker_kline_aggTrade.cryptofeed.log.gz",
        "stream",
        binance_log,
    ),
    ("binance/ws_spot_btcusdt_20240808_head.hftbacktest.log.gz", "stream", binance_log),
    ("binance/ws_spot_ethusdt_20240808_head.hftbacktest.log.gz", "stream", binance_log),
    # REST answers between the frames bear no tick.
    ("binance/rest_depth_2021-10-12.cryptofeed.log.gz", "stream", binance_log),
    ("binance/vision_ADABTC-1m-2021-11-27.csv", "vision", binance_csv),
    ("binance/vision_BTCUSDT-1h-2024-12.csv", "vision", binance_csv),
    ("binance/vision_BTCUSDT-1h-2025-01.csv", "vision", binance_csv),
    ("binance/rebuilt/BTCUSDT-1h-2025-01.zip", "vision", binance_zip),
    ("yahoo/chart-0P000071W8.TO-2020-01-01-to-2020-01-03.json", "chart", yahoo_chart),
    ("yahoo/chart-AAPL-2020-01-01-to-2020-01-03.json", "chart", yahoo_chart),
    ("yahoo/chart-AAPL-2020-08-31-to-2020-11-07.json", "chart", yahoo_chart),
    ("yahoo/chart-BTC-USD-2020-01-01-to-2020-01-03.json", "chart", yahoo_chart),
    ("yahoo/chart-EURUSD=X-2020-01-01-to-2020-01-03.json", "chart", yahoo_chart),
    ("yahoo/chart-GSPC-partial.json", "chart", yahoo_chart),
    ("yahoo/quote-AAPL-BABA.json", "quote", yahoo_quote),
    ("yahoo/quote-AAPL.json", "quote", yahoo_quote),
    ("yahoo/quote-^VXAPL.json", "quote", yahoo_quote),
    ("yahoo/quoteCombine-AAPL-NONEXIST.json", "quote", yahoo_quote),
    ("yahoo/stream_messages.jsonl", "stream", yahoo_stream),
    ("alphavantage/GLOBAL_QUOTE_MSFT.json", "quote", alphavantage_quote),
    ("alphavantage/TIME_SERIES_INTRADAY_MSFT_1min.json", "series", alphavantage_json),
    ("alphavantage/TIME_SERIES_INTRADAY_EXTENDED_head.csv", "series", alphavantage_csv),
]


REFUSED: list[tuple[str, str, list[str]]] = [
    (
        "kite/built/error_bodies.jsonl",
        "quote",
        ["AuthRequired", "AuthRequired", "Throttled", "NotFound", "Unavailable"],
    ),
    ("kite/built/text_messages.jsonl", "ticker", ["Unavailable"]),
    (
        "binance/docs_error_bodies.jsonl",
        "klines",
        ["NotFound", "NotFound", "InvalidRequest", "NotFound", "Throttled", "Throttled"],
    ),
    (
        "yahoo/chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json",
        "chart",
        ["NotFound"],
    ),
    ("yahoo/chart-notimestamp-quotes-length.fake.json", "chart", ["InvalidPayload"]),
    ("yahoo/quote-AAPL220121C00025000.json", "quote", ["NotFound"]),
    ("yahoo/quoteCombine-NONEXIST.json", "quote", ["NotFound"]),
    ("yahoo/pageWithUnknownError.json", "quote", ["NotFound"]),
    *(
        (f"alphavantage/http200_{name}.json", kind, [refusal])
        for kind in ("quote", "series")
        for name, refusal in (
            ("burst_limit.Information", "Throttled"),
            ("daily_limit.Information", "QuotaExhausted"),
            ("daily_limit_keyecho.Information", "QuotaExhausted"),
            ("invalid_call.ErrorMessage", "NotFound"),
            ("invalid_key.ErrorMessage", "AuthRequired"),
            ("legacy_5_per_min.Note", "Throttled"),
        )
    ),
    # Of kinds that no capability of ours reads: told as such, not guessed at.
    ("kite/session_logout.json", "quote", ["InvalidPayload"]),
    ("binance/http_spot_market_agg_trades.json", "klines", ["InvalidPayload"]),
    ("binance/http_spot_market_depth.json", "ticker", ["InvalidPayload"]),
    ("binance/http_spot_market_exchange_info.json", "ticker", ["InvalidPayload"]),
    ("binance/http_spot_market_time.json", "ticker", ["InvalidPayload"]),
    ("binance/exchangeInfo_2021-10_slice.json", "ticker", ["InvalidPayload"]),
    ("binance/vision_2022-10-04_aggregate_trade_updates.csv", "vision", ["InvalidPayload"]),
    ("binance/rebuilt/BTCUSDT-1h-2025-01.zip.CHECKSUM", "vision", ["InvalidPayload"]),
    ("yahoo/getCrumb-getcrumb.json", "quote", ["InvalidPayload"]),
    ("alphavantage/CURRENCY_EXCHANGE_RATE_BTC_CNY.json", "quote", ["InvalidPayload"]),
    ("alphavantage/SYMBOL_SEARCH_BA.json", "quote", ["InvalidPayload"]),
]


BESIDE = {"kite/ticker_full.json", "kite/ticker_ltp.json", "kite/ticker_quote.json"}
"""What the SDK makes of packets: no payload of the vendor's."""


def test_no_recording_is_forgotten(recordings: Path) -> None:
    there = {
        str(path.relative_to(recordings))
        for vendor in ("kite", "binance", "yahoo", "alphavantage")
        for path in (recordings / vendor).rglob("*")
        if path.is_file()
    }
    assert there == {row[0] for row in DECODED} | {row[0] for row in REFUSED} | BESIDE


@pytest.mark.parametrize(("name", "kind", "read"), DECODED, ids=[row[0] for row in DECODED])
def test_what_is_printed_is_what_the_file_says(run, lines, recordings, name, kind, read) -> None:
    result = run("decode", name.partition("/")[0], kind, recordings / name, "--json")
    assert result.exit_code == 0
    printed, expected = lines(result), read((recordings / name).read_bytes())
    assert len(printed) == len(expected)
    for ours, theirs in zip(printed, expected, strict=True):
        assert plain(ours, name) == plain(theirs, name)
    if printed and printed[0]["type"] == "bar":
        times = [row["time"] for row in printed]
        assert times == sorted(set(times))


def plain(row: Row, name: str) -> Row:
    """Yahoo's prices are float32s: to the nearest one they are the same. Times of receipt are in ns."""
    made = dict(row)
    if isinstance(made.get("received"), str):
        whole, _, fraction = made["received"].rstrip("Z").partition(".")
        seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
        made["received"] = seconds * 10**9 + int(fraction.ljust(9, "0"))
    if name.startswith("yahoo/"):
        made |= {
            key: struct.unpack("f", struct.pack("f", value))[0]
            for key, value in made.items()
            if isinstance(value, int | float)
        }
    return made


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz", {"BTCUSDT", "ETHUSDT", "DOTUSDT"}),
        ("ws_spot_btcusdt_20240808_head.hftbacktest.log.gz", {"BTCUSDT"}),
        ("ws_spot_ethusdt_20240808_head.hftbacktest.log.gz", {"ETHUSDT"}),
    ],
)
def test_a_log_has_as_many_trades_of_each_symbol_and_the_same_last_price(
    run, lines, recordings, name, symbols
) -> None:
    file = recordings / "binance" / name
    counts: Counter[str] = Counter()
    last: dict[str, str] = {}
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        if '"e":"trade"' in line or '"e":"aggTrade"' in line:
            trade = json.loads(line.partition(" ")[2])["data"]
            counts[trade["s"]] += 1
            last[trade["s"]] = trade["p"]
    ticks = [
        row for row in lines(run("decode", "binance", "stream", file, "--json")) if row["kind"] == "trade"
    ]
    assert set(counts) == symbols
    assert Counter(tick["instrument"] for tick in ticks) == {f"BINANCE:{s}": n for s, n in counts.items()}
    assert {tick["instrument"]: tick["price"] for tick in ticks} == {
        f"BINANCE:{symbol}": float(price) for symbol, price in last.items()
    }


@pytest.mark.parametrize(
    ("name", "kind", "classes"), REFUSED, ids=[f"{name} as {kind}" for name, kind, _ in REFUSED]
)
def test_what_is_refused_is_a_record_of_its_class(run, lines, recordings, name, kind, classes) -> None:
    result = run("decode", name.partition("/")[0], kind, recordings / name, "--json")
    printed = lines(result)
    assert [(row["type"], row["class"]) for row in printed] == [("error", kind) for kind in classes]
    assert all(row["message"] for row in printed)
    assert result.exit_code == (6 if "InvalidPayload" in classes else 0)


BODIES = [row[:2] for row in DECODED if not row[0].endswith(".gz")]


@pytest.mark.parametrize(("name", "kind"), BODIES, ids=[row[0] for row in BODIES])
def test_what_a_payload_does_not_say_is_not_made_up(run, recordings, name, kind) -> None:
    for more in ((), ("--all",), ("--json", "--all")):
        assert "UNKNOWN" not in run("decode", name.partition("/")[0], kind, recordings / name, *more).stdout


def test_what_came_before_a_broken_frame_is_printed(run, lines, recordings, tmp_path) -> None:
    stamp = b"1723161253937085768 "
    trade = json.dumps(json.loads((recordings / "binance" / "ws_spot_trade.json").read_text())).encode()
    (tmp_path / "log").write_bytes(b"\n".join([stamp + trade, stamp + b'{"e":"trade"', stamp + trade]))
    result = run("decode", "binance", "stream", tmp_path / "log", "--json")
    assert [row["type"] for row in lines(result)] == ["tick", "error", "tick"]
    packet = (recordings / "kite" / "ticker_quote.packet").read_bytes().strip()
    (tmp_path / "packets").write_bytes(b"\n".join([packet, b"!!!", packet]))
    result = run("decode", "kite", "ticker", tmp_path / "packets", "--json")
    assert [row["type"] for row in lines(result)] == ["tick", "error", "tick"]
    assert result.exit_code == 6


def test_times_before_1970_are_printed_as_dates_too(run, lines, tmp_path) -> None:
    result = {
        "meta": {"symbol": "^GSPC", "exchangeName": "SNP", "dataGranularity": "1d"},
        "timestamp": [-1325583000],
        "indicators": {"quote": [{key: [17.5] for key in ("open", "high", "low", "close")}]},
    }
    (tmp_path / "body").write_text(json.dumps({"chart": {"result": [result], "error": None}}))
    (row,) = lines(run("decode", "yahoo", "chart", tmp_path / "body", "--json"))
    assert row["time"] == "1927-12-30T14:30:00Z"
