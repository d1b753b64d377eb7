"""What one source says to the engine's log, until it is let go."""

from collections.abc import Callable

from mds_engine.control.events import Event


class Voice:
    """Hands events on until it is silenced: calls in flight of a source that has gone tell nothing more."""

    __slots__ = ("_emit",)

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit: Callable[[Event], None] | None = emit

    def __call__(self, event: Event) -> None:
        """Hand an event on."""
        if self._emit is not None:
            self._emit(event)

    def silence(self) -> None:
        """From now on nobody hears it."""
        self._emit = None
