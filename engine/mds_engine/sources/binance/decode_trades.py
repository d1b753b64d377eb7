"""Binance's REST trades to the ticks that the stream would have brought. Pure."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument, Tick, TickFlag, TickKind
from mds_engine.sources.binance.decode_rest import to_ns

_NO_TRADE = -1
"""`f` of an aggregate that Binance has taken out: its number stands, with a price and a size of zero."""


class Trade(msgspec.Struct, gc=False):
    """One row of /historicalTrades."""

    number: int = msgspec.field(name="id")
    price: float
    size: float = msgspec.field(name="qty")
    time: int
    buyer_is_maker: bool = msgspec.field(name="isBuyerMaker")


class AggregateTrade(msgspec.Struct, gc=False):
    """One row of /aggTrades: what one order took at one price."""

    number: int = msgspec.field(name="a")
    price: float = msgspec.field(name="p")
    size: float = msgspec.field(name="q")
    time: int = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")
    first_trade: int = msgspec.field(name="f", default=0)


TradeRow = Trade | AggregateTrade

_TRADES = msgspec.json.Decoder(list[Trade], strict=False)
_AGGREGATE_TRADES = msgspec.json.Decoder(list[AggregateTrade], strict=False)


def read_trades(body: bytes) -> Sequence[TradeRow]:
    """The rows of one page of /api/v3/historicalTrades. Raises InvalidPayload."""
    return _read(_TRADES, body)


def read_aggregate_trades(body: bytes) -> Sequence[TradeRow]:
    """The rows of one page of /api/v3/aggTrades. Raises InvalidPayload."""
    return _read(_AGGREGATE_TRADES, body)


def ticks_of(
    rows: Sequence[TradeRow],
    instrument: Instrument,
    *,
    source: str = "",
    received_ns: int = 0,
) -> list[Tick]:
    """Rows as ticks, as the stream of the same trades has them, and flagged as filled.

    Aggregates that Binance has taken out are left out. Raises InvalidPayload
    for a price that is not above zero.
    """
    return [
        Tick(
            instrument=instrument,
            kind=TickKind.TRADE,
            price=_price(row),
            size=row.size,
            time_ns=to_ns(row.time),
            received_ns=received_ns,
            sequence=row.number,
            buyer_is_maker=row.buyer_is_maker,
            source=source,
            flags=int(TickFlag.FILLED),
        )
        for row in rows
        if not _taken_out(row)
    ]


def _read(
    decoder: "msgspec.json.Decoder[list[Trade]] | msgspec.json.Decoder[list[AggregateTrade]]", body: bytes
) -> Sequence[TradeRow]:
    try:
        rows: Sequence[TradeRow] = decoder.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidPayload(f"the trades cannot be read: {error}") from error
    if any(row.number >= following.number for row, following in pairwise(rows)):
        raise InvalidPayload("the trades are not in ascending order of their numbers")
    return rows


def _taken_out(row: TradeRow) -> bool:
    return isinstance(row, AggregateTrade) and row.first_trade == _NO_TRADE


def _price(row: TradeRow) -> float:
    if not row.price > 0:
        raise InvalidPayload(f"trade {row.number} has a price of {row.price:g}")
    return row.price
