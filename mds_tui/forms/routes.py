"""Forms about routes."""

from mds_engine.control import Command, Snapshot
from mds_engine.control.commands import FailOver, Pin, Unpin

from mds_tui.forms.form import HOLDS, Field, Option, Values


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
