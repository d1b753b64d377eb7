"""What one read of a connection brought: many ticks at once, in their order, and its trades by instrument."""

from mds_engine.model.instrument import Instrument
from mds_engine.model.tick import Tick


class TickRead(list[Tick]):
    """Ticks in the order in which they came.

    Where a vendor numbers its trades, its decoder may tell them by instrument
    too, so that who looks at each instrument need not look at each tick.
    """

    __slots__ = ("trades",)

    def __init__(self) -> None:
        super().__init__()
        self.trades: dict[Instrument, list[Tick]] | None = None
        """All of them by instrument, in their order, if each is a trade with price, size, time and number and
        without book or figures of the day; None if some are something else, or if nobody has looked."""
