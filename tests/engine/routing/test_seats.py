"""A burst of our own callers is no illness of the source: waiting for a place counts nowhere."""

import asyncio

from mds_engine.control import events
from mds_engine.routing.seats import Seats


def test_places_go_to_those_who_waited_longest(virtually):
    async def scene(clock):
        seats, order = Seats(2), []

        async def use(name):
            if seats.take_at_once() or await seats.take(10.0):
                order.append(name)
                await clock.sleep(1.0)
                seats.release()

        await asyncio.gather(*(use(number) for number in range(6)))
        return order, seats.taken, clock.now()

    order, taken, now = virtually(scene)
    assert order == [0, 1, 2, 3, 4, 5]
    assert taken == 0
    assert 2.9 < now < 3.1


def test_who_waits_in_vain_or_is_cancelled_keeps_no_place(virtually):
    async def scene(clock):
        seats = Seats(1)
        assert seats.take_at_once()
        in_vain = await seats.take(1.0)
        cancelled = asyncio.create_task(seats.take(10.0))
        await clock.sleep(0.1)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        seats.release()
        return in_vain, seats.taken, seats.waiting

    assert virtually(scene) == (False, 0, 0)


def test_who_is_cancelled_just_as_a_place_is_given_hands_it_on(virtually):
    async def scene(clock):
        seats = Seats(1)
        seats.take_at_once()
        first, second = (asyncio.create_task(seats.take(10.0)) for _ in range(2))
        await clock.sleep(0.1)
        seats.release()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return await second, seats.taken

    assert virtually(scene) == (True, 1)


def test_sixty_four_callers_at_once_open_no_breaker(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk:
            desk["a"].takes_s = 0.05
            for number in range(30):
                await desk.quote(f"WARM{number}")
            await clock.sleep(3.0)
            for _ in range(10):
                await asyncio.gather(*(desk.quote(f"S{number}") for number in range(64)))
            return desk.told(events.BreakerOpened), desk.permits

    assert virtually(scene) == ([], 0)
