"""Kite's REST bodies, against the official SDK reading the same."""

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from kiteconnect import KiteConnect
from mds_engine.config.secret import Secret
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    InvalidRequest,
    NotFound,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Instrument, Interval, Quote
from mds_engine.sources.http import Reply
from mds_engine.sources.kite import plugin
from mds_engine.sources.kite.decode_instruments import decode_instruments, decode_tokens
from mds_engine.sources.kite.decode_rest import decode_historical, decode_quotes
from mds_engine.sources.kite.errors import classify
from mds_engine.sources.kite.times import next_dump_after, to_ns, to_text
from mds_engine.sources.scrub import Scrubber

INFY = Instrument("NSE", "INFY")


def test_the_recorded_quote(recordings: Path) -> None:
    quotes = decode_quotes((recordings / "kite/quote.json").read_bytes())
    assert quotes == {
        "NSE:INFY": Quote(
            instrument=INFY,
            price=1412.95,
            # Naive, and in IST.
            time_ns=int(datetime(2021, 6, 8, 10, 15, 56, tzinfo=UTC).timestamp()) * 10**9,
            open=1396.0,
            high=1421.75,
            low=1395.55,
            previous_close=1389.65,
            volume=7360198.0,
            bid=None,
            bid_size=None,
            ask=1412.95,
            ask_size=5191.0,
            open_interest=None,
            currency="INR",
        )
    }


def test_the_recorded_ohlc_and_ltp_hold_less(recordings: Path) -> None:
    (ohlc,) = plugin.decoders["ohlc"].decode((recordings / "kite/ohlc.json").read_bytes())
    assert (ohlc.price, ohlc.open, ohlc.previous_close, ohlc.time_ns) == (1075.0, 1085.8, 1075.8, None)
    (ltp,) = plugin.decoders["ohlc"].decode((recordings / "kite/ltp.json").read_bytes())
    assert (ltp.price, ltp.open, ltp.volume) == (1074.35, None, None)


def test_an_index_has_no_volume() -> None:
    body = {"data": {"NSE:NIFTY 50": {"instrument_token": 256265, "last_price": 17000.5, "volume": 0}}}
    assert decode_quotes(json.dumps(body).encode())["NSE:NIFTY 50"].volume is None


def test_the_recorded_candles_read_as_the_sdk_reads_them(recordings: Path) -> None:
    body = (recordings / "kite/historical_minute.json").read_bytes()
    bars = decode_historical(body, INFY, Interval.M1)
    theirs = KiteConnect("key")._format_historical(json.loads(body)["data"])
    assert bars.time_ns.tolist() == [int(row["date"].timestamp()) * 10**9 for row in theirs]
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tolist() == [row[name] for row in theirs]
    assert bars.extra == {}
    assert bars.time_ns[0] == to_ns("2017-12-15 09:15:00")


def test_a_seventh_column_is_the_open_interest() -> None:
    body = b'{"data":{"candles":[["2019-12-04T09:15:00+0530",1,2,0.5,1.5,10,13667775]]}}'
    assert decode_historical(body, INFY, Interval.M1).extra["open_interest"].tolist() == [13667775.0]


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"success","data":{"candles":[["2017-12-15T09:15',
        b'{"data":{"candles":[["yesterday",1,2,0.5,1.5,10]]}}',
        b'{"data":{"candles":[["2017-12-15T09:15:00+0530",1,0.4,0.5,1.5,10]]}}',
        b'{"data":{"candles":[["2017-12-15T09:15:00+0530",1,2]]}}',
        b'{"data":{"candles":[["2017-12-15T09:16:00+0530",1,2,1,1,1],["2017-12-15T09:15:00+0530",1,2,1,1,1]]}}',
        b'{"data":[]}',
        b"<html>",
    ],
)
def test_candles_that_cannot_be_are_invalid_payloads(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        decode_historical(body, INFY, Interval.M1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"NSE:INFY":{"instrument_token":1,"last_price":-5}}}',
        b'{"data":{"NSE:INFY":{"instrument_token":1,"last_price":5,"timestamp":"soon"}}}',
        b'{"data":{"NSE:INFY":{"instrument_token":1}}}',
        b'{"status":"success","da',
        b"<html>",
    ],
)
def test_quotes_that_cannot_be_are_invalid_payloads(body: bytes) -> None:
    with pytest.raises(InvalidPayload):
        decode_quotes(body)


def test_the_recorded_instruments_read_as_the_sdk_reads_them(recordings: Path) -> None:
    body = (recordings / "kite/instruments_nse.csv").read_bytes()
    ours, theirs = decode_instruments(body), KiteConnect("key")._parse_instruments(body)
    assert [
        (one.token, one.instrument.symbol, one.name, one.tick_size, one.lot_size, one.segment) for one in ours
    ] == [
        (
            row["instrument_token"],
            row["tradingsymbol"],
            row["name"],
            row["tick_size"],
            row["lot_size"],
            row["segment"],
        )
        for row in theirs
    ]
    assert decode_tokens(body) == {one.instrument: one.token for one in ours}
    assert any("&" in row["name"] for row in csv.DictReader(body.decode().splitlines()))
    assert {one.expiry for one in ours} == {None}


def test_a_future_has_an_expiry_and_columns_are_found_by_name() -> None:
    header = "exchange,instrument_token,tradingsymbol,name,expiry,strike,tick_size,lot_size"
    header += ",instrument_type,segment"
    body = f"{header}\nNFO,256265,NIFTY25JANFUT,NIFTY,2025-01-30,0,0.05,50,FUT,NFO-FUT\n".encode()
    (future,) = decode_instruments(body)
    assert (future.expiry, future.instrument) == (date(2025, 1, 30), Instrument("NFO", "NIFTY25JANFUT"))


@pytest.mark.parametrize("body", [b"", b"a,b\n1,2\n", b"\xff\xfe", b"<html>"])
def test_instruments_that_cannot_be_are_invalid_payloads(body: bytes) -> None:
    for decode in (decode_instruments, decode_tokens):
        with pytest.raises(InvalidPayload):
            decode(body)


def test_a_list_of_instruments_that_is_cut_is_an_invalid_payload(recordings: Path) -> None:
    body = (recordings / "kite/instruments_nse.csv").read_bytes()
    for decode in (decode_instruments, decode_tokens):
        with pytest.raises(InvalidPayload, match="row 10"):
            decode(b"\n".join(body.splitlines()[:10])[:-30])


def test_recorded_error_bodies_by_status_and_type(recordings: Path) -> None:
    expected = (AuthRequired, AuthRequired, Throttled, NotFound, Unavailable)
    lines = (recordings / "kite/built/error_bodies.jsonl").read_text().splitlines()
    for line, kind in zip(lines, expected, strict=True):
        recorded = json.loads(line)
        body = json.dumps(recorded["body"]).encode()
        error = classify(Reply(recorded["status"], {}, body), wall=0.0, scrub=Scrubber())
        assert type(error) is kind
        with pytest.raises(kind):
            list(plugin.decoders["quote"].decode(body))


def refusal(error_type: str, message: str) -> bytes:
    return json.dumps(
        {"status": "error", "message": message, "data": None, "error_type": error_type}
    ).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, refusal("PermissionException", "Insufficient permission for that call."), AuthRequired),
        (400, refusal("InputException", "invalid token"), NotFound),
        (400, refusal("InputException", "invalid interval"), NotFound),
        (400, refusal("InputException", "missing `from`"), InvalidRequest),
        (500, refusal("GeneralException", "Something went wrong"), Unavailable),
        (502, refusal("DataException", "Bad response from OMS"), Unavailable),
        (502, b"<html>Bad gateway</html>", Unavailable),
        (404, refusal("BrandNewException", "?"), NotFound),
        (429, b"", Throttled),
        (200, b"<html>Maintenance</html>", InvalidPayload),
    ],
)
def test_refusals_have_one_class_each(status: int, body: bytes, expected: type[SourceError]) -> None:
    assert type(classify(Reply(status, {}, body), wall=0.0, scrub=Scrubber())) is expected


def test_a_refusal_with_status_200_is_still_a_refusal() -> None:
    error = classify(Reply(200, {}, refusal("TokenException", "?")), wall=0.0, scrub=Scrubber())
    assert type(error) is AuthRequired


def test_a_refusal_that_repeats_the_key_does_not_show_it() -> None:
    body = refusal("TokenException", "Incorrect `api_key` k3y or `access_token` t0ken")
    error = classify(Reply(403, {}, body), wall=0.0, scrub=Scrubber([Secret("k3y"), Secret("t0ken")]))
    assert error is not None
    assert not {"k3y", "t0ken"} & set(f"{error.message} {error.raw}".split())


def test_times_are_indian() -> None:
    assert to_ns("2017-12-15T09:15:00+0530") == to_ns("2017-12-15 09:15:00") == 1513309500 * 10**9
    assert to_text(1513309500 * 10**9 + 999) == "2017-12-15 09:15:00"
    before, after = (to_ns(f"2026-01-05 {time}:00") / 1e9 for time in ("08:00", "09:00"))
    assert next_dump_after(before) == to_ns("2026-01-05 08:30:00") / 1e9
    assert next_dump_after(after) == to_ns("2026-01-06 08:30:00") / 1e9
