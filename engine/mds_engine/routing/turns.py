"""Waiting for a limiter's leave to send, one request after the other."""

import asyncio

from mds_engine.clock import Clock
from mds_engine.errors import Throttled
from mds_engine.policy.limiter import Limiter


async def wait_turn(limiter: Limiter, weight: int, longest_s: float, clock: Clock) -> None:
    """Reserve, and sleep until the reservation's time. Raises Throttled(local=True) if that is too long."""
    now = clock.now()
    grant = limiter.reserve(weight, now, longest_s)
    if grant is None:
        raise no_turn(limiter, weight, now)
    if grant > now:
        await sleep_until_granted(limiter, weight, grant, deadline=now + longest_s, clock=clock)


async def sleep_until_granted(
    limiter: Limiter, weight: int, grant: float, *, deadline: float, clock: Clock
) -> float:
    """Sleep until a reservation's time, and reserve anew if a 429 voided it meanwhile.

    Returns the time for which the limiter counts it. Raises Throttled(local=True)
    when it would end after `deadline`. Both are monotonic.
    """
    now = clock.now()
    while True:
        try:
            await clock.sleep(grant - now)
        except asyncio.CancelledError:
            limiter.cancel(grant, weight)
            raise
        now = clock.now()
        counted_at = limiter.confirm(grant, weight, now)
        if counted_at is not None:
            return counted_at
        again = limiter.reserve(weight, now, deadline - now)
        if again is None:
            raise no_turn(limiter, weight, now)
        if again <= now:
            return again
        grant = again


def no_turn(limiter: Limiter, weight: int, now: float) -> Throttled:
    """What is said when the wait is too long."""
    wait_s = limiter.wait_s(weight, now)
    return Throttled(f"our own limiter would have to wait {wait_s:.1f} s", retry_after_s=wait_s, local=True)
