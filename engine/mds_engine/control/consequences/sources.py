"""What commands about a source will do."""

from typing import assert_never

from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState, ResetBreaker
from mds_engine.control.consequences.targets import charges, covers, headroom, standing
from mds_engine.control.consequences.words import Against, count, duration, listed
from mds_engine.control.snapshot import RouteView, Snapshot, SourceView


def force_breaker(command: ForceBreaker, source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    """Breakers held open or closed."""
    what = (
        f"{source.name}'s {command.capability} breaker is"
        if command.capability
        else f"{source.name}'s breakers are"
    )
    held = f" for {duration(command.ttl_s)}" if command.ttl_s is not None else " until somebody ends it"
    match command.state:
        case ForcedState.OPEN:
            return (
                f"{what} held open{held}: no call reaches it.",
                *without(source, snapshot, command.capability),
            )
        case ForcedState.CLOSED:
            return (
                f"{what} held closed{held}: calls go through however many fail.",
                *standing(source.name, snapshot, command.capability or ""),
            )
        case ForcedState.AUTOMATIC:
            return (f"{what} judged by results again.", *standing(source.name, snapshot))
        case _:
            assert_never(command.state)


def reset_breaker(command: ResetBreaker, source: SourceView) -> tuple[str, ...]:
    """Breakers closed, their failures forgotten."""
    views = [view.breaker for view in source.capabilities] + [source.breaker]
    shut = sorted(
        {
            breaker.capability or "source"
            for breaker in views
            if breaker.state != "closed" and command.capability in {None, breaker.capability}
        }
    )
    if not shut:
        return (f"Every breaker of {source.name} is closed already; their failures are forgotten.",)
    closes = "closes at once and its" if len(shut) == 1 else "close at once and their"
    sentences = [f"{source.name}: {listed(shut)} {closes} failures are forgotten."]
    if source.breaker.why:
        sentences.append(f"It opened for: {source.breaker.why}.".replace("..", "."))
    sentences.append("If the vendor is still ill, calls fail until it opens again.")
    return tuple(sentences)


def enable(command: EnableSource, source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    """In service or out of it."""
    if command.enabled == source.enabled:
        return (f"{source.name} is {'in' if source.enabled else 'out of'} service already; nothing changes.",)
    if not command.enabled:
        return (
            f"{source.name} goes out of service; nothing is sent to it.",
            *without(source, snapshot, None),
        )
    first = [route.key for route in snapshot.routes if route.sources[:1] == (source.name,)]
    sentences = [f"{source.name} comes into service."]
    if first:
        sentences.append(f"It is the primary of {', '.join(first)}, and takes them when it is well.")
    return (*sentences, *headroom(source, snapshot.at))


def restart(source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    """Closed and connected anew."""
    if not source.enabled:
        return (f"{source.name} is out of service: take it into service instead.",)
    interrupted = "It has no live streams now."
    if (stream := source.stream) is not None:
        held = stream.instruments - stream.delivers
        standby = f", {count(held, 'instrument')} it stands by for" if held > 0 else ""
        delivers = f"{count(stream.delivers, 'instrument')} it delivers"
        interrupted = f"Its live streams are interrupted: {delivers}{standby}."
    return (
        f"{source.name} lets calls under way end, is closed, and is connected anew.",
        interrupted,
        *without(source, snapshot, None, meanwhile=True),
        *_comes_back(source, snapshot),
        "Its breakers, limits, bans and quotas stay as they are.",
    )


def _comes_back(source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    left = [route for route in snapshot.routes if route.active == source.name and route.pinned is None]
    if not any(route.next_source for route in left):
        return ()
    return (f"{source.name} takes back what it led when it is well.",)


def check(source: SourceView) -> tuple[str, ...]:
    """A health check now."""
    return (f"{source.name} is asked once whether it is well; it is {source.health} now.",)


def without(
    source: SourceView, snapshot: Snapshot, capability: str | None, *, meanwhile: bool = False
) -> tuple[str, ...]:
    """What the routes do when a source leaves them, `meanwhile` or for good: who takes over what, what is
    lost, how those stand, and what it costs."""
    left = [
        route
        for route in snapshot.routes
        if route.active == source.name and capability in {None, "", route.capability}
    ]
    sentences = []
    moving: dict[str, list[RouteView]] = {}
    for route in left:
        sentences.append(_leaves(route, meanwhile=meanwhile))
        if route.pinned is None and route.next_source is not None:
            moving.setdefault(route.next_source, []).append(route)
            sentences += covers(route, route.next_source, snapshot)
    for target, routes in moving.items():
        capabilities = {route.capability for route in routes}
        sentences += standing(target, snapshot, capabilities.pop() if len(capabilities) == 1 else "")
        sentences += charges(tuple(routes), target, snapshot)
    if not left:
        sentences.append("No route uses it now.")
    return (*sentences, *_standby(source, capability, meanwhile=meanwhile))


def _leaves(route: RouteView, *, meanwhile: bool) -> str:
    moved = f" with {count(route.instruments, 'instrument')}" if route.instruments else ""
    until = " until it is back" if meanwhile else ""
    if route.pinned is not None:
        return Against(f"{route.key} is forced to it, and is down{moved}{until}.")
    if route.next_source is None:
        return Against(f"{route.key} is down{moved}{until}: no other source can serve it.")
    return f"{route.key} moves to {route.next_source}{moved}."


def _standby(source: SourceView, capability: str | None, *, meanwhile: bool) -> tuple[str, ...]:
    """It holds back what others deliver: nobody may be left who does."""
    if meanwhile or source.stream is None or capability not in {None, "", "ticks"}:
        return ()
    held = source.stream.instruments - source.stream.delivers
    return (Against(f"It no longer stands by for {count(held, 'live instrument')}."),) if held > 0 else ()
