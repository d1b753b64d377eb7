"""Everything that happened: one closed union, numbered and timed, written once.

The screen, the audit log, the replay and the alerts all read these.
"""

from enum import StrEnum

import msgspec

from mds_engine.control.commands import Command
from mds_engine.control.drill import DrillCard


class Level(StrEnum):
    """How much an event should bother an operator."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"
    CRITICAL = "critical"


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    number: int = 0
    """1 for the first event of an engine's life; given by the engine's log."""
    at: float = 0.0
    """Epoch seconds UTC; given by the engine's log."""
    drill: int = 0
    """Number of the drill that it comes from, as far as that can be told: 0 for what is no rehearsal."""


class EngineStarted(_Event, frozen=True, tag="engine-started"):
    """The engine is up."""

    sources: tuple[str, ...]
    routes: tuple[str, ...]


class EngineStopped(_Event, frozen=True, tag="engine-stopped"):
    """The engine went down in order."""


class SourceConnected(_Event, frozen=True, tag="source-connected"):
    """A source is logged in and ready for calls."""

    source: str


class SourceUnhealthy(_Event, frozen=True, tag="source-unhealthy"):
    """The health of a source fell."""

    source: str
    before: str
    after: str
    why: str


class SourceRecovered(_Event, frozen=True, tag="source-recovered"):
    """A source that was out is well again."""

    source: str
    out_for_s: float
    why: str = ""


class BreakerOpened(_Event, frozen=True, tag="breaker-opened"):
    """No calls reach (source, capability) for `open_for_s` seconds; capability "" is the whole source."""

    source: str
    capability: str
    open_for_s: float
    why: str


class BreakerHalfOpened(_Event, frozen=True, tag="breaker-half-opened"):
    """The open time is over; probes decide."""

    source: str
    capability: str


class BreakerClosed(_Event, frozen=True, tag="breaker-closed"):
    """Calls flow again."""

    source: str
    capability: str
    why: str


class BreakerForced(_Event, frozen=True, tag="breaker-forced"):
    """An operator holds a breaker open or closed, or let it go (`automatic`)."""

    source: str
    capability: str
    state: str
    why: str


class EndpointSwitched(_Event, frozen=True, tag="endpoint-switched"):
    """A source moved to another of its base URLs."""

    source: str
    before: str
    after: str
    why: str


class FailedOver(_Event, frozen=True, tag="failed-over"):
    """The active source of a route moved down (or was moved by an operator)."""

    route: str
    before: str
    after: str
    why: str
    took_ms: float = 0.0
    """From the failure that was noticed to the first good answer."""


class FailedBack(_Event, frozen=True, tag="failed-back"):
    """The active source of a route moved back up."""

    route: str
    before: str
    after: str
    why: str


class RouteDown(_Event, frozen=True, tag="route-down"):
    """No source of the route can answer."""

    route: str
    why: str


class RouteRestored(_Event, frozen=True, tag="route-restored"):
    """A route that was down answers again."""

    route: str
    source: str
    down_for_s: float


class Throttled(_Event, frozen=True, tag="throttled"):
    """The vendor asked us to slow down, or banned us."""

    source: str
    for_s: float
    banned: bool
    why: str


class LoginNeeded(_Event, frozen=True, tag="login-needed"):
    """The vendor refuses our key or token, or will when its exchange opens."""

    source: str
    why: str
    opens_in_s: float | None = None
    """Seconds until the first of its exchanges trades, 0.0 while one does; None where that is not known."""
    soon: bool = True
    """Whether that is near: else it is said once more when it is."""


class LoggedIn(_Event, frozen=True, tag="logged-in"):
    """A source goes by the credentials of a new login."""

    source: str
    until: float
    """When the vendor ends them, epoch seconds UTC."""
    kept: str
    """Where they are, or by whom they came, in words."""


class QuotaSpent(_Event, frozen=True, tag="quota-spent"):
    """The plan's calls are used up until `resets_at` (epoch seconds UTC)."""

    source: str
    why: str
    resets_at: float | None


class BudgetCrossed(_Event, frozen=True, tag="budget-crossed"):
    """A quota or a budget passed a threshold."""

    source: str
    meter: str
    percent: float


class StreamConnected(_Event, frozen=True, tag="stream-connected"):
    """A live stream is up and subscribed."""

    source: str
    instruments: int


class StreamLost(_Event, frozen=True, tag="stream-lost"):
    """A live stream ended or went mute."""

    source: str
    why: str


class StreamRenewed(_Event, frozen=True, tag="stream-renewed"):
    """A live stream moved to a new connection before the vendor ended the old one; nothing was lost."""

    source: str
    why: str


class InstrumentsMute(_Event, frozen=True, tag="instruments-mute"):
    """Instruments went quiet, or never began, on a stream that otherwise flows."""

    source: str
    instruments: tuple[str, ...]
    why: str


class TicksSwitched(_Event, frozen=True, tag="ticks-switched"):
    """The ticks of some instruments come from another source now."""

    before: str
    after: str
    instruments: int
    held: int
    """Ticks that a standby had held back, delivered with the switch."""
    why: str


class TicksFilled(_Event, frozen=True, tag="ticks-filled"):
    """Trades that no stream had were had over REST, in order."""

    source: str
    instrument: str
    ticks: int


class TicksGapped(_Event, frozen=True, tag="ticks-gapped"):
    """Ticks that nobody has, told to every reader of the instrument."""

    source: str
    instrument: str
    after_ns: int | None
    before_ns: int | None
    missing: int | None
    """How many trades, where the vendor numbers them."""
    why: str


class ReaderSlow(_Event, frozen=True, tag="reader-slow"):
    """A reader does not keep up: ticks were dropped from its queue."""

    reader: str
    missed: int


class DataSuspect(_Event, frozen=True, tag="data-suspect"):
    """A source's data of an instrument looks wrong: which check, and why."""

    source: str
    instrument: str
    check: str
    why: str


class DataTrusted(_Event, frozen=True, tag="data-trusted"):
    """A source's data of an instrument agrees again."""

    source: str
    instrument: str
    check: str


class CommandApplied(_Event, frozen=True, tag="command-applied"):
    """An operator's word was carried out, or stands again after a restart."""

    command: Command
    message: str
    reverse: Command | None = None
    """What undoes it, None where nothing does."""


class CommandRefused(_Event, frozen=True, tag="command-refused"):
    """An operator's word was not carried out."""

    command: Command
    message: str


class OverrideEnded(_Event, frozen=True, tag="override-ended"):
    """A forced route or breaker is automatic again because its time was over."""

    subject: str
    """A route or a source."""
    why: str
    capability: str | None = None
    """Of a source: whose breaker it was, "" for all of them. None for a route."""


class ConfigApplied(_Event, frozen=True, tag="config-applied"):
    """The engine goes by another configuration; `what` names the settings that changed, without values."""

    by: str
    what: str


class DrillStarted(_Event, frozen=True, tag="drill-started"):
    """A fault of a source is rehearsed from now on; `drill` is its number."""

    scenario: str
    about: str
    source: str
    duration_s: float
    by: str
    why: str = ""


class DrillEnded(_Event, frozen=True, tag="drill-ended"):
    """A drill is over, and nothing of it is left."""

    source: str
    card: DrillCard


Event = (
    EngineStarted
    | EngineStopped
    | SourceConnected
    | SourceUnhealthy
    | SourceRecovered
    | BreakerOpened
    | BreakerHalfOpened
    | BreakerClosed
    | BreakerForced
    | EndpointSwitched
    | FailedOver
    | FailedBack
    | RouteDown
    | RouteRestored
    | Throttled
    | LoginNeeded
    | LoggedIn
    | QuotaSpent
    | BudgetCrossed
    | StreamConnected
    | StreamLost
    | StreamRenewed
    | InstrumentsMute
    | TicksSwitched
    | TicksFilled
    | TicksGapped
    | ReaderSlow
    | DataSuspect
    | DataTrusted
    | CommandApplied
    | CommandRefused
    | OverrideEnded
    | ConfigApplied
    | DrillStarted
    | DrillEnded
)
