"""What the console knows of the engine: the latest picture, the last events, and how old they are."""

from collections import deque
from collections.abc import Callable

from mds_engine.control import Event, Snapshot
from mds_engine.link import EngineLink

KEPT_EVENTS = 2000
SILENT_AFTER_S = 1.5
"""A picture older than this is no longer the present: ten a second are made."""


class Feed:
    """Polls a link. `now` is monotonic seconds."""

    def __init__(self, link: EngineLink, now: Callable[[], float]) -> None:
        self._link = link
        self._now = now
        self._changed_at = now()
        self._last_number = 0
        self._history = True
        self._era = link.era
        self.snapshot: Snapshot | None = None
        self.events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        """Newest first."""

    def poll(self) -> tuple[Event, ...]:
        """Take what is new. Returns the events that happened since the last call, oldest first.

        What had happened before the first picture is history: kept, but not returned as news. So is
        everything where the past is another than it was, as in a recording that was wound back.
        """
        snapshot = self._link.snapshot()
        if snapshot is not self.snapshot:
            self.snapshot = snapshot
            self._changed_at = self._now()
        if (era := self._link.era) != self._era:
            self._era, self._last_number, self._history = era, 0, True
            self.events.clear()
        fresh = self._link.events(self._last_number)
        if fresh:
            self._last_number = fresh[-1].number
            self.events.extendleft(fresh)
        if self._history:
            self._history = snapshot is None
            return ()
        return fresh

    @property
    def age_s(self) -> float:
        """Since the picture last changed; since the beginning where there is none."""
        return self._now() - self._changed_at

    @property
    def silent(self) -> bool:
        """True when there is a picture and it is old."""
        return self.snapshot is not None and self.age_s > SILENT_AFTER_S

    @property
    def present(self) -> bool:
        """True while what is seen is what is: there is a picture, it is not old, and the engine runs."""
        return self.snapshot is not None and not self.silent and self.failure is None

    @property
    def failure(self) -> str | None:
        """Why the engine is not running, None while it is."""
        return self._link.failure()
