"""What is remembered of the ticks that were delivered: all of the last unit of time, and not much more."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.streams.remembered import Remembered

ONE = Instrument("X", "ONE")
UNIT_NS = 1_000
MOST = 64


def trade(number, time_ns):
    return Tick(ONE, TickKind.TRADE, 1.0, 1.0, time_ns, sequence=number)


@given(
    steps_ns=st.lists(
        st.lists(st.sampled_from((0, 1, 30, 400, 999, 1_000, 5_000)), min_size=1, max_size=40), max_size=12
    ),
    at_once=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_all_of_the_last_unit_of_time_is_remembered_in_order(steps_ns, at_once):
    remembered, delivered, time_ns = Remembered(), [], 7_777
    remembered.unit_ns = UNIT_NS
    for steps, whole in zip(steps_ns, at_once, strict=False):
        came = []
        for step_ns in steps:
            time_ns += step_ns
            came.append(trade(len(delivered) + len(came), time_ns))
        delivered += came
        if whole:
            remembered.add_run(came, time_ns)
        else:
            for tick in came:
                remembered.add(tick)
        of_the_last_unit = [tick for tick in delivered if tick.time_ns // UNIT_NS == time_ns // UNIT_NS][
            -MOST:
        ]
        kept = remembered.ticks
        assert len(kept) <= MOST
        assert list(kept[-len(of_the_last_unit) :]) == of_the_last_unit
        assert list(kept) == delivered[-len(kept) :], "in order, without a hole"


def test_nothing_of_a_past_unit_stays_once_another_has_begun():
    remembered = Remembered()
    remembered.unit_ns = UNIT_NS
    remembered.add_run([trade(number, 5_000 + number) for number in range(3)], 5_002)
    assert len(remembered.ticks) == 3
    remembered.add_run([trade(3, 6_001)], 6_001)
    assert [tick.sequence for tick in remembered.ticks] == [3]
    remembered.add(trade(4, 7_000))
    assert [tick.sequence for tick in remembered.ticks] == [4]


def test_ticks_without_a_time_are_remembered_with_those_before():
    remembered = Remembered()
    for tick in (trade(1, 5_000), trade(2, None), trade(3, None)):
        remembered.add(tick)
    assert [tick.sequence for tick in remembered.ticks] == [1, 2, 3]


def test_of_a_busy_unit_of_time_the_last_are_remembered():
    remembered = Remembered()
    busy = [trade(number, 5_000 + number) for number in range(100)]
    remembered.add_run(busy[:50], 5_049)
    remembered.add_run(busy[50:], 5_099)
    assert list(remembered.ticks) == busy[-MOST:]
