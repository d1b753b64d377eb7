"""Which source each lane listens to, and how it changes without losing a tick.

A change that is forced (the source is gone) happens at once, with what the ring
of a warm standby holds. A planned one (failback, an operator's word) waits
until both sources overlap: the old one is listened to until the new one has
everything that comes after its last tick.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.model import Capability, Instrument, StreamItem, Tick, TickFlag, TickKind
from mds_engine.policy.breaker import BreakerState
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.streams.lane import Lane
from mds_engine.streams.ring import Ring

_BEHIND_S = 1.0
"""What one source sends comes so much later than from another, or less."""

Wanted = dict[str, set[Instrument]]
"""What each source should stream."""


class Supervised(Protocol):
    """What is asked of a supervisor."""

    @property
    def live(self) -> bool:
        """Whether it has a connection."""
        ...

    def streams_since(self, instrument: Instrument) -> float | None:
        """Monotonic time since when it streams an instrument without a break; None if it does not."""
        ...

    def carried_until(self, instrument: Instrument) -> float:
        """Monotonic time of the last tick over the connection that carries an instrument, or did last."""
        ...


class _Roles(NamedTuple):
    """What each source is to a route now."""

    serving: Unit | None
    standby: Unit | None
    probed: tuple[Unit, ...]
    """Those that might be better, or are in trouble, and are watched with one instrument."""


class _Handover:
    """A planned change of one lane under way."""

    __slots__ = ("first", "lane", "since", "to", "why")

    def __init__(self, lane: Lane, to: str, since: float, why: str) -> None:
        self.lane = lane
        self.to = to
        self.since = since
        self.why = why
        self.first: Tick | None = None
        """The first tick of the new source that says where its ticks begin."""


class _Avoided:
    """Why one instrument is not taken from a source that serves the others."""

    __slots__ = ("good_since", "is_mute", "since", "source", "why")

    def __init__(self, source: str, why: str, since: float, *, is_mute: bool) -> None:
        self.source = source
        self.why = why
        self.since = since
        self.is_mute = is_mute
        """Whether a tick is all that is wanted of it."""
        self.good_since: float | None = None
        """Monotonic time since when its ticks are there again."""


class Changeover:
    """Aims lanes at sources. Makes no I/O: what should be subscribed is its answer."""

    def __init__(
        self,
        settings: StreamSettings,
        *,
        clock: Clock,
        sources: Mapping[str, SourceRuntime],
        route_of: Callable[[RouteKey], Route],
        emit: Callable[[Event], None],
        hand_on: Callable[[Lane, Sequence[StreamItem]], None],
        sync: Callable[[Lane], None],
    ) -> None:
        self.supervisors: Mapping[str, Supervised] = {}
        self.rings: dict[str, Ring] = {}
        """What the standbys, and those that are about to take over, sent lately."""
        self._settings = settings
        self._clock = clock
        self._sources = sources
        self._route_of = route_of
        self._emit = emit
        self._hand_on = hand_on
        self._sync = sync
        self._handovers: dict[Instrument, _Handover] = {}
        self._avoided: dict[Instrument, _Avoided] = {}
        self._roles: dict[str, _Roles] = {}
        """By exchange, as lanes were aimed the last time."""
        self._moved: dict[tuple[str, str, str], list[int]] = {}

    # --- Aiming ---------------------------------------------------------------------------------------

    def aim(self, lanes: Mapping[str, Mapping[Instrument, Lane]]) -> Wanted:
        """Aim the lanes of each exchange; returns what each source should stream now."""
        now = self._clock.now()
        wanted: Wanted = {name: set() for name in self.supervisors}
        listening: set[str] = set()
        at_once: list[tuple[Lane, str, str]] = []
        self._roles = {}
        for exchange, of_exchange in lanes.items():
            route = self._route_of(RouteKey(Capability.TICKS, exchange))
            roles = self._roles[exchange] = self._cast(route, now)
            if roles.standby is not None:
                listening.add(roles.standby.name)
            _want(wanted, roles, of_exchange)
            reasons: dict[str, str] = {}
            coarsest_ns = max((unit.runtime.source.tick_time_unit_ns for unit in route.units), default=1)
            for instrument, lane in of_exchange.items():
                lane.remembered.unit_ns = coarsest_ns
                to, why = self._target(lane, route, roles.standby, reasons, now)
                if not to or lane.active == to:
                    self._handovers.pop(instrument, None)
                elif self._must_wait(lane, to, route, now):
                    self._begin(lane, to, why, now)
                else:
                    at_once.append((lane, to, why))
        for instrument, handover in self._handovers.items():
            # Both are needed until they overlap.
            listening.add(handover.to)
            wanted[handover.to].add(instrument)
            wanted[handover.lane.active].add(instrument)
        for instrument, avoided in self._avoided.items():
            wanted[avoided.source].add(instrument)
        self._switch_all(at_once, now)
        self._listen(listening)
        self._tell()
        return wanted

    def forget(self, instrument: Instrument) -> None:
        """An instrument is wanted no more."""
        self._handovers.pop(instrument, None)
        self._avoided.pop(instrument, None)

    def leave(self, source: str) -> None:
        """A source is let go: nobody waits for it any more."""
        self._handovers = {
            instrument: handover
            for instrument, handover in self._handovers.items()
            if source not in (handover.to, handover.lane.active)
        }
        self._avoided = {
            instrument: avoided for instrument, avoided in self._avoided.items() if avoided.source != source
        }
        self.rings.pop(source, None)
        self._tell()

    def use(self, settings: StreamSettings) -> None:
        """Go by other settings from now on; a ring that is there keeps its size."""
        self._settings = settings

    def _cast(self, route: Route, now: float) -> _Roles:
        """Who serves, who stands by, and who is probed. What is polled is neither: each look costs a call,
        and it takes over without one."""
        serving = route.serving
        others = [unit for unit in route.units if unit is not serving and unit.runtime.polls is None]
        standby = None
        if route.standby and serving is not None:
            standby = next((unit for unit in others if _may_stream(unit, now)), None)
        probed = tuple(
            unit
            for unit in others
            if unit is not standby and (unit.problem or serving is None or route.is_better(unit, serving))
        )
        return _Roles(serving, standby, probed)

    def _target(
        self, lane: Lane, route: Route, standby: Unit | None, reasons: dict[str, str], now: float
    ) -> tuple[str, str]:
        """The source that an instrument should come from, and why it changes. `reasons` has those that were
        found already, by the source that is left: thousands of lanes may leave one at once."""
        serving = route.serving
        if serving is None:
            return "", ""
        avoided = self._avoided.get(lane.instrument)
        if avoided is not None and avoided.source == serving.name and standby is not None:
            self._sync(lane)
            if lane.active != avoided.source or not avoided.is_mute or lane.last_at <= avoided.since:
                return standby.name, avoided.why
            del self._avoided[lane.instrument]  # it came while there was nobody else to take it from
        if lane.active == serving.name:
            return serving.name, ""
        if lane.active not in reasons:
            reasons[lane.active] = _why(route, lane.active, now)
        return serving.name, reasons[lane.active]

    def _must_wait(self, lane: Lane, to: str, route: Route, now: float) -> bool:
        """Whether the old source still sends what the new one does not have yet."""
        unit = route.unit(lane.active) if lane.active else None
        if unit is None:
            return False
        supervisor = self.supervisors.get(unit.name)
        if supervisor is None or not unit.flowing or not _may_stream(unit, now):
            return False
        if supervisor.streams_since(lane.instrument) is None:
            return False
        self._sync(lane)
        return not self._has_all(to, lane)

    def _has_all(self, name: str, lane: Lane) -> bool:
        """Whether a source was there before the lane heard its own for the last time, and its ring holds all
        that came after the last delivered tick."""
        ring, since = self.rings.get(name), self._streams_since(name, lane.instrument)
        if ring is None or since is None or since > self._heard_until(lane):
            return False
        unit_ns = max(self._sources[one].source.tick_time_unit_ns for one in (name, lane.active or name))
        last_ns = None if lane.last is None else lane.last.time_ns
        return not ring.has_let_go_after(lane.instrument, last_ns, unit_ns)

    def _heard_until(self, lane: Lane) -> float:
        """Monotonic time up to which a lane has all that happened: of its last tick, or of the last of others
        over the same connection, unless it is this instrument that its source does not send."""
        avoided, supervisor = self._avoided.get(lane.instrument), self.supervisors.get(lane.active)
        if supervisor is None or (avoided is not None and avoided.source == lane.active):
            return lane.last_at
        heard_until = lane.heard_until
        if heard_until is None:
            heard_until = supervisor.carried_until(lane.instrument)
        return max(lane.last_at, heard_until - _BEHIND_S)

    def _begin(self, lane: Lane, to: str, why: str, now: float) -> None:
        handover = self._handovers.get(lane.instrument)
        if handover is None or handover.to != to:
            self._handovers[lane.instrument] = _Handover(lane, to, now, why)

    def _listen(self, names: set[str]) -> None:
        for name in names - self.rings.keys():
            self.rings[name] = Ring(self._settings.ring_ticks, self._settings.ring_s)
        for name in self.rings.keys() - names:
            del self.rings[name]

    # --- Ticks of a source that a lane does not listen to ---------------------------------------------

    def arrived(self, lane: Lane, name: str, tick: Tick, now: float) -> None:
        """A tick of another source than the lane's: perhaps the one that completes a handover."""
        handover = self._handovers.get(lane.instrument)
        if handover is not None and handover.to == name:
            if handover.first is None:
                if tick.kind is TickKind.BOOK and lane.next_trade is not None:
                    return  # says nothing of where the trades begin
                handover.first = tick
            source = self._sources[name]
            self._sync(lane)
            if lane.overlaps(numbers_of(source), source.source.tick_time_unit_ns, handover.first):
                self._complete(handover, now, whole=True)
            return
        avoided = self._avoided.get(lane.instrument)
        if avoided is not None and avoided.source == name and avoided.good_since is None:
            avoided.good_since = now

    def held(self, lanes: Sequence[Lane]) -> dict[Instrument, list[Tick]]:
        """What the rings hold of these lanes, by the numbers of the source that each listens to."""
        found: dict[Instrument, list[Tick]] = {}
        for name, ring in self.rings.items():
            numbers = numbers_of(self._sources[name])
            alike = {
                lane.instrument
                for lane in lanes
                if lane.active and lane.active != name and numbers_of(self._sources[lane.active]) == numbers
            }
            for instrument, ticks in ring.by_instrument(alike).items() if alike else ():
                found.setdefault(instrument, []).extend(ticks)
        return found

    def _complete(self, handover: _Handover, now: float, *, whole: bool) -> None:
        lane = handover.lane
        ring = self.rings.get(handover.to)
        held = [] if ring is None else list(ring.of(lane.instrument))
        self._switch(lane, handover.to, held, now, whole=whole, why=handover.why)

    def housekeep(self) -> bool:
        """Complete what has waited long enough, let avoided instruments go back; True where lanes must be
        aimed anew."""
        now = self._clock.now()
        changed = bool(self._moved) or any(
            self._cast(self._route_of(RouteKey(Capability.TICKS, exchange)), now) != roles
            for exchange, roles in self._roles.items()
        )
        for handover in list(self._handovers.values()):
            since = self._streams_since(handover.to, handover.lane.instrument)
            # Quiet, but subscribed for long enough: what the old source had to send from before has come.
            if since is not None and now - max(since, handover.since) >= self._settings.handover_s:
                self._sync(handover.lane)
                # The old source was there meanwhile, unless it is this instrument that it does not send.
                whole = handover.lane.instrument not in self._avoided
                self._complete(handover, now, whole=whole)
                changed = True
        for instrument, avoided in list(self._avoided.items()):
            since = avoided.good_since
            if since is not None and now - since >= self._settings.return_after_s:
                del self._avoided[instrument]
                changed = True
        self._tell()
        return changed

    # --- Moving single instruments --------------------------------------------------------------------

    def avoid(
        self, source: str, instruments: Iterable[Instrument], why: str, *, is_mute: bool = False
    ) -> bool:
        """Take these instruments from a source, as far as a standby has them; True where that is new.

        They go back once it has sent them well for a while: ask again as long as it does not.
        """
        new, now = False, self._clock.now()
        for instrument in instruments if self._sources[source].polls is None else ():
            avoided = self._avoided.get(instrument)
            if avoided is None or avoided.source != source:
                self._avoided[instrument] = _Avoided(source, why, now, is_mute=is_mute)
                new = True
            else:
                avoided.good_since = None
        return new

    # --- Switching ------------------------------------------------------------------------------------

    def _switch_all(self, at_once: Sequence[tuple[Lane, str, str]], now: float) -> None:
        """Change lanes whose source is gone, with what the rings hold. Each ring is gone through once."""
        held: dict[str, dict[Instrument, list[Tick]]] = {}
        for to in {to for _, to, _ in at_once}:
            ring = self.rings.get(to)
            held[to] = {} if ring is None else ring.by_instrument({lane.instrument for lane, _, _ in at_once})
        for lane, to, why in at_once:
            self._sync(lane)
            found: Sequence[Tick] = held[to].get(lane.instrument, ())
            self._switch(lane, to, found, now, whole=self._has_all(to, lane), why=why)

    def _switch(
        self, lane: Lane, to: str, held: Sequence[Tick], now: float, *, whole: bool, why: str
    ) -> None:
        self._handovers.pop(lane.instrument, None)
        before, source = lane.active, self._sources[to]
        if before and self._sources[before].polls is not None:
            whole, why = False, why or "it was only polled until now"
        items = lane.switch(
            to, numbers_of(source), source.source.tick_time_unit_ns, held, now, whole=whole, why=why
        )
        if before:
            counts = self._moved.setdefault((before, to, why), [0, 0])
            counts[0] += 1
            counts[1] += sum(1 for item in items if isinstance(item, Tick) and item.flags & TickFlag.HELD)
        self._hand_on(lane, items)

    def _streams_since(self, name: str, instrument: Instrument) -> float | None:
        supervisor = self.supervisors.get(name)
        return None if supervisor is None or not supervisor.live else supervisor.streams_since(instrument)

    def _tell(self) -> None:
        """One event for all lanes that made the same move."""
        moved, self._moved = self._moved, {}
        for (before, after, why), (instruments, held) in moved.items():
            self._emit(
                events.TicksSwitched(before=before, after=after, instruments=instruments, held=held, why=why)
            )


def numbers_of(runtime: SourceRuntime) -> str:
    """Whose numbers the ticks of a source bear: only those of the same are compared."""
    return f"{runtime.settings.kind} {runtime.source.numbering}".rstrip()


def _want(wanted: Wanted, roles: _Roles, instruments: Mapping[Instrument, Lane]) -> None:
    """All instruments from who serves and who stands by; one, as a probe, from who might be better."""
    for unit in (roles.serving, roles.standby):
        if unit is not None:
            wanted[unit.name].update(instruments)
    for unit in roles.probed:
        wanted[unit.name].add(min(instruments))


def _may_stream(unit: Unit, now: float) -> bool:
    """Whether nothing forbids it to stream, whatever became of its connection."""
    out = (BreakerState.OPEN, BreakerState.FORCED_OPEN)
    return not unit.runtime.refusal() and not any(
        breaker.state(now) in out for breaker in (unit.runtime.whole, unit.breaker)
    )


def _why(route: Route, left: str, now: float) -> str:
    """Why lanes change from the source `left` to the one that serves their route."""
    if route.pinned is not None:
        return "forced"
    before = route.unit(left)
    return "" if before is None else before.runtime.cause(before, now)
