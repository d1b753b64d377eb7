"""Forms about sources and their breakers."""

from mds_engine.control import Command, Snapshot
from mds_engine.control.commands import EnableSource, ForceBreaker, ForcedState, ResetBreaker, RestartSource

from mds_tui.forms.form import HOLDS, Field, Option, Values


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


class RestartForm:
    """Close a source and connect it anew."""

    title = "restart source"
    verb = "restart"
    names: tuple[str, ...] = ("source",)

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        self.initial: Values = {"source": sources[0]}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:  # noqa: ARG002
        """Which."""
        return (_source_field(self.sources),)

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`RestartSource`."""
        return RestartSource(source=values["source"], by=by, why=why)


def _source_field(sources: tuple[str, ...]) -> Field:
    return Field("source", tuple(Option(name, name) for name in sources))


def _breaker_field(values: Values, snapshot: Snapshot) -> Field:
    source = snapshot.source(values.get("source", ""))
    views = source.capabilities if source is not None else ()
    return Field(
        "breaker", (Option("", "all"), *(Option(view.capability, view.capability) for view in views))
    )
