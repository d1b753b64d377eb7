"""Keeps one source's live stream up, over as many connections as its vendor's limits ask for."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from math import inf

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.errors import SourceError
from mds_engine.model import Instrument, Tick
from mds_engine.model.hours import is_open as regular_hours
from mds_engine.policy.reconnect import ReconnectBackoff, ReconnectSettings
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import StreamLimits
from mds_engine.streams.connection import Connection
from mds_engine.streams.liveness import Liveness, names
from mds_engine.streams.proven import Proven
from mds_engine.streams.sharding import share_out
from mds_engine.streams.stirring import Stirring
from mds_engine.streams.strand import LOOK_AGAIN_S, Strand

OnInstruments = Callable[[SourceRuntime, frozenset[Instrument], str], None]
"""Told of some instruments of a source, and why."""


def _nobody(_runtime: SourceRuntime, _instruments: frozenset[Instrument], _why: str) -> None:
    """Nobody listens."""


def _nobody_takes(_runtime: SourceRuntime, _ticks: Sequence[Tick]) -> None:
    """Nobody takes them."""


class StreamSupervisor:
    """Owns the stream of one source. `run` is its task; `want` says what should be subscribed.

    The stream is made of strands: one connection each, which comes back by
    itself. The source's `problem` stands while any strand is down.
    """

    def __init__(
        self,
        runtime: SourceRuntime,
        unit: Unit,
        settings: StreamSettings,
        backoff: Callable[[], ReconnectBackoff],
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        deliver: Callable[[SourceRuntime, Sequence[Tick]], None],
        on_lost: OnInstruments = _nobody,
        on_mute: OnInstruments = _nobody,
        is_open: Callable[[str, float], bool] = regular_hours,
    ) -> None:
        """`on_lost` is told what a connection carried that ended before another was up, `on_mute` which
        instruments are silent on a stream that flows; `is_open` says whether an exchange trades at a time
        (epoch seconds UTC)."""
        self.runtime = runtime
        self.unit = unit
        self.settings = settings
        self.clock = clock
        self.flowed_at = 0.0
        self.hold_until = 0.0
        self.proven = Proven()
        self._make_backoff = backoff
        self._emit = emit
        self._deliver_up = deliver
        self._on_lost = on_lost
        self._on_mute = on_mute
        self._is_open = is_open
        self._strands: list[Strand] = []
        self._started = 0
        self._wanted: frozenset[Instrument] = frozenset()
        self._beyond: frozenset[Instrument] = frozenset()
        self._beyond_told: frozenset[Instrument] = frozenset()
        self._refused: list[tuple[frozenset[Instrument], str]] = []
        self._stirring = Stirring(clock)
        self._next_mark_at = 0.0

    # --- For the hub and the operator -----------------------------------------------------------------

    def want(self, instruments: Iterable[Instrument]) -> None:
        """What should be subscribed from now on; nothing means no connection."""
        wanted = frozenset(instruments)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        shares = share_out(
            wanted, [strand.wanted for strand in self._strands], self.runtime.source.stream_limits
        )
        while len(self._strands) < len(shares.carried):
            self._strands.append(self._new_strand())
        for strand, carried in zip(self._strands, shares.carried, strict=True):
            strand.want(carried)
        self._beyond = shares.beyond
        self._stirring.stir()

    def wake(self) -> None:
        """Look again at once: an operator changed something."""
        for strand in self._strands:
            strand.wake()

    def use(self, settings: StreamSettings, reconnect: ReconnectSettings) -> None:
        """Go by other settings from now on, over the connections that are there."""
        self.settings = settings
        for strand in self._strands:
            strand.use(settings, reconnect)
            strand.liveness.use(**self._patience())

    def silence(self) -> None:
        """Its source is let go: what still comes is handed to nobody."""
        self._deliver_up = _nobody_takes

    @property
    def wanted(self) -> frozenset[Instrument]:
        """What should be streamed."""
        return self._wanted

    @property
    def live(self) -> bool:
        """Whether any connection is up and subscribed."""
        return any(strand.is_up for strand in self._strands)

    @property
    def last_data_at(self) -> float:
        """Monotonic time of the last tick, or of the connection while none has come."""
        return max((strand.last_data_at for strand in self._strands), default=0.0) or self.flowed_at

    @property
    def connections(self) -> int:
        """Connections that are up or being opened."""
        return sum(strand.connections for strand in self._strands)

    @property
    def open_connections(self) -> tuple[Connection, ...]:
        """Those that carry, or are about to."""
        return tuple(one for strand in self._strands for one in strand.open_connections)

    @property
    def mute_instruments(self) -> frozenset[Instrument]:
        """What is wanted and does not come although the stream flows, as of the last second."""
        return self._beyond.union(*(strand.liveness.mute for strand in self._strands))

    def mute(self, instrument: Instrument) -> bool:
        """Whether an instrument is wanted and does not come although the stream flows."""
        return instrument in self._beyond or any(
            instrument in strand.liveness.mute for strand in self._strands
        )

    def streams_since(self, instrument: Instrument) -> float | None:
        """Monotonic time since when an instrument is subscribed without a break; None if it is not."""
        for strand in self._strands:
            since = strand.since.get(instrument)
            if since is not None:
                return since
        return None

    def carried_until(self, instrument: Instrument) -> float:
        """Monotonic time of the last tick over the connection that carries an instrument, or did last; 0.0
        if none did."""
        for strand in self._strands:
            if instrument in strand.since:
                return strand.last_data_at
        return max(
            (strand.carried_until for strand in self._strands if instrument in strand.carried), default=0.0
        )

    # --- Its life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the stream as it is wanted, for ever. Ends only by cancellation."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                while self._started < len(self._strands):
                    strand = self._strands[self._started]
                    self._started += 1
                    tasks.create_task(strand.run(), name=f"connection {self._started} of {self.runtime.name}")
                self._tell_refused()
                self._tell_beyond()
                self._look()
                await self._stirring.wait(LOOK_AGAIN_S if self._wanted else None)

    def _new_strand(self) -> Strand:
        liveness = Liveness(**self._patience())
        return Strand(self, liveness, self._make_backoff(), self._make_backoff())

    def _patience(self) -> dict[str, float]:
        polled = self.runtime.polls is not None  # each poll tells at once what the vendor does not have
        return {
            "mute_after_s": inf if polled else self.settings.instrument_mute_after_s,
            "confirm_within_s": inf if polled else self.settings.confirm_within_s,
        }

    def _look(self) -> None:
        """Find the instruments that are silent although the stream flows."""
        now = self.clock.now()
        for strand in self._strands:
            if not strand.is_up:
                continue
            silent = strand.liveness.look(now, self.flowed_at, self._trades)
            self.proven.came(strand.liveness.newly_heard())
            self._tell_mute(silent.never, "subscribed, but never a tick")
            self._tell_mute(silent.quiet, "silent for far longer than usual, on a stream that flows")

    def _tell_mute(self, instruments: frozenset[Instrument], why: str) -> None:
        if instruments:
            self.proven.missed(instruments)
            self._emit(
                events.InstrumentsMute(source=self.runtime.name, instruments=names(instruments), why=why)
            )
            self._on_mute(self.runtime, instruments, why)

    def _tell_beyond(self) -> None:
        new, self._beyond_told = self._beyond - self._beyond_told, self._beyond
        if new:
            limits = self.runtime.source.stream_limits
            self._tell_mute(new, f"beyond what {_in_words(limits)} carry")

    def _tell_refused(self) -> None:
        refused, self._refused = self._refused, []
        for instruments, why in refused:
            self._tell_mute(instruments, why)

    def _trades(self, exchange: str) -> bool:
        return not self.settings.regular_hours or self._is_open(exchange, self.clock.wall())

    # --- What the strands ask and tell (StrandKeeper) -------------------------------------------------

    def may_connect(self) -> bool:
        """Whether the vendor allows one connection more."""
        most = self.runtime.source.stream_limits.connections
        return most is None or self.connections < most

    def may_renew(self, strand: Strand) -> bool:
        """Whether no other strand is being renewed: one at a time."""
        return not any(other.is_renewing for other in self._strands if other is not strand)

    def is_open(self, instruments: frozenset[Instrument]) -> frozenset[str]:
        """The exchanges of these instruments that trade now."""
        return frozenset(filter(self._trades, {instrument.exchange for instrument in instruments}))

    def connected(self, strand: Strand, replaced: str) -> None:
        """A strand is up; `replaced` says why where that is the end of a planned renewal."""
        if replaced:
            self.renewed(strand, replaced)
        else:
            self._emit(events.StreamConnected(source=self.runtime.name, instruments=len(strand.wanted)))

    def renewed(self, _strand: Strand, why: str) -> None:
        """A new connection carries, the old one is closed."""
        self._emit(events.StreamRenewed(source=self.runtime.name, why=why))

    def lost(self, _strand: Strand, carried: frozenset[Instrument], error: SourceError) -> None:
        """A stream that broke counts like a failed call."""
        now = self.clock.now()
        self.unit.recovery.bad(now)
        self._emit(events.StreamLost(source=self.runtime.name, why=error.message))
        permit = self.runtime.acquire(self.unit, now)
        if permit is not None:
            self.runtime.booking.failed(self.unit, permit, now, 0.0, error)
        self.interrupted(carried, error.message)

    def interrupted(self, carried: frozenset[Instrument], why: str) -> None:
        """Ticks of these may be missed from now on."""
        self._on_lost(self.runtime, carried, why)

    def changed(self) -> None:
        """A strand's problem or its flow came or went: so may the source's."""
        self.unit.flowing = any(strand.flowing for strand in self._strands)
        problem = next((strand.problem for strand in self._strands if strand.problem), "")
        if self.unit.problem != problem:
            self.unit.problem = problem
            self.runtime.changed(self.runtime)

    def refused(self, instruments: frozenset[Instrument], why: str) -> None:
        """The vendor does not have these. Told at the next look, not amid what the strand does."""
        self._refused.append((instruments, why))
        self._stirring.stir()

    def deliver(self, _strand: Strand, ticks: Sequence[Tick], now: float) -> None:
        """Ticks of one frame."""
        runtime = self.runtime
        self.flowed_at = now
        if now >= self._next_mark_at:
            self._next_mark_at = now + LOOK_AGAIN_S
            runtime.booking.data_flowed(self.unit, now)
        runtime.ticks += len(ticks)
        runtime.last_good_at = now
        self._deliver_up(runtime, ticks)


def _in_words(limits: StreamLimits) -> str:
    return f"{limits.connections} connections of {limits.instruments} instruments"
