"""One of the connections that together are a source's stream: kept up, renewed, and connected again."""

import asyncio
from collections.abc import Sequence

from mds_engine.config.stream_settings import StreamSettings
from mds_engine.errors import SourceError, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Instrument, Tick
from mds_engine.policy.reconnect import ReconnectBackoff, ReconnectSettings
from mds_engine.routing.source_runtime import Permit
from mds_engine.streams.connection import Connection
from mds_engine.streams.leave import Leave
from mds_engine.streams.liveness import Liveness
from mds_engine.streams.renewal import Renewal
from mds_engine.streams.silence import Heard, Silence, is_merely_quiet
from mds_engine.streams.stirring import Stirring
from mds_engine.streams.strand_keeper import StrandKeeper

_log = get_logger(__name__)

LOOK_AGAIN_S = 1.0
"""How often a live connection, and a refusal to connect, is looked at again at the latest."""
_SOONEST_LOOK_S = 0.05
_PROVEN_AFTER_S = 10.0
"""Data takes the backoff back only on a connection of that age: a vendor that sends one tick and cuts
would otherwise be called twice a second for hours."""
_LONG_S = 300.0
"""A connection that was renewed at that age or later was not hurried by its vendor."""


class Strand:
    """Keeps one share of a source's instruments streaming. `run` is its task."""

    def __init__(
        self, keeper: StrandKeeper, liveness: Liveness, backoff: ReconnectBackoff, renewing: ReconnectBackoff
    ) -> None:
        """`backoff` paces connections after a loss, `renewing` those beside an old one that carries on."""
        self.wanted: frozenset[Instrument] = frozenset()
        self.problem = ""
        """Why it is not up although it should be; empty while it is."""
        self.flowing = False
        """Whether data has come over the present connection."""
        self.connections = 0
        """Connections that it has, or is opening: one, and two during a renewal."""
        self.is_renewing = False
        self.liveness = liveness
        self.since: dict[Instrument, float] = {}
        """Monotonic time since when each instrument is subscribed without a break."""
        self.carried: frozenset[Instrument] = frozenset()
        """What the connection before the present one carried, up to `carried_until` (monotonic)."""
        self.carried_until = 0.0
        self._keeper = keeper
        self._runtime, self._unit, self._clock = keeper.runtime, keeper.unit, keeper.clock
        self._settings = keeper.settings
        self._polls = keeper.runtime.polls
        self._silence = Silence(self._mute_after_s())
        self._backoff = backoff
        self._leave = Leave(keeper, backoff)
        self._renewal_backoff = renewing
        self._stirring = Stirring(keeper.clock)
        self._woken = False
        self._current: Connection | None = None
        self._renewal: Renewal | None = None
        self._renew_not_before = 0.0
        self._replaced = ""

    # --- What the supervisor says ---------------------------------------------------------------------

    def want(self, instruments: frozenset[Instrument]) -> None:
        """What it should carry from now on; nothing means no connection."""
        if instruments != self.wanted:
            self.wanted = instruments
            self._stirring.stir()

    def use(self, settings: StreamSettings, reconnect: ReconnectSettings) -> None:
        """Go by other settings from now on, over the connection that is there."""
        self._settings = settings
        self._silence.mute_after_s = self._mute_after_s()
        self._backoff.settings = self._renewal_backoff.settings = reconnect

    def wake(self) -> None:
        """Look again at once."""
        self._woken = True
        self._stirring.stir()

    @property
    def is_up(self) -> bool:
        """Whether it is connected and subscribed."""
        return self._current is not None

    @property
    def last_data_at(self) -> float:
        """Monotonic time of its last tick, or of its connection while none has come."""
        return 0.0 if self._current is None else self._current.last_data_at

    @property
    def open_connections(self) -> tuple[Connection, ...]:
        """Those that carry, or are about to: one, and two during a renewal."""
        following = None if self._renewal is None else self._renewal.following
        return tuple(one for one in (self._current, following) if one is not None)

    def note_problem(self, why: str) -> None:
        """Tell, once, why it is not up; empty: it is."""
        if self.problem != why:
            self.problem = why
            self._keeper.changed()

    # --- Its life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep its instruments streaming, for ever. Ends only by cancellation."""
        while True:
            if not self.wanted:
                self._replaced = ""
                self.note_problem("")
                await self._stirring.wait(None)
                continue
            if not await self._runtime.until_connected(self._settings.open_timeout_s):
                self.note_problem("still connecting")
                await self._pause(LOOK_AGAIN_S)
                continue
            if not self._keeper.may_connect():
                # A renewal beside us has the vendor's last connection, for a moment.
                await self._pause(LOOK_AGAIN_S)
                continue
            if (too_soon_s := self._leave.too_soon_s()) > 0:
                await self._pause(too_soon_s)
                continue
            permit, refusal = self._leave.ask()
            if permit is None:
                self.note_problem(refusal)
                await self._pause(LOOK_AGAIN_S)
                continue
            error = await self._one_connection(permit)
            if error is not None:
                self.note_problem(error.message)
                self._leave.lost(error)

    async def _pause(self, seconds: float) -> None:
        """Wait, however the wishes change: they must not outrun the backoff. An operator may."""
        until = self._clock.now() + seconds
        self._woken = False
        while self.wanted and not self._woken and (left_s := until - self._clock.now()) > 0:
            await self._stirring.wait(left_s)
        if self._woken:
            self._leave.hurry()

    async def _one_connection(self, permit: Permit) -> SourceError | None:
        """Connect and stay until the stream ends, or nobody wants it any more (then None)."""
        started = self._clock.now()
        connection = self._new_connection()
        self.connections = 1
        replaced, self._replaced = self._replaced, ""
        try:
            try:
                await connection.open(self.wanted)
            except asyncio.CancelledError:
                self._runtime.booking.ignored(self._unit, permit, self._clock.now())
                raise
            except SourceError as error:
                now = self._clock.now()
                self._runtime.booking.failed(self._unit, permit, now, now - started, error)
                if replaced:
                    self._keeper.lost(self, frozenset(), error)
                return error
            now = self._clock.now()
            if self._polls is None or connection.stream.last_frame_at:
                self._runtime.booking.succeeded(self._unit, permit, now, now - started)
            else:
                self._runtime.booking.ignored(self._unit, permit, now)  # no poll was due: nothing is proven
            self._current = connection
            self._begin(connection, now)
            self._keeper.connected(self, replaced)
            return await self._stay_to_the_end()
        finally:
            self._current = None
            await connection.close()
            self.connections = 0

    def _new_connection(self) -> Connection:
        return Connection(
            self._runtime.stream,
            self._runtime.name,
            clock=self._clock,
            timeout_s=self._settings.open_timeout_s,
            deliver=self._deliver,
            ended=self._stirring.stir,
        )

    def _begin(self, connection: Connection, now: float) -> None:
        subscribed = connection.subscribed
        self.since = dict.fromkeys(subscribed, now)
        self.liveness.follow(subscribed, now)
        self.liveness.restart(now)
        self._tell_refused(connection)
        trading = self._keeper.is_open(subscribed)
        self._silence.begin(trading, now)
        self._renew_not_before = 0.0
        if not trading:
            self.note_problem("")  # a closed market is never stale

    def _tell_refused(self, connection: Connection) -> None:
        """Name, once, what the vendor does not have."""
        refused = connection.refused - self.liveness.mute
        if refused:
            self.liveness.refused(refused)
            self._keeper.refused(refused, connection.why_refused)

    async def _stay_to_the_end(self) -> SourceError | None:
        loss: SourceError | None = None
        is_out = ""
        try:
            loss = await self._stay()
            is_out = self._leave.out_of_service() if self.wanted else ""
        finally:
            last, self._current = self._current, None
            carried = self.carried = frozenset(self.since)
            self.carried_until = 0.0 if last is None else last.last_data_at
            self.flowing = False
            self.since = {}
            if loss is not None:
                # Before the goodbyes, which may take a while: a standby waits to take over. The problem
                # stands at once and for the whole source, although other strands may flow on: the
                # instruments of this one must not stay dark until it is back, and only a failover of
                # the route gives them another source.
                self.note_problem(loss.message)
                self._keeper.lost(self, carried, loss)
            elif self._replaced or is_out:
                self._keeper.interrupted(carried, self._replaced or is_out)
            self._keeper.changed()
            await self._give_up_renewal()
            if last is not None:
                await last.close()
        return loss

    async def _stay(self) -> SourceError | None:
        while self.wanted and not self._leave.out_of_service():
            current = self._current
            assert current is not None
            now = self._clock.now()
            look_s = self._look_in_s(current, now)
            look_at = now + look_s
            await self._stirring.wait(look_s)
            now = self._clock.now()
            late_s = now - look_at
            if self._renewal is not None:
                await self._mind_renewal(self._renewal, current, now)
                current = self._current or current  # renewed meanwhile
            if current.has_ended:
                return current.why_ended()
            try:
                await self._follow_wishes(current)
            except SourceError as error:
                return error
            if unknown := current.stream.newly_unknown():
                self._keeper.refused(unknown, f"{self._runtime.name} does not have it")
            now = self._clock.now()
            if silence := self._listen(current, now, late_s=late_s):
                return Unavailable(silence)
            if now >= max(current.renew_at, self._renew_not_before) and self._renew():
                return None
        return None

    def _look_in_s(self, current: Connection, now: float) -> float:
        """At the moment at which its silence would be too long, or earlier."""
        if self._renewal is not None:
            return _SOONEST_LOOK_S
        return min(LOOK_AGAIN_S, max(_SOONEST_LOOK_S, self._silence.due_in_s(self._heard(current), now)))

    async def _follow_wishes(self, current: Connection) -> None:
        wanted = self.wanted
        if not wanted:
            return
        if wanted != current.subscribed:
            await current.follow(wanted)
            now = self._clock.now()
            self.since = {instrument: self.since.get(instrument, now) for instrument in wanted}
            self.liveness.follow(wanted, now)
            self._tell_refused(current)
        if self._renewal is not None:
            await self._renewal.follow(wanted)

    # --- Silence --------------------------------------------------------------------------------------

    def _mute_after_s(self) -> float:
        """0 where it is polled: then it is silent between its polls, and ends by itself when one fails."""
        return 0.0 if self._polls is not None else self._settings.mute_after_s

    def _heard(self, current: Connection) -> Heard:
        return Heard(
            current.opened_at,
            current.last_data_at,
            current.rhythm,
            len(current.subscribed),
            self._keeper.flowed_at,
        )

    def _listen(self, current: Connection, now: float, *, late_s: float) -> str:
        """Why a connection that still stands counts as lost; empty if it does not."""
        trading = self._keeper.is_open(current.subscribed)
        if self._silence.follow_hours(trading, now):
            current.rhythm.forget()
        heard = self._heard(current)
        # A closed market is never stale.
        if not trading or is_merely_quiet(heard, self._settings.confirm_within_s, now):
            self.note_problem("")
        return self._silence.too_long(heard, now, late_s=late_s)

    # --- Planned renewal ------------------------------------------------------------------------------

    def _renew(self) -> bool:
        """The vendor will end this connection: open the next beside it. True where this one must go first."""
        if self.is_renewing or not self._keeper.may_renew(self):
            return False
        if not self._keeper.may_connect():
            self._replaced = "the old connection was closed first: the vendor allows no further one beside it"
            return True
        self.is_renewing = True
        self.connections = 2
        self._renewal = Renewal(
            self._new_connection(),
            self.wanted,
            name=f"renew the stream of {self._runtime.name}",
            look=self._stirring.stir,
        )
        return False

    async def _mind_renewal(self, renewal: Renewal, current: Connection, now: float) -> None:
        """Take the next connection over once it carries; drop it if it fails, and try again later."""
        failure = renewal.failure()
        if failure is not None:
            # No loss: the old one carries on. Nothing is booked, so that no breaker takes it out.
            _log.warning("stream_not_renewed", source=self._runtime.name, why=failure.message)
            await self._give_up_renewal()
            self._renew_not_before = self._clock.now() + self._renewal_backoff.next_delay_s()
            return
        if not renewal.may_take_over(self.wanted, now, old_has_ended=current.has_ended):
            return
        self._current, self._renewal = renewal.following, None
        renewal.following.rhythm = current.rhythm
        if now - current.opened_at >= _LONG_S:
            self._renewal_backoff.data_flowed()
        # A vendor that wants to be left as soon as it is reached would be called several times a second.
        self._renew_not_before = now + self._renewal_backoff.next_delay_s()
        await current.close()
        self.connections = 1
        self.is_renewing = False
        self._keeper.renewed(self, "the vendor was about to end the old one")

    async def _give_up_renewal(self) -> None:
        renewal, self._renewal = self._renewal, None
        if renewal is not None:
            await renewal.give_up()
            self.connections -= 1
        self.is_renewing = False

    # --- Delivery -------------------------------------------------------------------------------------

    def _deliver(self, connection: Connection, ticks: Sequence[Tick]) -> None:
        now = connection.last_data_at
        self.liveness.saw(ticks, now)
        if connection is self._current:
            if not self.flowing:
                self.flowing, self.problem = True, ""
                self._keeper.changed()
            if now - connection.opened_at >= _PROVEN_AFTER_S:
                self._backoff.data_flowed()
        self._keeper.deliver(self, ticks, now)
