"""The clock of a drill: it runs at its pace, and stands still while the process does."""

import asyncio

import pytest
from mds_engine.drills.drill_clock import DrillClock


class Machine:
    """A machine's monotonic clock, set by hand."""

    def __init__(self):
        self.at = 100.0

    def __call__(self):
        return self.at


async def test_time_passes_at_its_pace():
    machine = Machine()
    async with DrillClock(10.0, machine) as clock:
        began, wall = clock.now(), clock.wall()
        machine.at += 0.002
        passed_s = clock.now() - began
        assert round(passed_s, 6) == 0.02
        assert round(clock.wall() - wall, 4) == 0.02


async def test_every_drill_begins_at_the_same_time_so_that_a_seed_is_one_market():
    early, late = Machine(), Machine()
    late.at += 86_400.0
    assert DrillClock(1.0, early).wall() == pytest.approx(DrillClock(8.0, late).wall())


async def test_time_that_the_process_waited_for_its_turn_does_not_count():
    machine = Machine()
    async with DrillClock(10.0, machine) as clock:
        began = clock.now()
        machine.at += 60.0
        assert 0.0 < clock.now() - began < 0.1


async def test_time_that_the_process_was_at_work_counts():
    machine, work = Machine(), Machine()
    async with DrillClock(1.0, machine, work) as clock:
        began = clock.now()
        machine.at += 60.0
        work.at += 0.4
        assert round(clock.now() - began, 6) == 0.4


async def test_it_never_falls_behind_the_loop_against_which_deadlines_are_held():
    machine = Machine()
    async with DrillClock(1.0, machine) as clock:
        machine.at += 60.0
        assert clock.now() > machine.at


async def test_sleepers_wake_in_the_order_of_their_times_and_not_early():
    woken = []

    async def sleeper(clock, seconds):
        due = clock.now() + seconds
        await clock.sleep(seconds)
        woken.append((seconds, clock.now() >= due))

    async with DrillClock(50.0) as clock, asyncio.TaskGroup() as tasks:
        for seconds in (3.0, 0.0, 2.0, 1.0):
            tasks.create_task(sleeper(clock, seconds))
    assert woken == [(0.0, True), (1.0, True), (2.0, True), (3.0, True)]


async def test_a_sleeper_that_was_cancelled_is_passed_over():
    async with DrillClock(50.0) as clock:
        given_up = asyncio.create_task(clock.sleep(0.5))
        await asyncio.sleep(0)
        given_up.cancel()
        await clock.sleep(1.0)
        assert given_up.cancelled()
