"""What a vendor's live streams had to tell, by its own count: the judge's evidence for ticks."""

import itertools
from collections import deque
from typing import NamedTuple


class Told(NamedTuple):
    """What one payload of a stream says of one instrument. Absent is None."""

    instrument: str
    """`EXCHANGE:SYMBOL`."""
    kind: str
    """The vendor's word for the payload: `trade`, `aggTrade`, `bookTicker`, `quote`, `full`, `pricing`, …"""
    price: float | None = None
    time: float | None = None
    """Epoch seconds of the last trade, as finely as the vendor tells them."""
    size: float | None = None
    """Of the last trade."""
    volume: float | None = None
    """Of the day."""
    number: int | None = None
    """The vendor's own number: of the trade, of the aggregate, of the book's update."""


class Push(NamedTuple):
    """One payload that was due on one stream."""

    at: float
    """Epoch seconds at which it was due."""
    stream: int
    """Number of the stream, in the order in which the vendor's streams were opened."""
    told: Told
    sent: bool
    """False if a fault kept it back; one that was sent late, twice or cut in half counts as sent."""


class PushLog:
    """Counts what was due on a vendor's streams, and keeps the newest of it whole."""

    def __init__(self, *, kept: int = 200_000) -> None:
        self._pushes: deque[Push] = deque(maxlen=kept)
        self._streams = itertools.count(1)
        self.total = 0
        """Payloads that were due since the start."""
        self.withheld = 0
        """Payloads since the start that a fault kept back."""

    def opened(self) -> int:
        """The number of a new stream."""
        return next(self._streams)

    def note(self, push: Push) -> None:
        """Note what was due."""
        self.total += 1
        self.withheld += not push.sent
        self._pushes.append(push)

    def entries(
        self,
        *,
        instrument: str | None = None,
        kind: str | None = None,
        stream: int | None = None,
        start: float = float("-inf"),
        end: float = float("inf"),
    ) -> list[Push]:
        """What was due in [start, end) (epoch seconds), in that order, of what is still kept."""
        return [
            push
            for push in self._pushes
            if (instrument is None or push.told.instrument == instrument)
            and (kind is None or push.told.kind == kind)
            and (stream is None or push.stream == stream)
            and start <= push.at < end
        ]
