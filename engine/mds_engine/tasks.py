"""The tasks of one engine: named, owned, and ended with it. A defect of one is the engine's."""

import asyncio
from collections.abc import Coroutine

from mds_engine.log import get_logger

_log = get_logger(__name__)


class Tasks:
    """Belongs to one event loop, from `begin` on."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._broken: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """From now on tasks can be owned."""
        self._broken = asyncio.get_running_loop().create_future()

    def own(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Begin a task."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    async def end(self) -> bool:
        """Cancel all and wait for them. False if there was none."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return bool(tasks)

    async def wait_broken(self) -> None:
        """Wait for a defect: ends only by raising it, or by cancellation."""
        assert self._broken is not None, "the engine was not started"
        await self._broken

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task in self._tasks:
            self._tasks.remove(task)  # one for each watched instrument would add up
        if task.cancelled() or task.exception() is None or self._broken is None or self._broken.done():
            return
        error = task.exception()
        assert error is not None
        _log.error("engine_task_died", exc_info=error)
        self._broken.set_exception(error)
        self._broken.exception()  # it is in the log, whether anybody waits for it or not
