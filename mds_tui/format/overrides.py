"""What operators hold in force now: forced routes and forced breakers, and when each ends. Pure."""

from typing import NamedTuple

from mds_engine.control.snapshot import BreakerView, Snapshot, SourceView


class Override(NamedTuple):
    """One of them."""

    what: str
    """As `NSE/bars`, `kite quote breaker`."""
    to: str
    """What it is forced to: a source, `open`, `closed`."""
    left_s: float | None
    """Until it ends by itself; None if it does not."""


def overrides(snapshot: Snapshot) -> tuple[Override, ...]:
    """The one that ends first comes first, those without an end last."""
    found = [
        Override(route.key, route.pinned, route.pinned_for_s)
        for route in snapshot.routes
        if route.pinned is not None
    ]
    for source in snapshot.sources:
        found += _breakers(source)
    found.sort(key=lambda one: (one.left_s is None, one.left_s or 0.0, one.what))
    return tuple(found)


_FORCED = "forced-"


def _breakers(source: SourceView) -> list[Override]:
    """Where all are held alike, that is one override."""
    every = [view.breaker for view in source.capabilities]
    held = [breaker for breaker in every if breaker.state.startswith(_FORCED)]
    if not held:
        return []
    alike = {(breaker.state, breaker.forced_for_s) for breaker in (source.breaker, *every)}
    if len(every) > 1 and len(alike) == 1:
        return [_override(f"{source.name} breakers", held[0])]
    return [_override(f"{source.name} {breaker.capability} breaker", breaker) for breaker in held]


def _override(what: str, breaker: BreakerView) -> Override:
    return Override(what, breaker.state.removeprefix(_FORCED), breaker.forced_for_s)
