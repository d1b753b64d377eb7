"""What each dialog asks and which command its answers make. Pure: no widget in sight."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from mds_engine.control import Command, Snapshot
from mds_engine.control.commands import (
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    ResetBreaker,
    Unpin,
)

Values = Mapping[str, str]


class Option(NamedTuple):
    """One possible answer."""

    value: str
    label: str


class Field(NamedTuple):
    """One question."""

    name: str
    options: tuple[Option, ...]


class Form(Protocol):
    """One dialog."""

    title: str
    verb: str
    """On the button that does it."""
    names: tuple[str, ...]
    """Every field that it may ask, in order."""
    initial: Values

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """What to ask, given the answers so far."""
        ...

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """What the answers mean."""
        ...


HOLDS = (
    Option("900", "15 min"),
    Option("300", "5 min"),
    Option("3600", "1 h"),
    Option("", "until ended"),
)
"""Times to live of an override; the first is the default."""


def answers(form: Form, values: Values, snapshot: Snapshot) -> dict[str, str]:
    """Values with every field set to one of its options; what is not asked any more is dropped."""
    settled = dict(values)
    for _ in form.names:
        fields = form.fields(settled, snapshot)
        following = {
            field.name: settled[field.name]
            if any(option.value == settled.get(field.name) for option in field.options)
            else field.options[0].value
            for field in fields
            if field.options
        }
        if following == settled:
            break
        settled = following
    return settled


class FailOverForm:
    """Move a route once, or hold it on one source for a while."""

    title = "fail over or force"
    verb = "do it"
    names: tuple[str, ...] = ("route", "how", "to", "for")

    def __init__(self, routes: tuple[str, ...], *, how: str = "fail over", to: str = "") -> None:
        self.routes = routes
        self.initial: Values = {"route": routes[0], "how": how, "to": to}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """Target from the route's sources; a time to live only where it is held."""
        key = values.get("route", self.routes[0])
        route = snapshot.route(key)
        names = route.sources if route is not None else ()
        active = route.active if route is not None else None
        following = route.next_source if route is not None else None
        asked = [
            Field("route", tuple(Option(name, name) for name in self.routes)),
            Field("how", (Option("fail over", "fail over, back by itself"), Option("force", "force"))),
        ]
        if values.get("how") == "force":
            likely = sorted(names, key=lambda name: (name == active, name != following))
            asked.append(Field("to", tuple(Option(name, name) for name in likely)))
            asked.append(Field("for", HOLDS))
        else:
            next_label = f"next ({following})" if following else "next"
            others = tuple(Option(name, name) for name in names if name != active)
            asked.append(Field("to", (Option("", next_label), *others)))
        return tuple(asked)

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`FailOver` or `Pin`."""
        if values["how"] == "force":
            held_s = float(values["for"]) if values.get("for") else None
            return Pin(route=values["route"], source=values.get("to", ""), ttl_s=held_s, by=by, why=why)
        return FailOver(route=values["route"], to=values.get("to") or None, by=by, why=why)


class AutomaticForm:
    """Give a forced route back."""

    title = "back to automatic"
    verb = "give back"
    names: tuple[str, ...] = ("route",)

    def __init__(self, routes: tuple[str, ...]) -> None:
        self.routes = routes
        self.initial: Values = {"route": routes[0]}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:  # noqa: ARG002
        """Which of the forced routes."""
        return (Field("route", tuple(Option(name, name) for name in self.routes)),)

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`Unpin`."""
        return Unpin(route=values["route"], by=by, why=why)


class ResetForm:
    """Close breakers."""

    title = "reset breaker"
    verb = "reset"
    names: tuple[str, ...] = ("source", "breaker")

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        self.initial: Values = {"source": sources[0]}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """All breakers, or one."""
        return (_source_field(self.sources), _breaker_field(values, snapshot))

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`ResetBreaker`."""
        return ResetBreaker(source=values["source"], capability=values.get("breaker") or None, by=by, why=why)


class ForceBreakerForm:
    """Hold breakers open or closed."""

    title = "force breaker"
    verb = "force"
    names: tuple[str, ...] = ("source", "breaker", "to", "for")

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        self.initial: Values = {"source": sources[0]}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """Which, what, and for how long where it is held."""
        asked = [
            _source_field(self.sources),
            _breaker_field(values, snapshot),
            Field("to", tuple(Option(state.value, state.value) for state in ForcedState)),
        ]
        if values.get("to") != ForcedState.AUTOMATIC:
            asked.append(Field("for", HOLDS))
        return tuple(asked)

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`ForceBreaker`."""
        return ForceBreaker(
            source=values["source"],
            capability=values.get("breaker") or None,
            state=ForcedState(values["to"]),
            ttl_s=float(values["for"]) if values.get("for") else None,
            by=by,
            why=why,
        )


class EnableForm:
    """Take a source into service or out of it."""

    title = "enable or disable"
    verb = "do it"
    names: tuple[str, ...] = ("source", "set")

    def __init__(self, sources: tuple[str, ...], *, enabled: bool) -> None:
        self.sources = sources
        self.initial: Values = {"source": sources[0], "set": "enabled" if enabled else "disabled"}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:  # noqa: ARG002
        """Which, and what it shall be."""
        return (
            _source_field(self.sources),
            Field("set", (Option("disabled", "out of service"), Option("enabled", "in service"))),
        )

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`EnableSource`."""
        return EnableSource(source=values["source"], enabled=values["set"] == "enabled", by=by, why=why)


def _source_field(sources: tuple[str, ...]) -> Field:
    return Field("source", tuple(Option(name, name) for name in sources))


def _breaker_field(values: Values, snapshot: Snapshot) -> Field:
    source = snapshot.source(values.get("source", ""))
    views = source.capabilities if source is not None else ()
    return Field(
        "breaker", (Option("", "all"), *(Option(view.capability, view.capability) for view in views))
    )
