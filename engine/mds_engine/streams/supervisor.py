"""Keeps one source's live stream up: connects, subscribes, notices its end and its silence, reconnects."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.errors import InvalidPayload, SourceError, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Instrument, Tick
from mds_engine.model.hours import is_open
from mds_engine.policy.breaker import BreakerState
from mds_engine.policy.reconnect import ReconnectBackoff
from mds_engine.routing.source_runtime import Permit, SourceRuntime
from mds_engine.routing.unit import Unit
from mds_engine.sources.contract import TickStream

_log = get_logger(__name__)

_CLOSE_WITHIN_S = 5.0
_LOOK_AGAIN_S = 1.0
"""How often a live stream's silence, and a refusal to connect, is looked at again."""


class StreamSupervisor:
    """Owns the stream of one source. `run` is its task; `want` says what should be subscribed."""

    def __init__(
        self,
        runtime: SourceRuntime,
        unit: Unit,
        settings: StreamSettings,
        backoff: ReconnectBackoff,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        deliver: Callable[[SourceRuntime, Sequence[Tick]], None],
    ) -> None:
        self.runtime = runtime
        self.unit = unit
        self.live = False
        self.last_data_at = 0.0
        """Monotonic time of the last tick, or of the connection while none has come."""
        self._settings = settings
        self._backoff = backoff
        self._clock = clock
        self._emit = emit
        self._deliver_up = deliver
        self._wanted: frozenset[Instrument] = frozenset()
        self._subscribed: frozenset[Instrument] = frozenset()
        self._changed = asyncio.Event()
        self._next_mark_at = 0.0

    def want(self, instruments: Iterable[Instrument]) -> None:
        """What should be subscribed from now on; nothing means no connection."""
        wanted = frozenset(instruments)
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    def wake(self) -> None:
        """Look again at once: an operator changed something."""
        self._changed.set()

    async def run(self) -> None:
        """Keep the stream as it is wanted, for ever. Ends only by cancellation."""
        while True:
            if not self._wanted:
                self.unit.problem = ""
                await self._wait_for_change(None)
                continue
            if not await self.runtime.until_connected(self._settings.open_timeout_s):
                self._note_problem("still connecting")
                await self._wait_for_change(_LOOK_AGAIN_S)
                continue
            now = self._clock.now()
            early, self.unit.try_early = self.unit.try_early, False
            permit = None if self.runtime.refusal() else self.runtime.acquire(self.unit, now, early=early)
            if permit is None:
                self._note_problem(self.runtime.refusal() or self.runtime.why_refused(self.unit, now))
                await self._wait_for_change(_LOOK_AGAIN_S)
                continue
            error = await self._one_connection(permit)
            if error is not None:
                self._note_problem(error.message)
                await self._wait_for_change(self._backoff.next_delay_s())

    async def _one_connection(self, permit: Permit) -> SourceError | None:
        """Connect and stay until the stream ends, or nobody wants it any more (then None)."""
        stream = self.runtime.source.stream(self._deliver)
        started = self._clock.now()
        try:
            async with asyncio.timeout(self._settings.open_timeout_s):
                await stream.open()
                wanted = self._wanted
                await stream.subscribe(wanted)
        except asyncio.CancelledError:
            self.runtime.ignored(self.unit, permit, self._clock.now())
            await self._close(stream)
            raise
        except Exception as caught:  # noqa: BLE001  a plug-in's bug must not take the desk's data down
            error = self._classified(caught)
            now = self._clock.now()
            self.runtime.failed(self.unit, permit, now, now - started, error)
            await self._close(stream)
            return error
        now = self._clock.now()
        self.runtime.succeeded(self.unit, permit, now, now - started)
        self._subscribed, self.live = wanted, True
        self.last_data_at = now
        self._emit(events.StreamConnected(source=self.runtime.name, instruments=len(wanted)))
        try:
            loss = await self._stay(stream)
        finally:
            self.live, self.unit.flowing, self._subscribed = False, False, frozenset()
            await self._close(stream)
        if loss is not None:
            self._book_loss(loss)
        return loss

    def _classified(self, error: Exception) -> SourceError:
        """What a stream raised, as one of the classes; a bare timeout is our own."""
        if isinstance(error, SourceError):
            return error
        if isinstance(error, TimeoutError):
            return Unavailable(f"no answer of the stream within {self._settings.open_timeout_s:g} s")
        _log.error("adapter_bug", source=self.runtime.name, subject="stream", exc_info=error)
        return InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}")

    async def _close(self, stream: TickStream) -> None:
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await stream.close()
        except Exception as error:  # noqa: BLE001  it is given up anyway
            _log.warning("stream_not_closed", source=self.runtime.name, why=str(error))

    async def _stay(self, stream: TickStream) -> SourceError | None:
        receiving = asyncio.create_task(stream.run(), name=f"stream {self.runtime.name}")
        try:
            while self._wanted and not self._out_of_service():
                changed = asyncio.create_task(self._changed.wait())
                try:
                    await asyncio.wait(
                        (receiving, changed), timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    changed.cancel()
                if receiving.done():
                    receiving.result()
                    return Unavailable("the stream ended without a word")
                self._changed.clear()
                await self._follow_wishes(stream)
                silence = self._silence()
                if silence:
                    return Unavailable(silence)
        except Exception as error:  # noqa: BLE001  a plug-in's bug must not take the desk's data down
            return self._classified(error)
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
        return None

    async def _follow_wishes(self, stream: TickStream) -> None:
        wanted = self._wanted
        gone, new = self._subscribed - wanted, wanted - self._subscribed
        async with asyncio.timeout(self._settings.open_timeout_s):
            if new:
                await stream.subscribe(new)
            if gone and wanted:
                await stream.unsubscribe(gone)
        self._subscribed = wanted

    def _out_of_service(self) -> bool:
        """Whether an operator, a login or a spent plan keeps the source out: then it streams no more."""
        now = self._clock.now()
        forced = (self.runtime.whole.state(now), self.unit.breaker.state(now))
        return BreakerState.FORCED_OPEN in forced or bool(self.runtime.refusal())

    def _silence(self) -> str:
        """Why a stream that is still connected counts as lost; empty if it does not."""
        if not self._settings.mute_after_s:
            return ""
        quiet_s = self._clock.now() - self.last_data_at
        if quiet_s < self._settings.mute_after_s:
            return ""
        wall = self._clock.wall()
        if self._settings.regular_hours and not any(
            is_open(exchange, wall) for exchange in {instrument.exchange for instrument in self._subscribed}
        ):
            return ""
        return f"connected but mute for {quiet_s:.0f} s"

    def _deliver(self, ticks: Sequence[Tick]) -> None:
        if not ticks:
            return
        now = self._clock.now()
        self.last_data_at = now
        if now >= self._next_mark_at:
            self._next_mark_at = now + _LOOK_AGAIN_S
            self.runtime.data_flowed(self.unit, now)
        if not self.unit.flowing:
            self.unit.flowing = True
            self._backoff.data_flowed()
            if self.unit.problem:
                self.unit.problem = ""
                self.runtime.changed(self.runtime)
        self.runtime.ticks += len(ticks)
        self.runtime.last_good_at = now
        self._deliver_up(self.runtime, ticks)

    def _book_loss(self, error: SourceError) -> None:
        """A stream that broke counts like a failed call."""
        self.unit.recovery.bad(self._clock.now())
        self._emit(events.StreamLost(source=self.runtime.name, why=error.message))
        now = self._clock.now()
        permit = self.runtime.acquire(self.unit, now)
        if permit is not None:
            self.runtime.failed(self.unit, permit, now, 0.0, error)

    def _note_problem(self, why: str) -> None:
        if self.unit.problem != why:
            self.unit.problem = why
            self.runtime.changed(self.runtime)

    async def _wait_for_change(self, longest_s: float | None) -> None:
        waiting: list[asyncio.Task[object]] = [asyncio.create_task(self._changed.wait())]
        if longest_s is not None:
            waiting.append(asyncio.create_task(self._sleep(longest_s)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        self._changed.clear()

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
