"""The vendors that are installed, ours and third parties', each imported when it is first needed."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from mds_engine.errors import ConfigError
from mds_engine.sources.contract import SourcePlugin
from mds_engine.sources.plugins import OURS, find_plugins, installed_kinds, our_plugin


class InstalledVendors(Mapping[str, SourcePlugin]):
    """Plugins by kind. A verb that uses one vendor does not wait for the others."""

    def __init__(self) -> None:
        self._loaded: dict[str, SourcePlugin] = {}

    @cached_property
    def _kinds(self) -> Sequence[str]:
        return installed_kinds()

    def __getitem__(self, kind: str) -> SourcePlugin:
        """The plugin of a kind. Raises KeyError if there is none, ConfigError if it cannot be used."""
        if kind not in self:
            raise KeyError(kind)
        if kind not in self._loaded:
            self._loaded[kind] = self._load(kind)
        return self._loaded[kind]

    def _load(self, kind: str) -> SourcePlugin:
        found = find_plugins([kind])
        for failure in found.failures:
            raise ConfigError(f"the vendor {failure.name!r} cannot be used: {failure.reason}")
        return found[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class OurVendorsFirst(InstalledVendors):
    """The same for who cannot wait: what is installed is looked up only for a kind that is not ours.

    A stranger that claims one of our kinds goes unseen here: whoever takes this
    must let an engine on `InstalledVendors` follow, which refuses the kind.
    """

    def _load(self, kind: str) -> SourcePlugin:
        return our_plugin(kind) if kind in OURS else super()._load(kind)

    def __contains__(self, kind: object) -> bool:
        return kind in OURS or super().__contains__(kind)
