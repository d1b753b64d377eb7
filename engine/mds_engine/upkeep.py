"""What runs for each source as long as it is there: its connecting, its care, its streams."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable

from mds_engine.log import get_logger
from mds_engine.logins import Logins
from mds_engine.routing.caretaker import Caretaker
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.streaming import Streaming

_log = get_logger(__name__)

_LOOK_AGAIN_S = 0.02

Own = Callable[[Coroutine[None, None, None], str], asyncio.Task[None]]
"""Begins a task that ends with the engine at the latest."""


class Upkeep:
    """Begins and ends it, source by source."""

    def __init__(self, own: Own, caretaker: Caretaker, streaming: Streaming, logins: Logins) -> None:
        self._own = own
        self._logins = logins
        self._caretaker = caretaker
        self._streaming = streaming
        self._tasks: dict[SourceRuntime, list[asyncio.Task[None]]] = {}
        self._connected: set[SourceRuntime] = set()

    def begin(self, runtime: SourceRuntime) -> None:
        """Connect a source unless something speaks against it, and keep it well; its streams follow."""
        name = runtime.name
        tasks = self._tasks[runtime] = []
        self.connect(runtime)
        tasks.append(self._own(self._caretaker.watch(runtime), f"care for {name}"))
        supervisor = self._streaming.supervisor(name)
        if supervisor is not None:
            tasks.append(self._own(supervisor.run(), f"stream of {name}"))

    def connect(self, runtime: SourceRuntime) -> None:
        """Make a source ready that was not: one out of service was left alone at its beginning."""
        if runtime in self._connected or runtime.refusal():
            return
        self._connected.add(runtime)
        runtime.connecting = self._own(self._logins.connect(runtime), f"connect {runtime.name}")
        self._tasks[runtime].append(runtime.connecting)

    async def end(self, runtimes: Iterable[SourceRuntime]) -> None:
        """End what runs for these, then give back what their adapters hold. Raises nothing of theirs."""
        leaving = tuple(runtimes)
        tasks = [task for runtime in leaving for task in self._tasks.pop(runtime, ())]
        self._connected.difference_update(leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(_until_idle(runtime) for runtime in leaving))
        await close_adapters(leaving)


async def _until_idle(runtime: SourceRuntime) -> None:
    """Let the calls in flight end, as long as one may take: they are nobody's fault."""
    until = runtime.clock.now() + runtime.timeout_s
    while runtime.seats.taken and runtime.clock.now() < until:
        await runtime.clock.sleep(_LOOK_AGAIN_S)


async def close_adapters(runtimes: Iterable[SourceRuntime]) -> None:
    """Give back what these sources' adapters hold; one that fails at it is named in the log."""
    leaving = tuple(runtimes)
    outcomes = await asyncio.gather(*(runtime.source.close() for runtime in leaving), return_exceptions=True)
    for runtime, outcome in zip(leaving, outcomes, strict=True):
        if isinstance(outcome, Exception):
            _log.warning("close_failed", source=runtime.name, error=str(outcome))
