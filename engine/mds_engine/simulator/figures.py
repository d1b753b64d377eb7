"""What the market answers with: snapshots, spans, trades, candles."""

from dataclasses import dataclass

import numpy as np

from mds_engine.simulator.path import Floats, Ints

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Span:
    """One bar over any stretch of time. Prices are rounded to the price step."""

    start: float
    end: float
    """Epoch seconds."""
    open: float
    high: float
    low: float
    close: float
    volume: float
    """Shares or coins."""
    quote_volume: float
    """Money, roughly: volume times the mean of open, high, low and close."""
    first_trade: int
    last_trade: int
    """Ids; the last is below the first if there was no trade."""
    last_size: float
    last_time: float
    """Size and epoch seconds of the last trade before the end."""

    @property
    def trades(self) -> int:
        """How many trades there were."""
        return max(self.last_trade - self.first_trade + 1, 0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a quote screen shows of one instrument at one time. Prices are rounded to the price step."""

    instrument: str
    at: float
    """Epoch seconds of the snapshot."""
    last: float
    last_size: float
    last_time: float
    """Epoch seconds of the last trade."""
    open: float
    high: float
    low: float
    """Of the exchange's day so far."""
    previous_close: float
    volume: float
    """Traded since the day's opening, in shares or coins."""
    average: float
    """Average price of the day, roughly."""
    trades: int
    """Trades since the day's opening."""
    bid: float
    bid_size: float
    ask: float
    ask_size: float


@dataclass(frozen=True, slots=True)
class Trades:
    """Consecutive trades, oldest first, as parallel arrays."""

    id: Ints
    time: Floats
    """Epoch seconds, whole milliseconds."""
    price: Floats
    size: Floats
    buyer_is_maker: Bools

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class Candles:
    """Bars, oldest first, as parallel arrays. The last one may still be open."""

    start: Ints
    """Epoch seconds."""
    end: Ints
    """Epoch seconds, exclusive."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    first_trade: Ints
    trades: Ints
    taker_buy_volume: Floats
    closed: Bools

    def __len__(self) -> int:
        return len(self.start)

    def where(self, kept: Bools) -> "Candles":
        """Only these bars."""
        return Candles(*(getattr(self, name)[kept] for name in Candles.__dataclass_fields__))

    @classmethod
    def none(cls) -> "Candles":
        """No bars."""
        whole, real, flags = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
        return cls(whole, whole, real, real, real, real, real, real, whole, whole, real, flags)


@dataclass(frozen=True, slots=True)
class Distortion:
    """How one vendor's view departs from the truth."""

    lag_s: float = 0.0
    """The vendor's data is this old."""
    noise_steps: int = 0
    """Last prices of quotes are off by up to this many price steps, within the day's range."""
    salt: int = 0
    """Two vendors with different salts are wrong in different ways."""
    factor: float = 1.0
    """Every price is multiplied by this."""
    frozen_at: float | None = None
    """Prices (not times) stand still from this epoch second on."""
