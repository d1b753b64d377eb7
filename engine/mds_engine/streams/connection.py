"""One live connection of one source, from its opening to its end."""

import asyncio
from collections.abc import Callable, Sequence

from mds_engine.clock import Clock
from mds_engine.errors import InvalidPayload, SourceError, Unavailable
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
        self.stream = make(self._deliver)
        self.subscribed: frozenset[Instrument] = frozenset()
        self.opened_at = clock.now()
        self.last_data_at = self.opened_at
        """Monotonic time of its last tick, or of its opening while none has come."""
        self.has_data = False
        self.rhythm = Rhythm()
        self._name = name
        self._clock = clock
        self._timeout_s = timeout_s
        self._hand_on = deliver
        self._tell_end = ended
        self._receiving: asyncio.Task[None] | None = None

    async def open(self, wanted: frozenset[Instrument]) -> None:
        """Connect, log in, subscribe and begin to receive. Raises a SourceError; close it then."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.stream.open()
                await self.stream.subscribe(wanted)
        except Exception as error:  # a plug-in's bug must not take the desk's data down
            raise self._classified(error) from error
        self.subscribed = wanted
        if not self.has_data:
            self.opened_at = self.last_data_at = self._clock.now()
        self._receiving = asyncio.create_task(self.stream.run(), name=f"stream {self._name}")
        self._receiving.add_done_callback(lambda _: self._tell_end())

    async def follow(self, wanted: frozenset[Instrument]) -> None:
        """Subscribe what is new and let go of what is not wanted. Raises a SourceError."""
        new, gone = wanted - self.subscribed, self.subscribed - wanted
        if not new and not gone:
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                if new:
                    await self.stream.subscribe(new)
                    self.subscribed |= new
                if gone and wanted:
                    await self.stream.unsubscribe(gone)
        except Exception as error:  # a plug-in's bug must not take the desk's data down
            raise self._classified(error) from error
        if gone:
            self.subscribed = wanted
            # Fewer instruments pause longer than they all did together.
            self.rhythm.forget()

    @property
    def has_ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._receiving is not None and self._receiving.done()

    def why_ended(self) -> SourceError:
        """What ended it."""
        assert self._receiving is not None
        assert self._receiving.done()
        error = None if self._receiving.cancelled() else self._receiving.exception()
        if isinstance(error, Exception):
            return self._classified(error)
        return Unavailable("the stream ended without a word")

    async def close(self) -> None:
        """Receive no more and say goodbye. Safe to call twice, and in any state."""
        receiving = self._receiving
        if receiving is not None:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self.stream.close()
        except Exception as error:  # noqa: BLE001  it is given up anyway
            _log.warning("stream_not_closed", source=self._name, why=str(error))

    def _deliver(self, ticks: Sequence[Tick]) -> None:
        if not ticks:
            return
        now = self._clock.now()
        self.last_data_at = now
        self.has_data = True
        self.rhythm.beat(now)
        self._hand_on(self, ticks)

    def _classified(self, error: Exception) -> SourceError:
        """What a stream raised, as one of the classes; a bare timeout is our own."""
        if isinstance(error, SourceError):
            return error
        if isinstance(error, TimeoutError):
            return Unavailable(f"no answer of the stream within {self._timeout_s:g} s")
        _log.error("adapter_bug", source=self._name, subject="stream", exc_info=error)
        return InvalidPayload(f"the adapter failed: {type(error).__name__}: {error}")
