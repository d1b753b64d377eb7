"""What differs between two configurations, as a running engine must take it: pure, and without a value in it.

Names of settings only: what is told of a difference goes to events, logs and
screens, where no secret may come.
"""

from collections.abc import Iterable, Mapping

import msgspec

from mds_engine.config.schema import Config
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control.route_key import RouteKey
from mds_engine.model.capability import Capability

_OF_THE_ENGINE = frozenset(
    {
        "enabled",
        "priority",
        "rate_limit",
        "rate_window_s",
        "calls_per_day",
        "pace_s",
        "cost_per_call",
        "cost_per_month",
        "currency",
    }
)
"""Settings of a source that its adapter never sees: the engine keeps to them itself."""
_AT_THE_NEXT_START = {
    "engine": frozenset({"name", "state_path", "log_path"}),
    "recording": None,
    "console": frozenset({"ascii", "fps", "read_only", "arming_token", "web_token"}),
}
"""Settings, all or some of a section, of what is opened once: files, names, the screen itself."""

Fields = tuple[str, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """From one configuration to another. Sources are in the order of the file, fields in the schema's."""

    new: tuple[str, ...] = ()
    """Sources that are connected for the first time."""
    gone: tuple[str, ...] = ()
    """Sources that are let go."""
    reconnected: Mapping[str, Fields] = {}
    """Sources whose connection is made anew, with the settings that ask for it."""
    adjusted: Mapping[str, Fields] = {}
    """Sources that stay connected, with the settings that change in place."""
    back: tuple[str, ...] = ()
    """Sources that come into service."""
    out: tuple[str, ...] = ()
    """Sources that stay configured, and go out of service."""
    routes: tuple[str, ...] = ()
    """Exchanges whose routes change."""
    sections: Mapping[str, Fields] = {}
    """All else that changes in place."""
    later: Fields = ()
    """What holds from the next start on, as `engine.state_path`."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(getattr(self, name) for name in self.__struct_fields__)

    @property
    def interrupts(self) -> bool:
        """Whether any connection ends by it."""
        return bool(self.gone or self.reconnected)

    def sentences(self) -> tuple[str, ...]:
        """One for each thing that changes."""
        said = [f"{name} is new and connects." for name in self.new]
        said += [f"{name} is let go: its connections end." for name in self.gone]
        said += [f"{name} reconnects: {_changed(fields)}." for name, fields in self.reconnected.items()]
        said += [f"{name} comes into service." for name in self.back]
        said += [f"{name} goes out of service: nothing is sent to it." for name in self.out]
        for name, fields in self.adjusted.items():
            others = tuple(field for field in fields if field != "enabled")
            said += [f"{name} stays connected: {_changed(others)} at once."] if others else []
        if self.routes:
            said.append(f"The routes of {_listed(self.routes)} change at once.")
        said += [f"[{name}] {_changed(fields)} at once." for name, fields in self.sections.items()]
        if self.later:
            said.append(f"{_listed(self.later)} {_holds(self.later)} from the next start on.")
        return tuple(said) or ("Nothing that the engine goes by changes.",)

    @property
    def summary(self) -> str:
        """The same on one line, for a log."""
        parts = [f"{name} is new" for name in self.new]
        parts += [f"{name} let go" for name in self.gone]
        parts += [f"{name} reconnects ({', '.join(fields)})" for name, fields in self.reconnected.items()]
        parts += [f"{name}: {', '.join(fields)}" for name, fields in self.adjusted.items()]
        parts += [f"routes of {', '.join(self.routes)}"] if self.routes else []
        parts += [f"{name}: {', '.join(fields)}" for name, fields in self.sections.items()]
        parts += [f"at the next start: {', '.join(self.later)}"] if self.later else []
        return "; ".join(parts) or "nothing changes"


def difference(before: Config, after: Config) -> Difference:
    """What has to be done to a running engine, from `before` to `after`."""
    reconnected: dict[str, Fields] = {}
    adjusted: dict[str, Fields] = {}
    for name, settings in after.sources.items():
        old = before.sources.get(name)
        if old is None:
            continue
        fields = _changed_fields(old, settings)
        if any(_reconnects(field, old, settings) for field in fields):
            reconnected[name] = fields
        elif fields:
            adjusted[name] = fields
    sections, later = _sections(before, after)
    turned = {
        name: settings.enabled
        for name, settings in after.sources.items()
        if name in before.sources and before.sources[name].enabled != settings.enabled
    }
    return Difference(
        new=tuple(name for name in after.sources if name not in before.sources),
        gone=tuple(name for name in before.sources if name not in after.sources),
        reconnected=reconnected,
        adjusted=adjusted,
        back=tuple(name for name, enabled in turned.items() if enabled),
        out=tuple(name for name, enabled in turned.items() if not enabled),
        routes=_routes(before, after),
        sections=sections,
        later=later,
    )


def _changed_fields(before: msgspec.Struct, after: msgspec.Struct) -> Fields:
    if type(before) is not type(after):
        return ("kind",)
    return tuple(name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name))


def _reconnects(field: str, before: SourceSettings, after: SourceSettings) -> bool:
    if field == "pace_s":
        # Polled or not, it is another source: there is a stream, or there is none.
        return (before.pace_s == 0) != (after.pace_s == 0)
    return field not in _OF_THE_ENGINE


def _routes(before: Config, after: Config) -> tuple[str, ...]:
    exchanges = dict.fromkeys((*after.exchanges, *before.exchanges))
    return tuple(
        exchange
        for exchange in exchanges
        if (exchange in before.exchanges) != (exchange in after.exchanges)
        or any(
            before.route(key) != after.route(key)
            for key in (RouteKey(capability, exchange) for capability in Capability)
        )
    )


def _sections(before: Config, after: Config) -> tuple[dict[str, Fields], Fields]:
    sections: dict[str, Fields] = {}
    later: list[str] = []
    for name in Config.__struct_fields__:
        if name in ("sources", "exchanges"):
            continue
        fields = _changed_fields(getattr(before, name), getattr(after, name))
        waiting = _AT_THE_NEXT_START.get(name, frozenset())
        later += [f"{name}.{field}" for field in fields if waiting is None or field in waiting]
        now = tuple(field for field in fields if waiting is not None and field not in waiting)
        if now:
            sections[name] = now
    return sections, tuple(later)


def _changed(fields: Fields) -> str:
    return f"{_listed(fields)} {'change' if len(fields) > 1 else 'changes'}"


def _holds(names: Fields) -> str:
    return "hold" if len(names) > 1 else "holds"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
