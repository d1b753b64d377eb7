"""Which vendors are installed: ours, and those of third parties."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.sources.contract import SourcePlugin

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "mds_engine.sources"
"""The entry-point group under which a vendor's package registers its `SourcePlugin`."""

OURS: Mapping[str, str] = MappingProxyType(
    {
        "alphavantage": "mds_engine.sources.alphavantage",
        "binance": "mds_engine.sources.binance",
        "kite": "mds_engine.sources.kite",
        "yahoo": "mds_engine.sources.yahoo",
    }
)
"""Our vendors' packages by kind, as they are registered. One that is not here is found as a stranger's is."""


class PluginFailure(NamedTuple):
    """A vendor that is installed but cannot be used."""

    name: str
    reason: str


class Plugins(dict[str, SourcePlugin]):
    """What was found, by kind; `failures` holds what could not be loaded."""

    failures: tuple[PluginFailure, ...] = ()


def our_plugin(kind: str) -> SourcePlugin:
    """The plugin of a kind of ours, without a look at what else is installed. Raises KeyError."""
    plugin = import_module(OURS[kind]).plugin
    assert isinstance(plugin, SourcePlugin)
    return plugin


def installed_kinds() -> Sequence[str]:
    """Every kind that some installed package claims, sorted."""
    # Reading what is installed takes a tenth of the time in which a Textual app paints.
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_plugins(kinds: Iterable[str] | None = None) -> Plugins:
    """Load the plugins of all vendors, or of those that are named in `kinds`.

    Loading one imports its package's surface only: no vendor's SDK. A package
    that fails to import, or registers something else, is reported among the
    failures and keeps nobody from working. Where two packages claim a name,
    neither is guessed at: both are reported.
    """
    from importlib.metadata import entry_points

    wanted = None if kinds is None else frozenset(kinds)
    found = Plugins()
    failures: list[PluginFailure] = []
    by_name: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        if wanted is None or entry.name in wanted:
            claims = by_name.setdefault(entry.name, [])
            # One distribution may be seen twice on the path (an editable install and its source).
            if all(entry.value != other.value for other in claims):
                claims.append(entry)
    for name, claims in sorted(by_name.items()):
        if len(claims) > 1:
            rivals = ", ".join(entry.value for entry in claims)
            failures.append(PluginFailure(name, f"several packages claim this kind: {rivals}"))
            continue
        outcome = _load(claims[0])
        if isinstance(outcome, PluginFailure):
            failures.append(outcome)
        else:
            found[name] = outcome
    found.failures = tuple(failures)
    return found


def _load(entry: "EntryPoint") -> SourcePlugin | PluginFailure:
    try:
        plugin = entry.load()
    except Exception as error:  # noqa: BLE001 (whatever a stranger's import raises, the others must work)
        return PluginFailure(entry.name, f"{entry.value} cannot be imported: {type(error).__name__}: {error}")
    if not isinstance(plugin, SourcePlugin):
        return PluginFailure(entry.name, f"{entry.value} is a {type(plugin).__name__}, not a SourcePlugin")
    if plugin.kind != entry.name:
        return PluginFailure(
            entry.name, f"{entry.value} calls itself {plugin.kind!r}, but is registered as {entry.name!r}"
        )
    return plugin
