"""Binance REST bodies and Vision archives."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from mds_engine.errors import InvalidPayload, InvalidRequest, NotFound, SourceError, Throttled
from mds_engine.model import Bars, Instrument, Interval, Quote, TickKind
from mds_engine.sources.binance import plugin
from mds_engine.sources.binance.decode_rest import decode_klines, decode_limits, decode_tickers
from mds_engine.sources.binance.decode_vision import decode_vision

BTC = Instrument("BINANCE", "BTCUSDT")


def test_klines_recorded(recordings: Path) -> None:
    body = (recordings / "binance/http_spot_market_klines.json").read_bytes()
    bars, rows = decode_klines(body, BTC, Interval.M1), json.loads(body)
    assert bars.time_ns.tolist() == [row[0] * 10**6 for row in rows]
    for column, name in enumerate(("open", "high", "low", "close", "volume"), start=1):
        assert getattr(bars, name).tolist() == [float(row[column]) for row in rows]
    assert bars.extra["quote_volume"].tolist() == [float(row[7]) for row in rows]
    assert bars.extra["trades"].tolist() == [row[8] for row in rows]


def test_a_kline_with_a_column_more_is_read() -> None:
    row = '[1634943780000,"1","2","0.5","1.5","10",1634943839999,"15",3,"4","5","0","new"]'
    assert decode_klines(f"[{row}]".encode(), BTC, Interval.M1).close.tolist() == [1.5]


@pytest.mark.parametrize(
    "body",
    [
        '[[1634943780000,"1","2","0.5"',
        '[[1634943780000,"1","2","0.5"]]',
        '[[1634943780000,"1","0.4","0.5","1.5","10",1634943839999,"15",3,"4","5","0"]]',
        '[[1634943780000,"1","2","-0.5","1.5","10",1634943839999,"15",3,"4","5","0"]]',
        '[[2,"1","2","1","1","1",3,"1",1,"1","1","0"],[1,"1","2","1","1","1",2,"1",1,"1","1","0"]]',
        '{"a":1}',
        "<html>",
    ],
    ids=["truncated", "short row", "high below low", "negative", "descending", "object", "html"],
)
def test_klines_that_cannot_be_are_invalid_payloads(body: str) -> None:
    with pytest.raises(InvalidPayload):
        decode_klines(body.encode(), BTC, Interval.M1)


def test_ticker_24hr_documented(recordings: Path) -> None:
    body = (recordings / "binance/docs_http_ticker_24hr.json").read_bytes()
    one = decode_tickers(body)
    assert one == [
        Quote(
            instrument=Instrument("BINANCE", "BNBBTC"),
            price=4.000002,
            time_ns=1499869899040_000_000,
            open=99.0,
            high=100.0,
            low=0.1,
            previous_close=0.10002,
            volume=8913.3,
            bid=4.0,
            bid_size=100.0,
            ask=4.000002,
            ask_size=100.0,
        )
    ]
    assert decode_tickers(b"[" + body + b"," + body + b"]") == one * 2


def test_a_symbol_that_was_never_traded_has_no_quote() -> None:
    assert decode_tickers(b'[{"symbol":"OLD","lastPrice":"0.00000000"}]') == []


@pytest.mark.parametrize("body", [b'{"symbol":"A","lastPrice":"-1"}', b'{"symbol":"A","last', b"[1]", b"<p>"])
def test_tickers_that_cannot_be_are_invalid_payloads(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        decode_tickers(body)


def test_the_parts_of_a_ticker_decode_from_files_too(recordings: Path) -> None:
    decode = plugin.decoders["ticker"].decode
    (price,) = decode((recordings / "binance/http_spot_market_ticker_price.json").read_bytes())
    assert (type(price), price.time_ns) == (Quote, None)
    (book,) = decode((recordings / "binance/http_spot_market_book_ticker.json").read_bytes())
    assert (book.kind, book.bid, book.ask_size) == (TickKind.BOOK, 60741.67, 0.45178)


@pytest.mark.parametrize(
    ("name", "weight"),
    [("exchangeInfo_2021-10_slice.json", 1200), ("http_spot_market_exchange_info.json", 1200)],
)
def test_the_limits_are_read_from_exchange_info(recordings: Path, name: str, weight: int) -> None:
    windows = decode_limits((recordings / "binance" / name).read_bytes())
    assert windows == [(weight, 60.0)]


@pytest.mark.parametrize(
    ("name", "first_day"),
    [("vision_BTCUSDT-1h-2024-12.csv", (2024, 12)), ("vision_BTCUSDT-1h-2025-01.csv", (2025, 1))],
)
def test_vision_times_before_and_after_the_change_of_unit(
    recordings: Path, name: str, first_day: tuple[int, int]
) -> None:
    payload = (recordings / "binance" / name).read_bytes()
    bars = decode_vision(payload, BTC, Interval.H1)
    rows = list(csv.reader(payload.decode().splitlines()))
    start_s = datetime(*first_day, 1, tzinfo=UTC).timestamp()
    assert bars.time_ns.tolist() == [int((start_s + 3600 * hour) * 10**9) for hour in range(len(rows))]
    assert bars.close.tolist() == [float(row[4]) for row in rows]


def test_vision_zip_equals_its_csv(recordings: Path) -> None:
    zipped = (recordings / "binance/rebuilt/BTCUSDT-1h-2025-01.zip").read_bytes()
    (inside,) = plugin.decoders["vision"].decode(zipped)
    (plain,) = plugin.decoders["vision"].decode(
        (recordings / "binance/vision_BTCUSDT-1h-2025-01.csv").read_bytes()
    )
    assert np.array_equal(inside.time_ns, plain.time_ns)
    assert np.array_equal(inside.close, plain.close)
    for length in (100, len(zipped) // 2, len(zipped) - 5):
        with pytest.raises(InvalidPayload):
            decode_vision(zipped[:length], BTC, Interval.H1)


def test_a_vision_file_with_a_header_is_read() -> None:
    row = "1733011200000,2,3,1,2,5,1733014799999,10,7,1,1,0"
    bars: Bars = decode_vision(f"open_time,open,high\r\n{row}\r\n".encode(), BTC, Interval.H1)
    assert (len(bars), bars.extra["trades"].tolist()) == (1, [7.0])


def test_a_vision_file_that_is_cut_is_an_invalid_payload() -> None:
    with pytest.raises(InvalidPayload):
        decode_vision(b"1733011200000,2,3,1,2,5,1733014799999,10,7,1,1,0\n17330", BTC, Interval.H1)


def test_recorded_error_bodies_say_what_is_wrong(recordings: Path) -> None:
    expected: dict[int, type[SourceError]] = {
        -1121: NotFound,
        -1120: NotFound,
        -1102: InvalidRequest,
        -1100: NotFound,
        -1003: Throttled,
    }
    for line in (recordings / "binance/docs_error_bodies.jsonl").read_text().splitlines():
        body = json.loads(line)["body"]
        with pytest.raises(expected[body["code"]]) as caught:
            list(plugin.decoders["klines"].decode(json.dumps(body).encode()))
        if "banned" in body["msg"]:
            assert caught.value.banned
