"""The engine in a thread with an event loop of its own, behind an `EngineLink`."""

import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec

from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.engine_thread import EngineThread

if TYPE_CHECKING:
    from mds_engine.engine import Engine

_END_WITHIN_S = 2.0
"""An engine that is started again has so long to end by itself, and as long again when it is interrupted."""
_KEPT_EVENTS = 2000
"""Of engines that have ended."""


class EmbeddedLink:
    """An `EngineLink` to an engine in this process. See `mds_engine.link` for what each method promises.

    `build` makes the engine; it is called in the engine's thread, so that
    importing what the engine needs costs the screen nothing, and once more for
    each restart. A new snapshot is published every `interval_s` seconds. `beside`
    is run on the engine's loop for as long as the engine runs: the demo's desk.
    """

    mode = "embedded"
    era = 0

    def __init__(
        self,
        build: "Callable[[], Engine]",
        *,
        interval_s: float = 0.1,
        beside: "Callable[[Engine], Coroutine[None, None, None]] | None" = None,
    ) -> None:
        self._build = build
        self._interval_s = interval_s
        self._beside = beside
        self._runs = self._new()
        self._started = False
        self._closed = False
        self._restarting: threading.Thread | None = None
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._ending: EngineThread | None = None
        """The one that a restart ends: what it still shows on its way out is not the present."""
        self._why_ending: str | None = None
        self._earlier: deque[Event] = deque(maxlen=_KEPT_EVENTS)
        self._offset = 0
        """Events of this engine are numbered on from those of the engines before it."""

    def start(self) -> None:
        """Start the thread; returns at once. The first snapshot comes when the engine is up."""
        with self._lock:
            if not self._started and not self._closed:
                self._started = True
                self._runs.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop the engine and wait for its thread, at most `timeout_s`."""
        with self._lock:
            self._closed = True
            restarting = self._restarting
        if restarting is not None:
            restarting.join(timeout_s)
        if self._started:
            self._runs.end(timeout_s)

    def restart(self) -> str:
        """End the engine, whatever it does, and build it anew; returns at once, with what will come of it."""
        with self._lock:
            if self._closed or not self._started:
                return "the engine was not started"
            if self._restarting is not None and self._restarting.is_alive():
                return "the engine is being started again already"
            self._ending, self._why_ending = self._runs, self._runs.failure
            self._restarting = threading.Thread(
                target=self._begin_anew, name="mds-engine restart", daemon=True
            )
            self._restarting.start()
        return "the engine is being started again"

    def whereabouts(self) -> str:
        """Where in its code the engine is now, for when it does not answer."""
        return self._runs.whereabouts()

    def snapshot(self) -> Snapshot | None:
        """The latest picture; the same object until there is a newer one, over a restart too."""
        runs = self._runs
        if runs is not self._ending and runs.snapshot is not None:
            self._last = runs.snapshot
        return self._last

    def events(self, after: int) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first."""
        with self._lock:
            runs, offset = self._runs, self._offset
            earlier = (
                tuple(event for event in self._earlier if event.number > after) if offset > after else ()
            )
        fresh = runs.events(max(0, after - offset))
        return (*earlier, *_numbered_on(fresh, offset))

    def send(self, command: Command) -> "Future[CommandResult]":
        """Hand in a command; the future ends with what became of it."""
        return self._runs.send(command)

    def failure(self) -> str | None:
        """Why the engine is not running, None while all is well."""
        runs = self._runs
        return self._why_ending if runs is self._ending else runs.failure

    def _new(self, before: EngineThread | None = None) -> EngineThread:
        return EngineThread(self._build, interval_s=self._interval_s, beside=self._beside, before=before)

    def _begin_anew(self) -> None:
        runs = self._runs
        # One that cannot even be interrupted is left alone: its thread ends when what holds it lets go.
        runs.end(_END_WITHIN_S) or runs.interrupt(_END_WITHIN_S)
        with self._lock:
            if self._closed:
                self._ending = None
                return
            self._earlier.extend(_numbered_on(runs.events(0), self._offset))
            self._offset = self._earlier[-1].number if self._earlier else 0
            self._runs = self._new(runs)
            self._runs.start()


def _numbered_on(events: tuple[Event, ...], offset: int) -> tuple[Event, ...]:
    if not offset:
        return events
    return tuple(msgspec.structs.replace(event, number=event.number + offset) for event in events)
