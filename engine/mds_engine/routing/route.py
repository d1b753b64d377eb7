"""One route: its sources in order, the one that is active, and an operator's word on it."""

from collections.abc import Callable

from mds_engine.control.route_key import RouteKey
from mds_engine.model import Decision
from mds_engine.routing.unit import Unit


class Route:
    """(capability, exchange) with its ordered candidates.

    `order` is what a call goes through: the active source first, so that a
    failover sticks, then the others by priority. It is a tuple that is rebuilt
    when something changes, never on a call.
    """

    __slots__ = (
        "active",
        "calls",
        "down_since",
        "failures",
        "hedged",
        "held_until",
        "key",
        "last_decision",
        "order",
        "pin_until",
        "pin_why",
        "pinned",
        "preemptive",
        "quarantine",
        "ramp_from",
        "ramp_since",
        "standby",
        "text",
        "units",
        "watched",
    )

    def __init__(
        self,
        key: RouteKey,
        units: tuple[Unit, ...],
        *,
        hedged: bool = False,
        preemptive: bool | None = None,
        standby: bool = False,
        quarantine: bool = False,
    ) -> None:
        self.key = key
        self.text = str(key)
        self.units = units
        """By priority; the first is the primary."""
        self.hedged = hedged
        self.preemptive = preemptive
        """Whether a better source takes over at once; None means what `[failback]` says."""
        self.standby = standby
        """For ticks: whether the next source streams too, held back."""
        self.quarantine = quarantine
        """For ticks: whether an instrument is taken from a source whose data of it looks wrong."""
        self.active: Unit | None = units[0] if units else None
        self.pinned: Unit | None = None
        self.pin_until: float | None = None
        """Monotonic time at which the pin ends by itself."""
        self.pin_why = ""
        self.calls = 0
        self.failures = 0
        self.last_decision: Decision | None = None
        self.watched: Callable[[Decision], None] | None = None
        """Told of each call, while a drill looks on."""
        self.down_since: float | None = None
        """Monotonic time since when no source could answer."""
        self.held_until = 0.0
        """Monotonic time before which it does not fail back: an operator has moved it."""
        self.order: tuple[Unit, ...] = units
        self.ramp_from: Unit | None = None
        """After a failback: who answered before, and still takes the share that the slow start leaves."""
        self.ramp_since = 0.0

    def decided(self, decision: Decision) -> None:
        """Count a call, and keep how it was answered."""
        self.calls += 1
        self.last_decision = decision
        if self.watched is not None:
            self.watched(decision)

    def rebuild(self) -> None:
        """Make `order` true again after a change of active source, pin or priorities."""
        if self.pinned is not None:
            self.order = (self.pinned,)
        elif self.active is None or self.active not in self.units:
            self.order = self.units
        else:
            self.order = (self.active, *(unit for unit in self.units if unit is not self.active))

    def unit(self, source: str) -> Unit | None:
        """The candidate of that source, None if it is none of this route's."""
        return next((unit for unit in self.units if unit.name == source), None)

    def is_better(self, unit: Unit, other: Unit) -> bool:
        """Whether `unit` stands before `other` in the order of priority."""
        return self.units.index(unit) < self.units.index(other)

    @property
    def serving(self) -> Unit | None:
        """Who answers now: the pinned source, else the active one."""
        return self.pinned or self.active

    @property
    def degraded(self) -> bool:
        """Whether another source than the primary answers, or none."""
        return self.active is None or self.active is not self.units[0]
