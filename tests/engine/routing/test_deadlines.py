"""A call ends by its deadline, and a caller's own cancellation is nobody's timeout."""

import asyncio

import pytest
from mds_engine.routing.deadlines import Deadline, DeadlineSweeper


def test_a_body_that_hangs_is_ended_at_its_deadline(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())
        with pytest.raises(TimeoutError), Deadline(sweeper, clock.now() + 5.0):
            await clock.sleep(3600)
        return clock.now()

    assert virtually(scene) == pytest.approx(5.0, abs=0.01)


def test_a_body_that_ends_in_time_keeps_its_answer_and_leaves_no_timeout_behind(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())
        with Deadline(sweeper, clock.now() + 1.0):
            await clock.sleep(0.5)
        await clock.sleep(10)
        return asyncio.current_task().cancelling()

    assert virtually(scene) == 0


def test_each_of_many_bodies_ends_at_its_own_deadline_whatever_the_order(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())
        ended = {}

        async def body(after_s):
            try:
                with Deadline(sweeper, clock.now() + after_s):
                    await clock.sleep(1000)
            except TimeoutError:
                ended[after_s] = clock.now()

        await asyncio.gather(*(body(after_s) for after_s in (9.0, 1.0, 4.0, 2.0, 2.5)))
        return ended

    ended = virtually(scene)
    assert ended == {after_s: pytest.approx(after_s, abs=0.01) for after_s in (9.0, 1.0, 4.0, 2.0, 2.5)}


def test_a_cancellation_from_elsewhere_passes_through(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())

        async def body():
            with Deadline(sweeper, clock.now() + 5.0):
                await clock.sleep(3600)

        task = asyncio.create_task(body())
        await clock.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return clock.now()

    assert virtually(scene) == pytest.approx(1.0, abs=0.01)


def test_an_inner_deadline_does_not_end_the_outer_one(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())
        with Deadline(sweeper, clock.now() + 10.0):
            with pytest.raises(TimeoutError), Deadline(sweeper, clock.now() + 1.0):
                await clock.sleep(3600)
            await clock.sleep(2.0)
        return clock.now()

    assert virtually(scene) == pytest.approx(3.0, abs=0.01)


def test_a_failure_of_the_body_is_not_hidden(virtually):
    async def scene(clock):
        sweeper = DeadlineSweeper(asyncio.get_running_loop())
        with pytest.raises(KeyError), Deadline(sweeper, clock.now() + 1.0):
            raise KeyError("x")

    virtually(scene)
