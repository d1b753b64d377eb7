"""Who wants which live ticks, from which source they come now, and who gets them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control.route_key import RouteKey
from mds_engine.model import Capability, Instrument, Tick
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.board import Board
from mds_engine.streams.reader import TickReader
from mds_engine.streams.supervisor import StreamSupervisor


class TickHub:
    """Assigns instruments to the serving source of their route, and hands ticks to the board and the readers.

    A source that is better than the serving one, or that lost its stream, is
    kept connected with one instrument, so that its recovery is seen by its
    data. A tick from any other source than the serving one goes nowhere.
    """

    def __init__(
        self, settings: StreamSettings, *, clock: Clock, route_of: Callable[[RouteKey], Route]
    ) -> None:
        self.board = Board()
        self.supervisors: Mapping[str, StreamSupervisor] = {}
        """By source. Set once, right after construction: they deliver to this hub."""
        self._settings = settings
        self._clock = clock
        self._route_of = route_of
        self._readers: dict[Instrument, tuple[TickReader, ...]] = {}
        self._watched: dict[Instrument, None] = {}
        self._lingering: dict[Instrument, float] = {}
        self._owner: dict[Instrument, str] = {}

    # --- Readers --------------------------------------------------------------------------------------

    def reader(self, instruments: Iterable[Instrument]) -> TickReader:
        """A new reader of these instruments, subscribed at once."""
        reader = TickReader(instruments, self._settings.reader_queue, self._drop)
        for instrument in reader.instruments:
            self._readers[instrument] = (*self._readers.get(instrument, ()), reader)
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

    def close_readers(self) -> None:
        """End every iteration: the engine stops."""
        for reader in {reader for readers in self._readers.values() for reader in readers}:
            reader.close()

    def _drop(self, reader: TickReader) -> None:
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

    # --- Assignment -----------------------------------------------------------------------------------

    def housekeep(self) -> None:
        """Let go of instruments that nobody has read for a while."""
        now = self._clock.now()
        over = [instrument for instrument, until in self._lingering.items() if until <= now]
        for instrument in over:
            del self._lingering[instrument]
            if instrument not in self._readers and instrument not in self._watched:
                self.board.remove(instrument)
        if over:
            self.assign()

    def assign(self) -> None:
        """Give each wanted instrument to the serving source of its route, and say so to the supervisors."""
        wanted: dict[str, set[Instrument]] = {name: set() for name in self.supervisors}
        owner: dict[Instrument, str] = {}
        for exchange, instruments in self._by_exchange().items():
            route = self._route_of(RouteKey(Capability.TICKS, exchange))
            serving = route.serving
            for unit in route.units:
                if unit is serving:
                    wanted[unit.name] |= instruments
                    owner.update(dict.fromkeys(instruments, unit.name))
                elif unit.problem or serving is None or route.is_better(unit, serving):
                    wanted[unit.name].add(min(instruments))
            if serving is None:
                for instrument in instruments:
                    self.board.row(instrument).problem = "no source of its route can stream"
        self._owner = owner
        for name, supervisor in self.supervisors.items():
            supervisor.want(wanted[name])

    def subscriptions(self, exchange: str) -> int:
        """How many instruments of an exchange are subscribed."""
        return sum(1 for instrument in self._owner if instrument.exchange == exchange)

    def _by_exchange(self) -> dict[str, set[Instrument]]:
        found: dict[str, set[Instrument]] = {}
        for group in (self._readers, self._watched, self._lingering):
            for instrument in group:
                found.setdefault(instrument.exchange, set()).add(instrument)
        return found

    # --- Delivery -------------------------------------------------------------------------------------

    def deliver(self, runtime: SourceRuntime, ticks: Sequence[Tick]) -> None:
        """Take the ticks of one frame of one source."""
        now = self._clock.now()
        name = runtime.name
        owner, board, readers = self._owner, self.board, self._readers
        for tick in ticks:
            if owner.get(tick.instrument) != name:
                continue
            board.put(tick, now)
            for reader in readers.get(tick.instrument, ()):
                reader.put(tick)
