"""A connection is replaced before its vendor ends it: the new one carries first, and nothing is missing."""

from mds_engine.control import events
from mds_engine.errors import Unavailable
from mds_engine.model import Instrument
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.sources.contract import StreamLimits

from tests.engine.streams.supervised import some, symbols


def test_a_connection_is_renewed_without_a_tick_missing(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            one.vendor.streams[0].renew_at = clock.now() + 100.0
            most = 0
            for price in range(1200):
                for stream in one.vendor.open_streams:
                    stream.push(float(price))
                most = max(most, len(one.vendor.open_streams))
                await clock.sleep(0.1)
            prices = sorted({tick.price for tick in one.delivered})
            return prices, most, one.vendor.open_streams == one.vendor.streams[1:], one.events, one.lost

    prices, most, only_the_new, told, lost = virtually(scene)
    assert prices == [float(price) for price in range(1200)]
    assert (most, only_the_new, lost) == (2, True, [])
    assert [type(event) for event in told] == [events.StreamConnected, events.StreamRenewed]


def test_a_new_connection_carries_before_the_old_one_ends(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.streams[0].renew_at = clock.now()
            await clock.sleep(5.0)
            both = len(one.vendor.open_streams)
            subscribed = symbols(one.vendor.streams[1])
            one.vendor.streams[1].push(2.0)
            await clock.sleep(0.1)
            return both, subscribed, [stream.is_open for stream in one.vendor.streams]

    assert virtually(scene) == (2, "AB", [False, True])


def test_in_a_quiet_market_the_new_connection_takes_over_after_a_while(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            one.vendor.streams[0].renew_at = clock.now()
            await clock.sleep(15.0)
            return [stream.is_open for stream in one.vendor.streams], one.told(events.StreamLost)

    assert virtually(scene) == ([False, True], [])


def test_a_renewal_that_fails_is_tried_again_while_the_old_one_carries_on(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, breaker=BreakerSettings()) as one:
            one.vendor.streams[0].renew_at = clock.now() + 1.0
            one.vendor.stream_fails = lambda: Unavailable("refused")
            await one.pump(120.0)
            tried = len(one.vendor.stream_attempts)
            still = one.vendor.streams[0].is_open, one.unit.problem, one.unit.failures
            one.vendor.stream_fails = None
            await one.pump(120.0)
            return tried, still, [type(event) for event in one.events], one.vendor.streams[0].is_open

    tried, still, told, old = virtually(scene)
    assert 5 <= tried <= 15
    assert still == (True, "", 0)
    assert told == [events.StreamConnected, events.StreamRenewed]
    assert not old


def test_an_old_connection_that_ends_amid_its_renewal_is_no_loss(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.streams[0].renew_at = clock.now()
            await clock.sleep(2.0)
            one.vendor.streams[0].end(Unavailable("the vendor's day is over"))
            await clock.sleep(0.1)
            return [stream.is_open for stream in one.vendor.streams], one.told(events.StreamLost), one.lost

    assert virtually(scene) == ([False, True], [], [])


def test_where_all_connections_are_in_use_each_is_replaced_in_its_turn(virtually, supervise):
    async def scene(clock):
        async with supervise(clock, "ABCD", StreamLimits(2, 2)) as one:
            await one.pump(1.0)
            for stream in one.vendor.streams:
                stream.renew_at = clock.now()
            most = 0
            for _ in range(30):
                await one.pump(0.1)
                most = max(most, len(one.vendor.open_streams))
            open_now = sorted(symbols(stream) for stream in one.vendor.open_streams)
            renewed = [event.why for event in one.told(events.StreamRenewed)]
            return most, open_now, renewed, one.lost, one.told(events.StreamLost), one.unit.problem

    most, open_now, renewed, interrupted, lost, problem = virtually(scene)
    assert (most, open_now, lost, problem) == (2, ["AB", "CD"], [], "")
    why = "the old connection was closed first: the vendor allows no further one beside it"
    assert renewed == [why, why]
    assert set(interrupted) == {(some("AB"), why), (some("CD"), why)}, "whoever listens must look for gaps"


def test_a_new_connection_that_breaks_amid_the_renewal_is_no_loss(virtually, supervise):
    async def scene(clock):
        async def subscribe(_):
            raise Unavailable("reset")

        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.streams[0].renew_at = clock.now()
            await clock.sleep(2.0)
            one.vendor.streams[1].subscribe = subscribe
            one.supervisor.want(some("ABC"))
            await one.pump(30.0)
            return (
                one.told(events.StreamLost),
                one.lost,
                [symbols(stream) for stream in one.vendor.open_streams],
            )

    assert virtually(scene) == ([], [], ["ABC"])


def test_what_is_wanted_since_the_renewal_began_misses_no_tick_by_it(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.stream_opens_in_s, one.vendor.stream_subscribes_in_s = 2.0, 0.5
            one.vendor.streams[0].renew_at = clock.now()
            await one.pump(1.2)
            one.supervisor.want(some("ABC"))
            for price in range(100):
                for stream in one.vendor.open_streams:
                    stream.push(float(price))
                await clock.sleep(0.1)
            prices = {tick.price for tick in one.delivered if tick.instrument == Instrument("X", "C")}
            return sorted(prices), len(one.told(events.StreamRenewed))

    prices, renewed = virtually(scene)
    assert renewed == 1
    assert prices == [float(price) for price in range(int(prices[0]), 100)]


def test_the_old_connection_carries_until_the_vendor_has_acted_on_what_was_asked(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            await one.pump(1.0)
            one.vendor.streams[0].renew_at = clock.now()
            while len(one.vendor.open_streams) < 2:
                await clock.sleep(0.01)
            one.vendor.streams[1].push(1.0, symbols="A")
            await one.pump(0.8, only="A")
            return len(one.vendor.open_streams)

    assert virtually(scene) == 2


def test_a_vendor_that_ends_each_new_connection_is_not_called_all_the_time(virtually, supervise):
    async def scene(clock):
        async with supervise(clock) as one:
            one.vendor.stream_lives_s = 0.0
            one.vendor.streams[0].renew_at = clock.now()
            await one.pump(600.0)
            return len(one.vendor.stream_attempts), one.told(events.StreamLost)

    attempts, lost = virtually(scene)
    assert 10 <= attempts <= 40
    assert lost == []
