"""What commands about a route will do."""

from collections.abc import Iterable

from mds_engine.control.commands import FailOver, Pin, SetPriority
from mds_engine.control.consequences.targets import can_serve, charges, covers, poll_words, standing
from mds_engine.control.consequences.words import Against, count, duration
from mds_engine.control.snapshot import RouteView, Snapshot


def fail_over(command: FailOver, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    """Once, to the next source or to a named one."""
    if route.pinned is not None:
        return (Against(f"{route.key} is forced to {route.pinned}: give it back to automatic first."),)
    target = command.to or route.next_source
    if target is None:
        return (
            Against(f"No other source can serve {route.key} now."),
            Against("The route would be down: nothing else is left to try."),
        )
    if target == route.active:
        return (f"{target} answers {route.key} already; nothing changes.",)
    sentences = list(moved(route, target, snapshot))
    if target not in route.sources:
        sentences.append(Against(f"{target} is not a source of {route.key}."))
    elif route.active in route.sources:
        sentences.append(_afterwards(route, route.active, target))
    return tuple(sentences)


def _afterwards(route: RouteView, active: str, target: str) -> str:
    if route.sources.index(active) < route.sources.index(target):
        return f"{active} stays in the route and takes it back when it is well."
    return f"{target} comes before {active}, and keeps the route while it is well."


def pin(command: Pin, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    """Forced for a while."""
    if command.source == route.active:
        sentences = [f"{command.source} answers {route.key} already, and is held there."]
        sentences += standing(command.source, snapshot, route.capability)
    else:
        sentences = list(moved(route, command.source, snapshot))
    sentences.append(
        f"Held for {duration(command.ttl_s)}, then automatic."
        if command.ttl_s is not None
        else "Held until somebody ends it."
    )
    sentences.append(Against("While it is held, no other source steps in if it fails."))
    return tuple(sentences)


def unpin(route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    """Back to automatic choice."""
    if route.pinned is None:
        return (f"{route.key} is automatic already; nothing changes.",)
    choice = _first_fit(route.sources, route, snapshot)
    if choice is None:
        return (
            f"{route.key} is no longer forced to {route.pinned}.",
            Against("No source is well enough to serve it."),
        )
    if choice == route.active:
        return (f"{route.key} is automatic again; {choice} stays the one that answers.",)
    return moved(route, choice, snapshot)


def set_priority(command: SetPriority, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    """Another order of its sources."""
    if command.sources == route.sources:
        return ("The order is as it was; nothing changes.",)
    sentences = [f"{route.key} tries {', then '.join(command.sources) or 'nobody'}."]
    missing = [name for name in route.sources if name not in command.sources]
    if missing:
        sentences.append(Against(f"{' and '.join(missing)} will no longer serve it."))
    first = _first_fit(command.sources, route, snapshot)
    if route.pinned is not None:
        sentences.append(f"It stays forced to {route.pinned} meanwhile.")
    elif first is None:
        sentences.append(Against("None of them can serve now."))
    elif first == route.active:
        sentences.append(f"{first} stays the one that answers.")
    else:
        sentences += moved(route, first, snapshot)
    return (*sentences, *_polled_first(command.sources, route, snapshot, said=first))


def _polled_first(
    order: tuple[str, ...], route: RouteView, snapshot: Snapshot, *, said: str | None
) -> tuple[str, ...]:
    """Polling stands in for a stream: where it comes before one, that is told, if it was not already."""
    if route.capability != "ticks" or not order:
        return ()
    first = snapshot.source(order[0])
    streams = [name for name in order[1:] if (other := snapshot.source(name)) and other.polls is None]
    if first is None or first.polls is None or not streams:
        return ()
    told = said == first.name and said != route.active and route.instruments
    words = () if told else (Against(poll_words(first, max(1, route.instruments))),)
    return (*words, Against(f"{streams[0]}, which streams, comes after it."))


def moved(route: RouteView, target: str, snapshot: Snapshot) -> tuple[str, ...]:
    """A route goes to another source: what goes with it, what is lost, how the target stands, the cost."""
    return (
        f"{route.key} moves from {route.active or 'nobody'} to {target}.",
        *_instruments(route),
        *covers(route, target, snapshot),
        *standing(target, snapshot, route.capability),
        *charges((route,), target, snapshot),
    )


def _instruments(route: RouteView) -> tuple[str, ...]:
    if not route.instruments:
        return ()
    verb = "moves" if route.instruments == 1 else "move"
    return (f"{count(route.instruments, 'live instrument')} {verb} with it.",)


def _first_fit(names: Iterable[str], route: RouteView, snapshot: Snapshot) -> str | None:
    for name in names:
        source = snapshot.source(name)
        if source is not None and can_serve(source, route.capability):
            return name
    return None
