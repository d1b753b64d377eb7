"""`/v8/finance/chart` to bars. Pure."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from mds_engine.errors import InvalidPayload, NotFound
from mds_engine.model import Bars, Instrument, Interval
from mds_engine.sources.yahoo.failures import ErrorBody, classify_error, excerpt, not_understood
from mds_engine.sources.yahoo.float32 import meant_column
from mds_engine.sources.yahoo.symbols import to_instrument

GRANULARITIES = {
    Interval.M1: "1m",
    Interval.M5: "5m",
    Interval.M15: "15m",
    Interval.M30: "30m",
    Interval.H1: "1h",
    Interval.D1: "1d",
    Interval.W1: "1wk",
    Interval.MO1: "1mo",
}
"""The intervals that Yahoo serves, in its spelling."""

_INTERVALS = {**{name: interval for interval, name in GRANULARITIES.items()}, "60m": Interval.H1}

_SECOND_NS = 1_000_000_000
_PRICES = ("open", "high", "low", "close")

_Column = list[float | None]


class _Meta(msgspec.Struct):
    symbol: str
    granularity: str = msgspec.field(name="dataGranularity")
    exchange: str | None = msgspec.field(default=None, name="exchangeName")


class _Columns(msgspec.Struct):
    # By name, never by place: Yahoo's key order changes from answer to answer.
    open: _Column | None = None
    high: _Column | None = None
    low: _Column | None = None
    close: _Column | None = None
    volume: _Column | None = None


class _Adjusted(msgspec.Struct):
    adjclose: _Column | None = None


class _Indicators(msgspec.Struct):
    quote: list[_Columns] = []
    adjclose: list[_Adjusted] = []


class _Result(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[int] | None = None


class _Chart(msgspec.Struct):
    result: list[_Result] | None = None
    error: ErrorBody | None = None


class _Body(msgspec.Struct):
    chart: _Chart


_BODY = msgspec.json.Decoder(_Body)


def decode_chart(body: bytes, instrument: Instrument | None = None, interval: Interval | None = None) -> Bars:
    """The bars of one body, oldest first; daily bars open when the session opens.

    A row whose four prices are all null was never a bar and is left out; a
    single null is NaN. Prices are what Yahoo meant by its float32 values.
    Without `instrument` it is told from the body's own symbol.

    Raises NotFound where there is no bar, or where Yahoo answered in another
    interval than `interval`; InvalidPayload, Throttled, AuthRequired for what
    the body says.
    """
    result = _read(body)
    served = _INTERVALS.get(result.meta.granularity)
    if served is None:
        raise InvalidPayload(f"Yahoo's interval {result.meta.granularity!r} is not known", raw=excerpt(body))
    if interval is not None and served is not interval:
        raise NotFound(f"Yahoo has {result.meta.symbol} in {served} bars there, not in {interval}")
    instrument = instrument or to_instrument(result.meta.symbol, result.meta.exchange)
    columns = result.indicators.quote[0] if result.indicators.quote else _Columns()
    if result.timestamp is None:
        if columns.close and any(value is not None for value in columns.close):
            raise InvalidPayload(
                f"Yahoo sent prices of {result.meta.symbol} without times", raw=excerpt(body)
            )
        raise NotFound(f"Yahoo has no bars of {result.meta.symbol} in that span")
    return _bars(instrument, served, result, columns, body)


def _read(body: bytes) -> _Result:
    try:
        chart = _BODY.decode(body).chart
    except msgspec.MsgspecError as error:
        raise not_understood(body, error) from error
    if chart.error is not None:
        raise classify_error(chart.error)
    if not chart.result:
        raise NotFound("Yahoo sent an empty chart")
    return chart.result[0]


def _bars(instrument: Instrument, interval: Interval, result: _Result, quote: _Columns, body: bytes) -> Bars:
    seconds = np.asarray(result.timestamp, dtype=np.int64)
    columns = {name: _column(getattr(quote, name), len(seconds), name, body) for name in (*_PRICES, "volume")}
    if quote.close is None and len(seconds):
        raise InvalidPayload("Yahoo's chart has times but no closes", raw=excerpt(body))
    for name in _PRICES:
        columns[name] = meant_column(columns[name])
    if result.indicators.adjclose:
        adjusted = _column(result.indicators.adjclose[0].adjclose, len(seconds), "adjclose", body)
        columns["adjusted_close"] = meant_column(adjusted)

    traded = ~np.all([np.isnan(columns[name]) for name in _PRICES], axis=0)
    seconds = seconds[traded]
    columns = {name: column[traded] for name, column in columns.items()}
    if not len(seconds):
        raise NotFound(f"Yahoo has no bars of {instrument} in that span")
    seconds, columns = _fold_live_row(seconds, columns, interval)
    if np.any(np.diff(seconds) <= 0):
        raise InvalidPayload(f"Yahoo's bars of {instrument} are not in order of time", raw=excerpt(body))
    if any(np.any(columns[name] < 0) for name in (*_PRICES, "volume")):
        raise InvalidPayload(f"Yahoo's bars of {instrument} hold negative values", raw=excerpt(body))
    return Bars.from_rows(instrument, interval, seconds * _SECOND_NS, columns)


def _column(values: _Column | None, rows: int, name: str, body: bytes) -> NDArray[np.float64]:
    if values is None:
        return np.full(rows, np.nan)
    if len(values) != rows:
        raise InvalidPayload(f"Yahoo's chart has {rows} times but {len(values)} of {name}", raw=excerpt(body))
    return np.array(values, dtype=np.float64)


def _fold_live_row(
    seconds: NDArray[np.int64], columns: dict[str, NDArray[np.float64]], interval: Interval
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Fold Yahoo's live row into the bar that it belongs to.

    While a market is open Yahoo appends the price of this moment as one more
    row, with the time of the last trade. It is no bar of its own: it falls
    inside the bar before it.
    """
    # A trading day is shorter than its bar: half of it keeps two sessions apart
    # through every change of daylight saving time.
    span = interval.seconds if interval.seconds < Interval.D1.seconds else interval.seconds // 2
    if len(seconds) < 2 or seconds[-1] - seconds[-2] >= span:
        return seconds, columns
    folded = {name: column[:-1].copy() for name, column in columns.items()}
    folded["high"][-1] = np.fmax(*columns["high"][-2:])
    folded["low"][-1] = np.fmin(*columns["low"][-2:])
    folded["volume"][-1] = np.fmax(*columns["volume"][-2:])
    for name in ("close", "adjusted_close"):
        if name in columns and not np.isnan(columns[name][-1]):
            folded[name][-1] = columns[name][-1]
    return seconds[:-1], folded
