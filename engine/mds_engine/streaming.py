"""The live side of an engine: a supervisor a source, the hub they deliver to, and when exchanges trade."""

import random as random_module
from collections.abc import Callable, Coroutine, Mapping, Sequence

from mds_engine.clock import Clock
from mds_engine.config.schema import Config
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import InvalidRequest
from mds_engine.model import Capability, Instrument
from mds_engine.policy.quality import QualityMonitor
from mds_engine.policy.reconnect import ReconnectBackoff
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.hub import TickHub
from mds_engine.streams.reader import TickReader
from mds_engine.streams.supervisor import StreamSupervisor
from mds_engine.streams.trading_hours import TradingHours


class Streaming:
    """Wires streams together. `own` keeps the tasks that it begins; `reconsider` moves routes."""

    def __init__(
        self,
        config: Config,
        sources: Mapping[str, SourceRuntime],
        routes: Mapping[RouteKey, Route],
        *,
        clock: Clock,
        random: random_module.Random,
        emit: Callable[[Event], None],
        own: Callable[[Coroutine[None, None, None], str], object],
        route_of: Callable[[RouteKey], Route],
        reconsider: Callable[[Route], None],
    ) -> None:
        self._config = config
        self._sources = sources
        self._routes = routes
        self._clock = clock
        self._random = random
        self._emit = emit
        self._own = own
        self._route_of = route_of
        self._reconsider = reconsider
        self._supervisors: dict[str, StreamSupervisor] = {}
        self._hours = TradingHours(clock)
        self._minds_hours = False
        self.hub = TickHub(
            config.streams,
            clock=clock,
            sources=sources,
            route_of=route_of,
            emit=emit,
            own=own,
            quality=QualityMonitor(config.quality, is_open=self._is_open),
            expect=self._hours.expect,
        )

    def supervise(self) -> None:
        """Make a supervisor of each source that streams."""
        for runtime in self._sources.values():
            self.add(runtime)
        self.hub.supervise(self._supervisors)

    def add(self, runtime: SourceRuntime) -> None:
        """Make the supervisor of a source, if it streams."""
        unit = runtime.units.get(Capability.TICKS)
        if unit is None:
            return
        if runtime.polls is not None:
            runtime.polls.trades = self._trades
        self._supervisors[runtime.name] = StreamSupervisor(
            runtime,
            unit,
            self._config.streams,
            lambda: ReconnectBackoff(self._config.reconnect, self._random),
            clock=self._clock,
            emit=self._emit,
            deliver=self.hub.deliver,
            on_lost=self._lost,
            on_mute=self.hub.mute,
            is_open=self._is_open,
        )

    def remove(self, name: str, why: str) -> None:
        """A source is let go: nothing that still comes over its connections is taken."""
        supervisor = self._supervisors.get(name)
        if supervisor is not None:
            self.hub.leave(name, why)
            supervisor.silence()
            del self._supervisors[name]

    def supervisor(self, name: str) -> StreamSupervisor | None:
        """Who keeps the streams of a source; None where it has none."""
        return self._supervisors.get(name)

    def start(self) -> None:
        """Begin to look when exchanges trade. The sources' own streams are begun with the sources."""
        # A replay goes by the table of hours: a calendar would come in at another time in each of them.
        recorded = any(runtime.source.replays for runtime in self._sources.values())
        if self._config.streams.regular_hours and not self._minds_hours and not recorded:
            self._minds_hours = True
            self._own(self._hours.run(), "trading hours")

    def use(self, config: Config) -> None:
        """Go by other settings from now on."""
        self._config = config
        self.hub.use(config.streams)
        self.hub.quality.settings = config.quality
        for supervisor in self._supervisors.values():
            supervisor.use(config.streams, config.reconnect)
        self.start()

    def ticks(
        self, instruments: Sequence[Instrument], *, latest: bool, queue: int | None, name: str
    ) -> TickReader:
        """A reader. Raises InvalidRequest where no configured source streams an exchange at all."""
        for exchange in dict.fromkeys(instrument.exchange for instrument in instruments):
            if not self._route_of(RouteKey(Capability.TICKS, exchange)).units:
                raise InvalidRequest(f"no configured source streams live ticks of {exchange}")
        return self.hub.reader(instruments, latest=latest, queue=queue, name=name)

    def look_again(self, source: str) -> None:
        """An operator has done something about a source: its stream waits for no backoff."""
        supervisor = self._supervisors.get(source)
        if supervisor is not None:
            supervisor.wake()

    def next_open(self, exchange: str, wall: float) -> float:
        """`wall` if an exchange trades then, else when it next opens; epoch seconds UTC."""
        return self._hours.next_open(exchange, wall) if self._config.streams.regular_hours else wall

    def expect(self, exchange: str) -> None:
        """When an exchange trades will be asked."""
        if self._config.streams.regular_hours:
            self._hours.expect((exchange,))

    def _is_open(self, exchange: str, wall: float) -> bool:
        return not self._config.streams.regular_hours or self._hours.is_open(exchange, wall)

    def _trades(self, exchange: str) -> bool:
        return self._is_open(exchange, self._clock.wall())

    def _lost(self, runtime: SourceRuntime, instruments: frozenset[Instrument], why: str) -> None:
        """At once, not at the next round of housekeeping: a standby waits to take over."""
        self.hub.lost(runtime, instruments, why)
        for route in list(self._routes.values()):
            if route.key.capability is Capability.TICKS and route.unit(runtime.name) is not None:
                self._reconsider(route)
        self.hub.assign()
