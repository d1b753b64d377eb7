"""Fixtures for the engine: a loop whose hours pass in no time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


class VirtualClock:
    """A `Clock` on a virtual loop: wall and monotonic time run together, from a fixed start."""

    START_WALL = 1_750_000_000.0

    def __init__(self, loop: "VirtualTimeLoop") -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return self.START_WALL + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time on to when something is due."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("the virtual loop waits for something that nobody will do")
            self.loop.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer whenever nothing is ready."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._virtual_now = 0.0
        super().__init__(selector)
        self.clock = VirtualClock(self)

    def time(self) -> float:
        return self._virtual_now

    def advance(self, seconds: float) -> None:
        self._virtual_now += max(seconds, self._clock_resolution) if seconds > 0 else 0.0


@pytest.fixture
def virtually() -> Callable[[Callable[[VirtualClock], Coroutine[Any, Any, Any]]], Any]:
    """Run `async def scene(clock)` on a virtual loop, and return what it returns."""

    def run(scene: Callable[[VirtualClock], Coroutine[Any, Any, Any]]) -> Any:
        loop = VirtualTimeLoop()
        try:
            return loop.run_until_complete(scene(loop.clock))
        finally:
            loop.close()

    return run
