"""Fixtures of the simulator's tests: a virtual clock, and the environments of the official SDKs."""

import asyncio
import heapq
import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def sdk_python() -> Callable[[str], Path]:
    """The interpreter of an SDK's own environment by name (`binance`, `alphavantage`); skips without it."""
    folder = Path(os.environ.get("MDS_SDK_VENVS", _REPOSITORY / ".sdk-venvs"))

    def find(name: str) -> Path:
        python = folder / name / "bin" / "python"
        if not python.is_file():
            pytest.skip(f"no SDK environment {name!r} at {folder}; tests/make_sdk_venvs.sh builds it")
        return python

    return find


@pytest.fixture(scope="session")
def run_sdk(sdk_python: Callable[[str], Path]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script with arguments in an SDK's environment: `run_sdk("binance", script, url)`."""

    def run(name: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(sdk_python(name)), "-c", script, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


class VirtualClock:
    """Time that stands still until `advance` moves it; sleepers wake in order, each at its own time."""

    def __init__(self, at: float) -> None:
        self.at = at
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.at + max(seconds, 0.0), next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let this much time pass, and everything that it wakes run."""
        end = self.at + seconds
        while True:
            # A few turns let those who woke go back to sleep, or send what they woke for.
            for _ in range(8):
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            at, _, woken = heapq.heappop(self._sleepers)
            self.at = max(self.at, at)
            if not woken.done():
                woken.set_result(None)
        self.at = end


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """A clock at a fixed wall time (2026-09-21 13:35:23 UTC)."""
    return VirtualClock(1_790_000_123.456)
