"""Changes of breakers, as events."""

from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.policy.breaker import BreakerState, Transition


def event_of(source: str, capability: str, transition: Transition) -> Event:
    """What is told of a transition; capability "" is the source as a whole."""
    why = transition.why
    match transition.after:
        case BreakerState.OPEN:
            return events.BreakerOpened(
                source=source, capability=capability, open_for_s=transition.open_for_s, why=why
            )
        case BreakerState.HALF_OPEN:
            return events.BreakerHalfOpened(source=source, capability=capability)
        case BreakerState.CLOSED:
            return events.BreakerClosed(source=source, capability=capability, why=why)
        case BreakerState.FORCED_OPEN | BreakerState.FORCED_CLOSED:
            return events.BreakerForced(
                source=source, capability=capability, state=transition.after.value, why=why
            )
