"""Binance's REST bodies to quotes, bars and limits. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from mds_engine.errors import InvalidPayload
from mds_engine.model import Bars, Instrument, Interval, Quote, Tick, TickKind
from mds_engine.sources.binance.symbols import from_symbol

# Times of 2001 and later have 13 digits in ms, and 16 in µs, until the year 2286.
FIRST_MICROSECOND = 10**14


class Ticker(msgspec.Struct):
    """One symbol of /ticker/24hr; /ticker/price and /ticker/bookTicker hold parts of the same."""

    symbol: str
    last_price: float | None = msgspec.field(name="lastPrice", default=None)
    price: float | None = None
    close_time: int | None = msgspec.field(name="closeTime", default=None)
    open_price: float | None = msgspec.field(name="openPrice", default=None)
    high_price: float | None = msgspec.field(name="highPrice", default=None)
    low_price: float | None = msgspec.field(name="lowPrice", default=None)
    previous_close: float | None = msgspec.field(name="prevClosePrice", default=None)
    volume: float | None = None
    bid_price: float | None = msgspec.field(name="bidPrice", default=None)
    bid_size: float | None = msgspec.field(name="bidQty", default=None)
    ask_price: float | None = msgspec.field(name="askPrice", default=None)
    ask_size: float | None = msgspec.field(name="askQty", default=None)


class Kline(msgspec.Struct, array_like=True):
    """One row of /klines, and of a Vision CSV. Prices come as text, volumes too."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    close_time: int
    quote_volume: float
    trades: float


class RateLimit(msgspec.Struct):
    """One entry of exchangeInfo's `rateLimits`."""

    kind: str = msgspec.field(name="rateLimitType")
    interval: str
    interval_num: int = msgspec.field(name="intervalNum")
    limit: int


class _ExchangeInfo(msgspec.Struct):
    rate_limits: list[RateLimit] = msgspec.field(name="rateLimits")


class Window(NamedTuple):
    """So much weight in so many seconds."""

    limit: int
    window_s: float


_TICKERS = msgspec.json.Decoder(list[Ticker] | Ticker, strict=False)
_KLINES = msgspec.json.Decoder(list[Kline], strict=False)
_EXCHANGE_INFO = msgspec.json.Decoder(_ExchangeInfo)
_UNIT_S = {"SECOND": 1.0, "MINUTE": 60.0, "HOUR": 3600.0, "DAY": 86400.0}


def to_ns(vendor_time: int) -> int:
    """Nanoseconds from milliseconds (13 digits) or microseconds (16): both are in use."""
    return vendor_time * 1_000 if vendor_time >= FIRST_MICROSECOND else vendor_time * 1_000_000


def decode_tickers(body: bytes) -> list[Quote]:
    """/api/v3/ticker/24hr and /ticker/price, one symbol or several; symbols without a price are left out.

    Raises InvalidPayload.
    """
    return [quote for ticker in _read(_TICKERS, body) if (quote := _quote(ticker)) is not None]


def decode_any_ticker(body: bytes) -> list[Quote | Tick]:
    """As `decode_tickers`, and /ticker/bookTicker, which has no price, as book ticks."""
    answers: list[Quote | Tick] = []
    for ticker in _read(_TICKERS, body):
        quote = _quote(ticker)
        answers.append(quote if quote is not None else _book(ticker))
    return answers


def decode_klines(body: bytes, instrument: Instrument, interval: Interval) -> Bars:
    """/api/v3/klines: ascending, the last bar still open. Raises InvalidPayload."""
    return bars_of(read_klines(body), instrument, interval)


def read_klines(body: bytes) -> list[Kline]:
    """The rows of one page of /api/v3/klines. Raises InvalidPayload."""
    try:
        return _KLINES.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"the klines cannot be read: {error}") from error


def decode_limits(body: bytes) -> list[Window]:
    """The weight limits of /api/v3/exchangeInfo. Raises InvalidPayload."""
    try:
        info = _EXCHANGE_INFO.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"exchangeInfo cannot be read: {error}") from error
    return [
        Window(entry.limit, _UNIT_S[entry.interval] * entry.interval_num)
        for entry in info.rate_limits
        if entry.kind == "REQUEST_WEIGHT" and entry.interval in _UNIT_S
    ]


def bars_of(rows: Sequence[Kline], instrument: Instrument, interval: Interval) -> Bars:
    """Rows as columns. Raises InvalidPayload for what no market can have done."""
    times = np.array([to_ns(row.open_time) for row in rows], dtype=np.int64)
    bars = Bars.from_rows(
        instrument,
        interval,
        times,
        {
            name: [getattr(row, name) for row in rows]
            for name in ("open", "high", "low", "close", "volume", "quote_volume", "trades")
        },
    )
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise InvalidPayload("the bars are not in ascending order of time")
    if (bars.high < bars.low).any() or (bars.low <= 0).any():
        raise InvalidPayload("a bar has a high below its low, or a price that is not above zero")
    return bars


def _read(decoder: "msgspec.json.Decoder[list[Ticker] | Ticker]", body: bytes) -> Iterable[Ticker]:
    try:
        tickers = decoder.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"the ticker cannot be read: {error}") from error
    return tickers if isinstance(tickers, list) else (tickers,)


def _quote(ticker: Ticker) -> Quote | None:
    price = ticker.last_price if ticker.last_price is not None else ticker.price
    if not price:
        # Zero is how Binance prints a symbol that was never traded.
        return None
    if price < 0:
        raise InvalidPayload(f"{ticker.symbol} has a price of {price:g}")
    return Quote(
        instrument=from_symbol(ticker.symbol),
        price=price,
        time_ns=to_ns(ticker.close_time) if ticker.close_time else None,
        open=ticker.open_price or None,
        high=ticker.high_price or None,
        low=ticker.low_price or None,
        previous_close=ticker.previous_close or None,
        volume=ticker.volume,
        bid=ticker.bid_price or None,
        bid_size=ticker.bid_size if ticker.bid_price else None,
        ask=ticker.ask_price or None,
        ask_size=ticker.ask_size if ticker.ask_price else None,
    )


def _book(ticker: Ticker) -> Tick:
    return Tick(
        instrument=from_symbol(ticker.symbol),
        kind=TickKind.BOOK,
        bid=ticker.bid_price or None,
        bid_size=ticker.bid_size if ticker.bid_price else None,
        ask=ticker.ask_price or None,
        ask_size=ticker.ask_size if ticker.ask_price else None,
    )
