"""What a command will do, in sentences, from a snapshot alone: what a dialog says before it is done.

The sentences are in `mds_engine.control.consequences`, a module a subject.
"""

from collections.abc import Callable
from typing import assert_never

from mds_engine.control.commands import (
    ApplyConfig,
    CheckHealth,
    Command,
    EnableSource,
    EndDrill,
    FailOver,
    ForceBreaker,
    Login,
    Pin,
    ResetBreaker,
    RestartSource,
    SetPriority,
    SetRateLimit,
    StartDrill,
    Subscribe,
    Unpin,
    Unsubscribe,
)
from mds_engine.control.consequences import limits, routes, sources
from mds_engine.control.consequences.login import log_in
from mds_engine.control.consequences.targets import headroom, standing
from mds_engine.control.consequences.words import Against, count
from mds_engine.control.drill_preview import preview_drill
from mds_engine.control.snapshot import RouteView, Snapshot, SourceView

__all__ = ["Against", "headroom", "preview", "standing"]


def preview(command: Command, snapshot: Snapshot) -> tuple[str, ...]:  # noqa: C901 - one case a command
    """One sentence for each thing that will change or that speaks against it. Never raises, never empty."""
    match command:
        case FailOver():
            return _on_route(
                command.route, snapshot, lambda route: routes.fail_over(command, route, snapshot)
            )
        case Pin():
            return _on_route(command.route, snapshot, lambda route: routes.pin(command, route, snapshot))
        case Unpin():
            return _on_route(command.route, snapshot, lambda route: routes.unpin(route, snapshot))
        case SetPriority():
            return _on_route(
                command.route, snapshot, lambda route: routes.set_priority(command, route, snapshot)
            )
        case ForceBreaker():
            return _on_source(
                command.source, snapshot, lambda source: sources.force_breaker(command, source, snapshot)
            )
        case ResetBreaker():
            return _on_source(command.source, snapshot, lambda source: sources.reset_breaker(command, source))
        case EnableSource():
            return _on_source(
                command.source, snapshot, lambda source: sources.enable(command, source, snapshot)
            )
        case SetRateLimit():
            return _on_source(command.source, snapshot, lambda source: limits.rate_limit(command, source))
        case CheckHealth():
            return _on_source(command.source, snapshot, sources.check)
        case Login():
            return _on_source(command.source, snapshot, lambda source: log_in(source, snapshot))
        case RestartSource():
            return _on_source(command.source, snapshot, lambda source: sources.restart(source, snapshot))
        case Subscribe():
            return (f"{count(len(command.instruments), 'instrument')} will be watched live.",)
        case Unsubscribe():
            return (f"{count(len(command.instruments), 'instrument')} will no longer be watched.",)
        case ApplyConfig():
            return (
                "What the configuration file says now is taken; if it cannot be used, nothing changes.",
                "Sources whose connection is set up otherwise reconnect; all others stay connected.",
            )
        case StartDrill() | EndDrill():
            return preview_drill(command, snapshot)
        case _:
            assert_never(command)


def _on_route(key: str, snapshot: Snapshot, say: Callable[[RouteView], tuple[str, ...]]) -> tuple[str, ...]:
    route = snapshot.route(key)
    return (f"There is no route {key}.",) if route is None else say(route)


def _on_source(
    name: str, snapshot: Snapshot, say: Callable[[SourceView], tuple[str, ...]]
) -> tuple[str, ...]:
    source = snapshot.source(name)
    return (f"There is no source {name}.",) if source is None else say(source)
