"""What the two breakers of a call say together, and why they refuse it."""

from mds_engine.policy.breaker import BreakerState
from mds_engine.policy.source_breaker import SourceBreaker
from mds_engine.routing.unit import Unit

OUT = frozenset({BreakerState.OPEN, BreakerState.FORCED_OPEN})
WELL = frozenset({BreakerState.CLOSED, BreakerState.FORCED_CLOSED})

_CLOSED, _OPEN, _HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
_FORCED_OPEN = BreakerState.FORCED_OPEN


def why_refused(whole: SourceBreaker, unit: Unit, now: float) -> str:
    """What the breakers that refuse say, in words."""
    # On the path of every call past an open breaker, where an enum's lookups would be felt.
    for breaker, what in ((whole, "source"), (unit.breaker, unit.capability)):
        state = breaker.state(now)
        if state is _CLOSED:
            continue
        if state is _OPEN:
            return f"{what} breaker open, next probe in {breaker.retry_in_s(now):.0f} s"
        if state is _FORCED_OPEN:
            return f"{what} breaker forced open"
        if state is _HALF_OPEN and breaker.in_flight:
            return f"{what} breaker half-open, its probe is in flight"
    return "breaker refused"
