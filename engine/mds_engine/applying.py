"""The word to take what the configuration file says: read, checked, and applied whole or not at all."""

import asyncio
from collections.abc import Callable

from mds_engine.config.difference import Difference
from mds_engine.config.file import ConfigFile, InForce
from mds_engine.config.load import LoadedConfig
from mds_engine.config.problems import InvalidConfigError
from mds_engine.config.schema import Config
from mds_engine.control import events
from mds_engine.control.commands import ApplyConfig, CommandResult
from mds_engine.control.events import Event
from mds_engine.errors import InvalidRequest
from mds_engine.reconfiguring import Reconfiguring


class Applying:
    """One at a time: what comes meanwhile waits, and is judged by what is in force then."""

    def __init__(
        self,
        reconfiguring: Reconfiguring,
        *,
        in_force: Callable[[], Config],
        rehearsing: Callable[[], bool],
        emit: Callable[[Event], None],
        file: ConfigFile | None,
    ) -> None:
        """`file` is None where the engine was not configured from one."""
        self._reconfiguring = reconfiguring
        self._in_force = in_force
        self._rehearsing = rehearsing
        self._emit = emit
        self._file = file
        self._turn = asyncio.Lock()

    async def apply(self, command: ApplyConfig) -> CommandResult:
        """What the file says now. Raises InvalidRequest or ConfigError; then nothing has changed."""
        file = self._file
        if file is None:
            raise InvalidRequest("this engine has no configuration file")
        async with self._turn:
            written = await asyncio.to_thread(file.read)
            if command.digest not in ("", written.digest):
                raise InvalidRequest(f"{file.path.name} has changed since it was looked at; look again")
            loaded = await asyncio.to_thread(_parsed, file, written.text)
            changes = await self._take(loaded.config, by=command.by)
            file.in_force = InForce(loaded, written)
        return CommandResult(accepted=True, message=f"configuration applied: {changes.summary}")

    async def take(self, config: Config, *, by: str) -> Difference:
        """A configuration that comes from no file. Raises ConfigError; then nothing has changed."""
        async with self._turn:
            return await self._take(config, by=by)

    async def _take(self, config: Config, *, by: str) -> Difference:
        if self._rehearsing():
            raise InvalidRequest("a drill is under way; end it first")
        changes = await self._reconfiguring.take(self._in_force(), config)
        self._emit(events.ConfigApplied(by=by, what=changes.summary))
        return changes


def _parsed(file: ConfigFile, text: str) -> LoadedConfig:
    try:
        return file.parse(text)
    except InvalidConfigError as error:
        first, *others = error.problems
        more = f"; and {len(others)} more" if others else ""
        raise InvalidRequest(f"not applied: {first}{more}") from None
