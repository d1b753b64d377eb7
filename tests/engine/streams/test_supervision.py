"""A source's stream over several connections: shared out, lost one by one, watched, paced."""

import asyncio

import pytest
from mds_engine.control import events
from mds_engine.errors import NotFound, Throttled, Unavailable
from mds_engine.model import Instrument
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.supervised import some, symbols

# --- Several connections --------------------------------------------------------------------------------


def test_instruments_are_shared_over_connections_and_what_is_beyond_is_named(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCDE", StreamLimits(2, 2)) as one:
            await one.pump(2.0)
            streams = [symbols(stream) for stream in one.vendor.open_streams]
            named = [(event.instruments, event.why) for event in one.told(events.InstrumentsMute)]
            beyond = one.supervisor.mute_instruments
            assert one.supervisor.mute(Instrument("X", "E"))
            assert one.mute == [(some("E"), named[0][1])]
            one.supervisor.want(some("BCDE"))
            await one.pump(2.0)
            after = [symbols(stream) for stream in one.vendor.open_streams]
            return streams, named, beyond, after, one.unit.problem, one.supervisor.mute_instruments

    streams, named, beyond, after, problem, none = virtually(scene)
    assert streams == ["AB", "CD"]
    assert named == [(("X:E",), "beyond what 2 connections of 2 instruments carry")]
    assert beyond == some("E")
    assert (after, problem, none) == (["BE", "CD"], "", frozenset())


def test_a_connection_of_which_nothing_is_wanted_is_closed(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCD", StreamLimits(2, 2)) as one:
            one.supervisor.want(some("CD"))
            await one.pump(2.0)
            return [symbols(stream) for stream in one.vendor.open_streams], one.told(events.StreamLost)

    assert virtually(scene) == (["CD"], [])


def test_one_connection_lost_leaves_the_others_and_comes_back_by_itself(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCD", StreamLimits(2, 2)) as one:
            await one.pump(20.0)
            one.vendor.open_streams[0].end(Unavailable("reset"))
            await clock.sleep(0.01)
            down = one.unit.problem, one.lost, [symbols(stream) for stream in one.vendor.open_streams]
            since = one.supervisor.streams_since(Instrument("X", "A"))
            await one.pump(2.0)
            back = one.unit.problem, [symbols(stream) for stream in one.vendor.open_streams]
            return down, since, back, one.supervisor.live

    down, since, back, live = virtually(scene)
    assert down == ("reset", [(some("AB"), "reset")], ["CD"])
    assert since is None
    assert back == ("", ["CD", "AB"])
    assert live


def test_the_route_of_a_connection_lost_fails_over_at_once(virtually, fake_desk):
    async def scene(clock):
        traits = {"a": {"stream_limits": StreamLimits(2, 2)}}
        async with fake_desk(clock, traits=traits) as desk, desk.engine.ticks(["X:A", "X:B", "X:C"]):
            await clock.sleep(1.0)
            for stream in desk["a"].open_streams:
                stream.push(1.0)
            desk["a"].stream_fails = lambda: Unavailable("refused")
            desk["a"].open_streams[0].end(Unavailable("reset"))
            await clock.sleep(0.5)
            return desk.active("X/ticks"), symbols(desk["b"].stream)

    assert virtually(scene) == ("b", "ABC")


def test_a_quiet_connection_that_is_up_again_keeps_the_flowing_ones_in_no_trouble(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCD", StreamLimits(2, 2)) as one:
            await one.pump(20.0)
            one.vendor.open_streams[0].end(Unavailable("reset"))
            await one.pump(20.0, only="CD")
            soon = one.unit.problem
            await one.pump(20.0, only="CD")
            return soon, one.unit.problem, len(one.told(events.StreamLost))

    assert virtually(scene) == ("reset", "", 1)


def test_what_a_vendor_does_not_list_ends_no_connection(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "AB") as one:
            await one.pump(1.0)

            async def subscribe(_):
                raise NotFound("lists no X:C")

            one.vendor.stream.subscribe = subscribe
            one.supervisor.want(some("ABC"))
            await one.pump(3.0)
            return one.mute, one.told(events.StreamLost), len(one.vendor.streams)

    assert virtually(scene) == ([(some("C"), "lists no X:C")], [], 1)


# --- Silence --------------------------------------------------------------------------------------------


def test_ten_ticks_a_second_that_stop_are_missed_within_a_second_and_a_half(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(30.0)
            began = clock.now() - 0.1
            while not one.lost:
                await clock.sleep(0.01)
            return clock.now() - began, one.lost[0][1], one.unit.problem

    waited_s, why, problem = virtually(scene)
    assert 1.0 <= waited_s <= 1.5
    assert why == problem == "connected but mute for 1.0 s"


def test_before_its_pauses_are_known_a_silence_is_found_when_it_is_too_long(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, mute_after_s=1.25) as one:
            await one.pump(3.0)
            began = clock.now() - 0.1
            while not one.lost:
                await clock.sleep(0.01)
            return clock.now() - began

    assert 1.25 <= virtually(scene) <= 1.35


def test_a_process_that_stood_still_does_not_take_its_own_silence_for_the_streams(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(30.0)
            asyncio.get_running_loop().advance(5.0)
            await clock.sleep(0.01)  # the supervisor looks before what waits in the socket is read
            await one.pump(5.0)
            return one.lost

    assert virtually(scene) == []


def test_a_mute_instrument_on_a_stream_that_flows_is_found(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABC", instrument_mute_after_s=20.0, confirm_within_s=10.0) as one:
            await one.pump(60.0, only="AB")
            await one.pump(60.0, only="A")
            mute = one.supervisor.mute_instruments
            told = [(event.instruments, event.why) for event in one.told(events.InstrumentsMute)]
            await one.pump(3.0)
            return told, mute, one.mute, one.supervisor.mute_instruments, one.told(events.StreamLost)

    told, mute, moved, after, lost = virtually(scene)
    assert told == [
        (("X:C",), "subscribed, but never a tick"),
        (("X:B",), "silent for far longer than usual, on a stream that flows"),
    ]
    assert [instruments for instruments, _ in moved] == [some("C"), some("B")]
    assert (mute, after, lost) == (some("BC"), frozenset(), [])


def test_a_closed_market_is_never_stale_and_its_opening_is_given_time(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, open_exchanges=(), mute_after_s=30.0) as one:
            await one.pump(60.0)
            await clock.sleep(3600.0)
            night = len(one.lost), len(one.mute)
            one.open_exchanges.add("X")
            opened_at = clock.now()
            while not one.lost and clock.now() < opened_at + 100.0:
                await clock.sleep(0.1)
            return night, clock.now() - opened_at

    night, after_s = virtually(scene)
    assert night == (0, 0)
    assert 29.0 <= after_s <= 32.0


def test_a_source_lost_as_the_market_closes_is_in_no_trouble_all_night(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(20.0)
            one.vendor.stream.end(Unavailable("reset"))
            await clock.sleep(5.0)
            before = one.unit.problem
            one.open_exchanges.clear()
            await clock.sleep(5.0)
            return before, one.unit.problem

    assert virtually(scene) == ("reset", "")


def test_a_source_lost_at_night_is_well_once_it_is_connected(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, open_exchanges=()) as one:
            await one.pump(1.0)
            one.vendor.stream.end(Unavailable("reset"))
            await clock.sleep(5.0)
            return one.unit.problem, len(one.vendor.open_streams)

    assert virtually(scene) == ("", 1)


# --- The pace of connections ----------------------------------------------------------------------------


def busiest(attempts, window_s=300.0):
    """Most attempts in any window."""
    return max(sum(1 for at in attempts if first <= at < first + window_s) for first in attempts)


@pytest.mark.parametrize("how", ["refused", "cut after a tick"])
def test_a_storm_of_ten_connections_stays_within_three_hundred_in_five_minutes(virtually, supervise, how):
    async def scene(clock):
        async with supervise(clock, "ABCDEFGHIJ", StreamLimits(1, 10)) as one:
            await one.pump(1.0)
            if how == "refused":
                one.vendor.stream_fails = lambda: Unavailable("refused")
            until = clock.now() + 3600.0
            while clock.now() < until:
                for stream in one.vendor.open_streams:
                    stream.push(1.0)
                    stream.end(Unavailable("cut"))
                await clock.sleep(0.2)
            attempts = len(one.vendor.stream_attempts), busiest(one.vendor.stream_attempts)
            one.vendor.stream_fails = None
            await one.pump(80.0)
            return attempts, len(one.vendor.open_streams)

    (all_of_them, most), back = virtually(scene)
    assert 300 <= all_of_them <= 1500
    assert most <= 300
    assert back == 10


def test_changing_wishes_do_not_outrun_the_backoff(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            one.vendor.stream_fails = lambda: Unavailable("refused")
            one.vendor.stream.end(Unavailable("reset"))
            for place in range(600):
                one.supervisor.want(some("AB" if place % 2 else "ABC"))
                await clock.sleep(0.1)
            return len(one.vendor.stream_attempts)

    assert virtually(scene) <= 12


def test_a_vendor_that_wants_to_be_left_alone_is_asked_by_no_connection(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCD", StreamLimits(2, 2)) as one:
            await one.pump(1.0)
            one.vendor.stream_fails = lambda: Throttled("too many", retry_after_s=120.0)
            for stream in one.vendor.open_streams:
                stream.end(Unavailable("reset"))
            await clock.sleep(5.0)
            tried = len(one.vendor.stream_attempts)
            await clock.sleep(110.0)
            return tried <= 4, len(one.vendor.stream_attempts) - tried

    assert virtually(scene) == (True, 0)


# --- Adapters that misbehave -----------------------------------------------------------------------------


def test_an_adapter_whose_own_task_is_cancelled_is_connected_again(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.stream_fails = asyncio.CancelledError
            one.vendor.stream.end(Unavailable("reset"))
            await clock.sleep(3.0)
            why = one.unit.problem
            one.vendor.stream_fails = None
            await one.pump(60.0)
            return why, len(one.vendor.open_streams), one.unit.problem

    assert virtually(scene) == ("the adapter failed: CancelledError: ", 1, "")


def test_an_adapter_that_makes_no_stream_ends_nothing(virtually, supervise, caplog):
    async def scene(clock):
        async with supervise(clock) as one:
            make = one.runtime.source.stream

            def fail(_deliver):
                raise KeyError("token")

            one.runtime.source.stream = fail
            one.vendor.stream.end(Unavailable("reset"))
            await clock.sleep(3.0)
            why = one.unit.problem
            one.runtime.source.stream = make
            await one.pump(60.0)
            return why, len(one.vendor.open_streams), one.unit.problem

    assert virtually(scene) == ("the adapter failed: KeyError: 'token'", 1, "")
    assert "adapter_bug" in caplog.text
