"""What a drill of live ticks leaves behind for its judges: items, events, and the simulator's own logs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from mds_engine.control import Event
from mds_engine.drills.stream_accounts import Account, Received, settle, together, trades_of
from mds_engine.drills.traffic import Traffic
from mds_engine.model import Tick
from mds_engine.simulator.push_log import Push
from mds_engine.simulator.truth import ExpectedTrade
from mds_engine.simulator.wire_log import WireEntry

E = TypeVar("E", bound=Event)


class StreamEvidence(NamedTuple):
    """Everything that a judgement of live ticks may look at. Times are epoch seconds."""

    sources: tuple[str, ...]
    """The primary first."""
    instruments: tuple[str, ...]
    hit: tuple[str, ...]
    """The instruments that the fault is about."""
    received: Sequence[Received]
    """What the reader that keeps up got."""
    stalled: Sequence[Received]
    """What the reader that stood still for a while got; nothing where there was none."""
    expected: Mapping[str, Mapping[int, ExpectedTrade]]
    """Every trade of the simulator's market, by instrument and number."""
    pushes: Mapping[str, Sequence[Push]]
    """What was due on each vendor's streams, by vendor."""
    wire: Sequence[WireEntry]
    """Streams that were asked for at the primary's vendor."""
    hits: int
    """Frames that faults hit."""
    traffic: Traffic
    events: tuple[Event, ...]
    fault_at: float
    cleared_at: float
    ended_at: float
    looked_wrong: Mapping[str, int]
    """How often the operator is shown that the primary's data looked wrong, by check."""
    streams: int
    """Connections that were open at the end, by the vendors' own count."""

    @property
    def primary(self) -> str:
        """The route's first source."""
        return self.sources[0]

    @property
    def backup(self) -> str:
        """The route's second source."""
        return self.sources[1]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def account(self) -> Account:
        """Of all instruments together."""
        return together(settle(self.received, name, self.expected[name]) for name in self.instruments)

    def first_good_after(self, moment: float, instrument: str, source: str = "") -> float | None:
        """When the first true trade came that happened after `moment`, of one source or of any."""
        for at, tick in trades_of(self.received, instrument):
            if source in ("", tick.source) and tick.time_ns is not None and tick.time_ns >= moment * 1e9:
                trade = self.expected[instrument].get(tick.sequence or 0)
                if trade is not None and trade.price == tick.price:
                    return at
        return None

    def ticks(self, received: Sequence[Received]) -> list[tuple[float, Tick]]:
        """The ticks among what a reader got, with their arrival."""
        return [(at, item) for at, item in received if isinstance(item, Tick)]
