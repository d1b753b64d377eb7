"""Interleaved rounds: each contender in turn, over and over, so that a busy machine hurts all alike.

Figures are medians. A ratio is the median of the rounds' own ratios, because
the contenders of one round met the same load. The heap that was there before
is frozen out of the garbage collector; what a contender allocates it also
collects, as it would at work.
"""

import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

Call = Callable[[], Awaitable[object]]


class Times:
    """Seconds a call by contender, one for each round."""

    def __init__(self, rounds: Mapping[str, list[float]]) -> None:
        self._rounds = rounds

    def seconds(self, name: str) -> float:
        """The median."""
        return median(self._rounds[name])

    def ratio(self, name: str, to: str) -> float:
        """How many times as long as `to` it takes."""
        return median(one / other for one, other in self._pairs(name, to))

    def above(self, name: str, base: str) -> float:
        """Seconds that it takes longer than `base`."""
        return median(one - other for one, other in self._pairs(name, base))

    def micro(self, name: str) -> str:
        """The median in microseconds, for a note."""
        return f"{self.seconds(name) * 1e6:.3g} us"

    def _pairs(self, name: str, other: str) -> Iterator[tuple[float, float]]:
        return zip(self._rounds[name], self._rounds[other], strict=True)


@contextmanager
def quiet_heap() -> Iterator[None]:
    """Keep the collector from walking through what was there before."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def measure(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, calls: Mapping[str, int]
) -> Times:
    """Time plain functions; each runs `calls[name]` times a round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    with quiet_heap():
        for number in range(rounds + 1):
            for name, contender in contenders.items():
                loops = range(calls[name])
                began = time.perf_counter()
                for _ in loops:
                    contender()
                took = time.perf_counter() - began
                if number:  # the first round warms up
                    times[name].append(took / calls[name])
    return Times(times)


async def measure_calls(contenders: Mapping[str, Call], *, rounds: int, calls: int) -> Times:
    """Time coroutines, one call after the other, `calls` of each a round."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    loops = range(calls)
    with quiet_heap():
        for number in range(rounds + 1):
            for name, contender in contenders.items():
                began = time.perf_counter()
                for _ in loops:
                    await contender()
                took = time.perf_counter() - began
                if number:
                    times[name].append(took / calls)
    return Times(times)


async def measure_each(contenders: Mapping[str, Call], *, rounds: int) -> Times:
    """Time single calls in turn: for those that take long enough to be timed by themselves."""
    return await measure_calls(contenders, rounds=rounds, calls=1)
