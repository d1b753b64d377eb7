"""Which vendors are installed: ours, and those of third parties."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

from mds_engine.sources.contract import SourcePlugin

GROUP = "mds_engine.sources"
"""The entry-point group under which a vendor's package registers its `SourcePlugin`."""


class PluginFailure(NamedTuple):
    """A vendor that is installed but cannot be used."""

    name: str
    reason: str


class Plugins(dict[str, SourcePlugin]):
    """What was found, by kind; `failures` holds what could not be loaded."""

    failures: tuple[PluginFailure, ...] = ()


def find_plugins(kinds: Iterable[str] | None = None) -> Plugins:
    """Load the plugins of all vendors, or of those that are named in `kinds`.

    Loading one imports its package's surface only: no vendor's SDK. A package
    that fails to import, or registers something else, is reported among the
    failures and keeps nobody from working. Where two packages claim a name,
    neither is guessed at: both are reported.
    """
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


def _load(entry: EntryPoint) -> SourcePlugin | PluginFailure:
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
