"""A source is closed and connected anew, while everything that is known of it stays."""

import asyncio
from collections.abc import Mapping

from mds_engine.clock import Clock
from mds_engine.errors import InvalidRequest
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.sources.contract import SourcePlugin
from mds_engine.streams.hub import TickHub
from mds_engine.upkeep import Own, close_adapters

_BLOCK = "restart"
_LOOK_EVERY_S = 0.05
_STREAMS_END_WITHIN_S = 1.0
_CONNECTED_WITHIN_S = 5.0
"""What takes longer is told by its event."""


class Restarter:
    """Puts a fresh adapter in place of a source's old one.

    Its limiters, breakers, meters and blocks belong to the engine and stay: a
    vendor's limits hold over a restart as over any other minute.
    """

    def __init__(
        self,
        plugins: Mapping[str, SourcePlugin],
        hub: TickHub,
        clock: Clock,
        own: Own,
    ) -> None:
        self._plugins = plugins
        self._hub = hub
        self._clock = clock
        self._own = own

    async def restart(self, runtime: SourceRuntime) -> bool:
        """Let its calls end, close it and connect it. False if it is still connecting.

        Its routes go to others meanwhile, and come back as after any failover.
        Raises InvalidRequest where it cannot be restarted now.
        """
        if "disabled" in runtime.blocks:
            raise InvalidRequest(f"{runtime.name} is out of service: take it into service instead")
        if _BLOCK in runtime.blocks:
            raise InvalidRequest(f"{runtime.name} is being restarted already")
        runtime.block(_BLOCK, "it is being restarted")
        supervisor = self._hub.supervisors.get(runtime.name)
        try:
            if supervisor is not None:
                supervisor.wake()
            await self._until_quiet(runtime)
            if runtime.connecting is not None:
                runtime.connecting.cancel()
            await close_adapters((runtime,))
            runtime.source = self._plugins[runtime.settings.kind].create(runtime.settings, runtime)
            connecting = runtime.connecting = self._own(runtime.connect(), f"connect {runtime.name}")
        finally:
            runtime.unblock(_BLOCK)
            if supervisor is not None:
                supervisor.wake()
        await asyncio.wait((connecting,), timeout=_CONNECTED_WITHIN_S)
        return connecting.done()

    async def _until_quiet(self, runtime: SourceRuntime) -> None:
        """Until no call and no stream is left, at most as long as one call may take: what is cut off in the
        middle would count as the vendor's failure."""
        supervisor = self._hub.supervisors.get(runtime.name)
        until = self._clock.now() + max(runtime.timeout_s, _STREAMS_END_WITHIN_S)
        while self._clock.now() < until:
            if not runtime.seats.taken and (supervisor is None or not supervisor.connections):
                return
            await self._clock.sleep(_LOOK_EVERY_S)
