"""The body of `/v8/finance/chart/{symbol}`."""

import random
from typing import Any

import numpy as np

from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market
from mds_engine.simulator.path import Floats
from mds_engine.simulator.yahoo.bars import ChartBars, Dividend
from mds_engine.simulator.yahoo.hours import Hours
from mds_engine.simulator.yahoo.span import INTRADAY_S, VALID_RANGES, Span
from mds_engine.simulator.yahoo.symbols import Symbol

_YEAR_S = 365 * DAY_S


def chart(
    market: Market, symbol: Symbol, hours: Hours, span: Span, bars: ChartBars, shuffle: random.Random
) -> dict[str, Any]:
    """The result of a chart request; `shuffle` orders the columns, which Yahoo does by chance."""
    times = bars.times.tolist()
    result: dict[str, Any] = {"meta": _meta(market, symbol, hours, span, times)}
    if not times:
        # No empty lists: the key is missing and the quote is an empty object.
        result["indicators"] = {"quote": [{}]}
        return _envelope(result)
    result["timestamp"] = times
    if bars.dividends:
        result["events"] = {"dividends": {str(one.at): _event(one) for one in bars.dividends}}
    result["indicators"] = {"quote": [_columns(symbol, bars, shuffle)]}
    if span.interval not in INTRADAY_S:
        adjusted = _prices(bars.candles.close * bars.adjustment, bars)
        result["indicators"]["adjclose"] = [{"adjclose": adjusted}]
    return _envelope(result)


def single(value: float) -> float:
    """A price as it looks after a stay in 32 bits."""
    return float(np.float32(value))


def _envelope(result: dict[str, Any]) -> dict[str, Any]:
    return {"chart": {"result": [result], "error": None}}


def _columns(symbol: Symbol, bars: ChartBars, shuffle: random.Random) -> dict[str, Any]:
    candles = bars.candles
    volume = candles.quote_volume if symbol.listing.kind == "crypto" else candles.volume
    columns: dict[str, Any] = {
        "open": _prices(candles.open, bars),
        "high": _prices(candles.high, bars),
        "low": _prices(candles.low, bars),
        "close": _prices(candles.close, bars),
        "volume": [
            None if hole else int(size)
            for size, hole in zip(volume.tolist(), bars.holes.tolist(), strict=True)
        ],
    }
    names = list(columns)
    shuffle.shuffle(names)
    return {name: columns[name] for name in names}


def _prices(values: Floats, bars: ChartBars) -> list[float | None]:
    as_sent = values.astype(np.float32).astype(np.float64).tolist()
    return [None if hole else price for price, hole in zip(as_sent, bars.holes.tolist(), strict=True)]


def _event(dividend: Dividend) -> dict[str, float | int]:
    return {"amount": single(dividend.amount), "date": dividend.at}


def _meta(market: Market, symbol: Symbol, hours: Hours, span: Span, times: list[int]) -> dict[str, Any]:
    seen, now = market.snapshot(symbol.instrument), market.now()
    year = market.candles(symbol.instrument, DAY_S, now - _YEAR_S, now)
    intraday = span.interval in INTRADAY_S
    before = max(times[0] if times else span.start, symbol.listing.listed_at + 1) - 0.001
    meta: dict[str, Any] = {
        "currency": symbol.currency,
        "symbol": symbol.text,
        "exchangeName": symbol.house.code,
        "fullExchangeName": symbol.house.full_name,
        "instrumentType": symbol.quote_type.name,
        "firstTradeDate": symbol.first_trade,
        "regularMarketTime": int(seen.last_time),
        "hasPrePostMarketData": hours.has_pre_and_post,
        "gmtoffset": symbol.utc_offset_s(now),
        "timezone": symbol.local(now).strftime("%Z"),
        "exchangeTimezoneName": str(symbol.house.zone),
        "regularMarketPrice": seen.last,
        "fiftyTwoWeekHigh": float(year.high.max()),
        "fiftyTwoWeekLow": float(year.low.min()),
        "regularMarketDayHigh": seen.high,
        "regularMarketDayLow": seen.low,
        "regularMarketVolume": int(
            seen.volume * seen.average if symbol.listing.kind == "crypto" else seen.volume
        ),
        "longName": symbol.listing.name,
        "shortName": symbol.listing.name,
        "chartPreviousClose": market.price(symbol.instrument, before),
    }
    if intraday:
        meta |= {"previousClose": seen.previous_close, "scale": 3}
    meta |= {"priceHint": symbol.price_hint, "currentTradingPeriod": hours.current(now)}
    if intraday and times:
        meta["tradingPeriods"] = hours.regular_days(times)
    return meta | {
        "dataGranularity": span.interval,
        "range": span.range,
        "validRanges": list(VALID_RANGES),
    }
