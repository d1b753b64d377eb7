"""Which events interrupt an operator."""

from mds_engine.control.events import (
    EngineStopped,
    Event,
    FailedBack,
    FailedOver,
    LoginNeeded,
    OverrideEnded,
    QuotaSpent,
    RouteDown,
    RouteRestored,
    Throttled,
)


def is_toast(event: Event) -> bool:
    """Where data comes from has changed, or somebody must do something."""
    if isinstance(event, Throttled):
        return event.banned
    return isinstance(
        event,
        FailedOver
        | FailedBack
        | RouteDown
        | RouteRestored
        | LoginNeeded
        | QuotaSpent
        | OverrideEnded
        | EngineStopped,
    )


def is_alarm(event: Event) -> bool:
    """Worth a bell, where bells are wanted."""
    return isinstance(event, FailedOver | RouteDown)
