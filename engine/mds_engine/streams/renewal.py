"""The connection that shall take an old one's place: opened beside it, handed over once it carries."""

import asyncio
from collections.abc import Callable

from mds_engine.errors import SourceError
from mds_engine.model import Instrument
from mds_engine.streams.connection import Connection

_SETTLED_S = 1.0
"""A vendor acts on what was subscribed last only a little later: until then the old one carries too."""
_QUIET_S = 10.0
"""The new connection takes over after that long without a tick: the market is quiet."""


class Renewal:
    """One planned renewal under way. What fails here is no loss: the old connection carries on."""

    def __init__(
        self, following: Connection, wanted: frozenset[Instrument], *, name: str, look: Callable[[], None]
    ) -> None:
        """`look` is called when the new connection is open, or has failed."""
        self.following = following
        self._opening = asyncio.create_task(following.open(wanted), name=name)
        self._opening.add_done_callback(lambda _: look())
        self._failure: SourceError | None = None
        self._carries_since: float | None = None

    def failure(self) -> SourceError | None:
        """Why it cannot be, once that is known."""
        if self._failure is None and self._is_open:
            error = self._opening.exception()
            if isinstance(error, SourceError):
                self._failure = error
            elif self.following.has_ended:
                self._failure = self.following.why_ended()
        return self._failure

    async def follow(self, wanted: frozenset[Instrument]) -> None:
        """Subscribe what is wanted by now, if it is open."""
        if self._is_open and self.failure() is None and self.following.subscribed != wanted:
            self._carries_since = None
            try:
                await self.following.follow(wanted)
            except SourceError as error:
                self._failure = error

    def may_take_over(self, wanted: frozenset[Instrument], now: float, *, old_has_ended: bool) -> bool:
        """Whether the old connection is needed no more."""
        if not self._is_open or self.failure() is not None:
            return False
        if old_has_ended:
            return True
        if self.following.subscribed != wanted:
            return False
        if self._carries_since is None:
            self._carries_since = now
        carries_s = now - self._carries_since
        return carries_s >= (_SETTLED_S if self.following.has_data else _QUIET_S)

    async def give_up(self) -> None:
        """Take it all back. Leaves neither task nor socket."""
        self._opening.cancel()
        await asyncio.gather(self._opening, return_exceptions=True)
        await self.following.close()

    @property
    def _is_open(self) -> bool:
        return self._opening.done() and not self._opening.cancelled()
