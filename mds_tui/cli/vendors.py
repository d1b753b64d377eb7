"""The vendors that are installed, ours and third parties', each imported when it is first needed."""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_engine.sources.contract import SourcePlugin

GROUP = "mds_engine.sources"
"""The entry-point group that a vendor's package registers in."""


class InstalledVendors(Mapping[str, "SourcePlugin"]):
    """Plugins by kind."""

    def __init__(self) -> None:
        self._entries: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=GROUP)}
        self._loaded: dict[str, SourcePlugin] = {}

    def __getitem__(self, kind: str) -> "SourcePlugin":
        """The plugin of a kind. Raises KeyError if there is none, ConfigError if it cannot be imported."""
        if kind not in self._loaded:
            self._loaded[kind] = _load(self._entries[kind])
        return self._loaded[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _load(entry: EntryPoint) -> "SourcePlugin":
    from mds_engine.errors import ConfigError
    from mds_engine.sources.contract import SourcePlugin

    try:
        plugin = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the vendor {entry.name!r} ({entry.value}) cannot be imported: {error}; "
            "repair or remove its package"
        ) from error
    if not isinstance(plugin, SourcePlugin):
        raise ConfigError(f"the vendor {entry.name!r} ({entry.value}) is no SourcePlugin; remove its package")
    return plugin
