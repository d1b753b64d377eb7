"""Tells while another process runs an engine on the same state: each counts its own calls, and no others."""

import asyncio
import os
from pathlib import Path

from mds_engine.clock import Clock
from mds_engine.store.occupancy import Occupancy

_LOOK_AGAIN_S = 5.0


class Sharing:
    """Looks whether the state file is another's, and waits until it is not."""

    def __init__(self, state: Path, clock: Clock) -> None:
        self.trouble = ""
        """One sentence for the operator; empty where the file is ours alone."""
        self._holder: int | None = None
        self._state = state
        self._clock = clock
        self._occupancy = Occupancy(state)

    async def look(self) -> None:
        """Take the file if nobody has it."""
        holder = self._holder = await asyncio.to_thread(self._occupancy.take)
        # An engine of this process that was broken off may hold it still: it sends nothing.
        if holder is None or holder == os.getpid():
            self.trouble = ""
            return
        who = f"process {holder}" if holder else "the other process"
        self.trouble = (
            f"end {who} or this one: both run an engine on {self._state.name}, and each counts only its own "
            f"calls against the vendors' limits ({self._state})"
        )

    async def run(self) -> None:
        """Look again until the file is ours."""
        while self._holder is not None:
            await self._clock.sleep(_LOOK_AGAIN_S)
            await self.look()

    def end(self) -> None:
        """Let another have it."""
        self._occupancy.leave()
