"""The streams of one symbol: what is due on each, and when the next is.

A feed is a small state machine over market time. `due` says when it wants to
be asked; `payloads` gives what has come up since, oldest first.
"""

import re
from collections import deque
from typing import Any, Protocol

import numpy as np

from mds_engine.simulator.binance.rest import book_update_id
from mds_engine.simulator.binance.symbols import INTERVALS_S, edges, longest_s, text
from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market, UnknownInstrumentError

_NEVER = float("inf")
_AHEAD = 64
"""Trades are looked up this many at a time."""

_Row = tuple[int, float, float, float, bool]
"""One trade: number, price, size, epoch seconds, whether the buyer was the maker."""


class Feed(Protocol):
    """One subscribed stream."""

    due: float
    """Epoch seconds at which it next has something to say."""

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        """What came up until now; `unit` is time units per second. Moves `due` on."""
        ...


def make_feed(name: str, market: Market, now: float, listed: int) -> Feed | None:
    """The feed of a stream name, None for a name that nobody will ever hear from.

    The real server accepts such names silently, so they are no error.
    """
    if name == "!miniTicker@arr":
        return _AllMiniTickers(listed, now)
    symbol, at, kind = name.partition("@")
    if not at or symbol != symbol.lower():
        return None
    instrument = f"BINANCE:{symbol.upper()}"
    try:
        market.listing(instrument)
    except UnknownInstrumentError:
        return None
    return _feed_of_kind(instrument, kind, market, now)


def _feed_of_kind(instrument: str, kind: str, market: Market, now: float) -> Feed | None:
    if kind in ("trade", "aggTrade", "bookTicker"):
        return _TradeFeed(instrument, kind, market, now)
    if kind == "miniTicker":
        return _MiniTicker(instrument, now)
    if kind == "ticker":
        return _Ticker(instrument, now)
    kline = _KLINE.fullmatch(kind)
    if kline is not None and kline["interval"] in INTERVALS_S:
        return _KlineFeed(instrument, kline["interval"], now)
    depth = _DEPTH.fullmatch(kind)
    if depth is not None:
        period_s = 0.1 if depth["fast"] else 1.0
        levels = int(depth["levels"]) if depth["levels"] else None
        return _DepthFeed(instrument, levels, period_s, now)
    return None


_KLINE = re.compile(r"kline_(?P<interval>\d+[smhdwM])")
_DEPTH = re.compile(r"depth(?P<levels>5|10|20)?(?P<fast>@100ms)?(?:@1000ms)?")


def stamp(at: float, unit: int) -> int:
    """A time as the wire has it."""
    return round(at * 1000) * (unit // 1000)


class _TradeFeed:
    """Trades as they happen, and the best bid and ask that each of them leaves."""

    def __init__(self, instrument: str, kind: str, market: Market, now: float) -> None:
        self._instrument = instrument
        self._symbol = instrument.partition(":")[2]
        self._kind = kind
        self._next = market.trade_ids(instrument, now, now + 0.001).start
        self._view = market.view
        self._ahead: deque[_Row] = deque()
        self.due = _NEVER
        self._look_ahead(market)

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        if market.view != self._view:
            self._look_ahead(market)
        payloads = []
        while self.due <= now:
            row = self._ahead.popleft()
            self._next += 1
            if self._kind == "bookTicker":
                payloads.append(self._book(market, row[3]))
            else:
                payloads.append(self._trade(*row, stamp(max(now, row[3]), unit), unit))
            if not self._ahead:
                self._look_ahead(market)
            self.due = self._ahead[0][3]
        return payloads

    def _trade(
        self, number: int, price: float, size: float, at: float, maker: bool, sent: int, unit: int
    ) -> Any:
        head = {"e": self._kind, "E": sent, "s": self._symbol}
        tail = {"T": stamp(at, unit), "m": maker, "M": True}
        if self._kind == "trade":
            return {**head, "t": number, "p": text(price), "q": text(size), **tail}
        return {
            **head, "a": number, "p": text(price), "q": text(size), "f": number, "l": number, **tail
        }  # fmt: skip

    def _book(self, market: Market, at: float) -> Any:
        bids, asks = market.depth(self._instrument, 1, at)
        return {
            "u": book_update_id(at),
            "s": self._symbol,
            "b": text(bids[0][0]),
            "B": text(bids[0][1]),
            "a": text(asks[0][0]),
            "A": text(asks[0][1]),
        }

    def _look_ahead(self, market: Market) -> None:
        """Have the next trades at hand, as the vendor sees them now: many cost little more than one."""
        trades = market.trades(self._instrument, range(self._next, self._next + _AHEAD))
        self._view = market.view
        self._ahead = deque(
            zip(
                trades.id.tolist(),
                trades.price.tolist(),
                trades.size.tolist(),
                trades.time.tolist(),
                trades.buyer_is_maker.tolist(),
                strict=True,
            )
        )
        self.due = self._ahead[0][3]


class _Periodic:
    """A feed that speaks at every multiple of its period."""

    def __init__(self, period_s: float, now: float) -> None:
        self._period_s = period_s
        self.due = 0.0
        self._move_on(now)

    def _move_on(self, now: float) -> None:
        self.due = (int(now / self._period_s + 1e-9) + 1) * self._period_s


class _KlineFeed(_Periodic):
    """The running bar every two seconds (1s bars: every second), and each bar once more when it closes."""

    def __init__(self, instrument: str, interval: str, now: float) -> None:
        super().__init__(1.0 if interval == "1s" else 2.0, now)
        self._instrument = instrument
        self._interval = interval
        self._seen = self._opening(now)

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        self._move_on(now)
        running = self._opening(now)
        starts = [start for start in self._edges(self._seen, now) if start <= running]
        self._seen = running
        return [self._kline(market, start, now, unit) for start in starts]

    def _edges(self, start: int, now: float) -> list[int]:
        found: list[int] = edges(self._interval, start, now).tolist()
        return found[:-1]

    def _opening(self, now: float) -> int:
        return int(edges(self._interval, now - longest_s(self._interval), now)[-2])

    def _kline(self, market: Market, start: int, now: float, unit: int) -> Any:
        symbol = self._instrument.partition(":")[2]
        limits = edges(self._interval, start, start)
        bar = market.candles_between(self._instrument, np.asarray(limits))
        count = int(bar.trades[0])
        first = int(bar.first_trade[0])
        taker = float(bar.taker_buy_volume[0])
        return {
            "e": "kline",
            "E": stamp(now, unit),
            "s": symbol,
            "k": {
                "t": start * unit,
                "T": int(limits[1]) * unit - 1,
                "s": symbol,
                "i": self._interval,
                "f": first if count else -1,
                "L": first + count - 1 if count else -1,
                "o": text(bar.open[0]),
                "c": text(bar.close[0]),
                "h": text(bar.high[0]),
                "l": text(bar.low[0]),
                "v": text(bar.volume[0]),
                "n": count,
                "x": bool(bar.closed[0]),
                "q": text(bar.quote_volume[0]),
                "V": text(taker),
                "Q": text(taker * float(bar.close[0])),
                "B": "0",
            },
        }


class _MiniTicker(_Periodic):
    """Rolling 24 hours in short, every second."""

    def __init__(self, instrument: str, now: float) -> None:
        super().__init__(1.0, now)
        self._instrument = instrument

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        self._move_on(now)
        return [_mini_ticker(self._instrument, market, now, unit)]


class _AllMiniTickers(_Periodic):
    """The mini tickers of all listed symbols in one array, every second."""

    def __init__(self, listed: int, now: float) -> None:
        super().__init__(1.0, now)
        self._listed = listed

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        self._move_on(now)
        instruments = market.universe("BINANCE", self._listed)
        return [[_mini_ticker(instrument, market, now, unit) for instrument in instruments]]


class _Ticker(_Periodic):
    """Rolling 24 hours in full, every second."""

    def __init__(self, instrument: str, now: float) -> None:
        super().__init__(1.0, now)
        self._instrument = instrument

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        self._move_on(now)
        span = market.span(self._instrument, now - DAY_S, now)
        snapshot = market.snapshot(self._instrument, now)
        change = span.close - span.open
        return [
            {
                "e": "24hrTicker",
                "E": stamp(now, unit),
                "s": self._instrument.partition(":")[2],
                "p": text(change),
                "P": f"{change / span.open * 100:.3f}",
                "w": text(span.quote_volume / span.volume if span.volume else span.close),
                "x": text(span.open),
                "c": text(span.close),
                "Q": text(span.last_size),
                "b": text(snapshot.bid),
                "B": text(snapshot.bid_size),
                "a": text(snapshot.ask),
                "A": text(snapshot.ask_size),
                "o": text(span.open),
                "h": text(span.high),
                "l": text(span.low),
                "v": text(span.volume),
                "q": text(span.quote_volume),
                "O": stamp(now - DAY_S, unit),
                "C": stamp(now, unit),
                "F": span.first_trade,
                "L": span.last_trade,
                "n": span.trades,
            }
        ]


class _DepthFeed(_Periodic):
    """Changes of the book (or, with `levels`, its top) every second or ten times a second."""

    def __init__(self, instrument: str, levels: int | None, period_s: float, now: float) -> None:
        super().__init__(period_s, now)
        self._instrument = instrument
        self._levels = levels
        self._last_update = book_update_id(now)
        self._book: tuple[dict[float, float], dict[float, float]] = ({}, {})

    def payloads(self, market: Market, now: float, unit: int) -> list[Any]:
        self._move_on(now)
        bids, asks = market.depth(self._instrument, self._levels or 20, now)
        update = book_update_id(now)
        if self._levels is not None:
            return [
                {
                    "lastUpdateId": update,
                    "bids": [[text(price), text(size)] for price, size in bids],
                    "asks": [[text(price), text(size)] for price, size in asks],
                }
            ]
        if update <= self._last_update:
            return []
        book = (dict(bids), dict(asks))
        event = {
            "e": "depthUpdate",
            "E": stamp(now, unit),
            "s": self._instrument.partition(":")[2],
            "U": self._last_update + 1,
            "u": update,
            "b": _changes(self._book[0], book[0]),
            "a": _changes(self._book[1], book[1]),
        }
        self._last_update, self._book = update, book
        return [event]


def _changes(old: dict[float, float], new: dict[float, float]) -> list[list[str]]:
    changed = [[text(price), text(size)] for price, size in new.items() if old.get(price) != size]
    return changed + [[text(price), text(0.0)] for price in old if price not in new]


def _mini_ticker(instrument: str, market: Market, now: float, unit: int) -> Any:
    span = market.span(instrument, now - DAY_S, now)
    return {
        "e": "24hrMiniTicker",
        "E": stamp(now, unit),
        "s": instrument.partition(":")[2],
        "c": text(span.close),
        "o": text(span.open),
        "h": text(span.high),
        "l": text(span.low),
        "v": text(span.volume),
        "q": text(span.quote_volume),
    }
