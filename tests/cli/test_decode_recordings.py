"""`decode` over every recording of the four vendors equals what json, csv and struct alone say of the file.

Nothing of the engine is used to read the files here: only the command's output is compared.
"""

import base64
import csv
import gzip
import io
import json
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Row = dict[str, Any]
IST = timezone(timedelta(hours=5, minutes=30))
EASTERN = ZoneInfo("America/New_York")
PRICES = ("open", "high", "low", "close", "volume")


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_ms(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return at(seconds) if not rest else at(seconds).replace("Z", f".{rest:03d}Z")


def bar(time: str, values: list[Any]) -> Row:
    told = zip(PRICES, values, strict=True)
    return {"type": "bar", "time": time} | {name: float(value) for name, value in told if value is not None}


# Kite


def kite_quote(content: bytes) -> list[Row]:
    rows = []
    for key, entry in json.loads(content)["data"].items():
        row = {"type": "quote", "instrument": key, "price": entry["last_price"], "currency": "INR"}
        if "timestamp" in entry:
            moment = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
            row |= {"time": at(moment.timestamp()), "volume": entry["volume"]}
        for name, told in (("open", "open"), ("high", "high"), ("low", "low"), ("previous_close", "close")):
            if "ohlc" in entry:
                row[name] = entry["ohlc"][told]
        for side, name in (("buy", "bid"), ("sell", "ask")):
            best = entry.get("depth", {side: [{"price": 0}]})[side][0]
            if best["price"]:
                row |= {name: best["price"], f"{name}_size": best["quantity"]}
        if entry.get("oi"):
            row["open_interest"] = entry["oi"]
        rows.append(row)
    return rows


def kite_historical(content: bytes) -> list[Row]:
    rows = []
    for time, *values in json.loads(content)["data"]["candles"]:
        moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z")
        rows.append(bar(at(moment.timestamp()), values[:5]))
    return rows


def kite_instruments(content: bytes) -> list[Row]:
    rows = []
    for line in csv.DictReader(io.StringIO(content.decode())):
        row = {"type": "instrument", "instrument": f"{line['exchange']}:{line['tradingsymbol']}"}
        row |= {"token": int(line["instrument_token"]), "name": line["name"], "expiry": line["expiry"]}
        row |= {name: float(line[name]) for name in ("strike", "tick_size", "lot_size")}
        row |= {name: line[name] for name in ("instrument_type", "segment")}
        rows.append({name: value for name, value in row.items() if value != ""})
    return rows


def kite_frame(content: bytes) -> list[Row]:
    rows, offset = [], 2
    for _ in range(struct.unpack_from(">H", content)[0]):
        (length,) = struct.unpack_from(">H", content, offset)
        rows.append(kite_packet(content[offset + 2 : offset + 2 + length]))
        offset += 2 + length
    assert offset == len(content)
    return rows


def kite_packet(packet: bytes) -> Row:
    word: Callable[[int], int] = lambda offset: struct.unpack_from(">I", packet, offset)[0]  # noqa: E731
    divisor = {3: 1e7, 6: 1e4}.get(word(0) & 0xFF, 100)
    row = {"type": "tick", "kind": "quote", "instrument": f"KITE:{word(0)}", "price": word(4) / divisor}
    day: dict[str, int] = {}
    if len(packet) in (28, 32):
        day = {"high": 8, "low": 12, "open": 16, "previous_close": 20}
    if len(packet) in (44, 184):
        day = {"open": 28, "high": 32, "low": 36, "previous_close": 40}
        row |= {"size": word(8), "volume": word(16)}
    row |= {name: word(offset) / divisor for name, offset in day.items()}
    if len(packet) in (32, 184):
        row["time"] = at(word({32: 28, 184: 60}[len(packet)]))
    if len(packet) == 184:
        row |= {"bid": word(68) / divisor, "bid_size": word(64)}
        row |= {"ask": word(128) / divisor, "ask_size": word(124)}
        row |= {"open_interest": word(48)} if word(48) else {}
    return row


def kite_bare(content: bytes) -> list[Row]:
    return [kite_packet(base64.b64decode(content))]


# Binance


def binance_rows(lines: Any) -> list[Row]:
    rows = []
    for line in lines:
        opened = int(line[0])
        rows.append(bar(at_ms(opened if len(str(opened)) == 13 else opened // 1000), line[1:6]))
    return rows


def binance_klines(content: bytes) -> list[Row]:
    return binance_rows(json.loads(content))


def binance_csv(content: bytes) -> list[Row]:
    return binance_rows(csv.reader(io.StringIO(content.decode())))


def binance_zip(content: bytes) -> list[Row]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return binance_csv(archive.read(archive.namelist()[0]))


TICKER = {
    "lastPrice": "price", "price": "price", "openPrice": "open", "highPrice": "high", "lowPrice": "low",
    "prevClosePrice": "previous_close", "volume": "volume", "bidPrice": "bid", "bidQty": "bid_size",
    "askPrice": "ask", "askQty": "ask_size",
}  # fmt: skip


def binance_ticker(content: bytes) -> list[Row]:
    told = json.loads(content)
    row: Row = {"type": "quote", "instrument": f"BINANCE:{told['symbol']}"}
    row |= {ours: float(told[theirs]) for theirs, ours in TICKER.items() if theirs in told}
    if "closeTime" in told:
        row["time"] = at_ms(told["closeTime"])
    if "price" not in row:
        row |= {"type": "tick", "kind": "book"}
    return [row]


EVENTS = {
    "trade": ("trade", {"p": "price", "q": "size", "t": "sequence", "m": "buyer_is_maker"}),
    "aggTrade": ("trade", {"p": "price", "q": "size", "a": "sequence", "m": "buyer_is_maker"}),
    "bookTicker": ("book", {"b": "bid", "B": "bid_size", "a": "ask", "A": "ask_size", "u": "sequence"}),
    "kline": ("bar", {"c": "price", "o": "open", "h": "high", "l": "low", "v": "volume", "x": "closed"}),
    "24hrTicker": (
        "quote",
        {
            "c": "price", "Q": "size", "o": "open", "h": "high", "l": "low", "x": "previous_close",
            "v": "volume", "b": "bid", "B": "bid_size", "a": "ask", "A": "ask_size",
        },
    ),
}  # fmt: skip


def binance_event(told: Row) -> Row | None:
    told = told.get("data", told)
    event = told.get("e", "bookTicker" if "s" in told else "")
    if event not in EVENTS:
        return None
    kind, names = EVENTS[event]
    values = told["k"] if event == "kline" else told
    row = {"type": "tick", "kind": kind, "instrument": f"BINANCE:{told['s']}"}
    row |= {ours: float(values[theirs]) for theirs, ours in names.items()}
    time = {"trade": "T", "aggTrade": "T", "kline": "t", "24hrTicker": "E"}.get(event)
    return row | ({"time": at_ms(values[time])} if time else {})


def binance_frame(content: bytes) -> list[Row]:
    return [row for row in [binance_event(json.loads(content))] if row]


def binance_log(content: bytes) -> list[Row]:
    rows = []
    for line in gzip.decompress(content).decode().splitlines():
        stamp, _, frame = line.partition(" ")
        if not frame.startswith("{"):
            continue
        row = binance_event(json.loads(frame))
        if row:
            whole, _, fraction = stamp.rstrip(":").partition(".")
            received_ns = int(whole) if len(whole) == 19 else int(whole + fraction.ljust(9, "0"))
            rows.append(row | {"received": received_ns})
    return rows


# Yahoo


def yahoo_chart(content: bytes) -> list[Row]:
    told = json.loads(content)
    body = told["response"].get("bodyJson") if "response" in told else told
    if body is None:
        body = json.loads(told["response"]["body"])
    result = body["chart"]["result"][0]
    columns = result["indicators"]["quote"][0]
    nothing = [None] * len(result["timestamp"])
    rows = zip(*(columns.get(name, nothing) for name in PRICES), strict=True)
    return [bar(at(time), list(values)) for time, values in zip(result["timestamp"], rows, strict=True)]


QUOTE = {
    "regularMarketPrice": "price", "regularMarketOpen": "open", "regularMarketDayHigh": "high",
    "regularMarketDayLow": "low", "regularMarketPreviousClose": "previous_close",
    "regularMarketVolume": "volume", "bid": "bid", "ask": "ask", "bidSize": "bid_size", "askSize": "ask_size",
}  # fmt: skip
LISTINGS = {"NMS": "NASDAQ", "NYQ": "NYSE"}


def yahoo_quote(content: bytes) -> list[Row]:
    response = json.loads(content)["response"]
    body = response["bodyJson"] if "bodyJson" in response else response["body"]
    rows = []
    for told in (json.loads(body) if isinstance(body, str) else body)["quoteResponse"]["result"]:
        symbol = told["symbol"]
        name = f"INDEX:{symbol[1:]}" if symbol[0] == "^" else f"{LISTINGS[told['exchange']]}:{symbol}"
        row = {"type": "quote", "instrument": name, "currency": told["currency"]}
        row["time"] = at(told["regularMarketTime"])
        row |= {ours: told[theirs] for theirs, ours in QUOTE.items() if told.get(theirs)}
        for side in ("bid", "ask"):
            if side not in row:
                row.pop(f"{side}_size", None)
        rows.append(row)
    return rows


def varint(content: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = content[offset]
        value |= (octet & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if octet < 0x80:
            return value, offset


def protobuf(content: bytes) -> Iterator[tuple[int, Any]]:
    offset = 0
    while offset < len(content):
        tag, offset = varint(content, offset)
        if tag & 7 == 0:
            value, offset = varint(content, offset)
            yield tag >> 3, value >> 1 ^ -(value & 1)
        elif tag & 7 == 2:
            length, offset = varint(content, offset)
            yield tag >> 3, content[offset : offset + length].decode()
            offset += length
        else:
            size, form = {1: (8, "<d"), 5: (4, "<f")}[tag & 7]
            yield tag >> 3, struct.unpack_from(form, content, offset)[0]
            offset += size


PRICING = {
    2: "price", 9: "volume", 10: "high", 11: "low", 15: "open", 16: "previous_close", 22: "size",
    23: "bid", 24: "bid_size", 25: "ask", 26: "ask_size",
}  # fmt: skip


def yahoo_stream(content: bytes) -> list[Row]:
    rows = []
    for line in content.splitlines():
        told = dict(protobuf(base64.b64decode(json.loads(line)["message"])))
        exchange = {"CCC": "CRYPTO", "NMS": "NASDAQ"}[told[5]]
        row = {"type": "tick", "kind": "quote", "instrument": f"{exchange}:{told[1]}", "time": at_ms(told[3])}
        row |= {name: told[number] for number, name in PRICING.items() if told.get(number)}
        if exchange == "CRYPTO":
            del row["size"]  # the day's volume once more
        rows.append(row)
    return rows


# Alpha Vantage


def alphavantage_quote(content: bytes) -> list[Row]:
    told = json.loads(content)["Global Quote"]
    names = {"open": "02. open", "high": "03. high", "low": "04. low", "price": "05. price"}
    names |= {"volume": "06. volume", "previous_close": "08. previous close"}
    row = {"type": "quote", "instrument": f"US:{told['01. symbol']}"}
    return [row | {ours: float(told[theirs]) for ours, theirs in names.items()}]


def eastern(text: str) -> str:
    return at(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=EASTERN).timestamp())


def alphavantage_json(content: bytes) -> list[Row]:
    series = json.loads(content)["Time Series (1min)"]
    rows = [
        bar(eastern(time), [row[f"{n}. {name}"] for n, name in enumerate(PRICES, 1)])
        for time, row in series.items()
    ]
    return rows[::-1]


def alphavantage_csv(content: bytes) -> list[Row]:
    rows = [bar(eastern(line[0]), line[1:6]) for line in list(csv.reader(io.StringIO(content.decode())))[1:]]
    return rows[::-1]


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
