"""Settings of live streams. They live in `config`, which may not import `streams`."""

from mds_engine.config.stream_settings import StreamSettings

__all__ = ["StreamSettings"]
