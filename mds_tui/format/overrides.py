"""What operators hold in force now: forced routes and forced breakers, and when each ends. Pure."""

from itertools import groupby
from operator import itemgetter
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
    # With each frame, over hundreds of sources: the rest is for those that are found.
    held = [
        (source, view.breaker)
        for source in snapshot.sources
        for view in source.capabilities
        if view.breaker.state in _FORCED
    ]
    for source, group in groupby(held, key=itemgetter(0)):
        found += _breakers(source, [breaker for _, breaker in group])
    found.sort(key=lambda one: (one.left_s is None, one.left_s or 0.0, one.what))
    return tuple(found)


_FORCED = {"forced-open": "open", "forced-closed": "closed"}


def _breakers(source: SourceView, held: list[BreakerView]) -> list[Override]:
    """Where all of a source's are held alike, that is one override."""
    alike = {(breaker.state, breaker.forced_for_s) for breaker in (source.breaker, *held)}
    if len(alike) == 1 and 1 < len(held) == len(source.capabilities):
        return [_override(f"{source.name} breakers", held[0])]
    return [_override(f"{source.name} {breaker.capability} breaker", breaker) for breaker in held]


def _override(what: str, breaker: BreakerView) -> Override:
    return Override(what, _FORCED[breaker.state], breaker.forced_for_s)
