"""Configurations that differ from another in one source."""

import msgspec
from mds_engine.config.schema import Config


def with_source(config: Config, name: str, **changes) -> Config:
    """The same with one source set otherwise."""
    changed = msgspec.structs.replace(config.sources[name], **changes)
    return msgspec.structs.replace(config, sources={**config.sources, name: changed})


def without(config: Config, name: str) -> Config:
    """The same without a source, on no route either."""
    exchanges = {
        exchange: msgspec.structs.replace(
            routes, sources=tuple(source for source in routes.sources if source != name)
        )
        for exchange, routes in config.exchanges.items()
    }
    sources = {source: settings for source, settings in config.sources.items() if source != name}
    return msgspec.structs.replace(config, sources=sources, exchanges=exchanges)
