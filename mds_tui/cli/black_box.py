"""The console's black box: the last minutes of raw frames, kept in files."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mds_engine.config.schema import Config
    from mds_engine.engine import Engine
    from mds_engine.recording.recorder import Recorder
    from mds_engine.sources.contract import SourcePlugin


class BlackBox:
    """Records what a console's engine streams, if `[recording]` says so."""

    def __init__(self) -> None:
        self._recorder: Recorder | None = None

    def engine(
        self, config: "Config", plugins: "Mapping[str, SourcePlugin]", *, seed: int | None = None
    ) -> "Engine":
        """An engine that is recorded from its first frame on. For the engine's thread: it imports a lot."""
        from mds_engine.engine import Engine
        from mds_engine.recording.recorder import black_box

        engine = Engine(config, plugins, seed=seed)
        self._recorder = black_box(config.recording, config.engine.name)
        if self._recorder is not None:
            self._recorder.attach(config.engine.name, engine.sources.values())
        return engine

    def close(self) -> None:
        """Write what waits. When the engine has stopped."""
        if self._recorder is not None:
            self._recorder.close()
