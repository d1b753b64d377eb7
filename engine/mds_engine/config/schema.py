"""The whole configuration as frozen structs. `mds_engine.config.load` builds it and checks it.

Every field is documented by the string below it, with its unit: a test holds
`config.toml.example` against these structs, field by field.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mds_engine.config.recording_settings import RecordingSettings
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control.route_key import RouteKey
from mds_engine.model.capability import Capability
from mds_engine.model.instrument import Instrument
from mds_engine.policy.breaker_settings import BreakerSettings
from mds_engine.policy.failback import FailbackSettings
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.hedging import HedgeSettings
from mds_engine.policy.limiter_settings import LimiterSettings
from mds_engine.policy.panic import PanicSettings
from mds_engine.policy.quality_settings import QualitySettings
from mds_engine.policy.reconnect import ReconnectSettings
from mds_engine.policy.retry import RetrySettings
from mds_engine.policy.source_breaker import SourceBreakerSettings

PositiveSeconds = Annotated[float, msgspec.Meta(gt=0)]
Failback = Literal["sticky", "preemptive"]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[engine]`: the engine as a whole."""

    name: Annotated[str, msgspec.Meta(min_length=1)] = "mds"
    """What this engine is called on screens and in logs."""
    deadline_s: PositiveSeconds = 10.0
    """Longest time for one call over all its sources, in seconds."""
    attempt_timeout_s: PositiveSeconds | None = None
    """`timeout_s` of sources that set none, in seconds; unset means their vendor's own."""
    bars_deadline_s: PositiveSeconds = 60.0
    """Longest time for one call for bars, which may take many requests, in seconds."""
    login_ahead_s: PositiveSeconds = 3600.0
    """How long before its exchange opens a source whose login has ended says so, in seconds."""
    failover_enabled: bool = True
    """Whether a call moves on to the next source; false asks the primary only."""
    state_path: str = ""
    """The SQLite file of what survives a restart; empty means the user's state folder, `:memory:` no file."""
    log_path: str = ""
    """The log file; empty means one in the user's log folder."""

    def state_file(self) -> str:
        """Where the state is kept: a path, or `:memory:`."""
        if self.state_path == ":memory:":
            return self.state_path
        if self.state_path:
            return str(Path(self.state_path).expanduser())
        import platformdirs

        return str(platformdirs.user_state_path("mds-tui") / f"{self.name}.sqlite")

    def log_file(self) -> Path:
        """Where the log is kept."""
        if self.log_path:
            return Path(self.log_path).expanduser()
        import platformdirs

        return platformdirs.user_log_path("mds-tui") / f"{self.name}.log"


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[routes.EXCHANGE.CAPABILITY]`: one route; what is unset comes from `[routes.EXCHANGE]`."""

    sources: tuple[str, ...] | None = None
    """Names of sources in order; the first is the primary."""
    hedge: bool | None = None
    """Whether a second source is asked when the first is slow; unset means no."""
    failback: Failback | None = None
    """`sticky` or `preemptive`; unset means what `[failback]` says."""
    standby: bool | None = None
    """For ticks: whether the next source streams too, held back, so that a failover loses nothing."""
    quarantine: bool | None = None
    """For ticks: whether an instrument is taken from a source whose data of it looks wrong."""


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[routes.EXCHANGE]`: all routes of an exchange, each of which can be set apart."""

    sources: tuple[str, ...] | None = None
    """Names of sources in order; the first is the primary. Unset means all that can serve, by priority."""
    hedge: bool | None = None
    """Whether a second source is asked when the first is slow; unset means no."""
    failback: Failback | None = None
    """`sticky` or `preemptive`; unset means what `[failback]` says."""
    standby: bool | None = None
    """For ticks: whether the next source streams too, held back, so that a failover loses nothing."""
    quarantine: bool | None = None
    """For ticks: whether an instrument is taken from a source whose data of it looks wrong."""
    quote: RouteSettings | None = None
    """The route of quotes, where it differs."""
    bars: RouteSettings | None = None
    """The route of bars, where it differs."""
    ticks: RouteSettings | None = None
    """The route of ticks, where it differs."""


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[console]`: the screen."""

    theme: str = "dark"
    """The theme's name, shipped or a file of your own in the themes folder; `t` in the console shows all."""
    ascii: bool = False
    """Whether states are drawn in plain ASCII, for terminals that draw glyphs badly."""
    read_only: bool = False
    """Whether the keys that change anything are greyed and do nothing, unless `W` arms them for a while."""
    arming_token: Secret = Secret()
    """What `W` asks for before it arms a read-only console, as `"${MDS_ARMING_TOKEN}"`; empty asks for
    nothing."""
    web_token: Secret = Secret()
    """What a browser must know to see `mds-tui web`, as `"${MDS_WEB_TOKEN}"`, 16 letters or more; empty
    makes a new one with every start."""
    fps: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    """Repaints a second; unset means 10, and 4 over SSH."""
    toasts: bool = True
    """Whether a failover, a route that is down or a needed login is told over the desk for some seconds."""
    bell: bool = False
    """Whether a failover or a route that goes down rings the terminal's bell."""
    watch: tuple[str, ...] = ()
    """Instruments whose live ticks are watched from the start, as `NSE:RELIANCE`."""

    @property
    def watched(self) -> tuple[Instrument, ...]:
        """`watch`, parsed."""
        return tuple(Instrument.parse(text) for text in self.watch)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route with its defaults filled in."""

    key: RouteKey
    sources: tuple[str, ...]
    """Candidates in order. Those that cannot serve the capability are passed over by the engine."""
    hedge: bool = False
    failback: Failback | None = None
    """None means what `[failback]` says."""
    standby: bool = False
    quarantine: bool = False
    configured: bool = True
    """False if no `[routes.…]` names it and the sources are simply all, by priority."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was configured, checked. Built by `mds_engine.config.load`, or by hand in tests."""

    engine: EngineSettings = EngineSettings()
    sources: Mapping[str, SourceSettings] = msgspec.field(default_factory=dict)
    """By name, each of its vendor's own type."""
    exchanges: Mapping[str, ExchangeSettings] = msgspec.field(default_factory=dict)
    """The `[routes.…]` tables by exchange."""
    breaker: BreakerSettings = BreakerSettings()
    """Of each capability of each source."""
    source_breaker: SourceBreakerSettings = SourceBreakerSettings()
    """Of each source as a whole."""
    limiter: LimiterSettings = LimiterSettings()
    health: HealthSettings = HealthSettings()
    retry: RetrySettings = RetrySettings()
    hedging: HedgeSettings = HedgeSettings()
    failback: FailbackSettings = FailbackSettings()
    panic: PanicSettings = PanicSettings()
    streams: StreamSettings = StreamSettings()
    reconnect: ReconnectSettings = ReconnectSettings()
    """Of live streams."""
    quality: QualitySettings = QualitySettings()
    """When live data looks wrong."""
    recording: RecordingSettings = RecordingSettings()
    """Of the console's black box."""
    console: ConsoleSettings = ConsoleSettings()

    def by_priority(self) -> tuple[str, ...]:
        """All names of sources, the lowest priority number first, then as they stand in the file."""
        return tuple(sorted(self.sources, key=lambda name: self.sources[name].priority))

    def route(self, key: RouteKey) -> Route:
        """The route of that key, configured or not."""
        exchange = self.exchanges.get(key.exchange)
        if exchange is None:
            return Route(key=key, sources=self.by_priority(), configured=False)
        own: RouteSettings | None = getattr(exchange, key.capability.value)
        if own is None:
            own = RouteSettings()
        sources = own.sources if own.sources is not None else exchange.sources
        hedge = own.hedge if own.hedge is not None else exchange.hedge
        standby = own.standby if own.standby is not None else exchange.standby
        quarantine = own.quarantine if own.quarantine is not None else exchange.quarantine
        return Route(
            key=key,
            sources=sources if sources is not None else self.by_priority(),
            hedge=bool(hedge),
            failback=own.failback or exchange.failback,
            standby=bool(standby),
            quarantine=bool(quarantine),
        )

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every configured route, exchange by exchange."""
        return tuple(
            self.route(RouteKey(capability, exchange))
            for exchange in self.exchanges
            for capability in Capability
        )
