"""What `u` would take back, after all that can happen in between."""

from mds_engine.control.commands import (
    CheckHealth,
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    ResetBreaker,
    RestartSource,
    SetRateLimit,
    Subscribe,
    Unpin,
    Unsubscribe,
)
from mds_engine.control.events import CommandApplied, EngineStarted, OverrideEnded

from mds_tui.undo import undoable


def applied(command: object, reverse: object = None) -> CommandApplied:
    return CommandApplied(command=command, message="done", reverse=reverse)


def forced(capability: str | None = "quote") -> CommandApplied:
    """A breaker held open."""
    free = ForceBreaker(source="kite", state=ForcedState.AUTOMATIC, capability=capability)
    return applied(ForceBreaker(source="kite", state=ForcedState.OPEN, capability=capability), free)


ENABLE = applied(EnableSource(source="kite", enabled=False), EnableSource(source="kite"))
LIMIT = applied(SetRateLimit(source="kite", limit=3), SetRateLimit(source="kite", limit=10))
WATCH = applied(Subscribe(instruments=("NSE:INFY",)), Unsubscribe(instruments=("NSE:INFY",)))
STARTED = EngineStarted(sources=(), routes=())


def test_each_is_taken_back_in_turn_and_what_leaves_nothing_is_passed_over() -> None:
    events = [
        ENABLE,
        LIMIT,
        WATCH,
        applied(RestartSource(source="kite")),
        applied(CheckHealth(source="kite")),
    ]
    taken = []
    while (last := undoable(events)) is not None:
        taken.append(last)
        events.append(applied(last.reverse, last.command))
    assert taken == [WATCH, LIMIT, ENABLE]


def test_a_forced_breaker_that_ended_or_was_reset_is_not_offered() -> None:
    over = OverrideEnded(subject="kite", capability="quote", why="time over")
    assert undoable([ENABLE, forced(), over]) is ENABLE
    other = OverrideEnded(subject="kite", capability="bars", why="time over")
    assert undoable([ENABLE, one := forced(), other]) is one
    every = OverrideEnded(subject="kite", capability="", why="time over")
    assert undoable([ENABLE, forced(None), every]) is ENABLE
    reset = applied(ResetBreaker(source="kite", capability="quote"))
    assert undoable([ENABLE, forced(), reset]) is ENABLE
    assert undoable([ENABLE, every_one := forced(None), reset]) is every_one
    assert undoable([ENABLE, forced(None), forced(), applied(ResetBreaker(source="kite"))]) is ENABLE
    assert undoable([ENABLE, other_one := forced(), applied(ResetBreaker(source="yahoo"))]) is other_one


def test_after_a_restart_of_the_engine_only_what_still_stands_is_offered() -> None:
    pinned = applied(Pin(route="NSE/quote", source="yahoo"), Unpin(route="NSE/quote"))
    moved = applied(FailOver(route="NSE/bars"), FailOver(route="NSE/bars", to="kite"))
    assert undoable([pinned, moved, WATCH, STARTED]) is None
    again = applied(Pin(route="NSE/quote", source="yahoo", ttl_s=700.0), Unpin(route="NSE/quote"))
    events = [pinned, moved, STARTED, again]
    assert undoable(events) is again
    assert undoable([*events, applied(Unpin(route="NSE/quote"), again.command)]) is None
