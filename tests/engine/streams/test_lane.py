"""One instrument's lane: order, duplicates, holes, and changes of source, without a loop or a socket."""

from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.model import Gap, Instrument, SourceSwitched, Tick, TickFlag, TickKind
from mds_engine.streams.lane import Lane
from mds_engine.streams.ring import Ring

ONE = Instrument("X", "ONE")
SECOND = 1_000_000_000


def trade(number, source="a", price=None):
    """Trade `number` of a vendor that numbers them; its time and price follow from the number."""
    return Tick(
        instrument=ONE,
        kind=TickKind.TRADE,
        price=float(number) if price is None else price,
        size=1.0,
        time_ns=number * 10_000_000,
        sequence=number,
        source=source,
    )


def picture(at_ms, price, source="a", volume=None, size=1.0):
    """A vendor's picture without a number."""
    return Tick(
        instrument=ONE,
        kind=TickKind.QUOTE,
        price=price,
        size=size,
        time_ns=at_ms * 1_000_000,
        volume=volume,
        source=source,
    )


def started(source="a", vendor="v", unit_ns=1_000_000):
    lane = Lane(ONE)
    assert lane.switch(source, vendor, unit_ns, [], 0.0, whole=False, why="") == []
    return lane


def take(lane, *ticks, now=0.0):
    """What is delivered of these ticks of the active source."""
    found = []
    for tick in ticks:
        items = lane.put(tick, now)
        found += [tick] if items is None else items
    return found


def numbers(items):
    return [
        item.sequence if isinstance(item, Tick) else (item.first_sequence, item.last_sequence)
        for item in items
    ]


# --- Numbered trades ------------------------------------------------------------------------------------


def test_numbered_trades_go_on_in_order_and_once():
    lane = started()
    assert numbers(take(lane, trade(5), trade(6), trade(6), trade(5), trade(7))) == [5, 6, 7]
    assert lane.duplicates == 2


def test_a_trade_that_is_ahead_waits_for_those_before_it():
    lane = started()
    assert numbers(take(lane, trade(1), trade(3), trade(4), now=7.0)) == [1]
    assert (lane.hole(), lane.hole_since) == ((2, 2), 7.0)
    assert numbers(take(lane, trade(2))) == [2, 3, 4]
    assert (lane.hole(), lane.hole_since) == (None, None)


def test_a_fill_closes_the_hole_and_what_is_still_missing_becomes_a_gap():
    lane = started()
    take(lane, trade(1), trade(6), trade(9))
    assert numbers(lane.fill([trade(2), trade(3)], 1.0)) == [2, 3]
    assert lane.hole() == (4, 5)
    assert numbers(lane.give_up(2.0, "too old")) == [(4, 5), 6]
    assert lane.hole() == (7, 8)
    gap = lane.give_up(2.0, "too old")[0]
    assert (gap.after_ns, gap.before_ns, gap.why) == (60_000_000, 90_000_000, "too old")
    assert numbers(take(lane, trade(10))) == [10]


def test_a_fill_that_comes_too_late_brings_nothing_twice():
    lane = started()
    take(lane, trade(1), trade(3), trade(2))
    assert lane.fill([trade(2)], 0.0) == []
    assert numbers(take(lane, trade(4))) == [4]


def test_numbers_that_begin_anew_are_told_and_taken():
    lane = started()
    take(lane, trade(900))
    again = trade(3)
    later = Tick(instrument=ONE, kind=TickKind.TRADE, price=1.0, time_ns=20 * SECOND, sequence=3, source="a")
    assert take(lane, again) == []
    gap, tick = take(lane, later)
    assert isinstance(gap, Gap)
    assert tick is later
    assert numbers(take(lane, trade(4))) == [4]


def test_books_go_by_their_number_and_never_wait():
    lane = started()
    books = [
        Tick(instrument=ONE, kind=TickKind.BOOK, bid=float(number), sequence=number)
        for number in (5, 9, 7, 12)
    ]
    assert numbers(take(lane, *books)) == [5, 9, 12]
    assert lane.late == 1


# --- Pictures without numbers ---------------------------------------------------------------------------


def test_a_picture_that_is_older_or_the_same_does_not_go_on():
    lane = started()
    first, second = picture(1000, 10.0), picture(2000, 11.0)
    assert take(lane, first, second, first, second, picture(2000, 12.0)) == [
        first,
        second,
        picture(2000, 12.0),
    ]
    assert (lane.late, lane.duplicates) == (1, 1)


def test_of_pictures_of_one_second_the_days_volume_tells_which_was_first():
    lane = started()
    first, second, third = (picture(1000, 10.0 + step, volume=100.0 + step) for step in range(3))
    assert take(lane, first, third, second, first) == [first, third]
    assert (lane.late, lane.duplicates) == (2, 0)
    unknown = picture(1000, 14.0)
    assert take(lane, unknown) == [unknown], "without a volume nothing proves it"


def test_at_a_change_of_source_the_days_volume_tells_what_is_older():
    lane = started("fine")
    take(lane, picture(5700, 10.0, "fine", volume=100.0))
    held = [picture(5000, 9.0, "coarse", volume=90.0), picture(5000, 11.0, "coarse", volume=110.0)]
    items = lane.switch("coarse", "coarse", SECOND, held, 1.0, whole=True, why="reset")
    assert [item.price for item in items if isinstance(item, Tick)] == [11.0]


def test_a_clock_that_was_set_back_does_not_silence_the_instrument():
    lane = started()
    take(lane, picture(3_600_000, 10.0))
    got = take(lane, *[picture(1000 + step, 11.0) for step in range(40)])
    assert len(got) == 24, "sixteen late ones could be disorder; more are a clock"


def test_a_picture_without_a_time_always_goes_on():
    lane = started()
    tick = Tick(instrument=ONE, kind=TickKind.QUOTE, price=1.0)
    assert take(lane, tick, tick) == [tick, tick]


# --- Changes of source ----------------------------------------------------------------------------------


def test_a_standby_of_the_same_vendor_goes_on_where_the_other_stopped():
    lane = started("a")
    take(lane, trade(1), trade(2), trade(3))
    held = [trade(number, "b") for number in (2, 3, 4, 5)]
    switched, *rest = lane.switch("b", "v", 1, held, 1.0, whole=False, why="cut")
    assert switched == SourceSwitched(instrument=ONE, before="a", after="b", why="cut")
    assert numbers(rest) == [4, 5]
    assert all(tick.flags == TickFlag.HELD and tick.source == "b" for tick in rest)
    assert numbers(take(lane, trade(6, "b"))) == [6]


def test_what_the_standby_lacks_is_a_hole_and_no_gap_yet():
    lane = started("a")
    take(lane, trade(1))
    assert numbers(lane.switch("b", "v", 1, [trade(4, "b")], 1.0, whole=False, why="cut")[1:]) == []
    assert lane.hole() == (2, 3)
    assert numbers(lane.fill([trade(2), trade(3)], 1.0)) == [2, 3, 4]


def test_numbers_of_another_vendor_are_not_compared():
    lane = started("a", "v")
    take(lane, trade(100), trade(101))
    other = [trade(7, "b", price=1.0), trade(8, "b", price=2.0)]
    late = [
        Tick(
            instrument=ONE,
            kind=TickKind.TRADE,
            price=p,
            size=1.0,
            time_ns=t * 10_000_000,
            sequence=n,
            source="b",
        )
        for n, t, p in ((7, 100, 100.0), (8, 101, 101.0), (9, 102, 3.0))
    ]
    assert numbers(lane.switch("b", "w", 1, [*other, *late], 1.0, whole=True, why="cut")[1:]) == [9]
    assert numbers(take(lane, trade(10, "b"))) == [10]


def test_across_vendors_time_price_and_size_tell_a_tick_again():
    lane = started("kite", "kite", SECOND)
    take(lane, picture(1000, 10.0, "kite"), picture(2000, 11.0, "kite"), picture(2000, 12.0, "kite"))
    held = [
        picture(1900, 10.5, "yahoo"),
        picture(2100, 11.0, "yahoo"),
        picture(2200, 12.0, "yahoo", size=None),
        picture(2300, 12.5, "yahoo"),
        picture(3050, 13.0, "yahoo"),
    ]
    items = lane.switch("yahoo", "yahoo", 1_000_000, held, 5.0, whole=True, why="mute")
    assert [item.price for item in items[1:]] == [12.5, 13.0]


def test_a_source_that_was_not_there_in_time_leaves_a_gap():
    lane = started("a", "v")
    take(lane, picture(1000, 10.0))
    assert len(lane.switch("b", "w", 1, [], 1.0, whole=False, why="cut")) == 1
    gap, tick = take(lane, picture(9000, 11.0, "b"))
    assert gap == Gap(instrument=ONE, source="b", after_ns=SECOND, before_ns=9 * SECOND, why="cut")
    assert tick.price == 11.0
    assert take(lane, picture(9500, 11.0, "b")) == [picture(9500, 11.0, "b")]


def test_a_stream_that_was_away_leaves_a_gap_unless_the_volume_proves_otherwise():
    lane = started()
    take(lane, picture(1000, 10.0, volume=500.0))
    lane.interrupted("reset", 0.0)
    assert [type(item) for item in take(lane, picture(5000, 10.0, volume=500.0))] == [Tick]
    lane.interrupted("reset", 0.0)
    assert [type(item) for item in take(lane, picture(6000, 10.0, volume=501.0))] == [Gap, Tick]


def test_a_source_overlaps_when_its_first_tick_is_not_after_the_last_delivered():
    lane = started("a", "v")
    take(lane, trade(10))
    assert lane.overlaps("v", 1, trade(11, "b"))
    assert not lane.overlaps("v", 1, trade(12, "b"))
    assert lane.overlaps("w", 1, trade(9, "b"))
    assert not lane.overlaps("w", 1, trade(11, "b")), "another vendor's numbers prove nothing, its time does"
    assert lane.overlaps("w", SECOND, trade(11, "b")), "within the same second"


# --- Random schedules -----------------------------------------------------------------------------------


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_happens_to_numbered_feeds_the_truth_comes_out_in_order_and_once(data):
    """Two sources of one vendor and a REST that has some trades: frames are lost, swapped, doubled."""
    truth = [trade(number) for number in range(1, 60)]
    feeds = {name: _faulty(data, truth, name) for name in "ab"}
    on_rest = data.draw(st.sets(st.sampled_from(range(1, 60))))
    lane, rings, active, items = Lane(ONE), {name: Ring(10_000, 1e9) for name in "ab"}, "a", []
    items += lane.switch("a", "v", 1, [], 0.0, whole=False, why="")
    for step in range(max(len(feed) for feed in feeds.values())):
        for name, feed in feeds.items():
            for tick in feed[step] if step < len(feed) else ():
                rings[name].append(float(step), [tick])
                if name == active:
                    taken = lane.put(tick, float(step))
                    items += [tick] if taken is None else taken
        what = data.draw(st.sampled_from(["nothing", "nothing", "switch", "fill", "give up"]))
        if what == "switch":
            active = "b" if active == "a" else "a"
            held = list(rings[active].of(ONE))
            items += lane.switch(active, "v", 1, held, float(step), whole=False, why="drawn")
        elif (what == "fill" and lane.hole()) or what == "give up":
            items += _settle(lane, on_rest, fill=what == "fill")
    while lane.hole():
        items += _settle(lane, on_rest, fill=True)
        items += lane.give_up(0.0, "at the end")
    _is_the_truth_or_says_so(items)


def _faulty(data, truth, name):
    """A feed of the truth, a list of frames a step: some lost, some doubled, some in the wrong order."""
    feed = []
    for true in truth:
        tick = trade(true.sequence, name)
        fate = data.draw(st.sampled_from(["good"] * 6 + ["lost", "twice", "late"]))
        feed.append([] if fate == "lost" else [tick, tick] if fate == "twice" else [tick])
        if fate == "late" and len(feed) > 1:
            feed[-2], feed[-1] = feed[-1], feed[-2]
    return feed


def _settle(lane, on_rest, *, fill):
    first, last = lane.hole() or (1, 0)
    if not fill:
        return lane.give_up(0.0, "drawn")
    return lane.fill([trade(n, "rest") for n in range(first, last + 1) if n in on_rest], 0.0)


def _is_the_truth_or_says_so(items):
    expected = None
    for item in items:
        if isinstance(item, Tick):
            assert item.price == float(item.sequence)
            assert expected is None or item.sequence == expected, "in order, once, none passed over"
            expected = item.sequence + 1
        elif isinstance(item, Gap):
            assert item.first_sequence == expected
            expected = item.last_sequence + 1


@settings(max_examples=200)
@given(data=st.data())
def test_across_vendors_no_trade_comes_twice_or_out_of_order(data):
    """Two vendors of one truth without numbers: the second tells whole seconds and lags."""
    steps = data.draw(st.lists(st.integers(1, 900), min_size=2, max_size=40))
    truth, at = [], 1_700_000_000_000
    for index, step in enumerate(steps):
        at += step
        truth.append((at, float(index + 1)))
    lag = data.draw(st.integers(0, 5))
    lane, active, items = Lane(ONE), "fine", []
    rings = {"fine": Ring(1000, 1e9), "coarse": Ring(1000, 1e9)}
    units = {"fine": 1_000_000, "coarse": SECOND}
    items += lane.switch("fine", "fine", units["fine"], [], 0.0, whole=False, why="")
    for index in range(len(truth) + lag):
        for name, place in (("fine", index), ("coarse", index - lag)):
            if not 0 <= place < len(truth):
                continue
            time_ms, price = truth[place]
            tick = picture(time_ms if name == "fine" else time_ms // 1000 * 1000, price, name)
            rings[name].append(float(index), [tick])
            if name == active:
                taken = lane.put(tick, float(index))
                items += [tick] if taken is None else taken
        if data.draw(st.booleans()) and data.draw(st.booleans()):
            active = "coarse" if active == "fine" else "fine"
            held = list(rings[active].of(ONE))
            items += lane.switch(active, active, units[active], held, float(index), whole=True, why="drawn")
    prices = [item.price for item in items if isinstance(item, Tick)]
    assert prices == sorted(set(prices)), "in order and once"
    assert prices == [price for _, price in truth][: len(prices)], "and none left out"
    assert not any(isinstance(item, Gap) for item in items)
