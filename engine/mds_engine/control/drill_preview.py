"""What a drill will do, in sentences, from a snapshot alone."""

from mds_engine.control.commands import EndDrill, StartDrill
from mds_engine.control.drill import SCENARIOS, DrillPhase, DrillScenario, scenario_named
from mds_engine.control.snapshot import RouteView, Snapshot, SourceState, SourceView

_OUT = frozenset({SourceState.OUT, SourceState.DISABLED, SourceState.LOGIN})


def preview_drill(command: StartDrill | EndDrill, snapshot: Snapshot) -> tuple[str, ...]:
    """What its beginning, or its end, will bring."""
    return _start(command, snapshot) if isinstance(command, StartDrill) else _end(snapshot)


def _start(command: StartDrill, snapshot: Snapshot) -> tuple[str, ...]:
    scenario = scenario_named(command.scenario)
    if scenario is None:
        known = ", ".join(one.name for one in SCENARIOS)
        return (f"There is no drill {command.scenario!r}; known are {known}.",)
    name = target_of(command.target, snapshot)
    source = None if name is None else snapshot.source(name)
    if source is None:
        return (f"There is no source or served route {command.target!r}.",)
    refused = _refused(source, snapshot)
    if refused:
        return refused
    hit = routes_hit(scenario, source, snapshot)
    if not hit:
        return (f"{source.name} serves nothing that {scenario.name!r} could hit.",)
    seconds = f"{command.duration_s:g} s"
    return (
        f"For {seconds} the engine sees of {source.name}: {scenario.about}.",
        *_routes(scenario, source, hit, snapshot, accepted=command.accept_loss),
        *_prices(scenario),
        _where(scenario, source),
        "It ends by itself, or when you say so; what it broke is then watched until it is well.",
    )


def _end(snapshot: Snapshot) -> tuple[str, ...]:
    drill = snapshot.drill
    if drill is None:
        return ("No drill is under way.",)
    if drill.phase is DrillPhase.FAULT:
        return (f"The fault of {drill.target} ends at once; its recovery is watched, then judged.",)
    return (f"The recovery of {drill.target} is watched no longer; what is still broken is reset.",)


def target_of(target: str, snapshot: Snapshot) -> str | None:
    """The source that a target means: itself, or who serves the route now."""
    route = snapshot.route(target)
    return (route.pinned or route.active) if route is not None else target


def routes_hit(scenario: DrillScenario, source: SourceView, snapshot: Snapshot) -> tuple[RouteView, ...]:
    """The routes that have the source and are of a kind that the scenario hits."""
    polled = source.polls is not None
    return tuple(
        route
        for route in snapshot.routes
        if source.name in route.sources and scenario.hits(route.capability, polled=polled)
    )


def at_risk(route: RouteView, source: str) -> bool:
    """Whether the source serves the route, and no other could take over."""
    if route.pinned is not None:
        return route.pinned == source
    return route.active == source and route.next_source is None


def _refused(source: SourceView, snapshot: Snapshot) -> tuple[str, ...]:
    if snapshot.drill is not None:
        drill = snapshot.drill
        return (f"The drill {drill.scenario} of {drill.target} is under way: one at a time.",)
    if source.state in _OUT:
        return (f"{source.name} is out already: {source.why}.".replace("..", "."),)
    return ()


def _routes(
    scenario: DrillScenario,
    source: SourceView,
    hit: tuple[RouteView, ...],
    snapshot: Snapshot,
    *,
    accepted: bool,
) -> tuple[str, ...]:
    lost = [route for route in hit if at_risk(route, source.name)]
    moved = [route for route in hit if route.active == source.name and route not in lost]
    effect = "would get wrong prices unnoticed" if scenario.bends_prices else "would be down"
    sentences = []
    for forced in (True, False):
        names = [_with_instruments(route) for route in lost if (route.pinned is not None) is forced]
        why = f"forced onto {source.name}" if forced else "no other source can take over"
        if names:
            sentences.append(f"{_together(names)} {effect}: {why}.")
    if lost and not accepted:
        sentences.append("It is refused for that, unless you accept the loss.")
    if scenario.bends_prices:
        return tuple(sentences)
    for following in dict.fromkeys(route.next_source for route in moved):
        names = [_with_instruments(route) for route in moved if route.next_source == following]
        sentences.append(f"{_together(names)} should move to {following}.")
        sentences += _plan(following, snapshot)
    if not lost and not moved:
        sentences.append("It serves no route now: only its checks and what stands by are hit.")
    return tuple(sentences)


def _plan(name: str | None, snapshot: Snapshot) -> tuple[str, ...]:
    """What another source's plan has left for the calls that will really be sent to it."""
    source = None if name is None else snapshot.source(name)
    return tuple(
        f"What moves there is really sent: {name} has {max(0, round(meter.limit - meter.used)):,} of its "
        f"{meter.limit:,.0f} {meter.meter} left this {meter.period}."
        for meter in (() if source is None else source.meters)
        if meter.limit
    )


def _prices(scenario: DrillScenario) -> tuple[str, ...]:
    if not scenario.bends_prices:
        return ()
    return (
        "Readers of its ticks get prices that are not the market's until the fault is found.",
        "Each tick with such a price bears the flag SUSPECT.",
    )


def _where(scenario: DrillScenario, source: SourceView) -> str:
    ours = "The fault is made on our side of the connection"
    if source.simulated:
        return f"{ours}; the simulated vendor is left alone."
    if scenario.closes_streams:
        return (
            f"{ours}: {source.kind} sees only that we close its live streams and open them again afterwards."
        )
    return f"{ours}; {source.kind} sees nothing of it."


def _with_instruments(route: RouteView) -> str:
    return f"{route.key} ({_instruments(route)})" if route.instruments else route.key


def _together(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _instruments(route: RouteView) -> str:
    return f"{route.instruments:,} live instrument{'' if route.instruments == 1 else 's'}"
