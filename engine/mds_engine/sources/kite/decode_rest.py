"""Kite's REST bodies to quotes and bars. Pure."""

import msgspec
import numpy as np

from mds_engine.errors import InvalidPayload
from mds_engine.model import Bars, Instrument, Interval, Quote
from mds_engine.sources.kite.exchanges import INDICES, segment_of
from mds_engine.sources.kite.times import to_ns


class _Level(msgspec.Struct):
    price: float = 0.0
    quantity: float = 0.0


class _Depth(msgspec.Struct):
    buy: list[_Level] = []
    sell: list[_Level] = []


class _Ohlc(msgspec.Struct):
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0


class _Row(msgspec.Struct):
    """One instrument of /quote; /quote/ohlc and /quote/ltp hold less of the same."""

    instrument_token: int
    last_price: float
    timestamp: str | None = None
    last_trade_time: str | None = None
    volume: float | None = None
    oi: float | None = None
    ohlc: _Ohlc | None = None
    depth: _Depth | None = None


class _Quotes(msgspec.Struct):
    data: dict[str, _Row]


class Candle(msgspec.Struct, array_like=True):
    """One row of the historical endpoint; the last column is there if it was asked for."""

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    open_interest: float | None = None


class _Candles(msgspec.Struct):
    candles: list[Candle]


class _Historical(msgspec.Struct):
    data: _Candles


class _Envelope(msgspec.Struct):
    status: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_QUOTES = msgspec.json.Decoder(_Quotes)
_HISTORICAL = msgspec.json.Decoder(_Historical)


def decode_quotes(body: bytes) -> dict[str, Quote]:
    """/quote, /quote/ohlc and /quote/ltp, by the key that was asked for (`NSE:INFY`).

    Unknown and expired instruments are simply missing. Raises InvalidPayload.
    """
    try:
        rows = _QUOTES.decode(body).data
        return {key: _quote(key, row) for key, row in rows.items()}
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidPayload(f"the quotes cannot be read: {error}") from error


def decode_quote_tokens(body: bytes) -> dict[str, int]:
    """Only the instrument tokens of /quote, by the key that was asked for. Raises InvalidPayload."""
    try:
        return {key: row.instrument_token for key, row in _QUOTES.decode(body).data.items()}
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"the quotes cannot be read: {error}") from error


def is_success(body: bytes) -> bool:
    """Whether a body is in Kite's envelope of success, whatever its data."""
    try:
        return _ENVELOPE.decode(body).status == "success"
    except msgspec.DecodeError:
        return False


def read_candles(body: bytes) -> list[Candle]:
    """The rows of one page of /instruments/historical. Raises InvalidPayload."""
    try:
        return _HISTORICAL.decode(body).data.candles
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"the candles cannot be read: {error}") from error


def bars_of(rows: list[Candle], instrument: Instrument, interval: Interval) -> Bars:
    """Rows as columns; `open_interest` is extra where the vendor sent it. Raises InvalidPayload."""
    try:
        times = np.array([to_ns(row.time) for row in rows], dtype=np.int64)
    except ValueError as error:
        raise InvalidPayload(f"a candle has no time: {error}") from error
    columns = {
        name: [getattr(row, name) for row in rows] for name in ("open", "high", "low", "close", "volume")
    }
    if any(row.open_interest is not None for row in rows):
        columns["open_interest"] = [row.open_interest for row in rows]
    bars = Bars.from_rows(instrument, interval, times, columns)
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise InvalidPayload("the candles are not in ascending order of time")
    if (bars.high < bars.low).any():
        raise InvalidPayload("a candle has a high below its low")
    return bars


def decode_historical(body: bytes, instrument: Instrument, interval: Interval) -> Bars:
    """One whole answer of /instruments/historical. Raises InvalidPayload."""
    return bars_of(read_candles(body), instrument, interval)


def _quote(key: str, row: _Row) -> Quote:
    if row.last_price < 0:
        raise InvalidPayload(f"{key} has a price of {row.last_price:g}")
    exchange, colon, symbol = key.partition(":")
    ohlc, depth = row.ohlc or _Ohlc(), row.depth or _Depth()
    bid = depth.buy[0] if depth.buy else _Level()
    ask = depth.sell[0] if depth.sell else _Level()
    is_index = segment_of(row.instrument_token) == INDICES
    time = row.timestamp or row.last_trade_time
    return Quote(
        instrument=Instrument(exchange, symbol) if colon else Instrument("KITE", key),
        price=row.last_price,
        time_ns=to_ns(time) if time else None,
        open=ohlc.open or None,
        high=ohlc.high or None,
        low=ohlc.low or None,
        previous_close=ohlc.close or None,
        volume=None if is_index else row.volume,
        # Zero is how Kite prints an empty side of the book, and no open interest.
        bid=bid.price or None,
        bid_size=bid.quantity if bid.price else None,
        ask=ask.price or None,
        ask_size=ask.quantity if ask.price else None,
        open_interest=row.oi or None,
        currency="INR",
    )
