"""Wishes change while connections are up, down or full: no more is asked than the vendor allows."""

from mds_engine.control import events
from mds_engine.errors import Throttled, Unavailable
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.supervised import some, symbols


def test_a_connection_that_is_full_lets_go_before_it_takes_what_is_new(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "AB", StreamLimits(2, 1)) as one:
            one.vendor.stream_carries_most = 2
            one.supervisor.want(some("BC"))
            await one.pump(1.0)
            return symbols(one.vendor.stream), one.mute, len(one.vendor.stream_attempts)

    assert virtually(scene) == ("BC", [], 1)


def test_a_connection_of_which_the_vendor_lists_nothing_is_no_trouble_of_the_source(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "AB", StreamLimits(2, 2)) as one:
            await one.pump(1.0)
            one.vendor.unlisted.add("C")
            one.supervisor.want(some("ABC"))
            await one.pump(60.0)
            return one.unit.problem, one.mute, one.told(events.StreamLost), len(one.vendor.stream_attempts)

    assert virtually(scene) == ("", [(some("C"), "lists no X:C")], [], 2)


def test_what_a_vendor_does_not_list_is_named_once_through_reconnects(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "AB") as one:
            await one.pump(1.0)
            one.vendor.unlisted.add("C")
            one.supervisor.want(some("ABC"))
            await one.pump(100.0)
            mute = one.supervisor.mute_instruments
            one.supervisor.want(some("C"))
            await one.pump(1.0)
            one.vendor.stream.end(Unavailable("reset"))
            await one.pump(100.0)
            return one.mute, mute

    assert virtually(scene) == ([(some("C"), "lists no X:C")], some("C"))


def test_wishes_that_come_and_go_do_not_outrun_the_backoff(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            one.vendor.stream_fails = lambda: Unavailable("refused")
            one.vendor.stream.end(Unavailable("reset"))
            for place in range(600):
                one.supervisor.want(some("AB" if place % 2 else ""))
                await clock.sleep(0.1)
            return len(one.vendor.stream_attempts)

    assert virtually(scene) <= 12


def test_no_further_connection_is_opened_while_the_vendor_wants_to_be_left_alone(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "AB", StreamLimits(2, 2)) as one:
            await one.pump(1.0)
            one.vendor.stream_fails = lambda: Throttled("too many", retry_after_s=120.0)
            one.vendor.stream.end(Unavailable("reset"))
            await clock.sleep(5.0)
            tried = len(one.vendor.stream_attempts)
            one.supervisor.want(some("ABCD"))
            await clock.sleep(100.0)
            meanwhile = len(one.vendor.stream_attempts) - tried
            one.vendor.stream_fails = None
            await clock.sleep(30.0)
            return meanwhile, [symbols(stream) for stream in one.vendor.open_streams]

    meanwhile, after = virtually(scene)
    assert meanwhile == 0
    assert sorted(after) == ["AB", "CD"]
