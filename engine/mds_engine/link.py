"""The one way between a screen and an engine: snapshots and events out, commands in."""

from concurrent.futures import Future
from typing import Protocol

from mds_engine.control import Command, CommandResult, Event, Snapshot


class EngineLink(Protocol):
    """What a screen knows of an engine. Every method may be called from any thread and returns at once.

    Embedded: the engine in a thread with a loop of its own (`EmbeddedLink`).
    A recording: `ReplayLink`. Later: a daemon elsewhere.
    """

    mode: str
    """`embedded`, `remote` or `replay`."""
    era: int
    """Another number means another past: the events are to be read anew, from the first."""

    def start(self) -> None:
        """Begin. The first snapshot comes when the engine is up."""
        ...

    def close(self, timeout_s: float = 5.0) -> None:
        """End it and wait for it, at most `timeout_s`. Safe to call twice."""
        ...

    def snapshot(self) -> Snapshot | None:
        """The latest picture, None before the first. The same object until there is a newer one."""
        ...

    def events(self, after: int) -> tuple[Event, ...]:
        """Events whose number is above `after`, oldest first, as far back as the engine keeps them."""
        ...

    def send(self, command: Command) -> "Future[CommandResult]":
        """Hand in a command. The future ends with what became of it; it never raises for a refusal.

        Cancelled before the engine has taken the command up, it is never done.
        """
        ...

    def restart(self) -> str:
        """End the engine and begin anew, where this link can; returns at once, with a sentence about it."""
        ...

    def whereabouts(self) -> str:
        """Where in its code the engine is now, for when it does not answer; empty where that is unknown."""
        ...

    def failure(self) -> str | None:
        """Why the engine is not running, in one sentence; None while all is well."""
        ...
