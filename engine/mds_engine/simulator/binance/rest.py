"""The REST answers: pure functions of a view of the market and a query."""

from collections.abc import Callable, Mapping
from typing import Any

from mds_engine.simulator.binance import symbols as names
from mds_engine.simulator.binance.errors import BinanceError, bad_combination, too_many_sent
from mds_engine.simulator.binance.limits import WEIGHT_LIMIT
from mds_engine.simulator.binance.symbols import text
from mds_engine.simulator.figures import Candles, Trades
from mds_engine.simulator.listings import DAY_S, Listing
from mds_engine.simulator.market import Market

Query = Mapping[str, str]


class Rest:
    """Answers for one market view. `unit` is units per second: 1000 for ms, 1 000 000 for µs."""

    def __init__(self, market: Market, unit: int, listed: int) -> None:
        self._market = market
        self._unit = unit
        self._listed = listed

    def answer(self, endpoint: str, query: Query) -> Any:
        """The body for `/api/v3/<endpoint>`. Raises BinanceError."""
        method, allowed = _ENDPOINTS[endpoint]
        read = sum(name in allowed for name in query)
        if read != len(query):
            raise too_many_sent(read, len(query))
        return method(self, query)

    def ping(self, _: Query) -> Any:
        """Nothing but a sign of life."""
        return {}

    def time(self, _: Query) -> Any:
        """The exchange's clock."""
        return {"serverTime": self._stamp(self._market.now())}

    def exchange_info(self, query: Query) -> Any:
        """Rate limits and symbols."""
        listings, _ = names.wanted_listings(self._market, query, self._listed)
        return {
            "timezone": "UTC",
            "serverTime": self._stamp(self._market.now()),
            "rateLimits": [
                _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_LIMIT),
                _rate_limit("ORDERS", "SECOND", 10, 100),
                _rate_limit("ORDERS", "DAY", 1, 200_000),
                _rate_limit("RAW_REQUESTS", "MINUTE", 5, 61_000),
            ],
            "exchangeFilters": [],
            "symbols": [_symbol_info(listing) for listing in listings],
        }

    def klines(self, query: Query) -> Any:
        """Bars, oldest first, the last one still open."""
        listing = names.listing_of(self._market, names.required(query, "symbol"))
        interval = names.interval_of(names.required(query, "interval"))
        limit = names.number(query, "limit", 500, most=1_000) or 500
        start, end = names.seconds(query, "startTime"), names.seconds(query, "endTime")
        offset_s = _zone(query.get("timeZone", "0"))
        now = self._market.now()
        end = now if end is None else min(end, now)
        reach = (limit + 1) * names.longest_s(interval)
        if start is None:
            start = end - reach
            edges = names.edges(interval, max(start, listing.listed_at), end, offset_s)[-limit - 1 :]
        else:
            start = max(start, listing.listed_at)
            edges = names.edges(interval, start, min(end, start + reach), offset_s)[: limit + 1]
        candles = self._market.candles_between(listing.instrument, edges)
        return kline_rows(candles, self._unit)

    def ticker_price(self, query: Query) -> Any:
        """Last prices."""
        return self._each(
            query,
            lambda listing: {
                "symbol": listing.symbol,
                "price": text(self._market.snapshot(listing.instrument).last),
            },
        )

    def book_ticker(self, query: Query) -> Any:
        """Best bid and ask."""

        def one(listing: Listing) -> Any:
            snapshot = self._market.snapshot(listing.instrument)
            return {
                "symbol": listing.symbol,
                "bidPrice": text(snapshot.bid),
                "bidQty": text(snapshot.bid_size),
                "askPrice": text(snapshot.ask),
                "askQty": text(snapshot.ask_size),
            }

        return self._each(query, one)

    def ticker_24hr(self, query: Query) -> Any:
        """Rolling 24 hours; `type=MINI` leaves out what the book and the change say."""
        kind = query.get("type", "FULL")
        if kind not in ("FULL", "MINI"):
            raise BinanceError(-1139, "Invalid ticker type.")
        return self._each(query, lambda listing: self._day(listing, mini=kind == "MINI"))

    def average_price(self, query: Query) -> Any:
        """Mean price of the last five minutes."""
        listing = names.listing_of(self._market, names.required(query, "symbol"))
        span = self._market.span(listing.instrument, self._market.now() - 300, self._market.now())
        price = (span.open + span.high + span.low + span.close) / 4
        return {"mins": 5, "price": text(price), "closeTime": self._stamp(span.last_time)}

    def agg_trades(self, query: Query) -> Any:
        """Aggregate trades; here each trade is an aggregate of its own."""
        listing = names.listing_of(self._market, names.required(query, "symbol"))
        limit = names.number(query, "limit", 500, most=1_000) or 500
        first = names.number(query, "fromId")
        start, end = names.seconds(query, "startTime"), names.seconds(query, "endTime")
        if first is not None and (start is not None or end is not None):
            raise bad_combination()
        ids = self._ids(listing, first, start, end, limit)
        return agg_trade_rows(self._market.trades(listing.instrument, ids), self._unit)

    def trades(self, query: Query) -> Any:
        """The newest trades, oldest first."""
        return self.historical_trades({name: value for name, value in query.items() if name != "fromId"})

    def historical_trades(self, query: Query) -> Any:
        """Trades from an id on."""
        listing = names.listing_of(self._market, names.required(query, "symbol"))
        limit = names.number(query, "limit", 500, most=1_000) or 500
        ids = self._ids(listing, names.number(query, "fromId"), None, None, limit)
        return trade_rows(self._market.trades(listing.instrument, ids), self._unit)

    def depth(self, query: Query) -> Any:
        """The order book."""
        names.required(query, "symbol")
        (listing,), _ = names.wanted_listings(self._market, query, self._listed)
        limit = names.number(query, "limit", 100, most=5_000) or 100
        now = self._market.now()
        bids, asks = self._market.depth(listing.instrument, limit, now)
        return {
            "lastUpdateId": book_update_id(now),
            "bids": [[text(price), text(size)] for price, size in bids],
            "asks": [[text(price), text(size)] for price, size in asks],
        }

    def _each(self, query: Query, one: Callable[[Listing], Any]) -> Any:
        listings, single = names.wanted_listings(self._market, query, self._listed)
        return one(listings[0]) if single else [one(listing) for listing in listings]

    def _day(self, listing: Listing, *, mini: bool) -> Any:
        now = self._market.now()
        span = self._market.span(listing.instrument, now - DAY_S, now)
        closing = {
            "openPrice": text(span.open),
            "highPrice": text(span.high),
            "lowPrice": text(span.low),
            "lastPrice": text(span.close),
            "volume": text(span.volume),
            "quoteVolume": text(span.quote_volume),
            "openTime": self._stamp(now - DAY_S),
            "closeTime": self._stamp(now),
            "firstId": span.first_trade,
            "lastId": span.last_trade,
            "count": span.trades,
        }
        if mini:
            return {"symbol": listing.symbol, **closing}
        snapshot = self._market.snapshot(listing.instrument, now)
        change = span.close - span.open
        average = span.quote_volume / span.volume if span.volume else span.close
        opening = {
            "symbol": listing.symbol,
            "priceChange": text(change),
            "priceChangePercent": f"{change / span.open * 100:.3f}",
            "weightedAvgPrice": text(average),
            "prevClosePrice": text(span.open),
            "lastPrice": text(span.close),
            "lastQty": text(span.last_size),
            "bidPrice": text(snapshot.bid),
            "bidQty": text(snapshot.bid_size),
            "askPrice": text(snapshot.ask),
            "askQty": text(snapshot.ask_size),
        }
        return {**opening, **closing}

    def _ids(
        self, listing: Listing, first: int | None, start: float | None, end: float | None, limit: int
    ) -> range:
        now = self._market.now()
        known = self._market.trade_ids(listing.instrument, float(listing.listed_at), now)
        if first is not None:
            chosen = range(first, first + limit)
        elif start is not None:
            stop = now if end is None else end + 0.001
            asked = self._market.trade_ids(listing.instrument, start, stop)
            chosen = asked[:limit]
        else:
            stop = known.stop
            if end is not None:
                stop = self._market.trade_ids(listing.instrument, end, end + 0.001).stop
            chosen = range(stop - limit, stop)
        return range(max(chosen.start, 0), max(min(chosen.stop, known.stop), chosen.start, 0))

    def _stamp(self, at: float) -> int:
        return int(at * 1000) * (self._unit // 1000)


def kline_rows(candles: Candles, unit: int) -> list[list[Any]]:
    """Bars as REST sends them: twelve columns, prices as text."""
    columns = zip(
        (candles.start * unit).tolist(),
        candles.open.tolist(),
        candles.high.tolist(),
        candles.low.tolist(),
        candles.close.tolist(),
        candles.volume.tolist(),
        (candles.end * unit - 1).tolist(),
        candles.quote_volume.tolist(),
        candles.trades.tolist(),
        candles.taker_buy_volume.tolist(),
        (candles.taker_buy_volume * candles.close).tolist(),
        strict=True,
    )
    return [
        [
            opened,
            text(first),
            text(high),
            text(low),
            text(last),
            text(volume),
            closed,
            text(money),
            count,
            text(taker),
            text(taker_money),
            "0",
        ]
        for (
            opened,
            first,
            high,
            low,
            last,
            volume,
            closed,
            money,
            count,
            taker,
            taker_money,
        ) in columns
    ]


def agg_trade_rows(trades: Trades, unit: int) -> list[dict[str, Any]]:
    """Trades as aggTrades sends them."""
    return [
        {
            "a": number,
            "p": text(price),
            "q": text(size),
            "f": number,
            "l": number,
            "T": round(at * 1000) * (unit // 1000),
            "m": maker,
            "M": True,
        }
        for number, price, size, at, maker in _columns(trades)
    ]


def trade_rows(trades: Trades, unit: int) -> list[dict[str, Any]]:
    """Trades as trades and historicalTrades send them."""
    return [
        {
            "id": number,
            "price": text(price),
            "qty": text(size),
            "quoteQty": text(price * size),
            "time": round(at * 1000) * (unit // 1000),
            "isBuyerMaker": maker,
            "isBestMatch": True,
        }
        for number, price, size, at, maker in _columns(trades)
    ]


def book_update_id(at: float) -> int:
    """The number of the last change of a book before `at`: books change a hundred times a second."""
    return int(at * 100)


def _columns(trades: Trades) -> "zip[tuple[int, float, float, float, bool]]":
    return zip(
        trades.id.tolist(),
        trades.price.tolist(),
        trades.size.tolist(),
        trades.time.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )


def _zone(zone: str) -> int:
    sign = -1 if zone.startswith("-") else 1
    hours, _, minutes = zone.lstrip("+-").partition(":")
    if not (hours.isdigit() and (minutes or "0").isdigit()):
        raise BinanceError(-1100, "Illegal characters found in parameter 'timeZone'.")
    return sign * (int(hours) * 3_600 + int(minutes or "0") * 60)


def _rate_limit(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol_info(listing: Listing) -> dict[str, Any]:
    quote = "USDT" if listing.symbol.endswith("USDT") else "BTC"
    lot = text(10.0**-listing.size_decimals)
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.symbol.removesuffix(quote),
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": text(listing.price_step),
                "maxPrice": text(1e6),
                "tickSize": text(listing.price_step),
            },
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": text(9e5), "stepSize": lot},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


_SYMBOL_CHOICE = frozenset({"symbol", "symbols", "symbolStatus"})
_ENDPOINTS: Mapping[str, tuple[Callable[[Rest, Query], Any], frozenset[str]]] = {
    "ping": (Rest.ping, frozenset()),
    "time": (Rest.time, frozenset()),
    "exchangeInfo": (
        Rest.exchange_info,
        _SYMBOL_CHOICE | {"permissions", "showPermissionSets"},
    ),
    "klines": (
        Rest.klines,
        frozenset({"symbol", "interval", "startTime", "endTime", "timeZone", "limit"}),
    ),
    "ticker/price": (Rest.ticker_price, _SYMBOL_CHOICE),
    "ticker/bookTicker": (Rest.book_ticker, _SYMBOL_CHOICE),
    "ticker/24hr": (Rest.ticker_24hr, _SYMBOL_CHOICE | {"type"}),
    "avgPrice": (Rest.average_price, frozenset({"symbol"})),
    "aggTrades": (Rest.agg_trades, frozenset({"symbol", "fromId", "startTime", "endTime", "limit"})),
    "trades": (Rest.trades, frozenset({"symbol", "limit"})),
    "historicalTrades": (Rest.historical_trades, frozenset({"symbol", "limit", "fromId"})),
    "depth": (Rest.depth, frozenset({"symbol", "limit", "symbolStatus"})),
}

GROUPS: Mapping[str, str] = {
    "ping": "ping",
    "time": "ping",
    "exchangeInfo": "instruments",
    "klines": "historical",
    "ticker/price": "quote",
    "ticker/bookTicker": "quote",
    "ticker/24hr": "quote",
    "avgPrice": "quote",
    "aggTrades": "trades",
    "trades": "trades",
    "historicalTrades": "trades",
    "depth": "depth",
}
"""Every endpoint below `/api/v3/`, and what the wire log counts it under."""
