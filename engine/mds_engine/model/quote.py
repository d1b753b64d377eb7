"""The latest known price of one instrument, as one source gave it."""

import msgspec

from mds_engine.model.decision import Decision
from mds_engine.model.instrument import Instrument


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's price and day figures. Absent is None, never zero.

    Prices are in the instrument's own currency. `time_ns` is the exchange's or
    vendor's time of the last price, UTC nanoseconds since the epoch, None where
    the vendor gives none.
    """

    instrument: Instrument
    price: float
    time_ns: int | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    previous_close: float | None = None
    volume: float | None = None
    """Traded since the open (shares, contracts, or base asset)."""
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    open_interest: float | None = None
    currency: str | None = None
    source: str = ""
    """Filled in by the engine: the configured source that answered."""
    decision: Decision | None = None
    """Filled in by the engine: how that source was chosen."""

    @property
    def change_percent(self) -> float | None:
        """Change against the previous close in percent, None where it is not known."""
        if self.previous_close is None or self.previous_close == 0:
            return None
        return (self.price - self.previous_close) * 100 / self.previous_close
