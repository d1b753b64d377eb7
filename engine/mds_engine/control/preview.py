"""What a command will do, in sentences, from a snapshot alone: what a dialog says before it is done."""

from collections.abc import Callable
from typing import assert_never

from mds_engine.control.commands import (
    CheckHealth,
    Command,
    EnableSource,
    EndDrill,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    ResetBreaker,
    SetPriority,
    SetRateLimit,
    StartDrill,
    Subscribe,
    Unpin,
    Unsubscribe,
)
from mds_engine.control.drill_preview import preview_drill
from mds_engine.control.snapshot import BreakerView, RouteView, Snapshot, SourceState, SourceView


def preview(command: Command, snapshot: Snapshot) -> tuple[str, ...]:  # noqa: C901 - one case a command
    """One sentence for each thing that will change or that speaks against it. Never raises, never empty."""
    match command:
        case FailOver():
            return _on_route(command.route, snapshot, lambda route: _fail_over(command, route, snapshot))
        case Pin():
            return _on_route(command.route, snapshot, lambda route: _pin(command, route, snapshot))
        case Unpin():
            return _on_route(command.route, snapshot, lambda route: _unpin(route, snapshot))
        case SetPriority():
            return _on_route(command.route, snapshot, lambda route: _set_priority(command, route, snapshot))
        case ForceBreaker():
            return _on_source(
                command.source, snapshot, lambda source: _force_breaker(command, source, snapshot)
            )
        case ResetBreaker():
            return _on_source(command.source, snapshot, lambda source: _reset_breaker(command, source))
        case EnableSource():
            return _on_source(command.source, snapshot, lambda source: _enable(command, source, snapshot))
        case SetRateLimit():
            return _on_source(command.source, snapshot, lambda source: _rate_limit(command, source))
        case CheckHealth():
            return _on_source(
                command.source,
                snapshot,
                lambda source: (
                    f"{source.name} is asked once whether it is well; it is {source.health} now.",
                ),
            )
        case Subscribe():
            return (f"{_count(len(command.instruments), 'instrument')} will be watched live.",)
        case Unsubscribe():
            return (f"{_count(len(command.instruments), 'instrument')} will no longer be watched.",)
        case StartDrill() | EndDrill():
            return preview_drill(command, snapshot)
        case _:
            assert_never(command)


def standing(name: str, snapshot: Snapshot, capability: str = "") -> tuple[str, ...]:
    """Whether a source could carry a route now: its state, breaker, speed and headroom."""
    source = snapshot.source(name)
    if source is None:
        return (f"There is no source {name}.",)
    breaker = _breaker(source, capability)
    p99_ms = _p99_ms(source, capability)
    speed = "" if p99_ms is None else f", p99 {_milliseconds(p99_ms)}"
    state = source.state.value if source.state is not SourceState.LOGIN else "in need of a login"
    sentences = [f"{name} is {state}, breaker {_breaker_words(breaker)}{speed}."]
    if source.state in {SourceState.OUT, SourceState.DISABLED, SourceState.LOGIN} and source.why:
        sentences.append(f"Against it: {source.why}.".replace("..", "."))
    sentences += _headroom(source)
    return tuple(sentences)


def _fail_over(command: FailOver, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    target = command.to or route.next_source
    if target is None:
        return (
            f"No other source can serve {route.key} now.",
            "The route would be down: nothing else is left to try.",
        )
    if target == route.active:
        return (f"{target} answers {route.key} already; nothing changes.",)
    sentences = [_moves(route, target), *_instruments(route), *standing(target, snapshot, route.capability)]
    if target not in route.sources:
        sentences.append(f"{target} is not a source of {route.key}.")
    elif route.active in route.sources:
        sentences.append(_afterwards(route, route.active, target))
    if route.pinned is not None:
        sentences.append(f"The route is forced to {route.pinned}; that ends.")
    return tuple(sentences)


def _afterwards(route: RouteView, active: str, target: str) -> str:
    if route.sources.index(active) < route.sources.index(target):
        return f"{active} stays in the route and takes it back when it is well."
    return f"{target} comes before {active}, and keeps the route while it is well."


def _pin(command: Pin, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    sentences = []
    if command.source == route.active:
        sentences.append(f"{command.source} answers {route.key} already, and is held there.")
    else:
        sentences += [_moves(route, command.source), *_instruments(route)]
    sentences += standing(command.source, snapshot, route.capability)
    sentences.append(
        f"Held for {_duration(command.ttl_s)}, then automatic."
        if command.ttl_s is not None
        else "Held until somebody ends it."
    )
    sentences.append("While it is held, no other source steps in if it fails.")
    return tuple(sentences)


def _unpin(route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    if route.pinned is None:
        return (f"{route.key} is automatic already; nothing changes.",)
    choice = next(
        (
            name
            for name in route.sources
            if (source := snapshot.source(name)) is not None and _can_serve(source, route.capability)
        ),
        None,
    )
    if choice is None:
        return (
            f"{route.key} is no longer forced to {route.pinned}.",
            "No source is well enough to serve it.",
        )
    if choice == route.active:
        return (f"{route.key} is automatic again; {choice} stays the one that answers.",)
    return (
        _moves(route, choice),
        *_instruments(route),
        *standing(choice, snapshot, route.capability),
    )


def _set_priority(command: SetPriority, route: RouteView, snapshot: Snapshot) -> tuple[str, ...]:
    if command.sources == route.sources:
        return ("The order is as it was; nothing changes.",)
    sentences = [f"{route.key} tries {', then '.join(command.sources) or 'nobody'}."]
    missing = [name for name in route.sources if name not in command.sources]
    if missing:
        sentences.append(f"{' and '.join(missing)} will no longer serve it.")
    first = next(
        (
            name
            for name in command.sources
            if (source := snapshot.source(name)) is not None and _can_serve(source, route.capability)
        ),
        None,
    )
    if route.pinned is not None:
        sentences.append(f"It stays forced to {route.pinned} meanwhile.")
    elif first is None:
        sentences.append("None of them can serve now.")
    elif first == route.active:
        sentences.append(f"{first} stays the one that answers.")
    else:
        sentences += [_moves(route, first), *_instruments(route)]
        sentences += standing(first, snapshot, route.capability)
    return tuple(sentences)


def _force_breaker(command: ForceBreaker, source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    what = (
        f"{source.name}'s {command.capability} breaker is"
        if command.capability
        else f"{source.name}'s breakers are"
    )
    held = f" for {_duration(command.ttl_s)}" if command.ttl_s is not None else " until somebody ends it"
    match command.state:
        case ForcedState.OPEN:
            return (
                f"{what} held open{held}: no call reaches it.",
                *_without(source, snapshot, command.capability),
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


def _reset_breaker(command: ResetBreaker, source: SourceView) -> tuple[str, ...]:
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
    sentences = [f"{source.name}: {' and '.join(shut)} closes at once and its failures are forgotten."]
    if source.breaker.why:
        sentences.append(f"It opened for: {source.breaker.why}.".replace("..", "."))
    sentences.append("If the vendor is still ill, calls fail until it opens again.")
    return tuple(sentences)


def _enable(command: EnableSource, source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    if command.enabled == source.enabled:
        return (f"{source.name} is {'in' if source.enabled else 'out of'} service already; nothing changes.",)
    if not command.enabled:
        return (
            f"{source.name} goes out of service; nothing is sent to it.",
            *_without(source, snapshot, None),
        )
    first = [route.key for route in snapshot.routes if route.sources[:1] == (source.name,)]
    sentences = [f"{source.name} comes into service."]
    if first:
        sentences.append(f"It is the primary of {', '.join(first)}, and takes them when it is well.")
    return (*sentences, *_headroom(source))


def _rate_limit(command: SetRateLimit, source: SourceView) -> tuple[str, ...]:
    limiter = next(
        (
            view
            for view in source.limiters
            if view.group == command.group and view.window_s == command.window_s
        ),
        None,
    )
    if limiter is None:
        known = ", ".join(f"{view.group} {_duration(view.window_s)}" for view in source.limiters) or "none"
        return (
            f"{source.name} has no {command.group} window of {_duration(command.window_s)}; it has {known}.",
        )
    change = "more than now" if command.limit > limiter.limit else "less than now"
    return (
        f"{source.name} may be sent {command.limit} per {_duration(command.window_s)}.",
        f"That is {change} ({limiter.limit}).",
    )


def _without(source: SourceView, snapshot: Snapshot, capability: str | None) -> tuple[str, ...]:
    """What the routes do when a source leaves them."""
    sentences = []
    for route in snapshot.routes:
        if route.active != source.name or capability not in {None, "", route.capability}:
            continue
        moved = f" with {_count(route.instruments, 'instrument')}" if route.instruments else ""
        if route.pinned is not None:
            sentences.append(f"{route.key} is forced to it, and is down{moved}.")
        elif route.next_source is None:
            sentences.append(f"{route.key} is down{moved}: no other source can serve it.")
        else:
            sentences.append(f"{route.key} moves to {route.next_source}{moved}.")
    return tuple(sentences) or ("No route uses it now.",)


def _on_route(key: str, snapshot: Snapshot, say: Callable[[RouteView], tuple[str, ...]]) -> tuple[str, ...]:
    route = snapshot.route(key)
    return (f"There is no route {key}.",) if route is None else say(route)


def _on_source(
    name: str, snapshot: Snapshot, say: Callable[[SourceView], tuple[str, ...]]
) -> tuple[str, ...]:
    source = snapshot.source(name)
    return (f"There is no source {name}.",) if source is None else say(source)


def _moves(route: RouteView, target: str) -> str:
    return f"{route.key} moves from {route.active or 'nobody'} to {target}."


def _instruments(route: RouteView) -> tuple[str, ...]:
    return (
        (f"{_count(route.instruments, 'live instrument')} move with it.",)
        if route.instruments > 1
        else (("1 live instrument moves with it.",) if route.instruments else ())
    )


def _headroom(source: SourceView) -> tuple[str, ...]:
    sentences = [
        f"{source.name} has {100 - _percent(meter.used, meter.limit)} % of its {meter.meter} "
        f"left this {meter.period}."
        for meter in source.meters
        if meter.limit
    ]
    blocked_s = max((limiter.blocked_for_s for limiter in source.limiters), default=0.0)
    if blocked_s > 0:
        sentences.append(f"{source.name} is held back for {_duration(blocked_s)} more.")
    return tuple(sentences)


def _can_serve(source: SourceView, capability: str) -> bool:
    healthy = source.state not in {SourceState.OUT, SourceState.DISABLED, SourceState.LOGIN}
    return source.enabled and healthy and _breaker(source, capability).state != "open"


def _breaker(source: SourceView, capability: str) -> BreakerView:
    return next(
        (view.breaker for view in source.capabilities if view.capability == capability), source.breaker
    )


def _p99_ms(source: SourceView, capability: str) -> float | None:
    of_capability = next((view.p99_ms for view in source.capabilities if view.capability == capability), None)
    return of_capability if of_capability is not None else source.p99_ms


def _breaker_words(breaker: BreakerView) -> str:
    if breaker.state == "open" and breaker.retry_in_s > 0:
        return f"open, next probe in {_duration(breaker.retry_in_s)}"
    return breaker.state


def _percent(used: float, limit: float) -> int:
    return max(0, min(100, round(used * 100 / limit)))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 1 else f"{value:.1f} ms"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s" if seconds == round(seconds) else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" if not rest else f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" if not minutes else f"{hours} h {minutes} min"
