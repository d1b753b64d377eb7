"""Which command `u` would take back."""

from collections.abc import Iterable

from mds_engine.control.commands import (
    Command,
    FailOver,
    ForceBreaker,
    Pin,
    ResetBreaker,
    StartDrill,
    same,
)
from mds_engine.control.events import (
    CommandApplied,
    DrillEnded,
    EngineStarted,
    Event,
    FailedBack,
    OverrideEnded,
)


def undoable(events: Iterable[Event]) -> CommandApplied | None:
    """The last applied command that can be reversed and has not been; `events` are oldest first."""
    stack: list[CommandApplied] = []
    for event in events:
        match event:
            case CommandApplied():
                last = stack[-1].reverse if stack else None
                if last is not None and same(event.command, last):
                    stack.pop()
                elif isinstance(event.command, ResetBreaker):
                    stack = [kept for kept in stack if not _released(kept.command, event.command)]
                elif event.reverse is not None:
                    stack.append(event)
            case EngineStarted():
                stack = []  # what stands over the restart is told again
            case OverrideEnded():
                over = event.subject, event.capability
                stack = [kept for kept in stack if _held(kept.command) != over]
            case FailedBack():
                stack = [kept for kept in stack if not _moved(kept.command, event.route)]
            case DrillEnded():
                stack = [kept for kept in stack if not isinstance(kept.command, StartDrill)]
            case _:
                pass
    return stack[-1] if stack else None


def _held(command: Command) -> tuple[str, str | None] | None:
    """What a command holds for a while, as `OverrideEnded` names it."""
    match command:
        case Pin():
            return command.route, None
        case ForceBreaker():
            return command.source, command.capability or ""
        case _:
            return None


def _released(command: Command, reset: ResetBreaker) -> bool:
    """Whether a reset has ended what a command held."""
    return (
        isinstance(command, ForceBreaker)
        and command.source == reset.source
        and reset.capability in {None, command.capability}
    )


def _moved(command: Command, route: str) -> bool:
    return isinstance(command, FailOver) and command.route == route
