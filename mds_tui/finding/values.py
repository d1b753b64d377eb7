"""What an argument of a command may be, from what the engine shows just now. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mds_engine.control import Snapshot
from mds_engine.control.commands import ForcedState
from mds_engine.control.drill import SCENARIOS
from mds_engine.control.snapshot import RouteView, SourceView

from mds_tui.finding.verbs import Argument, Verb

Given = Mapping[str, Sequence[str]]
"""The words of the line that are complete, by argument."""


class Candidate(NamedTuple):
    """One thing that could stand there."""

    text: str
    about: str = ""


class Known(NamedTuple):
    """All that values are taken from."""

    snapshot: Snapshot
    words: Mapping[str, Callable[[], Iterable[Candidate]]] = {}
    """What the console itself knows, by the name that a tool's argument has, as `theme`."""


class Values(NamedTuple):
    """What there is to choose from."""

    candidates: tuple[Candidate, ...] = ()
    closed: bool = False
    """Whether nothing else can be meant."""
    noun: str = ""
    """What one of them is called: `there is no route …`."""


NONE = Candidate("none", "no value")
_TIMES = (
    Candidate("60", "1 min"),
    Candidate("300", "5 min"),
    Candidate("900", "15 min"),
    Candidate("3600", "1 h"),
)
_STATES = {
    ForcedState.OPEN: "nothing is sent",
    ForcedState.CLOSED: "calls go through, whatever happens",
    ForcedState.AUTOMATIC: "as its own outcomes say",
}
_ENABLED = {"true": "into service", "false": "out of it"}


def values_of(argument: Argument, verb: Verb, given: Given, known: Known) -> Values:
    """What may stand for an argument of `verb`, given the words before it."""
    if argument.name in known.words:
        return Values(tuple(known.words[argument.name]()))
    values = _looked_up(argument.name, verb, given, known.snapshot)
    if argument.choices:
        values = Values(tuple(_explained(argument, choice) for choice in argument.choices), closed=True)
    if argument.may_be_none:
        about = "until somebody ends it" if argument.name == "ttl_s" else NONE.about
        values = values._replace(candidates=(*values.candidates, NONE._replace(about=about)))
    return values


def _explained(argument: Argument, choice: str) -> Candidate:
    if argument.name == "enabled":
        return Candidate(choice, _ENABLED.get(choice, ""))
    return Candidate(choice, _STATES[ForcedState(choice)] if choice in set(ForcedState) else "")


def _looked_up(name: str, verb: Verb, given: Given, snapshot: Snapshot) -> Values:
    match name:
        case "route":
            return Values(tuple(_route(route) for route in snapshot.routes), bool(snapshot.routes), "route")
        case "source" | "sources" | "to" | "target":
            return _sources(name, verb, given, snapshot)
        case "capability":
            return _capabilities(given, snapshot)
        case "instruments" | "instrument":
            return _instruments(verb, given, snapshot)
        case "scenario":
            scenarios = tuple(Candidate(one.name, one.about) for one in SCENARIOS)
            return Values(scenarios, closed=True, noun="scenario")
        case "ttl_s" | "duration_s":
            return Values(_TIMES)
        case "limit" | "window_s" | "group":
            return _limits(name, given, snapshot)
        case _:
            return Values()


def _route(route: RouteView) -> Candidate:
    active = f"{route.active} answers" if route.active else "down"
    forced = f", forced to {route.pinned}" if route.pinned else ""
    return Candidate(route.key, f"{active}{forced}")


def _source(source: SourceView) -> Candidate:
    state = source.state.value
    return Candidate(source.name, f"{state}: {source.why}" if source.why else state)


def _sources(name: str, verb: Verb, given: Given, snapshot: Snapshot) -> Values:
    """Those of the route that was named; without one, all."""
    views: Sequence[SourceView] = snapshot.sources
    route = snapshot.route(_first(given, "route"))
    if route is not None:
        views = [view for key in route.sources if (view := snapshot.source(key)) is not None]
    moves = route is not None and verb.name == "fail-over"
    if route is not None and moves:
        views = [view for view in views if view.name != route.active]
    taken = set(given.get(name, ())) if name == "sources" else set()
    found = tuple(_source(view) for view in views if view.name not in taken)
    place = f"source of {route.key}" if route is not None else "source"
    return Values(found, bool(views), f"other {place}" if taken or moves else place)


def _capabilities(given: Given, snapshot: Snapshot) -> Values:
    source = snapshot.source(_first(given, "source"))
    views = (source,) if source is not None else snapshot.sources
    breakers = {view.capability: view.breaker.state for one in views for view in one.capabilities}
    found = tuple(Candidate(name, f"breaker {state}") for name, state in sorted(breakers.items()))
    noun = f"capability of {source.name}" if source is not None else "capability"
    return Values(found, bool(found), noun)


def _instruments(verb: Verb, given: Given, snapshot: Snapshot) -> Values:
    watched = [row.instrument for row in snapshot.watch if row.instrument not in given.get("instruments", ())]
    if verb.name == "subscribe":
        exchanges = dict.fromkeys(route.exchange for route in snapshot.routes if route.capability == "ticks")
        return Values(tuple(Candidate(f"{exchange}:", "then its symbol") for exchange in exchanges))
    return Values(tuple(Candidate(name, "watched") for name in watched), noun="watched instrument")


def _limits(name: str, given: Given, snapshot: Snapshot) -> Values:
    source = snapshot.source(_first(given, "source"))
    group = _first(given, "group")
    views = [view for view in source.limiters if group in ("", view.group)] if source is not None else []
    found: dict[str, str] = {}
    for view in views:
        rate = f"{view.limit} in {view.window_s:g} s"
        match name:
            case "limit":
                found[str(view.limit)] = f"as it is: {rate}"
            case "window_s":
                found[f"{view.window_s:g}"] = f"seconds, of {view.group}"
            case _:
                found[view.group] = rate
    return Values(tuple(Candidate(text, about) for text, about in found.items()))


def _first(given: Given, name: str) -> str:
    return next(iter(given.get(name, ())), "")
