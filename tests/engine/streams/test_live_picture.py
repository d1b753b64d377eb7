"""The snapshot of live streams: who delivers, who stands by, and what each source says of an instrument."""

from mds_engine.control.commands import Subscribe
from mds_engine.errors import Unavailable
from mds_engine.model import Instrument, TickKind
from mds_engine.model.tick import Tick

ONE, TWO = Instrument("X", "ONE"), Instrument("X", "TWO")


def test_a_warm_standby_is_seen_with_its_prices(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, exchange={"standby": True})
        async with desk:
            await desk.engine.apply(Subscribe(instruments=("X:ONE", "X:TWO")))
            await clock.sleep(1.0)
            for name, price in (("a", 100.0), ("b", 100.05)):
                for stream in desk[name].streams:
                    stream.deliver([Tick(instrument=ONE, kind=TickKind.QUOTE, price=price, source=name)])
            await clock.sleep(0.5)
            return desk.engine.snapshot()

    picture = virtually(scene)
    active, standby = picture.source("a").stream, picture.source("b").stream
    assert (active.connections, active.instruments, active.delivers) == (1, 2, 2)
    assert (standby.connections, standby.instruments, standby.delivers) == (1, 2, 0)
    assert standby.held == 1
    one, two = picture.watch
    assert (one.source, one.price) == ("a", 100.0)
    assert {price.source: price.price for price in one.prices} == {"a": 100.0, "b": 100.05}
    assert 4.9 < one.spread_bps < 5.1
    assert (two.spread_bps, two.prices) == (None, ())


def test_after_a_switch_no_bid_of_the_source_before_is_shown(virtually, fake_desk):
    async def scene(clock):
        desk = fake_desk(clock, exchange={"standby": True})
        async with desk:
            await desk.engine.apply(Subscribe(instruments=("X:ONE",)))
            await clock.sleep(1.0)

            def deliver(name, **more):
                tick = Tick(instrument=ONE, kind=TickKind.QUOTE, source=name, **more)
                desk[name].streams[-1].deliver([tick])

            deliver("a", price=100.0, bid=99.9, ask=100.1, previous_close=98.0, volume=5.0)
            desk["a"].streams[-1].end(Unavailable("cut"))
            await clock.sleep(0.01)
            deliver("b", price=100.2)
            return desk.engine.snapshot().watch[0]

    row = virtually(scene)
    assert (row.source, row.price) == ("b", 100.2)
    assert (row.bid, row.ask, row.volume) == (None, None, None)
    assert 2.24 < row.change_percent < 2.25


def test_without_readers_no_stream_is_shown(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await clock.sleep(1.0)
            return desk.engine.snapshot()

    assert [source.stream for source in virtually(scene).sources] == [None, None]


def test_what_readers_lose_or_pass_over_is_counted_also_after_they_have_gone(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            slow = desk.engine.ticks(["X:ONE"], queue=2)
            latest = desk.engine.ticks(["X:ONE"], latest=True)
            await clock.sleep(1.0)
            for number in range(5):
                tick = Tick(instrument=ONE, kind=TickKind.QUOTE, price=100.0 + number, source="a")
                desk["a"].streams[-1].deliver([tick])
            pictures = [desk.engine.snapshot()]
            slow.close()
            latest.close()
            return [*pictures, desk.engine.snapshot()]

    counts = [(shot.engine.ticks_dropped, shot.engine.ticks_conflated) for shot in virtually(scene)]
    assert counts == [(3, 4), (3, 4)]


def test_routes_are_in_the_order_in_which_their_instruments_were_asked_for(virtually, fake_desk):
    """Not in that of a set, which is another in each process: a replay is to be the same again."""
    exchanges = "PQRSTUVWABCDEFGH"
    asked = [f"{exchange}:ONE" for exchange in exchanges]

    async def scene(clock):
        async with fake_desk(clock, traits={"a": {"exchanges": exchanges}}) as desk:
            await desk.engine.apply(Subscribe(instruments=tuple(asked)))
            await clock.sleep(1.0)
            return desk.engine.snapshot()

    picture = virtually(scene)
    routes = [route.key for route in picture.routes if route.capability == "ticks"]
    assert routes[1:] == [f"{exchange}/ticks" for exchange in exchanges], "after the one of the configuration"
    assert [row.instrument for row in picture.watch] == asked


def test_what_is_quiet_stays_the_same_row_while_its_age_does(virtually, fake_desk):
    """So two pictures of a quiet night are compared, and not drawn."""

    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(Subscribe(instruments=("X:ONE", "X:TWO")))
            await clock.sleep(1.0)
            tick = Tick(instrument=ONE, kind=TickKind.QUOTE, price=100.0, source="a")
            desk["a"].streams[-1].deliver([tick])
            await clock.sleep(0.02)
            pictures = [desk.engine.snapshot()]
            for seconds in (0.01, 0.1, 11.0, 0.3, 0.8):
                await clock.sleep(seconds)
                pictures.append(desk.engine.snapshot())
            return [picture.watch for picture in pictures]

    rows = virtually(scene)
    assert [one.age_s for one, _ in rows] == [0.0, 0.0, 0.1, 11.0, 11.0, 12.0]
    assert rows[0][0] is rows[1][0]
    assert rows[3][0] is rows[4][0]
    assert rows[2][0] is not rows[3][0]
