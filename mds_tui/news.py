"""Which events interrupt an operator, and how seldom."""

from collections.abc import Sequence

from mds_engine.control.events import (
    DrillEnded,
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
        | EngineStopped
        | DrillEnded,
    )


def is_alarm(event: Event) -> bool:
    """Worth a bell, where bells are wanted; what is rehearsed is not."""
    return (isinstance(event, FailedOver | RouteDown) and not event.drill) or (
        isinstance(event, LoginNeeded) and event.soon
    )


INCIDENT_S = 8.0
"""What belongs to an incident and comes within this is told together, when it is over."""

Incident = tuple[str, str]


class Incidents:
    """One interruption for an incident, and at most one more for what follows it; `now` is monotonic."""

    def __init__(self) -> None:
        self._open: dict[Incident, float] = {}
        self._held: dict[Incident, list[Event]] = {}

    def sift(self, news: Sequence[Event], now: float) -> Sequence[Sequence[Event]]:
        """Groups of events to be told now: each is one interruption."""
        told: list[Sequence[Event]] = []
        for incident in [incident for incident, until in self._open.items() if until <= now]:
            del self._open[incident]
            if later := self._held.pop(incident, None):
                told.append(later)
        fresh: dict[Incident, list[Event]] = {}
        for event in news:
            if is_toast(event):
                incident = incident_of(event)
                groups = self._held if incident in self._open else fresh
                groups.setdefault(incident, []).append(event)
        for incident, group in fresh.items():
            self._open[incident] = now + INCIDENT_S
            told.append(group)
        return told


def incident_of(event: Event) -> Incident:
    """What an event is part of: the same source failing, the same one coming back, routes going down."""
    match event:
        case FailedOver():
            return "failed over", event.before
        case FailedBack():
            return "back", event.after
        case RouteRestored():
            return "back", event.source
        case RouteDown():
            return "down", ""
        case _:
            return type(event).__name__, str(getattr(event, "source", event.number))


def incident_words(events: Sequence[Event]) -> str:
    """Many events of one incident in one sentence."""
    first = events[0]
    routes = list(dict.fromkeys(route for event in events if (route := getattr(event, "route", ""))))
    names = ", ".join(routes)
    number = f"{len(routes)} route{'' if len(routes) == 1 else 's'}"
    match first:
        case FailedOver() | RouteDown():
            verb = "failed over" if isinstance(first, FailedOver) else "down"
            return f"{number} {verb}: {names}: {first.why}"
        case _:
            return (
                f"{number} back: {names}" if routes else f"{len(events)} times: {getattr(first, 'why', '')}"
            )
