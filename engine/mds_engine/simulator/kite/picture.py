"""What Kite knows of one instrument at one moment, before it is put into JSON or into a packet."""

from dataclasses import dataclass
from typing import NamedTuple

from mds_engine.simulator.kite.instruments import KiteInstrument
from mds_engine.simulator.market import Market

_BOOK_LEVELS = 20
_SHOWN_LEVELS = 5
_CIRCUIT_BAND = 0.10


class DepthLevel(NamedTuple):
    """One price of the order book."""

    price: float
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The fields that Kite's quote and its full tick have in common. Times are epoch seconds."""

    token: int
    is_index: bool
    last_price: float
    last_quantity: int
    average_price: float
    volume: int
    buy_quantity: int
    sell_quantity: int
    open: float
    high: float
    low: float
    previous_close: float
    last_trade_time: int
    exchange_time: int
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    lower_circuit: float
    upper_circuit: float
    open_interest: int = 0
    open_interest_high: int = 0
    open_interest_low: int = 0


def picture(
    market: Market, instrument: KiteInstrument, at: float | None = None, *, with_book: bool = True
) -> Picture:
    """The instrument at epoch second `at` (now if None) as this view of the market has it.

    Without its book it costs half as much.
    """
    seen = market.snapshot(instrument.key, at)
    bids, asks = _book(market, instrument, seen.at) if with_book else ((), ())
    step = instrument.listing.price_step
    band = 0.0 if instrument.is_index else _CIRCUIT_BAND
    return Picture(
        token=instrument.token,
        is_index=instrument.is_index,
        last_price=seen.last,
        last_quantity=0 if instrument.is_index else int(seen.last_size),
        average_price=0.0 if instrument.is_index else seen.average,
        volume=0 if instrument.is_index else int(seen.volume),
        buy_quantity=sum(level.quantity for level in bids),
        sell_quantity=sum(level.quantity for level in asks),
        open=seen.open,
        high=seen.high,
        low=seen.low,
        previous_close=seen.previous_close,
        last_trade_time=int(seen.last_time),
        exchange_time=int(seen.at),
        bids=bids[:_SHOWN_LEVELS],
        asks=asks[:_SHOWN_LEVELS],
        lower_circuit=_stepped(seen.previous_close * (1 - band), step) if band else 0.0,
        upper_circuit=_stepped(seen.previous_close * (1 + band), step) if band else 0.0,
    )


def _book(
    market: Market, instrument: KiteInstrument, at: float
) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
    if instrument.is_index:
        return (), ()
    bids, asks = market.depth(instrument.key, _BOOK_LEVELS, at)
    return tuple(_level(*level) for level in bids), tuple(_level(*level) for level in asks)


def _level(price: float, size: float) -> DepthLevel:
    quantity = int(size)
    return DepthLevel(price, quantity, 1 + quantity % 9 if quantity else 0)


def _stepped(price: float, step: float) -> float:
    return round(round(price / step) * step, 2)
