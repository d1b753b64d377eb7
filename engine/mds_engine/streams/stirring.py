"""Waiting for something to happen, or for a time on the engine's clock, whichever comes first."""

import asyncio

from mds_engine.clock import Clock


class Stirring:
    """One task waits, anybody stirs it. What stirred before it waits is not lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """End the wait, or the next one."""
        self._stirred.set()

    async def wait(self, longest_s: float | None) -> None:
        """Return when stirred, or after `longest_s` seconds; None waits for ever."""
        if longest_s is None:
            await self._stirred.wait()
        elif not self._stirred.is_set():
            sleeping = asyncio.create_task(self._clock.sleep(longest_s))
            sleeping.add_done_callback(lambda _: self._stirred.set())
            try:
                await self._stirred.wait()
            finally:
                sleeping.cancel()
                await asyncio.gather(sleeping, return_exceptions=True)
        self._stirred.clear()
