"""Identical concurrent requests share one call, and nobody suffers for another's impatience."""

import asyncio

import pytest
from mds_engine.routing.coalesce import Coalescer


def test_fifty_identical_requests_make_one_call(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(clock.now())
            await clock.sleep(1.0)
            return "answer"

        answers = await asyncio.gather(
            *(shared.run("key", call, deadline=5.0, now=clock.now) for _ in range(50))
        )
        return len(calls), set(answers)

    assert virtually(scene) == (1, {"answer"})


def test_different_requests_and_later_ones_make_their_own(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(None)
            await clock.sleep(1.0)

        await asyncio.gather(*(shared.run(key, call, deadline=5.0, now=clock.now) for key in "ab"))
        await shared.run("a", call, deadline=9.0, now=clock.now)
        return len(calls)

    assert virtually(scene) == 3


def test_when_the_one_that_calls_is_cancelled_another_takes_over(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(None)
            await clock.sleep(1.0)
            return len(calls)

        first = asyncio.create_task(shared.run("key", call, deadline=5.0, now=clock.now))
        await clock.sleep(0.1)
        second = asyncio.create_task(shared.run("key", call, deadline=5.0, now=clock.now))
        await clock.sleep(0.1)
        first.cancel()
        return await second

    assert virtually(scene) == 2


def test_a_follower_keeps_its_own_deadline(virtually):
    async def scene(clock):
        shared = Coalescer()

        async def call():
            await clock.sleep(10.0)

        patient = asyncio.create_task(shared.run("key", call, deadline=20.0, now=clock.now))
        await clock.sleep(0.1)
        with pytest.raises(TimeoutError):
            await shared.run("key", call, deadline=2.0, now=clock.now)
        ended = clock.now()
        await patient
        return ended

    assert virtually(scene) == pytest.approx(2.0, abs=0.01)


def test_a_failure_is_shared_too(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(None)
            await clock.sleep(1.0)
            raise ValueError("no answer")

        results = await asyncio.gather(
            *(shared.run("key", call, deadline=9.0, now=clock.now) for _ in range(20)), return_exceptions=True
        )
        return {type(result) for result in results}, len(calls)

    assert virtually(scene) == ({ValueError}, 1)


def test_who_has_more_time_than_the_one_that_called_calls_again(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(None)
            await clock.sleep(1.0)
            if len(calls) == 1:
                raise ValueError("out of time")
            return "second"

        results = await asyncio.gather(
            shared.run("key", call, deadline=1.0, now=clock.now),
            shared.run("key", call, deadline=9.0, now=clock.now),
            return_exceptions=True,
        )
        return [type(result) for result in results], len(calls)

    assert virtually(scene) == ([ValueError, str], 2)


def test_a_leader_that_gives_up_early_for_want_of_time_does_not_speak_for_the_patient(virtually):
    async def scene(clock):
        shared, calls = Coalescer(), []

        async def call():
            calls.append(None)
            await clock.sleep(0.01)
            if len(calls) == 1:
                raise ValueError("a limiter's wait does not fit 0.1 s")
            return "patience"

        results = await asyncio.gather(
            shared.run("key", call, deadline=0.1, now=clock.now),
            shared.run("key", call, deadline=9.0, now=clock.now),
            return_exceptions=True,
        )
        return [type(result) for result in results]

    assert virtually(scene) == [ValueError, str]
