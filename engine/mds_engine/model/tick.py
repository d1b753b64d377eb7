"""One change of one instrument, as it came over a live stream."""

from enum import IntFlag, StrEnum

import msgspec

from mds_engine.model.instrument import Instrument


class TickKind(StrEnum):
    """What happened: a trade, a new best bid/ask, or a vendor's mixed picture."""

    TRADE = "trade"
    """One print: price, size, and where the vendor numbers trades a sequence."""
    BOOK = "book"
    """Best bid and ask moved; `price` is None."""
    QUOTE = "quote"
    """A vendor's periodic picture of an instrument: last price and day figures."""
    BAR = "bar"
    """A forming bar as a stream sends it; `price` is its close."""


class TickFlag(IntFlag):
    """How a tick came to its reader, where that was not straight from a live stream. Bits of `Tick.flags`."""

    NONE = 0
    POLLED = 1
    """Asked for again and again, from a source that has no stream."""
    FILLED = 2
    """Asked for afterwards over REST, because no stream had it."""
    HELD = 4
    """Came from the ring of a standby, after a failover."""
    SUSPECT = 8
    """Its price or time departs from what the other sources say."""


class Tick(msgspec.Struct, frozen=True, gc=False):
    """The normal form of all vendors' live data. Absent is None, never zero.

    `time_ns` (exchange) and `received_ns` (this machine) are UTC nanoseconds
    since the epoch; clocks differ, so their difference may be negative. Name
    the fields that you give; who makes thousands a second gives them in order,
    which is why those of a trade come first. Beyond fifteen names Python takes
    four times as long. It holds nothing that could hold it, so that the collector leaves it alone.
    """

    instrument: Instrument
    kind: TickKind
    price: float | None = None
    size: float | None = None
    """Quantity of the last trade."""
    time_ns: int | None = None
    received_ns: int = 0
    source: str = ""
    sequence: int | None = None
    """The vendor's own number (Binance trade id, update id). Never compared across vendors."""
    buyer_is_maker: bool | None = None
    volume: float | None = None
    """Cumulative for the day, where the vendor gives it."""
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    previous_close: float | None = None
    open_interest: float | None = None
    closed: bool | None = None
    """For bars: whether this bar is final."""
    flags: int = 0
    """Bits of `TickFlag`."""
