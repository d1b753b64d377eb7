"""What is known of one instrument now."""

from mds_engine.model import Instrument, Tick


class BoardRow:
    """The latest of one instrument; None is not known."""

    __slots__ = (
        "_problem",
        "_problem_since",
        "ask",
        "ask_size",
        "bid",
        "bid_size",
        "high",
        "in_columns",
        "instrument",
        "low",
        "open",
        "open_interest",
        "place",
        "previous_close",
        "price",
        "seen_at",
        "size",
        "source",
        "ticks",
        "time_ns",
        "volume",
    )

    def __init__(self, instrument: Instrument, place: int) -> None:
        self.instrument = instrument
        self.place = place
        """Its row of the board's columns."""
        self.in_columns = False
        """Whether the columns hold its truth, and this is a copy."""
        self.price: float | None = None
        self.size: float | None = None
        self.volume: float | None = None
        self.bid: float | None = None
        self.bid_size: float | None = None
        self.ask: float | None = None
        self.ask_size: float | None = None
        self.open: float | None = None
        self.high: float | None = None
        self.low: float | None = None
        self.previous_close: float | None = None
        self.open_interest: float | None = None
        self.time_ns: int | None = None
        self.source: str | None = None
        self.seen_at: float | None = None
        """Monotonic time at which its last tick came in."""
        self.ticks = 0
        self._problem = ""
        self._problem_since = 0

    @property
    def problem(self) -> str:
        """Why no ticks come; empty again with the next tick."""
        return self._problem if self.ticks == self._problem_since else ""

    @problem.setter
    def problem(self, problem: str) -> None:
        self._problem = problem
        self._problem_since = self.ticks

    @property
    def change_percent(self) -> float | None:
        """Against the previous close, in percent; None where either is not known."""
        if self.price is None or not self.previous_close:
            return None
        return (self.price - self.previous_close) * 100.0 / self.previous_close

    def change_source(self, *, trusted: bool) -> None:
        """Forget what the source before said and the next one may never say: the book, the day's volume.

        What the exchange says once a day is kept, but from a source whose data looked wrong.
        """
        self.size = self.bid = self.bid_size = self.ask = self.ask_size = None
        self.volume = self.open_interest = None
        if not trusted:
            self.open = self.high = self.low = self.previous_close = None

    def put(self, tick: Tick, now: float) -> None:  # noqa: C901  a loop over names would take three times as long
        """Note a tick. What it leaves out stays as it was."""
        if tick.price is not None:
            self.price = tick.price
        if tick.size is not None:
            self.size = tick.size
        if tick.volume is not None:
            self.volume = tick.volume
        if tick.bid is not None:
            self.bid = tick.bid
        if tick.bid_size is not None:
            self.bid_size = tick.bid_size
        if tick.ask is not None:
            self.ask = tick.ask
        if tick.ask_size is not None:
            self.ask_size = tick.ask_size
        if tick.open is not None:
            self.open = tick.open
        if tick.high is not None:
            self.high = tick.high
        if tick.low is not None:
            self.low = tick.low
        if tick.previous_close is not None:
            self.previous_close = tick.previous_close
        if tick.open_interest is not None:
            self.open_interest = tick.open_interest
        if tick.time_ns is not None:
            self.time_ns = tick.time_ns
        self.source = tick.source
        self.seen_at = now
        self.ticks += 1
