"""Alpha Vantage's bodies: numbers as strings, newest first, local times, failures as HTTP 200."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    QuotaExhausted,
    SourceError,
    Throttled,
    Unavailable,
)
from mds_engine.model import Instrument, Interval
from mds_engine.sources.alphavantage import plugin
from mds_engine.sources.alphavantage.decode import decode_quote, decode_series
from mds_engine.sources.alphavantage.errors import next_reset, refusal
from mds_engine.sources.alphavantage.symbols import to_instrument, to_symbol

EASTERN = ZoneInfo("America/New_York")
MSFT = Instrument("NASDAQ", "MSFT")


def at_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=EASTERN).timestamp()) * 10**9


def series(name: str, rows: dict[str, list[str]], zone: str = "US/Eastern") -> bytes:
    fields = ("1. open", "2. high", "3. low", "4. close", "5. volume")
    table = {time: dict(zip(fields, values, strict=True)) for time, values in rows.items()}
    return json.dumps({"Meta Data": {"2. Symbol": "MSFT", "4. Time Zone": zone}, name: table}).encode()


def row(price: str) -> list[str]:
    return [price, price, price, price, "10"]


def test_a_recorded_quote(recordings: Path) -> None:
    (quote,) = plugin.decoders["quote"].decode(
        (recordings / "alphavantage/GLOBAL_QUOTE_MSFT.json").read_bytes()
    )
    assert (quote.price, quote.open, quote.high, quote.low) == (112.13, 112.63, 113.17, 110.64)
    assert (quote.previous_close, quote.volume, quote.time_ns) == (112.79, 29062853, None)


def test_a_recorded_series_comes_oldest_first(recordings: Path) -> None:
    path = recordings / "alphavantage/TIME_SERIES_INTRADAY_MSFT_1min.json"
    (bars,) = plugin.decoders["series"].decode(path.read_bytes())
    assert bars.interval is Interval.M1
    assert len(bars) == 100
    assert bars.time_ns[-1] == at_ns("2017-12-18 14:56:00")
    assert bars.time_ns[0] < bars.time_ns[1]
    assert (bars.open[-1], bars.low[-1], bars.close[-1]) == (86.49, 86.475, 86.5)


def test_a_recorded_csv_tells_its_interval_by_its_times(recordings: Path) -> None:
    path = recordings / "alphavantage/TIME_SERIES_INTRADAY_EXTENDED_head.csv"
    (bars,) = plugin.decoders["series"].decode(path.read_bytes())
    assert bars.interval is Interval.M1
    assert bars.time_ns[-1] == at_ns("2020-12-18 20:00:00")
    assert (bars.close[-1], bars.volume[-1]) == (218.75, 1102)


def test_csv_of_today_has_another_header_and_line_ends() -> None:
    body = b"timestamp,open,high,low,close,volume\r\n2024-01-03,3,3,3,3,30\r\n2024-01-02,2,2,2,2,20\r\n"
    bars = decode_series(body, MSFT)
    assert bars.interval is Interval.D1
    assert bars.time_ns.tolist() == [at_ns("2024-01-02"), at_ns("2024-01-03")]
    assert bars.volume.tolist() == [20, 30]


def test_times_follow_daylight_saving_time() -> None:
    rows = {"2024-03-11 09:30:00": row("2"), "2024-03-08 09:30:00": row("1")}
    bars = decode_series(series("Time Series (1min)", rows), MSFT)
    hours = [(at // 10**9) % 86400 / 3600 for at in bars.time_ns.tolist()]
    assert hours == [14.5, 13.5]


@pytest.mark.parametrize(
    ("day", "hour"), [("2024-03-08", 14.5), ("2024-03-11", 13.5), ("2024-11-01", 13.5), ("2024-11-04", 14.5)]
)
def test_the_session_opens_at_another_utc_hour_on_either_side_of_both_changes(day, hour) -> None:
    json_bars = decode_series(series("Time Series (60min)", {f"{day} 09:30:00": row("1")}), MSFT)
    csv = f"timestamp,open,high,low,close,volume\r\n{day} 09:31:00,1,1,1,1,1\r\n{day} 09:30:00,1,1,1,1,1\r\n"
    for bars in (json_bars, decode_series(csv.encode(), MSFT)):
        assert bars.time_ns[0] // 10**9 % 86_400 / 3600 == hour


def test_weeks_and_months_open_on_their_first_day() -> None:
    week = decode_series(series("Weekly Time Series", {"2024-01-05": row("1")}), MSFT)
    assert (week.interval, week.time_ns.tolist()) == (Interval.W1, [at_ns("2024-01-01")])
    month = decode_series(series("Monthly Time Series", {"2024-01-31": row("1")}), MSFT)
    assert (month.interval, month.time_ns.tolist()) == (Interval.MO1, [at_ns("2024-01-01")])


def test_an_adjusted_series_keeps_the_adjusted_close() -> None:
    fields = ["1. open", "2. high", "3. low", "4. close", "5. adjusted close", "6. volume"]
    table = {"2024-01-05": dict(zip(fields, ["4", "4", "4", "4", "2", "7"], strict=True))}
    bars = decode_series(json.dumps({"Meta Data": {}, "Time Series (Daily)": table}).encode(), MSFT)
    assert (bars.volume.tolist(), bars.extra["adjusted_close"].tolist()) == ([7], [2])


@pytest.mark.parametrize(
    ("name", "kind", "retry_after_s"),
    [
        ("burst_limit.Information", Throttled, 1.0),
        ("daily_limit.Information", QuotaExhausted, None),
        ("daily_limit_keyecho.Information", QuotaExhausted, None),
        ("invalid_call.ErrorMessage", NotFound, None),
        ("invalid_key.ErrorMessage", AuthRequired, None),
        ("legacy_5_per_min.Note", Throttled, 60.0),
    ],
)
@pytest.mark.parametrize("decoder", ["quote", "series"])
def test_recorded_failures_that_come_as_http_200(
    recordings: Path, name: str, kind: type[SourceError], retry_after_s: float | None, decoder: str
) -> None:
    body = (recordings / "alphavantage" / f"http200_{name}.json").read_bytes()
    with pytest.raises(SourceError) as caught:
        plugin.decoders[decoder].decode(body)
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe", NotFound),
        ("The outputsize=full parameter value is a premium feature for this endpoint.", NotFound),
        ("Our standard API rate limit is 75 requests per minute. Any of the premium plans", Throttled),
        ("The **demo** API key is for demo purposes only. Please claim your free API key", AuthRequired),
        ("This endpoint is temporarily unavailable. Please try again later.", Unavailable),
        ("Welcome to our new website!", InvalidPayload),
    ],
)
def test_the_word_premium_decides_nothing(text: str, kind: type[SourceError]) -> None:
    assert type(refusal(json.dumps({"Information": text}).encode())) is kind


def test_a_spent_day_ends_at_midnight_in_new_york() -> None:
    before_the_change = datetime(2024, 11, 2, 23, 59, tzinfo=EASTERN)
    assert next_reset(before_the_change.timestamp()) == datetime(2024, 11, 3, tzinfo=EASTERN).timestamp()
    the_long_day = datetime(2024, 11, 3, 0, 0, tzinfo=EASTERN)
    assert next_reset(the_long_day.timestamp()) - the_long_day.timestamp() == 25 * 3600
    body = b'{"Information": "Our standard API rate limit is 25 requests per day."}'
    error = refusal(body, wall=before_the_change.timestamp())
    assert isinstance(error, QuotaExhausted)
    assert error.resets_at == datetime(2024, 11, 3, tzinfo=EASTERN).timestamp()


def test_the_key_that_the_vendor_repeats_is_masked() -> None:
    body = (
        b'{"Information": "We have detected your API key as ABCD1234 and our limit is 25 requests per day."}'
    )
    error = refusal(body)
    assert error is not None
    assert "ABCD1234" not in error.raw + str(error)
    assert "API key as ***" in error.raw


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"Global Quote": {}}', NotFound),
        (b"{}", NotFound),
        (b'{"Global Quote": {"01. symbol": "MSFT", "05. pri', InvalidPayload),
        (b'{"Global Quote": {"01. symbol": "MSFT", "05. price": "none"}}', InvalidPayload),
        (b'{"Global Quote": {"01. symbol": "MSFT", "05. price": "-1.0"}}', InvalidPayload),
        (b'{"Global Quote": {"01. symbol": "MSFT", "05. price": "nan"}}', InvalidPayload),
        (b"<html>", InvalidPayload),
    ],
)
def test_what_is_wrong_with_a_quote_gets_one_class(body: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        decode_quote(body)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", NotFound),
        (series("Time Series (Daily)", {}), NotFound),
        (b"timestamp,open,high,low,close,volume\r\n", NotFound),
        (b"timestamp,open,high,low,close,volume\r\n2024-01-02,1,1,1", InvalidPayload),
        (b"timestamp,open,high,low,close,volume\r\n2024-01-02,1,1,1,x,1\r\n", InvalidPayload),
        (series("Time Series (Daily)", {"yesterday": row("1")}), InvalidPayload),
        (series("Time Series (Daily)", {"2024-01-02": row("-1")}), InvalidPayload),
        (series("Time Series (7min)", {"2024-01-02": row("1")}), InvalidPayload),
        (series("Time Series (Daily)", {"2024-01-02": row("1")}, zone="Mars/Olympus"), InvalidPayload),
        (b'{"Meta Data": {}, "Other": {}}', InvalidPayload),
        (b"<html>", InvalidPayload),
        (b"", InvalidPayload),
    ],
)
def test_what_is_wrong_with_a_series_gets_one_class(body: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        decode_series(body)
    assert type(caught.value) is kind


def test_symbols() -> None:
    assert to_symbol(MSFT) == "MSFT"
    assert to_symbol(Instrument("NYSE", "BRK.B")) == "BRK-B"
    assert to_symbol(Instrument("BSE", "RELIANCE")) == "RELIANCE.BSE"
    assert to_symbol(Instrument("NSE", "RELIANCE")) == "RELIANCE.BSE"
    assert to_symbol(Instrument("NSE", "RELIANCE"), nse_suffix="NSE") == "RELIANCE.NSE"
    assert to_symbol(Instrument("LSE", "TSCO")) == "TSCO.LON"
    assert to_instrument("RELIANCE.BSE") == Instrument("BSE", "RELIANCE")
    assert to_instrument("BRK-B") == Instrument("US", "BRK.B")
    for instrument in (Instrument("BINANCE", "BTCUSDT"), Instrument("NSE", "NIFTY 50")):
        with pytest.raises(NotFound):
            to_symbol(instrument)
    with pytest.raises(NotFound):
        to_symbol(Instrument("NSE", "RELIANCE"), nse_suffix="")
