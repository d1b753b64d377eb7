"""`/v7/finance/quote` to quotes. Pure."""

import msgspec

from mds_engine.errors import InvalidPayload, NotFound
from mds_engine.model import Quote
from mds_engine.sources.yahoo.failures import ErrorBody, classify_error, excerpt, not_understood
from mds_engine.sources.yahoo.float32 import meant
from mds_engine.sources.yahoo.symbols import to_instrument

_SECOND_NS = 1_000_000_000
_WITHOUT_VOLUME = frozenset({"INDEX", "CURRENCY"})


class _Item(msgspec.Struct, rename={"time": "regularMarketTime"}):
    symbol: str
    price: float | None = msgspec.field(default=None, name="regularMarketPrice")
    time: int | None = None
    open: float | None = msgspec.field(default=None, name="regularMarketOpen")
    high: float | None = msgspec.field(default=None, name="regularMarketDayHigh")
    low: float | None = msgspec.field(default=None, name="regularMarketDayLow")
    previous_close: float | None = msgspec.field(default=None, name="regularMarketPreviousClose")
    volume: float | None = msgspec.field(default=None, name="regularMarketVolume")
    bid: float | None = None
    bid_size: float | None = msgspec.field(default=None, name="bidSize")
    ask: float | None = None
    ask_size: float | None = msgspec.field(default=None, name="askSize")
    open_interest: float | None = msgspec.field(default=None, name="openInterest")
    currency: str | None = None
    exchange: str | None = None
    quote_type: str = msgspec.field(default="", name="quoteType")


class _QuoteResponse(msgspec.Struct):
    result: list[_Item] | None = None
    error: ErrorBody | None = None


class _Body(msgspec.Struct):
    response: _QuoteResponse = msgspec.field(name="quoteResponse")


_BODY = msgspec.json.Decoder(_Body)


def decode_quotes(body: bytes) -> dict[str, Quote]:
    """The quotes of one body by Yahoo's symbol. Symbols that Yahoo does not know are just not there.

    Yahoo writes a price that it does not have as 0: such are None here.
    Raises NotFound where nothing is known, and what the body says.
    """
    try:
        response = _BODY.decode(body).response
    except msgspec.MsgspecError as error:
        raise not_understood(body, error) from error
    if response.error is not None:
        raise classify_error(response.error)
    quotes = {item.symbol: _quote(item, body) for item in response.result or () if item.price}
    if not quotes:
        raise NotFound("Yahoo knows none of the symbols")
    return quotes


def _quote(item: _Item, body: bytes) -> Quote:
    price = meant(item.price or 0.0)
    if price < 0:
        raise InvalidPayload(f"Yahoo's price of {item.symbol} is negative", raw=excerpt(body))
    volume = None if item.quote_type in _WITHOUT_VOLUME and not item.volume else item.volume
    return Quote(
        instrument=to_instrument(item.symbol, item.exchange),
        price=price,
        time_ns=item.time * _SECOND_NS if item.time else None,
        open=_present(item.open),
        high=_present(item.high),
        low=_present(item.low),
        previous_close=_present(item.previous_close),
        volume=volume,
        bid=_present(item.bid),
        bid_size=item.bid_size if item.bid else None,
        ask=_present(item.ask),
        ask_size=item.ask_size if item.ask else None,
        open_interest=item.open_interest,
        currency=item.currency,
    )


def _present(price: float | None) -> float | None:
    return meant(price) if price else None
