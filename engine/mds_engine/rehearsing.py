"""Where drills on a running engine come in: the engine knows of them only what stands here."""

from collections.abc import Callable, Coroutine, Mapping
from typing import NamedTuple, Protocol

from mds_engine.clock import Clock
from mds_engine.config.schema import Config
from mds_engine.control.commands import CommandResult, EndDrill, StartDrill
from mds_engine.control.drill import DrillView
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import InvalidRequest
from mds_engine.event_log import EventLog
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streams.hub import TickHub


class Grounds(NamedTuple):
    """What the engine lends to whoever rehearses on it."""

    config: Callable[[], Config]
    """The one in force: it may be another for the next drill."""
    sources: Mapping[str, SourceRuntime]
    routes: Mapping[RouteKey, Route]
    clock: Clock
    log: EventLog
    hub: TickHub
    own: Callable[[Coroutine[None, None, None], str], object]
    """Runs a task until it ends, or the engine does."""


class Rehearsals(Protocol):
    """Runs drills, one at a time. All methods are for the engine's loop."""

    def start(self, command: StartDrill) -> CommandResult:
        """Begin one. Raises InvalidRequest, saying why not."""
        ...

    def end(self, command: EndDrill) -> CommandResult:
        """End the one that is under way. Raises InvalidRequest if none is."""
        ...

    def view(self) -> DrillView | None:
        """The one that is under way, None while none is."""
        ...


class NoRehearsals:
    """An engine on which nothing is rehearsed."""

    def __init__(self, _grounds: Grounds) -> None:
        """It needs none of it."""

    def start(self, command: StartDrill) -> CommandResult:  # noqa: ARG002 - a Rehearsals
        """Raises InvalidRequest."""
        raise InvalidRequest("this engine was started without drills")

    def end(self, command: EndDrill) -> CommandResult:  # noqa: ARG002 - a Rehearsals
        """Raises InvalidRequest."""
        raise InvalidRequest("no drill is under way")

    def view(self) -> DrillView | None:
        """None."""
        return None
