"""Charts to bars, with every trap of the wire."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mds_engine.errors import (
    AuthRequired,
    InvalidPayload,
    NotFound,
    SourceError,
    Throttled,
)
from mds_engine.model import Bars, Instrument, Interval
from mds_engine.sources.yahoo import plugin
from mds_engine.sources.yahoo.decode_chart import decode_chart

AAPL = Instrument("NASDAQ", "AAPL")
AAPL_FRAME = b"CgRBQVBMFXH9KEMYsN7m18JjKgNOTVMwCDgBRQoLKr9IlIq+M2WAo5C/2AEE"
DAY = 86400
OPEN = 1_577_975_400
"""2020-01-02 09:30 in New York."""


def chart(
    timestamp: list[int] | None = None, granularity: str = "1d", **columns: list[float | None]
) -> dict[str, Any]:
    quote = {name: columns[name] for name in columns if name != "adjclose"}
    result: dict[str, Any] = {
        "meta": {"symbol": "AAPL", "exchangeName": "NMS", "dataGranularity": granularity},
        "indicators": {"quote": [quote]},
    }
    if timestamp is not None:
        result["timestamp"] = timestamp
    if "adjclose" in columns:
        result["indicators"]["adjclose"] = [{"adjclose": columns["adjclose"]}]
    return {"chart": {"result": [result], "error": None}}


def flat(values: list[float | None]) -> dict[str, list[float | None]]:
    return dict.fromkeys(("open", "high", "low", "close"), values)


def decode(body: dict[str, Any]) -> Bars:
    return decode_chart(json.dumps(body).encode())


def test_a_recorded_chart_is_what_yahoo_meant(recordings: Path) -> None:
    path = recordings / "yahoo" / "chart-AAPL-2020-01-01-to-2020-01-03.json"
    (bars,) = plugin.decoders["chart"].decode(path.read_bytes())
    assert bars.instrument == AAPL
    assert bars.interval is Interval.D1
    assert bars.time_ns.tolist() == [OPEN * 10**9]
    assert [column.tolist() for column in (bars.open, bars.high, bars.low, bars.close)] == [
        [74.06],
        [75.15],
        [73.7975],
        [75.0875],
    ]
    assert bars.volume.tolist() == [135480400]
    assert bars.extra["adjusted_close"].tolist() == [72.71607]


def test_every_recorded_chart_is_read_or_refused_for_a_reason(recordings: Path) -> None:
    outcomes: dict[str, object] = {}
    for path in sorted((recordings / "yahoo").glob("chart-*.json")):
        try:
            (bars,) = plugin.decoders["chart"].decode(path.read_bytes())
            outcomes[path.stem] = len(bars)
        except SourceError as error:
            outcomes[path.stem] = error.class_name
    assert outcomes == {
        "chart-0P000071W8.TO-2020-01-01-to-2020-01-03": 1,
        "chart-AAPL-2020-01-01-to-2020-01-03": 1,
        "chart-AAPL-2020-08-31-to-2020-11-07": 49,
        "chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m": "NotFound",
        "chart-BTC-USD-2020-01-01-to-2020-01-03": 3,
        "chart-EURUSD=X-2020-01-01-to-2020-01-03": 3,
        "chart-GSPC-partial": 5,
        "chart-notimestamp-quotes-length.fake": "InvalidPayload",
    }


def test_a_negative_first_trade_date_is_no_harm(recordings: Path) -> None:
    (bars,) = plugin.decoders["chart"].decode((recordings / "yahoo" / "chart-GSPC-partial.json").read_bytes())
    assert bars.instrument == Instrument("INDEX", "GSPC")
    assert bars.close.tolist() == [3824.14, 3852.97, 3808.1, 3895.08, 3892.09]
    assert np.isnan(bars.open).all()


def test_bars_from_before_1970_have_negative_times() -> None:
    result = {
        "meta": {"symbol": "^GSPC", "exchangeName": "SNP", "dataGranularity": "1d"},
        "timestamp": [-1_325_583_000, -86_400, 0],
        "indicators": {"quote": [{key: [17.5, 92.0, 93.0] for key in ("open", "high", "low", "close")}]},
    }
    bars = decode_chart(json.dumps({"chart": {"result": [result], "error": None}}).encode())
    assert bars.time_ns.tolist() == [-1_325_583_000 * 10**9, -86_400 * 10**9, 0]


def test_a_row_of_nulls_is_no_bar_and_a_single_null_is_nan() -> None:
    bars = decode(
        chart(
            [OPEN, OPEN + DAY, OPEN + 2 * DAY],
            open=[1, None, 3],
            high=[1, None, 3],
            low=[1, None, None],
            close=[1, None, 3],
            volume=[5, None, None],
        )
    )
    assert bars.time_ns.tolist() == [OPEN * 10**9, (OPEN + 2 * DAY) * 10**9]
    assert bars.low[0] == 1
    assert np.isnan(bars.low[1])
    assert np.isnan(bars.volume[1])


def test_only_rows_of_nulls_are_not_found() -> None:
    with pytest.raises(NotFound):
        decode(chart([OPEN], **flat([None]), volume=[None]))


def test_no_timestamp_and_an_empty_quote_is_not_found() -> None:
    with pytest.raises(NotFound):
        decode(chart(None))


def test_keys_come_in_any_order() -> None:
    body = chart([OPEN], volume=[9], low=[1], close=[2], high=[4], open=[3])
    bars = decode(body)
    assert [float(bars.open[0]), float(bars.high[0]), float(bars.low[0]), float(bars.close[0])] == [
        3,
        4,
        1,
        2,
    ]


def test_the_live_row_is_part_of_the_bar_before_it() -> None:
    minutes = [OPEN, OPEN + 60, OPEN + 60 + 17]
    bars = decode(
        chart(
            minutes,
            "1m",
            open=[10, 11, 12],
            high=[10, 11, 12.5],
            low=[10, 11, 10.5],
            close=[10, 11, 12],
            volume=[100, 50, 0],
        )
    )
    assert bars.time_ns.tolist() == [OPEN * 10**9, (OPEN + 60) * 10**9]
    last = [float(column[-1]) for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    assert last == [11, 12.5, 10.5, 12, 50]


def test_days_around_a_change_of_daylight_saving_time_stay_apart() -> None:
    friday = int(datetime(2024, 3, 8, 14, 30, tzinfo=UTC).timestamp())
    monday = int(datetime(2024, 3, 11, 13, 30, tzinfo=UTC).timestamp())
    tuesday = monday + DAY
    assert len(decode(chart([friday, monday, tuesday], **flat([1, 2, 3]), volume=[1, 1, 1]))) == 3
    saturday, sunday = friday + DAY, friday + 2 * DAY - 3600
    assert len(decode(chart([saturday, sunday], **flat([1, 2]), volume=[1, 1]))) == 2


def test_another_interval_than_was_asked_is_never_served() -> None:
    body = json.dumps(chart([OPEN], "60m", **flat([1]), volume=[1])).encode()
    assert decode_chart(body, AAPL, Interval.H1).interval is Interval.H1
    with pytest.raises(NotFound, match="1h bars there, not in 30m"):
        decode_chart(body, AAPL, Interval.M30)


def error_body(code: str, envelope: str = "chart") -> bytes:
    return json.dumps({envelope: {"result": None, "error": {"code": code, "description": "why"}}}).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error_body("Not Found"), NotFound),
        (error_body("Unprocessable Entity"), NotFound),
        (error_body("Unauthorized", "finance"), AuthRequired),
        (b"Too Many Requests\r\n", Throttled),
        (b"<html><body>Will be right back</body></html>", InvalidPayload),
        (b'{"chart":{"result":[{"meta":{"symbol":"AA', InvalidPayload),
        (b'{"chart":{"result":[{"meta":{}}]}}', InvalidPayload),
        (b"", InvalidPayload),
        (b'{"chart":{"result":[],"error":null}}', NotFound),
        (json.dumps(chart([OPEN], **flat([1, 2]), volume=[1])).encode(), InvalidPayload),
        (json.dumps(chart([OPEN], **flat([-1]), volume=[1])).encode(), InvalidPayload),
        (
            json.dumps(
                chart([OPEN + DAY, OPEN, OPEN + 9 * DAY], **flat([1, 1, 1]), volume=[1, 1, 1])
            ).encode(),
            InvalidPayload,
        ),
    ],
)
def test_what_is_wrong_gets_one_class(body: bytes, kind: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        decode_chart(body)
    assert type(caught.value) is kind


def test_a_recorded_error_page_is_classified_by_its_status(recordings: Path) -> None:
    with pytest.raises(NotFound, match="Made Up Error"):
        plugin.decoders["chart"].decode((recordings / "yahoo" / "pageWithUnknownError.json").read_bytes())


def test_a_body_that_was_recorded_as_text_is_read_too() -> None:
    wrapped = {
        "request": {},
        "response": {"status": 200, "body": json.dumps(chart([OPEN], **flat([1]), volume=[1]))},
    }
    (bars,) = plugin.decoders["chart"].decode(json.dumps(wrapped).encode())
    assert bars.close.tolist() == [1]
    throttled = {"request": {}, "response": {"status": 429, "bodyText": "Too Many Requests"}}
    with pytest.raises(Throttled):
        plugin.decoders["chart"].decode(json.dumps(throttled).encode())


def test_the_plugin_and_its_decoders_import_nothing_heavy() -> None:
    heavy = ("pandas", "yfinance", "curl_cffi", "websockets", "httpx")
    code = (
        "import sys; from mds_engine.sources.yahoo import plugin; "
        f"list(plugin.decoders['stream'].decode({AAPL_FRAME!r})); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
