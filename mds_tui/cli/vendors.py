"""The vendors that are installed, ours and third parties', each imported when it is first needed."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from mds_engine.errors import ConfigError
from mds_engine.sources.contract import SourcePlugin
from mds_engine.sources.plugins import GROUP, find_plugins


class InstalledVendors(Mapping[str, SourcePlugin]):
    """Plugins by kind. A verb that uses one vendor does not wait for the others."""

    def __init__(self) -> None:
        self._kinds = sorted({entry.name for entry in entry_points(group=GROUP)})
        self._loaded: dict[str, SourcePlugin] = {}

    def __getitem__(self, kind: str) -> SourcePlugin:
        """The plugin of a kind. Raises KeyError if there is none, ConfigError if it cannot be used."""
        if kind not in self._kinds:
            raise KeyError(kind)
        if kind not in self._loaded:
            found = find_plugins([kind])
            for failure in found.failures:
                raise ConfigError(f"the vendor {failure.name!r} cannot be used: {failure.reason}")
            self._loaded.update(found)
        return self._loaded[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
