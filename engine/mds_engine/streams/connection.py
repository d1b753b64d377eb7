"""One live connection of one source, from its opening to its end."""

import asyncio
from collections.abc import Callable, Sequence

from mds_engine.clock import Clock
from mds_engine.errors import InvalidPayload, InvalidRequest, NotFound, SourceError, Unavailable
from mds_engine.log import get_logger
from mds_engine.model import Instrument, Tick
from mds_engine.sources.contract import Deliver, TickStream
from mds_engine.streams.rhythm import Rhythm

_log = get_logger(__name__)

_CLOSE_WITHIN_S = 5.0


class Connection:
    """A `TickStream` with the task that receives from it. It is opened once, and not again.

    `deliver` gets the connection and the ticks of each frame; `ended` is
    called when the vendor's end of it has gone.
    """

    def __init__(
        self,
        make: Callable[[Deliver], TickStream],
        name: str,
        *,
        clock: Clock,
        timeout_s: float,
        deliver: Callable[["Connection", Sequence[Tick]], None],
        ended: Callable[[], None],
    ) -> None:
        self.subscribed: frozenset[Instrument] = frozenset()
        self.refused: frozenset[Instrument] = frozenset()
        """Those of `subscribed` that the vendor does not have; it has nothing against the others."""
        self.why_refused = ""
        self.opened_at = clock.now()
        self.last_data_at = self.opened_at
        """Monotonic time of its last tick, or of its opening while none has come."""
        self.has_data = False
        self.rhythm = Rhythm()
        self.bend: Callable[[Sequence[Tick]], Sequence[Tick]] | None = None
        """What a drill makes of its ticks before anybody sees them; None while nothing is rehearsed."""
        self._cut: SourceError | None = None
        self._make = make
        self._name = name
        self._clock = clock
        self._timeout_s = timeout_s
        self._hand_on = deliver
        self._tell_end = ended
        self._stream: TickStream | None = None
        self._receiving: asyncio.Task[None] | None = None

    async def open(self, wanted: frozenset[Instrument]) -> None:
        """Connect, log in, subscribe and begin to receive. Raises a SourceError; close it then."""
        try:
            async with asyncio.timeout(self._timeout_s):
                stream = self._stream = self._make(self._deliver)
                await stream.open()
                await self._subscribe(stream, wanted)
        except (Exception, asyncio.CancelledError) as error:  # a plug-in's bug must not take the data down
            raise self._classified(error) from error
        if not self.has_data:
            self.opened_at = self.last_data_at = self._clock.now()
        self._receiving = asyncio.create_task(stream.run(), name=f"stream {self._name}")
        self._receiving.add_done_callback(lambda _: self._tell_end())

    async def follow(self, wanted: frozenset[Instrument]) -> None:
        """Let go of what is not wanted and subscribe what is new. Raises a SourceError."""
        new, gone = wanted - self.subscribed, self.subscribed - wanted
        stream = self._stream
        if stream is None or not (new or gone):
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                if gone and wanted:
                    # First, because a connection that is full takes nothing new before.
                    if known := gone - self.refused:
                        await stream.unsubscribe(known)
                    self.subscribed -= gone
                    self.refused -= gone
                if new:
                    await self._subscribe(stream, new)
        except (Exception, asyncio.CancelledError) as error:  # a plug-in's bug must not take the data down
            raise self._classified(error) from error
        if gone:
            # Fewer instruments pause longer than they all did together.
            self.rhythm.forget()

    async def _subscribe(self, stream: TickStream, new: frozenset[Instrument]) -> None:
        try:
            await stream.subscribe(new)
        except (NotFound, InvalidRequest) as error:
            self.refused |= new
            self.why_refused = error.message
        self.subscribed |= new

    @property
    def stream(self) -> TickStream:
        """The vendor's end of it; there is one from `open` on."""
        assert self._stream is not None
        return self._stream

    @property
    def renew_at(self) -> float:
        """Monotonic time by which another connection should carry the load."""
        return float("inf") if self._stream is None else self._stream.renew_at

    @property
    def has_ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._receiving is not None and self._receiving.done()

    def cut(self, error: SourceError) -> None:
        """End it on our side, as if `error` had ended it."""
        if self._receiving is not None and not self._receiving.done():
            self._cut = error
            self._receiving.cancel()

    def why_ended(self) -> SourceError:
        """What ended it."""
        assert self._receiving is not None
        assert self._receiving.done()
        if self._cut is not None:
            return self._cut
        error = None if self._receiving.cancelled() else self._receiving.exception()
        if isinstance(error, Exception):
            return self._classified(error)
        return Unavailable("the stream ended without a word")

    async def close(self) -> None:
        """Receive no more and say goodbye. Safe to call twice, and in any state."""
        receiving, stream = self._receiving, self._stream
        try:
            if receiving is not None:
                receiving.cancel()
                await asyncio.wait((receiving,), timeout=_CLOSE_WITHIN_S)
                if receiving.done() and not receiving.cancelled():
                    receiving.exception()  # told by `why_ended`, where it was the end
            if stream is not None:
                async with asyncio.timeout(_CLOSE_WITHIN_S):
                    await stream.close()
        except (Exception, asyncio.CancelledError) as error:
            if _we_are_cancelled(error):
                raise
            _log.warning("stream_not_closed", source=self._name, why=str(error))  # it is given up anyway

    def _deliver(self, ticks: Sequence[Tick]) -> None:
        if self.bend is not None:
            ticks = self.bend(ticks)
        if not ticks:
            return
        now = self._clock.now()
        self.last_data_at = now
        self.has_data = True
        self.rhythm.beat(now)
        self._hand_on(self, ticks)

    def _classified(self, error: Exception | asyncio.CancelledError) -> SourceError:
        """What a stream raised, as one of the classes; a bare timeout is our own.

        Raises CancelledError again, unless it is the adapter's own: from a task of its that was cancelled.
        """
        if _we_are_cancelled(error):
            raise error
        if isinstance(error, SourceError):
            return error
        if isinstance(error, TimeoutError):
            return Unavailable(f"no answer of the stream within {self._timeout_s:g} s")
        _log.error("adapter_bug", source=self._name, subject="stream", exc_info=error)
        return InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}")


def _we_are_cancelled(error: BaseException) -> bool:
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
