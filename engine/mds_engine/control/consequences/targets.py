"""What a route would get at a source: how well it stands, what it has, what it charges and has left."""

from decimal import Decimal

from mds_engine.control.consequences.words import (
    Against,
    about,
    amount,
    count,
    duration,
    listed,
    milliseconds,
    percent,
    window,
)
from mds_engine.control.snapshot import (
    BreakerView,
    CapabilityView,
    CoverageView,
    MeterView,
    RouteView,
    Snapshot,
    SourceState,
    SourceView,
)

_HOUR_S = 3600.0
_STALE_S = 60.0
"""A source that was not heard for so long is said so."""


def standing(name: str, snapshot: Snapshot, capability: str = "") -> tuple[str, ...]:
    """Whether a source could carry a route now: its state, health, breaker, speed, and what is against it."""
    source = snapshot.source(name)
    if source is None:
        return (f"There is no source {name}.",)
    condition = f"{name} is {', '.join(_condition(source, capability))}."
    fit = can_serve(source, capability) and source.health == "healthy"
    sentences: list[str] = [condition if fit else Against(condition)]
    if source.state in {SourceState.OUT, SourceState.DISABLED, SourceState.LOGIN} and source.why:
        sentences.append(Against(f"Against it: {source.why}.".replace("..", ".")))
    blocked_s = max((limiter.blocked_for_s for limiter in source.limiters), default=0.0)
    if blocked_s > 0:
        sentences.append(Against(f"{name} is held back for {duration(blocked_s)} more."))
    return tuple(sentences)


def _condition(source: SourceView, capability: str) -> list[str]:
    state = source.state.value if source.state is not SourceState.LOGIN else "in need of a login"
    words = [state, source.health, f"breaker {_breaker_words(breaker_of(source, capability))}"]
    view = _view(source, capability)
    p99_ms = view.p99_ms if view is not None and view.p99_ms is not None else source.p99_ms
    if p99_ms is not None:
        words.append(f"p99 {milliseconds(p99_ms)}")
    if source.error_percent:
        words.append(f"{source.error_percent:.1f} % errors")
    if source.age_s is not None and source.age_s >= _STALE_S:
        words.append(f"last heard {about(source.age_s)} ago")
    return words


def can_serve(source: SourceView, capability: str) -> bool:
    """Whether a route could go to it now."""
    healthy = source.state not in {SourceState.OUT, SourceState.DISABLED, SourceState.LOGIN}
    return source.enabled and healthy and breaker_of(source, capability).state != "open"


def breaker_of(source: SourceView, capability: str) -> BreakerView:
    """That of a capability, else the source's worst."""
    view = _view(source, capability)
    return source.breaker if view is None else view.breaker


def covers(route: RouteView, target: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Which of a route's live instruments the target has, as far as it is known, and which would be lost."""
    source, live = snapshot.source(target), route.instruments
    if not live or source is None:
        return ()
    sentences: list[str] = []
    view = next((view for view in route.coverage if view.source == target), None)
    if view is not None:
        sentences += _coverage_words(view)
    if source.carries is not None:
        other = _others(source, route, snapshot)
        beyond = live + other - source.carries
        if beyond > 0:
            most = f"{source.carries:,} instruments in all"
            sentences.append(Against(f"Its connections carry {most}: {beyond:,} would be left out."))
    if source.polls is not None:
        sentences.append(Against(poll_words(source, live)))
    return tuple(sentences)


def _coverage_words(view: CoverageView) -> list[str]:
    name, total = view.source, view.has + view.lacks + view.untried
    words: list[str] = []
    if not view.has and not view.lacks:
        words.append(Against(f"{name} has streamed none of them yet: whether it has them is not known."))
    elif view.untried:
        words.append(
            f"{name} is known to have {view.has:,} of them; {view.untried:,} were never tried there."
        )
    elif not view.lacks:
        words.append(f"{name} has {'all of them' if total > 1 else 'it'}.")
    else:
        words.append(f"{name} has {view.has:,} of them.")
    if view.lacks:
        words.append(Against(f"{view.lacks:,} would be lost: {listed(view.lacking, of=view.lacks)}."))
    return words


def poll_words(source: SourceView, live: int) -> str:
    """What it means that polls stand in for a stream."""
    polls = source.polls
    if polls is None or polls.pace_s is None:
        return f"{source.name} has no stream, and its polls of today are used."
    rounds = -(-live // polls.at_once)
    each = f"each is seen every {about(rounds * polls.pace_s)}" if rounds > 1 else "no more often"
    return (
        f"{source.name} has no stream: it is polled every {duration(round(polls.pace_s, 1))} "
        f"for {count(polls.at_once, 'instrument')}, {each}."
    )


def _others(source: SourceView, route: RouteView, snapshot: Snapshot) -> int:
    """Instruments that it delivers for other routes already."""
    return sum(
        other.instruments
        for other in snapshot.routes
        if other.key != route.key and other.active == source.name
    )


def charges(routes: tuple[RouteView, ...], target: str, snapshot: Snapshot) -> tuple[str, ...]:
    """What moving routes, all of one active source, to a target changes in money and in plans."""
    to = snapshot.source(target)
    if to is None or not routes:
        return ()
    before = snapshot.source(routes[0].active or "")
    added = sum(_calls_per_hour(route, to) for route in routes)
    taken = sum(_calls_per_hour(route, before) for route in routes) if before is not None else 0.0
    return (
        *_money(before, to, taken, added, asks=any(route.capability != "ticks" for route in routes)),
        *_plans(to, added, snapshot.at),
        *_spared(before, taken),
        *_narrow(routes, to),
    )


def _calls_per_hour(route: RouteView, source: SourceView) -> float:
    """Requests that a route means for a source, as lately: streams take none."""
    if route.capability != "ticks":
        return route.calls_per_hour
    polls = source.polls
    return _HOUR_S / polls.pace_s if polls is not None and polls.pace_s and route.instruments else 0.0


def _money(
    before: SourceView | None, to: SourceView, taken: float, added: float, *, asks: bool
) -> tuple[str, ...]:
    was, will = _per_call(before), _per_call(to)
    if not was and not will:
        return ("It costs nothing more.",)
    if not taken and not added:
        if not asks:
            return ("It costs nothing more: streams are not charged by the call.",)
        return (f"A call costs {_price(to)} at {to.name}{_instead(before)}; none is asked at present.",)
    pace = f"at the present {count(max(taken, added), 'call')} per hour"
    spent, saved = will * Decimal(added), was * Decimal(taken)
    currency = to.price.currency if to.price is not None else ""
    if before is not None and before.price is not None and was:
        if currency and will and before.price.currency != currency:
            instead = f"in place of {amount(saved)} {before.price.currency}"
            return (f"It costs {amount(spent)} {currency} per hour {instead}, {pace}.",)
        currency = before.price.currency
    difference = spent - saved
    if not difference:
        return ("It costs as much as now.",)
    more = "more" if difference > 0 else "less"
    prices = f"{_price(to)} a call at {to.name}{_instead(before)}"
    return (f"It costs {amount(abs(difference))} {currency} per hour {more}, {pace} ({prices}).",)


def _instead(before: SourceView | None) -> str:
    return "" if before is None else f", {_price(before)} at {before.name}"


def _per_call(source: SourceView | None) -> Decimal:
    return Decimal(source.price.per_call) if source is not None and source.price is not None else Decimal(0)


def _price(source: SourceView) -> str:
    return (
        f"{source.price.per_call} {source.price.currency}"
        if _per_call(source) and source.price
        else "nothing"
    )


def _plans(source: SourceView, added: float, at: float) -> tuple[str, ...]:
    return tuple(_plan(source.name, meter, added, at) for meter in source.meters if meter.limit)


def _plan(name: str, meter: MeterView, added: float, at: float) -> str:
    assert meter.limit is not None
    period = "today" if meter.period == "day" else f"this {meter.period}"
    left = max(0.0, meter.limit - meter.used)
    back = about(max(0.0, (meter.resets_at or at) - at))
    share = 100 - percent(meter.used, meter.limit)
    if not left:
        none = f"{name} has none of its {meter.limit:,.0f} {meter.meter} left {period}"
        return Against(f"{none}." if meter.resets_at is None else f"{none}; they come back in {back}.")
    has = f"{name} has {left:,.0f} of its {meter.limit:,.0f} {meter.meter} left {period} ({share} %)"
    rest_s = None if meter.resets_at is None else max(0.0, meter.resets_at - at)
    own = 0.0
    if rest_s and meter.forecast is not None:
        own = max(0.0, meter.forecast - meter.used) * _HOUR_S / rest_s
    if not added:
        return f"{has}."
    lasts_s = left / (own + added) * _HOUR_S
    if rest_s is not None and lasts_s >= rest_s:
        return f"{has}: enough until it begins anew in {about(rest_s)}."
    anew = "" if rest_s is None else f", and begins anew in {about(rest_s)}"
    return Against(f"{has}: at the present pace that is spent in {about(lasts_s)}{anew}.")


def _spared(before: SourceView | None, taken: float) -> tuple[str, ...]:
    if before is None or not taken or not any(meter.limit for meter in before.meters):
        return ()
    return (f"{before.name}'s plan is spared {count(taken, 'call')} per hour.",)


def _narrow(routes: tuple[RouteView, ...], to: SourceView) -> tuple[str, ...]:
    """Where the target's rate limit lets less through than the routes ask for."""
    needs: dict[str, float] = {}
    for route in routes:
        view = _view(to, route.capability)
        if view is not None:
            needs[view.group] = needs.get(view.group, 0.0) + _calls_per_hour(route, to)
    sentences: list[str] = []
    for limiter in to.limiters:
        most = limiter.limit * limiter.rate_factor * _HOUR_S / limiter.window_s
        need = needs.get(limiter.group, 0.0)
        if need > most:
            limit = f"{to.name}'s limit of {limiter.limit:,} per {window(limiter.window_s)}"
            through = f"lets {most:,.0f} calls per hour through, fewer than the present {need:,.0f}"
            sentences.append(Against(f"{limit} {through}."))
    return tuple(sentences)


def headroom(source: SourceView, at: float) -> tuple[str, ...]:
    """What is left of its plans."""
    return _plans(source, 0.0, at)


def _view(source: SourceView, capability: str) -> CapabilityView | None:
    return next((view for view in source.capabilities if view.capability == capability), None)


def _breaker_words(breaker: BreakerView) -> str:
    if breaker.state == "open" and breaker.retry_in_s > 0:
        return f"open, next probe in {duration(breaker.retry_in_s)}"
    return breaker.state
