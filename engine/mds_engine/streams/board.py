"""The latest of every instrument. The screen samples it at its own pace; nothing is posted per tick."""

from mds_engine.model import Instrument, Quote, Tick


class BoardRow:
    """What is known of one instrument now. One object for its whole life, changed in place."""

    __slots__ = (
        "ask",
        "bid",
        "instrument",
        "previous_close",
        "price",
        "problem",
        "seen_at",
        "source",
        "ticks",
        "time_ns",
        "volume",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.price: float | None = None
        self.bid: float | None = None
        self.ask: float | None = None
        self.volume: float | None = None
        self.previous_close: float | None = None
        self.time_ns: int | None = None
        self.source: str | None = None
        self.seen_at: float | None = None
        """Monotonic time at which its last tick came in."""
        self.ticks = 0
        self.problem = ""

    @property
    def change_percent(self) -> float | None:
        """Against the previous close, in percent; None where either is not known."""
        if self.price is None or not self.previous_close:
            return None
        return (self.price - self.previous_close) * 100.0 / self.previous_close


class Board:
    """Rows by instrument, in the order in which they were first asked for."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[Instrument, BoardRow] = {}

    def row(self, instrument: Instrument) -> BoardRow:
        """The row of an instrument, made when it is first asked for."""
        row = self.rows.get(instrument)
        if row is None:
            row = self.rows[instrument] = BoardRow(instrument)
        return row

    def remove(self, instrument: Instrument) -> None:
        """Forget an instrument."""
        self.rows.pop(instrument, None)

    def put(self, tick: Tick, now: float) -> None:
        """Note a tick. What it leaves out stays as it was."""
        row = self.row(tick.instrument)
        if tick.price is not None:
            row.price = tick.price
        if tick.bid is not None:
            row.bid = tick.bid
        if tick.ask is not None:
            row.ask = tick.ask
        if tick.volume is not None:
            row.volume = tick.volume
        if tick.previous_close is not None:
            row.previous_close = tick.previous_close
        if tick.time_ns is not None:
            row.time_ns = tick.time_ns
        row.source = tick.source
        row.seen_at = now
        row.problem = ""
        row.ticks += 1

    def seed(self, quote: Quote, now: float) -> None:
        """Note a quote: all that is known before the first tick, and a previous close that ticks may lack."""
        row = self.row(quote.instrument)
        if quote.previous_close is not None:
            row.previous_close = quote.previous_close
        if row.seen_at is None:
            row.price, row.bid, row.ask, row.volume = quote.price, quote.bid, quote.ask, quote.volume
            row.time_ns, row.source, row.seen_at = quote.time_ns, quote.source, now
            row.problem = ""
