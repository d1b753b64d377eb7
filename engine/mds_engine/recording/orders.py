"""What an operator wants of a replay: whether it plays, how fast, and where it shall go. For any thread."""

import threading
from typing import NamedTuple

AS_FAST_AS_POSSIBLE = 0.0
"""As a speed."""


class Goal(NamedTuple):
    """Where to go at once. One of the two is set."""

    at: float | None = None
    """A time of the recording, epoch seconds UTC."""
    rows: int | None = None
    """So many rows from the beginning."""


class Orders:
    """Set by a screen, read by the conductor; they outlive the engine that a replay is wound back with."""

    def __init__(self, *, speed: float = 1.0, playing: bool = True) -> None:
        """`speed` is how many times as fast as it came; 0 is as fast as possible."""
        self.speed = speed
        self.playing = playing
        self._goal: Goal | None = None
        self._lock = threading.Lock()

    @property
    def goal(self) -> Goal | None:
        """Where to go before anything else; None where it is."""
        return self._goal

    def go_to(self, goal: Goal) -> None:
        """Go there, whatever the goal was before."""
        with self._lock:
            self._goal = goal

    def reached(self, goal: Goal) -> None:
        """It is there, unless it shall go elsewhere by now."""
        with self._lock:
            if self._goal is goal:
                self._goal = None
