"""Who wants which live ticks, and who gets them: from the sources' frames to the board and the readers."""

from collections.abc import Callable, Coroutine, Iterable, KeysView, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.model import Capability, Gap, Instrument, SourceSwitched, StreamItem, Tick, TickFlag
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.model.tick_read import TickRead
from mds_engine.policy.quality import QualityMonitor
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.board import Board
from mds_engine.streams.changeover import Changeover, numbers_of
from mds_engine.streams.filler import Filler
from mds_engine.streams.judge import Judge
from mds_engine.streams.lane import Lane
from mds_engine.streams.read_delivery import deliver_read
from mds_engine.streams.reader import TickReader
from mds_engine.streams.ring import Ring
from mds_engine.streams.supervisor import StreamSupervisor

if TYPE_CHECKING:
    from mds_engine.streams.batch_delivery import BatchDelivery

_TELL_SLOW_EVERY_S = 10.0


class TickHub:
    """Takes every frame of every source, and hands each tick on once: to the board and to its readers.

    Each wanted instrument has a lane, which puts its ticks in order whatever
    source they come from. `Changeover` says which source a lane listens to.
    """

    def __init__(
        self,
        settings: StreamSettings,
        *,
        clock: Clock,
        sources: Mapping[str, SourceRuntime],
        route_of: Callable[[RouteKey], Route],
        emit: Callable[[Event], None],
        own: Callable[[Coroutine[None, None, None], str], object],
        quality: QualityMonitor,
        expect: Callable[[Iterable[str]], None],
    ) -> None:
        """`quality` checks all sources, standbys included; `expect` is told whose hours matter."""
        self.board = Board()
        self.quality = quality
        self._settings = settings
        self._clock = clock
        self._sources = sources
        self._route_of = route_of
        self._emit = emit
        self._supervisors: Mapping[str, StreamSupervisor] = {}
        self._readers: dict[Instrument, tuple[TickReader, ...]] = {}
        self._watched: dict[Instrument, None] = {}
        self._lingering: dict[Instrument, float] = {}
        self._lanes: dict[str, dict[Instrument, Lane]] = {}
        self._lane_of: dict[Instrument, Lane] = {}
        self._columns: BatchDelivery | None = None
        """Made with the first large frame: without them the engine does without numpy."""
        self._named = 0
        self._closed = False
        self._slow: dict[TickReader, tuple[float, int]] = {}
        self._missed = 0
        self._conflated = 0
        """Of readers that are gone."""
        self._changeover = Changeover(
            settings,
            clock=clock,
            sources=sources,
            route_of=route_of,
            emit=emit,
            hand_on=self._hand_on_all,
            sync=self._sync,
        )
        self._judge = Judge(
            quality,
            clock=clock,
            route_of=route_of,
            emit=emit,
            avoid=self._changeover.avoid,
            flagged=self._forget_plans,
        )
        self._expect = expect
        self._filler = Filler(
            settings,
            clock=clock,
            emit=emit,
            own=own,
            sources_of=self._with_trades,
            held=self._changeover.held,
            hand_on=self._hand_on_all,
        )

    def supervise(self, supervisors: Mapping[str, StreamSupervisor]) -> None:
        """Who keeps the streams, by source. Called once, before any tick: they deliver to this hub."""
        self._supervisors = self._changeover.supervisors = supervisors

    @property
    def supervisors(self) -> Mapping[str, StreamSupervisor]:
        """Who keeps the streams, by source."""
        return self._supervisors

    @property
    def lanes(self) -> Mapping[Instrument, Lane]:
        """Of every instrument that is wanted."""
        return self._lane_of

    def ring(self, source: str) -> Ring | None:
        """What a source that is held back sent last; None where it is not."""
        return self._changeover.rings.get(source)

    # --- Readers --------------------------------------------------------------------------------------

    def reader(
        self,
        instruments: Iterable[Instrument],
        *,
        latest: bool = False,
        queue: int | None = None,
        name: str = "",
    ) -> TickReader:
        """A new reader of these instruments, subscribed at once."""
        self._named += 1
        reader = TickReader(
            instruments,
            self._settings.reader_queue if queue is None else queue,
            self._drop,
            latest=latest,
            name=name or f"reader {self._named}",
        )
        if self._closed:
            reader.close()
            return reader
        for instrument in reader.instruments:
            self._readers[instrument] = (*self._readers.get(instrument, ()), reader)
        self._slow[reader] = (0.0, 0)
        self.assign()
        return reader

    def watch(self, instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
        """Put instruments on the board until `unwatch`. Returns those that are new."""
        new = tuple(instrument for instrument in instruments if instrument not in self._watched)
        for instrument in new:
            self._watched[instrument] = None
            self.board.row(instrument)
        self.assign()
        return new

    def unwatch(self, instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
        """Take instruments off the board. Returns those that were on it."""
        gone = tuple(instrument for instrument in instruments if instrument in self._watched)
        for instrument in gone:
            del self._watched[instrument]
            self._linger(instrument)
        self.assign()
        return gone

    @property
    def watched(self) -> tuple[Instrument, ...]:
        """What is on the board, in the order in which it was asked for."""
        return tuple(self._watched)

    @property
    def missed(self) -> int:
        """Ticks that readers lost since the start because they were too slow."""
        return self._missed + sum(reader.missed for reader in self._slow)

    @property
    def conflated(self) -> int:
        """Ticks since the start whose place a newer one took, for readers that want only the latest."""
        return self._conflated + sum(reader.conflated for reader in self._slow)

    def close_readers(self) -> None:
        """End every iteration, also of readers that are yet to come: the engine stops."""
        self._closed = True
        for reader in list(self._slow):
            reader.close()

    def _drop(self, reader: TickReader) -> None:
        if self._slow.pop(reader, None) is not None:
            self._missed += reader.missed
            self._conflated += reader.conflated
        for instrument in reader.instruments:
            left = tuple(other for other in self._readers.get(instrument, ()) if other is not reader)
            if left:
                self._readers[instrument] = left
            elif self._readers.pop(instrument, None):
                self._linger(instrument)
        self.assign()

    def _linger(self, instrument: Instrument) -> None:
        if instrument not in self._readers and instrument not in self._watched:
            self._lingering[instrument] = self._clock.now() + self._settings.linger_s

    def use(self, settings: StreamSettings) -> None:
        """Go by other settings from now on; readers that are there keep their queues."""
        self._settings = settings
        self._changeover.use(settings)
        self._filler.use(settings)

    # --- Assignment -----------------------------------------------------------------------------------

    def assign(self) -> None:
        """Aim every wanted instrument at a source, and tell the supervisors what to stream."""
        self._lay_lanes()
        self._forget_plans()
        self._expect(self._lanes)
        wanted = self._changeover.aim(self._lanes)
        for exchange, lanes in self._lanes.items():
            if self._route_of(RouteKey(Capability.TICKS, exchange)).serving is None:
                for instrument in lanes:
                    self.board.row(instrument).problem = "no source of its route can stream"
        for name, supervisor in self._supervisors.items():
            supervisor.want(wanted[name])

    def lost(self, runtime: SourceRuntime, instruments: Iterable[Instrument], why: str) -> None:
        """A source streams these no more, for now: whoever listens to it must know that something may be
        missing."""
        supervisor = self._supervisors[runtime.name]
        for instrument in instruments:
            lane = self._lane_of.get(instrument)
            if lane is not None and lane.active == runtime.name:
                self._sync(lane)
                lane.interrupted(why, supervisor.carried_until(instrument))
        self._forget_plans()

    def leave(self, source: str, why: str) -> None:
        """A source is let go: who still listens to it, for want of another, waits for the next that comes."""
        supervisor = self._supervisors[source]
        for lane in self._lane_of.values():
            if lane.active == source:
                self._sync(lane)
                lane.interrupted(why, supervisor.carried_until(lane.instrument))
                lane.active = ""
        self._changeover.leave(source)
        self.quality.forget(source)
        self._forget_plans()

    def mute(self, runtime: SourceRuntime, instruments: Iterable[Instrument], why: str) -> None:
        """A source that otherwise flows is silent about these: a standby may have them."""
        self._changeover.avoid(runtime.name, instruments, why, is_mute=True)
        self.assign()

    def housekeep(self) -> None:
        """What time brings: idle instruments go, holes are filled or told, handovers end."""
        now = self._clock.now()
        over = [instrument for instrument, until in self._lingering.items() if until <= now]
        for instrument in over:
            del self._lingering[instrument]
        self._filler.housekeep()
        if self._changeover.housekeep() or over:
            self.assign()
        if self._judge.judge(self._lane_of, now):
            self.assign()
        self._tell_slow(now)

    def subscriptions(self, exchange: str) -> int:
        """How many instruments of an exchange are subscribed."""
        return sum(1 for lane in self._lanes.get(exchange, {}).values() if lane.active)

    def live(self, exchange: str) -> KeysView[Instrument]:
        """The wanted instruments of an exchange."""
        return self._lanes.get(exchange, {}).keys()

    def _lay_lanes(self) -> None:
        """A lane for each wanted instrument, and for no other."""
        # In their order: it becomes that of routes and rows, which is to be the same in every process.
        wanted = {**self._readers, **self._watched, **self._lingering}
        gone = [instrument for instrument in self._lane_of if instrument not in wanted]
        for name in self._sources if gone else ():
            self.quality.forget(name, gone)
        for instrument in gone:
            del self._lane_of[instrument]
            del self._lanes[instrument.exchange][instrument]
            self._changeover.forget(instrument)
            if self._columns is not None:
                self._columns.lanes.forget(instrument)
            self.board.remove(instrument)
        for instrument in [instrument for instrument in wanted if instrument not in self._lane_of]:
            lane = self._lane_of[instrument] = Lane(instrument)
            self._lanes.setdefault(instrument.exchange, {})[instrument] = lane
        for exchange in [exchange for exchange, lanes in self._lanes.items() if not lanes]:
            del self._lanes[exchange]

    def _forget_plans(self) -> None:
        if self._columns is not None:
            self._columns.lanes.forget_plans()

    def _with_trades(self, lane: Lane) -> list[SourceRuntime]:
        """Who may have past trades by the numbers of a lane's vendor: its source first."""
        active = self._sources.get(lane.active)
        if active is None:
            return []
        route = self._route_of(RouteKey(Capability.TICKS, lane.instrument.exchange))
        others = (unit.runtime for unit in route.units if unit.runtime is not active)
        return [
            runtime
            for runtime in (active, *others)
            if runtime.source.has_trades
            and numbers_of(runtime) == numbers_of(active)
            and not runtime.refusal()
        ]

    # --- Delivery -------------------------------------------------------------------------------------

    def deliver(self, runtime: SourceRuntime, ticks: Sequence[Tick]) -> None:
        """Take the ticks of one frame of one source."""
        now = self._clock.now()
        name = runtime.name
        ring = self._changeover.rings.get(name)
        if ring is not None:
            ring.append(now, ticks)
        if runtime.polls is None:  # what is asked for now and then is late by its nature
            self.quality.observe(name, ticks, now)
        if type(ticks) is TickBatch or type(ticks) is TickFrames:
            self._in_columns().deliver(name, ticks, now)
            return
        columns = self._columns
        lanes, board, readers = self._lane_of, self.board, self._readers
        if type(ticks) is TickRead and columns is None:
            ticks = deliver_read(ticks, name, now, lanes=lanes, board=board, readers=readers)
        for tick in ticks:
            instrument = tick.instrument
            lane = lanes.get(instrument)
            if lane is None:
                continue
            if columns is not None and instrument in columns.lanes:
                columns.deliver_beside(lane, name, tick, now)
                continue
            if lane.active != name:
                self._changeover.arrived(lane, name, tick, now)
                continue
            items = lane.put(tick, now)
            if items is None and not lane.suspect:
                board.put(tick, now)
                for reader in readers.get(instrument, ()):
                    reader.put(tick)
            else:
                self._hand_on_all(lane, (tick,) if items is None else items)

    def _in_columns(self) -> "BatchDelivery":
        if self._columns is None:
            from mds_engine.streams.batch_delivery import BatchDelivery

            self._columns = BatchDelivery(self.board, self._lane_of, self._readers, self._deliver_one)
        return self._columns

    def _deliver_one(self, lane: Lane, name: str, tick: Tick, now: float) -> None:
        if lane.active != name:
            self._changeover.arrived(lane, name, tick, now)
            return
        items = lane.put(tick, now)
        self._hand_on_all(lane, (tick,) if items is None else items)

    def _hand_on_all(self, lane: Lane, items: Sequence[StreamItem]) -> None:
        """Hand on what a lane gave in place of a tick."""
        now = self._clock.now()
        told: list[StreamItem] = []
        for item in items:
            if isinstance(item, Tick):
                if lane.suspect:
                    item = msgspec.structs.replace(item, flags=item.flags | TickFlag.SUSPECT)  # noqa: PLW2901
                self.board.put(item, now)
            elif isinstance(item, SourceSwitched):
                self.board.change_source(lane.instrument, trusted=not lane.suspect)
            elif isinstance(item, Gap):
                self._tell_gap(item)
            told.append(item)
        for reader in self._readers.get(lane.instrument, ()):
            reader.put_all(told)
        if lane.waiting:
            self._filler.watch(lane)
        self._forget_plans()

    def _sync(self, lane: Lane) -> None:
        """Let a lane know what went to the readers past it, in large frames."""
        if self._columns is not None:
            self._columns.lanes.sync(lane)

    def _tell_gap(self, gap: Gap) -> None:
        missing = None
        if gap.first_sequence is not None and gap.last_sequence is not None:
            missing = gap.last_sequence - gap.first_sequence + 1
        self._emit(
            events.TicksGapped(
                source=gap.source,
                instrument=str(gap.instrument),
                after_ns=gap.after_ns,
                before_ns=gap.before_ns,
                missing=missing,
                why=gap.why,
            )
        )

    def _tell_slow(self, now: float) -> None:
        """Tell of readers that missed more since the last time, not too often."""
        for reader, (told_at, told) in self._slow.items():
            if reader.missed > told and (not told or now - told_at >= _TELL_SLOW_EVERY_S):
                self._slow[reader] = (now, reader.missed)
                self._emit(events.ReaderSlow(reader=reader.name, missed=reader.missed - told))
