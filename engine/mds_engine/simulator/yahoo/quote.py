"""The bodies of `/v7/finance/quote` and of `/v10/finance/quoteSummary`."""

from collections.abc import Sequence
from typing import Any

from mds_engine.simulator.figures import Snapshot
from mds_engine.simulator.listings import DAY_S
from mds_engine.simulator.market import Market
from mds_engine.simulator.yahoo.hours import Hours
from mds_engine.simulator.yahoo.symbols import Symbol

_YEAR_DAYS = 365


def quotes(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The envelope of `/v7/finance/quote`; unknown symbols are just not among the entries."""
    return {"quoteResponse": {"result": list(entries), "error": None}}


def quote(market: Market, symbol: Symbol) -> dict[str, Any]:
    """One entry of `/v7/finance/quote`."""
    seen, now = market.snapshot(symbol.instrument), market.now()
    hours = Hours(market, symbol)
    year = market.candles(symbol.instrument, DAY_S, now - _YEAR_DAYS * DAY_S, now)
    high, low = float(year.high.max()), float(year.low.min())
    change = seen.last - seen.previous_close
    is_index = symbol.listing.kind == "index"
    return {
        "language": "en-US",
        "region": "US",
        "quoteType": symbol.quote_type.name,
        "typeDisp": symbol.quote_type.display,
        "quoteSourceName": "Delayed Quote" if is_index else "Nasdaq Real Time Price",
        "triggerable": True,
        "customPriceAlertConfidence": "HIGH",
        "shortName": symbol.listing.name,
        "longName": symbol.listing.name,
        "marketState": "REGULAR" if market.is_open(symbol.instrument) else "CLOSED",
        "regularMarketChangePercent": change / seen.previous_close * 100,
        "regularMarketPrice": seen.last,
        "currency": symbol.currency,
        "exchange": symbol.house.code,
        "exchangeTimezoneName": str(symbol.house.zone),
        "exchangeTimezoneShortName": symbol.local(now).strftime("%Z"),
        "gmtOffSetMilliseconds": symbol.utc_offset_s(now) * 1_000,
        "market": symbol.house.market,
        "esgPopulated": False,
        "corporateActions": [],
        "regularMarketTime": int(seen.last_time),
        "regularMarketChange": change,
        "regularMarketDayHigh": seen.high,
        "regularMarketDayRange": f"{seen.low} - {seen.high}",
        "regularMarketDayLow": seen.low,
        "regularMarketVolume": _volume(symbol, seen),
        "regularMarketPreviousClose": seen.previous_close,
        "bid": 0 if is_index else seen.bid,
        "ask": 0 if is_index else seen.ask,
        # Sizes come in round lots of a hundred.
        "bidSize": 0 if is_index else int(seen.bid_size // 100),
        "askSize": 0 if is_index else int(seen.ask_size // 100),
        "fullExchangeName": symbol.house.full_name,
        "regularMarketOpen": seen.open,
        "averageDailyVolume3Month": int(year.volume[-90:].mean()),
        "averageDailyVolume10Day": int(year.volume[-10:].mean()),
        "fiftyTwoWeekLowChange": seen.last - low,
        "fiftyTwoWeekRange": f"{low} - {high}",
        "fiftyTwoWeekHighChange": seen.last - high,
        "fiftyTwoWeekLow": low,
        "fiftyTwoWeekHigh": high,
        "fiftyDayAverage": float(year.close[-50:].mean()),
        "twoHundredDayAverage": float(year.close[-200:].mean()),
        "sourceInterval": 15,
        "exchangeDataDelayedBy": 0,
        "hasPrePostMarketData": hours.has_pre_and_post,
        "firstTradeDateMilliseconds": symbol.first_trade * 1_000,
        "priceHint": symbol.price_hint,
        "tradeable": False,
        "cryptoTradeable": False,
        "symbol": symbol.text,
    }


def summary(market: Market, symbol: Symbol, modules: Sequence[str]) -> dict[str, Any]:
    """The body of `/v10/finance/quoteSummary/{symbol}`, as far as prices go."""
    seen = market.snapshot(symbol.instrument)
    known: dict[str, dict[str, Any]] = {
        "quoteType": {
            "exchange": symbol.house.code,
            "quoteType": symbol.quote_type.name,
            "symbol": symbol.text,
            "underlyingSymbol": symbol.text,
            "shortName": symbol.listing.name,
            "longName": symbol.listing.name,
            "firstTradeDateEpochUtc": symbol.first_trade,
            "timeZoneFullName": str(symbol.house.zone),
            "maxAge": 1,
        },
        "summaryDetail": {
            "maxAge": 1,
            "priceHint": symbol.price_hint,
            "previousClose": seen.previous_close,
            "open": seen.open,
            "dayLow": seen.low,
            "dayHigh": seen.high,
            "regularMarketPreviousClose": seen.previous_close,
            "volume": _volume(symbol, seen),
            "bid": seen.bid,
            "ask": seen.ask,
            "currency": symbol.currency,
        },
        "price": {
            "maxAge": 1,
            "regularMarketPrice": seen.last,
            "regularMarketTime": int(seen.last_time),
            "currency": symbol.currency,
            "symbol": symbol.text,
        },
        "financialData": {"maxAge": 86_400, "currentPrice": seen.last, "financialCurrency": symbol.currency},
        "defaultKeyStatistics": {"maxAge": 1, "priceHint": symbol.price_hint},
    }
    result = {name: known[name] for name in modules if name in known}
    return {"quoteSummary": {"result": [result], "error": None}}


def _volume(symbol: Symbol, seen: Snapshot) -> int:
    """Shares; but money for coins."""
    return int(seen.volume * seen.average if symbol.listing.kind == "crypto" else seen.volume)
