"""What a strand asks of the supervisor that owns it, and tells it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.errors import SourceError
from mds_engine.model import Instrument, Tick
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit

if TYPE_CHECKING:
    from mds_engine.streams.strand import Strand


class StrandKeeper(Protocol):
    """The supervisor, as a strand sees it."""

    runtime: SourceRuntime
    unit: Unit
    settings: StreamSettings
    clock: Clock
    hold_until: float
    """Monotonic time before which the vendor wants no connection from us."""
    flowed_at: float
    """Monotonic time of the last tick over any strand."""

    def may_connect(self) -> bool:
        """Whether the vendor allows one connection more."""
        ...

    def may_renew(self, strand: "Strand") -> bool:
        """Whether no other strand is being renewed."""
        ...

    def is_open(self, instruments: frozenset[Instrument]) -> frozenset[str]:
        """The exchanges of these instruments that trade now."""
        ...

    def connected(self, strand: "Strand", replaced: str) -> None:
        """A strand is up; `replaced` says why where that is the end of a planned renewal."""
        ...

    def renewed(self, strand: "Strand", why: str) -> None:
        """A new connection carries, the old one is closed."""
        ...

    def lost(self, strand: "Strand", carried: frozenset[Instrument], error: SourceError) -> None:
        """A strand that was up is not any more."""
        ...

    def interrupted(self, carried: frozenset[Instrument], why: str) -> None:
        """Ticks of these may be missed for a moment, by our own doing."""
        ...

    def changed(self) -> None:
        """A strand's problem came, went, or is another."""
        ...

    def refused(self, instruments: frozenset[Instrument], why: str) -> None:
        """The vendor does not have these."""
        ...

    def deliver(self, strand: "Strand", ticks: Sequence[Tick], now: float) -> None:
        """Ticks of one frame."""
        ...
