"""A clock that no test waits for, and what a vendor's streams told by it since a fault."""

import asyncio
from collections.abc import Callable
from typing import Any

from mds_engine.simulator.faults import Fault
from mds_engine.simulator.server import Simulator

PATIENCE_S = 60
"""A test that waits for what never comes fails instead of hanging."""


class RushingClock:
    """Sleeping takes no time, and advances it."""

    def __init__(self, begins_at: float = 1_700_000_000.2) -> None:
        self.begins_at = begins_at
        self.elapsed = 0.0

    def now(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        return self.begins_at + self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds
        await asyncio.sleep(0)


async def since(simulator: Simulator, vendor: str, fault: Fault, arrive: Callable[[], Any]) -> list[float]:
    """The prices that a vendor's streams told since a fault; `arrive` waits for some to arrive."""
    active = await simulator.inject(vendor, fault)
    pushes = simulator.vendor(vendor).pushes
    while len(pushes.entries(start=active.injected_at)) < 60:
        await arrive()
    return [push.told.price for push in pushes.entries(start=active.injected_at + 0.1)]
