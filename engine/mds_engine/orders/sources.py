"""Commands about a source: in service or out of it, how much it may be sent, and whether it is well."""

from typing import Protocol

from mds_engine.clock import Clock
from mds_engine.control import commands
from mds_engine.control.commands import CommandResult
from mds_engine.errors import InvalidRequest, SourceError
from mds_engine.orders.finding import Finder
from mds_engine.routing.source_runtime import SourceRuntime


class Checker(Protocol):
    """Runs an active health check."""

    async def check(self, runtime: SourceRuntime) -> None:
        """Raises a SourceError if the source is not well."""
        ...


class Restarts(Protocol):
    """Closes a source and connects it anew."""

    async def restart(self, runtime: SourceRuntime) -> bool:
        """False if it is still connecting. Raises InvalidRequest where it cannot be restarted."""
        ...


class SourceOrders:
    """Each raises InvalidRequest for what makes no sense."""

    def __init__(self, find: Finder, clock: Clock, checker: Checker, restarter: Restarts) -> None:
        self._find = find
        self._clock = clock
        self._checker = checker
        self._restarter = restarter

    def enable(self, command: commands.EnableSource) -> CommandResult:
        """Take it into service or out of it."""
        runtime = self._find.source(command.source)
        if command.enabled == ("disabled" not in runtime.blocks):
            state = "in service" if command.enabled else "out of service"
            raise InvalidRequest(f"{runtime.name} is {state} already")
        if command.enabled:
            runtime.unblock("disabled")
        else:
            runtime.block("disabled", "disabled" + (f": {command.why}" if command.why else ""))
        return CommandResult(
            accepted=True,
            message=f"{runtime.name} {'enabled' if command.enabled else 'disabled'}",
            reverse=commands.EnableSource(source=runtime.name, enabled=not command.enabled, by=command.by),
        )

    def set_rate_limit(self, command: commands.SetRateLimit) -> CommandResult:
        """Another limit of one window."""
        runtime = self._find.source(command.source)
        limiter = runtime.limiters.get(command.group)
        if limiter is None:
            known = ", ".join(runtime.limiters)
            raise InvalidRequest(f"{runtime.name} has no limit group {command.group!r}; known are {known}")
        if command.limit < 1:
            raise InvalidRequest("the limit must be at least 1; disable the source to send nothing")
        windows = {use.window_s: use.limit for use in limiter.used(self._clock.now())}
        if command.window_s not in windows:
            known = ", ".join(f"{window_s:g} s" for window_s in windows)
            raise InvalidRequest(
                f"{runtime.name} {command.group} has no window of {command.window_s:g} s; known are {known}"
            )
        limiter.set_limit(command.window_s, command.limit)
        return CommandResult(
            accepted=True,
            message=f"{runtime.name} {command.group}: {command.limit} in {command.window_s:g} s",
            reverse=commands.SetRateLimit(
                source=runtime.name,
                group=command.group,
                limit=windows[command.window_s],
                window_s=command.window_s,
                by=command.by,
            ),
        )

    async def check(self, command: commands.CheckHealth) -> CommandResult:
        """Find out whether it is well."""
        runtime = self._find.source(command.source)
        return CommandResult(accepted=True, message=f"{runtime.name} {await self._condition(runtime)}")

    async def restart(self, command: commands.RestartSource) -> CommandResult:
        """Close it, connect it anew, and find out whether it is well."""
        runtime = self._find.source(command.source)
        connected = await self._restarter.restart(runtime)
        condition = await self._condition(runtime) if connected else "is still connecting"
        return CommandResult(accepted=True, message=f"{runtime.name} was restarted and {condition}")

    async def _condition(self, runtime: SourceRuntime) -> str:
        try:
            await self._checker.check(runtime)
        except SourceError as error:
            return f"is not well: {error.message}"
        return "answers"
