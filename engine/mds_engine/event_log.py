"""Events, numbered and timed in one place, kept in memory as far as a screen may want to look back."""

from collections import deque
from collections.abc import Callable

import msgspec

from mds_engine.control.events import Event
from mds_engine.log import get_logger

_log = get_logger("mds_engine.events")


class EventLog:
    """Gives each event its number and time, keeps the last ones, and passes them on.

    Written by the engine's loop, read by any thread: readers get tuples.
    """

    def __init__(self, wall: Callable[[], float], *, keep: int = 2000, first: int = 1) -> None:
        self._wall = wall
        self._kept: deque[Event] = deque(maxlen=keep)
        self._next = first
        self._listeners: list[Callable[[Event], None]] = []
        self.drill_of: Callable[[Event], int] | None = None
        """Says which drill an event comes from, 0 for none; None while nothing is rehearsed."""

    @property
    def last_number(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._next - 1

    def emit(self, event: Event) -> None:
        """Number it, time it, keep it, pass it on."""
        drill = event.drill or (0 if self.drill_of is None else self.drill_of(event))
        numbered = msgspec.structs.replace(event, number=self._next, at=self._wall(), drill=drill)
        self._next += 1
        self._kept.append(numbered)
        _log.info(type(event).__name__, **_plain(numbered))
        for listener in self._listeners:
            listener(numbered)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Pass every further event to `listener`, on the engine's loop."""
        self._listeners.append(listener)

    def after(self, number: int) -> tuple[Event, ...]:
        """Events with a number above `number`, oldest first. Safe from any thread."""
        if number >= self.last_number:
            return ()
        return tuple(event for event in self._kept.copy() if event.number > number)


def _plain(event: Event) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(event)
    told.pop("event", None)
    return told
