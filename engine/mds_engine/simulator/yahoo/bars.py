"""The bars of a chart: lengths from a minute to a quarter, holes here and there, dividends taken out."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from mds_engine.simulator.figures import Bools, Candles
from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market
from mds_engine.simulator.path import Floats, Ints, uniform
from mds_engine.simulator.yahoo.hours import Hours
from mds_engine.simulator.yahoo.span import INTRADAY_S, Span
from mds_engine.simulator.yahoo.symbols import Symbol

_HOLES_SALT = 77
_INTRADAY_HOLES, _DAILY_HOLES = 0.008, 0.001
_DIVIDEND_MONTHS = (2, 5, 8, 11)
_DIVIDEND_DAY = 15
_DIVIDEND_SHARE = 0.0015


@dataclass(frozen=True, slots=True)
class Dividend:
    """One payment."""

    at: int
    """Epoch seconds of the opening of the first day without it."""
    amount: float
    factor: float
    """What earlier prices are multiplied by, to make returns comparable."""


@dataclass(frozen=True, slots=True)
class ChartBars:
    """What a chart shows."""

    times: Ints
    """Epoch seconds: starts of intraday bars, openings of the days of longer ones."""
    candles: Candles
    holes: Bools
    """Where Yahoo has nothing but null."""
    adjustment: Floats
    dividends: tuple[Dividend, ...]
    """Those within the span."""


def chart_bars(market: Market, symbol: Symbol, hours: Hours, span: Span) -> ChartBars:
    """The bars of a span."""
    if span.interval in INTRADAY_S:
        candles = market.candles(symbol.instrument, INTRADAY_S[span.interval], span.start, span.end + 1)
        return ChartBars(
            candles.start,
            candles,
            _holes(symbol, candles, _INTRADAY_HOLES),
            np.ones(len(candles)),
            (),
        )
    candles = _long_bars(market, symbol, hours, span)
    # Where an exchange keeps hours, the market's days begin with the session; its longer bars do not.
    times = candles.start if span.interval == "1d" else candles.start + hours.opening_s
    dividends = _dividends(market, symbol, hours, span.start)
    adjustment = np.ones(len(candles))
    for dividend in dividends:
        adjustment = np.where(times < dividend.at, adjustment * dividend.factor, adjustment)
    return ChartBars(
        times,
        candles,
        _holes(symbol, candles, _DAILY_HOLES),
        adjustment,
        tuple(dividend for dividend in dividends if dividend.at <= span.end),
    )


def _long_bars(market: Market, symbol: Symbol, hours: Hours, span: Span) -> Candles:
    opening = hours.opening_s
    start = max(span.start - opening, symbol.listing.listed_at)
    if span.range:
        # A range never comes out empty: in summer the exchange's day may begin after local midnight.
        start = min(start, market.day_start(symbol.instrument, market.now()))
    if span.interval == "1d":
        return market.candles(symbol.instrument, DAY_S, start, span.end - opening + 1)
    first = _exchange_day(symbol, start)
    last = _exchange_day(symbol, min(span.end - opening, market.now()))
    edges = [_first_of_period(first, span.interval)]
    while edges[-1] <= last:
        edges.append(_next_period(edges[-1], span.interval))
    seconds = [_midnight(symbol, edge) for edge in edges]
    return market.candles_between(symbol.instrument, np.array(seconds, dtype=np.int64))


def _first_of_period(day: date, interval: str) -> date:
    if interval in {"1wk", "5d"}:
        return day - timedelta(days=day.weekday())
    if interval == "1mo":
        return day.replace(day=1)
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _next_period(day: date, interval: str) -> date:
    days = {"1wk": 7, "5d": 7, "1mo": 31, "3mo": 93}[interval]
    return _first_of_period(day + timedelta(days=days), interval)


def _exchange_day(symbol: Symbol, at: float) -> date:
    return date(1970, 1, 1) + timedelta(days=int((at + symbol.listing.day_offset_s) // DAY_S))


def _midnight(symbol: Symbol, day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_S - symbol.listing.day_offset_s


def _holes(symbol: Symbol, candles: Candles, share: float) -> Bools:
    drawn = uniform(symbol.listing.key, _HOLES_SALT, candles.start) < share
    return np.asarray(drawn & candles.closed, dtype=np.bool_)


def _dividends(market: Market, symbol: Symbol, hours: Hours, start: int) -> list[Dividend]:
    if symbol.listing.kind != "equity":
        return []
    first = max(start, symbol.listing.listed_at)
    years = range(_exchange_day(symbol, first).year, _exchange_day(symbol, market.now()).year + 1)
    midnights = [
        _midnight(symbol, date(year, month, _DIVIDEND_DAY)) for year in years for month in _DIVIDEND_MONTHS
    ]
    amount = round(symbol.listing.base_price * _DIVIDEND_SHARE, 2)
    return [
        Dividend(at + hours.opening_s, amount, 1 - amount / market.price(symbol.instrument, at - 0.001))
        for at in midnights
        if first <= at <= market.now()
    ]
