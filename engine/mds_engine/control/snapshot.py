"""Everything that can be seen: one immutable value, a picture of the engine at one time.

Ages and remaining times are seconds at `Snapshot.at`; latencies milliseconds;
absent is None, never zero.
"""

from enum import StrEnum
from functools import cached_property

import msgspec

from mds_engine.control.drill import DrillView
from mds_engine.model.decision import Decision


class SourceState(StrEnum):
    """What an operator calls the state of a source."""

    ACTIVE = "active"
    """Answers at least one route now."""
    READY = "ready"
    """Could answer at once."""
    TRYING = "trying"
    """Half-open: probes decide."""
    OUT = "out"
    """Open, banned, or quota spent."""
    DISABLED = "disabled"
    LOGIN = "login needed"
    FORCED = "forced"
    """Serves a route because an operator said so."""


class BreakerView(msgspec.Struct, frozen=True, kw_only=True):
    """One breaker. `capability` "" is the breaker of the source as a whole."""

    capability: str
    state: str
    retry_in_s: float = 0.0
    """Until the next probe, while open."""
    probes_passed: int = 0
    probes_needed: int = 0
    recent: tuple[bool, ...] = ()
    """The last outcomes, oldest first; True is a success."""
    why: str = ""
    opened: int = 0
    """How often it opened since the engine started."""
    forced_for_s: float | None = None
    """Until a forced state ends by itself; None if it does not."""


class CapabilityView(msgspec.Struct, frozen=True, kw_only=True):
    """What one capability of one source did over the last minute."""

    capability: str
    breaker: BreakerView
    group: str = "default"
    """The limiter's endpoint group that pays for its requests."""
    calls: int = 0
    """Since the engine started."""
    failures: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    p50_series_ms: tuple[float | None, ...] = ()
    """One value for each of the last seconds or slots, oldest first, for a sparkline; so are the next two."""
    p95_series_ms: tuple[float | None, ...] = ()
    p99_series_ms: tuple[float | None, ...] = ()


class LimiterView(msgspec.Struct, frozen=True, kw_only=True):
    """One window of one endpoint group."""

    group: str
    limit: int
    """What is kept to now: the vendor's own, or what was set in its place."""
    window_s: float
    used: int
    published: int | None = None
    """What the vendor allows by its own word; None where it publishes nothing for such a window."""
    weighed: bool = False
    """Whether it counts weight, because the vendor weighs its calls, and not calls."""
    rate_factor: float = 1.0
    """1.0 is the full limit; a 429 halves it."""
    blocked_for_s: float = 0.0
    banned: bool = False


class MeterView(msgspec.Struct, frozen=True, kw_only=True):
    """One quota or budget."""

    meter: str
    """What is counted, as `calls`."""
    period: str
    """minute, day or month."""
    used: float
    limit: float | None
    resets_at: float | None
    """Epoch seconds UTC."""
    state: str = "ok"
    """ok, warning, critical or exhausted."""
    forecast: float | None = None
    """Use at the reset if it goes on like this."""
    exhausted_in_s: float | None = None


class MoneyView(msgspec.Struct, frozen=True, kw_only=True):
    """Money spent, exact, in one currency."""

    currency: str
    today: str
    month: str


class PriceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a source charges, exact decimal text."""

    currency: str
    per_call: str
    per_month: str


class PollView(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is polled in place of a stream."""

    pace_s: float | None
    """Seconds between two polls as things stand; None if none is sent any more today."""
    at_once: int
    """Instruments that one poll asks for."""


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """One base URL of a source."""

    url: str
    active: bool
    failures: int = 0
    retry_in_s: float = 0.0


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """A source's live streams."""

    connections: int
    """Up, or being opened."""
    instruments: int
    """Wanted from it, be it to deliver or to hold back."""
    delivers: int
    """Instruments whose ticks come from it now; the others it holds back as a standby."""
    held: int = 0
    """Ticks at hand, should it have to take over."""
    mute: int = 0
    """Instruments that do not tick although the stream flows."""
    looked_wrong: dict[str, int] = {}
    """How often its data looked wrong since the start, by check: price, frozen, crossed, future, past."""
    next_poll_s: float | None = None
    """Seconds until its quotes are asked for again, where polls stand in for a stream; None where none do."""


class LoginView(msgspec.Struct, frozen=True, kw_only=True):
    """How a source stands to its vendor, where credentials end and an operator logs in."""

    needed: bool
    """The vendor honours the credentials no more, or will not when its exchange opens, which is soon."""
    valid_until: float | None = None
    """When the vendor ends them, epoch seconds UTC; None while nobody knows."""
    expires_in_s: float | None = None
    """The same from now; below zero once it is over."""
    opens_in_s: float | None = None
    """Until the first of its exchanges trades, 0 while one does; None while that is not known."""
    lasts: bool = True
    """Whether a login of now would last until then."""
    brings: str = ""
    """What the operator brings back from the vendor's page."""


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """One source."""

    name: str
    kind: str
    state: SourceState
    why: str
    """Why it is in that state, in words."""
    enabled: bool
    health: str
    score: float
    """0 to 1, in hundredths."""
    breaker: BreakerView
    """The one that matters most now: the worst."""
    capabilities: tuple[CapabilityView, ...]
    age_s: float | None = None
    """Since its last good answer or tick, as `told_age` gives it."""
    p50_ms: float | None = None
    p99_ms: float | None = None
    error_percent: float | None = None
    """Of the last minute's calls; None if there were none."""
    ticks_per_s: float = 0.0
    calls: int = 0
    failures: int = 0
    limiters: tuple[LimiterView, ...] = ()
    meters: tuple[MeterView, ...] = ()
    money: tuple[MoneyView, ...] = ()
    endpoints: tuple[EndpointView, ...] = ()
    last_error: str = ""
    last_error_at: float | None = None
    """Epoch seconds UTC."""
    simulated: bool = False
    """True if its endpoints are on loopback."""
    stream: StreamView | None = None
    """None while no live ticks are wanted from it."""
    login: LoginView | None = None
    """None where one does not log in."""
    price: PriceView | None = None
    """None where nothing costs."""
    polls: PollView | None = None
    """Of a source without streams whose quotes stand in for them; else None."""
    carries: int | None = None
    """Most instruments that all its streams together may carry; None where the vendor sets no bound."""


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """What one source has of a route's live instruments, as far as it was seen since the start.

    Instruments that neither it nor the source that serves now has are not counted.
    """

    source: str
    has: int
    """A tick of them came from it."""
    lacks: int
    """The vendor said that it does not have them, or they stay silent there."""
    untried: int
    """Never asked of it, or not for long enough."""
    lacking: tuple[str, ...] = ()
    """The first few that it lacks."""


class RouteView(msgspec.Struct, frozen=True, kw_only=True):
    """One route."""

    key: str
    """As `NSE/quote`."""
    exchange: str
    capability: str
    sources: tuple[str, ...]
    """In order of priority."""
    active: str | None
    """Who answers now; None if nobody can."""
    degraded: bool
    """The active source is not the primary, or there is none."""
    pinned: str | None = None
    pinned_for_s: float | None = None
    """Until automatic again; None holds until ended."""
    pin_why: str = ""
    next_source: str | None = None
    """Who would take over if the active one failed now."""
    instruments: int = 0
    """Live subscriptions that go over this route."""
    coverage: tuple[CoverageView, ...] = ()
    """Of those, what each of its sources has; empty where there are none."""
    calls_per_hour: float = 0.0
    """As lately: over the last minute."""
    calls: int = 0
    failures: int = 0
    last_decision: Decision | None = None


class SourcePrice(msgspec.Struct, frozen=True, kw_only=True):
    """The last price of an instrument at one source."""

    source: str
    price: float
    age_s: float
    """Since the source was heard of it, as `told_age` gives it."""


class WatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One watched instrument, as of its last tick."""

    instrument: str
    price: float | None = None
    change_percent: float | None = None
    source: str | None = None
    age_s: float | None = None
    """Since its last tick came in, as `told_age` gives it."""
    bid: float | None = None
    ask: float | None = None
    volume: float | None = None
    ticks: int = 0
    backup: bool = False
    """True while it comes from another source than the route's primary."""
    problem: str = ""
    """Why there is no data, in words."""
    spread_bps: float | None = None
    """How far the prices of its sources are apart, in basis points; None unless two of them speak."""
    doubt: str = ""
    """What looks wrong with the data that is shown, in words; empty while nothing does."""
    prices: tuple[SourcePrice, ...] = ()
    """Of every source that streams it."""


class EngineView(msgspec.Struct, frozen=True, kw_only=True):
    """The engine itself."""

    name: str
    started_at: float
    uptime_s: float
    ticks_per_s: float = 0.0
    loop_lag_ms: float = 0.0
    ticks_dropped: int = 0
    """Since the start, by readers that were too slow."""
    ticks_conflated: int = 0
    """Since the start: a newer tick took their place, as their reader asked."""
    simulated: bool = False
    """True if every source is on loopback."""
    replayed: bool = False
    """True if what it gives was recorded: its time is the recording's."""
    last_event: int = 0
    trouble: str = ""
    """What is wrong with the engine itself, in one sentence, as a full disk; empty while nothing is."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The engine at one time."""

    at: float
    """Epoch seconds UTC."""
    engine: EngineView
    sources: tuple[SourceView, ...] = ()
    routes: tuple[RouteView, ...] = ()
    watch: tuple[WatchRow, ...] = ()
    drill: DrillView | None = None
    """What is rehearsed now, None while nothing is."""

    def source(self, name: str) -> SourceView | None:
        """The source of that name, None if there is none."""
        return self._sources_by_name.get(name)

    def route(self, key: str) -> RouteView | None:
        """The route of that key, None if there is none."""
        return self._routes_by_key.get(key)

    # Looked up for each line of a screen; made when it is first asked for.

    @cached_property
    def _sources_by_name(self) -> dict[str, SourceView]:
        return {source.name: source for source in self.sources}

    @cached_property
    def _routes_by_key(self) -> dict[str, RouteView]:
        return {route.key: route for route in self.routes}


def told_age(age_s: float) -> float:
    """No finer than it is of use: tenths below ten seconds, whole ones above.

    So the picture of an instrument of which nothing was heard stays equal for as long as its age does, and
    a night's thousands of quiet rows are not drawn with each picture.
    """
    # Not `round`, which takes five times as long: there may be thousands, ten times a second.
    return (age_s * 10.0 + 0.5) // 1.0 / 10.0 if age_s < 9.95 else (age_s + 0.5) // 1.0
