"""A second source is asked when the first takes longer than it uses to; the quicker answer is taken."""

import asyncio
from collections.abc import Callable
from typing import Any

from mds_engine.model import Step, Verdict
from mds_engine.routing.trip import Trip
from mds_engine.routing.unit import Unit


async def ask_hedged(
    trip: Trip[Any],
    first: Unit,
    second: Unit,
    *,
    patience_s: float,
    delay_s: float,
    may_start: Callable[[], bool],
) -> Unit | None:
    """Ask `first`; after `delay_s` without an answer, and if `may_start()`, ask `second` beside it.

    Returns whose answer is in `trip.answer`, None if neither answered well.
    The loser is cancelled, which counts nowhere. Raises what `Trip.ask` raises.
    """
    rival_trip = trip.fork()
    leader = asyncio.create_task(trip.ask(first, patience_s), name=f"ask {first.name}")
    tasks = {leader: (first, trip)}
    try:
        done, _ = await asyncio.wait(tasks, timeout=delay_s)
        if not done and may_start():
            rival = asyncio.create_task(rival_trip.ask(second, 0.0), name=f"hedge with {second.name}")
            tasks[rival] = (second, rival_trip)
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.result():
                    winner, its_trip = tasks[task]
                    trip.answer = its_trip.answer
                    return winner
        return None
    finally:
        late = [tasks[task][0] for task in tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for unit in late:
            trip.steps.append(Step(unit.name, Verdict.SKIPPED, "another answered sooner"))
        trip.take_in(rival_trip)
