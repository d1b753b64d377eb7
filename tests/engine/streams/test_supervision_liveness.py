"""Which instruments are mute on a stream that flows: each against what it usually does."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_batch import TICK_FIELDS, TickBatch
from mds_engine.streams.liveness import Liveness, Silent

A, B, C = (Instrument("X", symbol) for symbol in "ABC")
NIGHT = Instrument("NIGHT", "A")
NOTHING = Silent(frozenset(), frozenset())


def ticks(*instruments):
    return [Tick(instrument=instrument, kind=TickKind.TRADE, price=1.0) for instrument in instruments]


def always(_exchange):
    return True


def followed(*instruments, **settings):
    liveness = Liveness(**{"mute_after_s": 60.0, "confirm_within_s": 30.0, **settings})
    liveness.follow(frozenset(instruments), 0.0)
    return liveness


def play(liveness, schedule, until_s, start_s=0.0, is_open=always):
    """Look once a second; `schedule(second)` says who ticks. Returns what was told, by second."""
    told = {}
    for second in range(round(start_s), round(until_s)):
        liveness.saw(ticks(*schedule(second)), second + 0.5)
        silent = liveness.look(second + 1.0, second + 0.5, is_open)
        if silent != NOTHING:
            told[second + 1] = silent
    return told


def test_one_that_never_comes_is_named_once():
    liveness = followed(A, B)
    told = play(liveness, lambda _: (A,), 600)
    assert told == {31: Silent(frozenset({B}), frozenset())}
    assert liveness.mute == {B}


def test_one_that_falls_silent_is_told_once_a_silence():
    liveness = followed(A, B)
    told = play(liveness, lambda at: (A,) if 100 <= at < 300 or at >= 400 else (A, B), 700)
    quiet = Silent(frozenset(), frozenset({B}))
    assert list(told.values()) == [quiet, quiet]
    first, second = told
    assert 159 <= first <= 161
    assert 505 <= second <= 521, "it may be usual after all: twice the time"


def test_its_ticks_end_its_silence():
    liveness = followed(A, B)
    play(liveness, lambda at: (A,) if at >= 100 else (A, B), 200)
    assert liveness.mute == {B}
    play(liveness, lambda _: (A, B), 202, start_s=200)
    assert liveness.mute == frozenset()


def test_one_that_is_seldom_traded_is_given_its_time():
    liveness = followed(A, B)
    told = play(liveness, lambda at: (A, B) if at % 50 == 0 and at < 2000 else (A,), 2500)
    assert len(told) == 1
    assert 2200 <= min(told) <= 2210, "after five of its pauses of fifty seconds"


def test_nothing_is_said_of_one_that_is_hardly_known():
    liveness = followed(A, B)
    assert play(liveness, lambda at: (A, B) if at in (5, 300, 2000) else (A,), 5000) == {}


def test_while_all_are_silent_none_of_them_is_mute():
    liveness = followed(A, B)
    play(liveness, lambda _: (A, B), 100)
    assert all(liveness.look(100.0 + second, 99.5, always) == NOTHING for second in range(1000))


def test_a_closed_exchange_is_never_stale_beside_an_open_one():
    liveness = followed(A, NIGHT)
    play(liveness, lambda _: (A, NIGHT), 100)
    told = play(liveness, lambda _: (A,), 6000, start_s=100, is_open=lambda exchange: exchange == "X")
    assert told == {}
    assert liveness.mute == frozenset()


def test_silence_counts_from_the_opening():
    liveness = followed(A, NIGHT)
    told = {}
    for second in range(3000):
        trades = second < 100 or second >= 2000
        liveness.saw(ticks(A, NIGHT) if second < 100 else ticks(A), second + 0.5)
        silent = liveness.look(
            second + 1.0, second + 0.5, lambda exchange, trades=trades: exchange == "X" or trades
        )
        if silent != NOTHING:
            told[second + 1] = silent
    assert told == {2062: Silent(frozenset(), frozenset({NIGHT}))}


def test_the_night_before_a_days_first_tick_is_no_pause():
    liveness = followed(A, B)
    morning = 3600 * 17
    play(liveness, lambda _: (A, B), 10)
    play(liveness, lambda _: (), morning, start_s=10, is_open=lambda _: False)
    play(liveness, lambda _: (A, B), morning + 60, start_s=morning)
    told = play(liveness, lambda _: (A,), morning + 200, start_s=morning + 60)
    assert list(told.values()) == [Silent(frozenset(), frozenset({B}))]


def test_what_the_vendor_does_not_have_is_mute_and_not_told_again():
    liveness = followed(A, B)
    liveness.refused(frozenset({B, C}))
    assert liveness.mute == {B}
    assert play(liveness, lambda _: (A,), 600) == {}


def test_a_new_connection_has_to_be_confirmed_again():
    liveness = followed(A, B)
    play(liveness, lambda _: (A, B), 100)
    liveness.restart(100.0)
    told = play(liveness, lambda _: (A,), 200, start_s=100)
    assert told == {131: Silent(frozenset({B}), frozenset())}


def test_one_that_is_wanted_no_more_is_forgotten():
    liveness = followed(A, B)
    play(liveness, lambda _: (A,), 100)
    liveness.follow(frozenset({A, C}), 100.0)
    assert liveness.mute == frozenset()
    assert play(liveness, lambda _: (A,), 200, start_s=100) == {131: Silent(frozenset({C}), frozenset())}


def test_a_false_alarm_is_not_repeated_for_ever():
    liveness = followed(A, B)
    told = play(liveness, lambda at: (A, B) if at < 300 or at % 400 == 0 else (A,), 8000)
    assert 1 <= len(told) <= 3


def test_ticks_in_columns_count_as_ticks_one_by_one():
    one_by_one, in_columns = followed(A, B, C), followed(A, B, C)
    instruments = (A, B)
    values, times = np.ones((2, len(TICK_FIELDS))), np.zeros(2, np.int64)
    for second in range(120):
        for liveness in (one_by_one, in_columns):
            if second < 40:
                batch = TickBatch(instruments, values, times)
                liveness.saw(list(batch) if liveness is one_by_one else batch, second + 0.5)
            else:
                liveness.saw(ticks(A), second + 0.5)
        now = second + 1.0
        assert one_by_one.look(now, second + 0.5, always) == in_columns.look(now, second + 0.5, always)
    assert one_by_one.mute == in_columns.mute == {B, C}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0.2, 120.0))
def test_ticks_at_random_make_no_instrument_mute(seed, mean_s):
    random = Random(seed)
    liveness = followed(A, B, confirm_within_s=1e9)
    due = [random.expovariate(1.0 / mean_s)]

    def schedule(second):
        came = False
        while due[0] < second + 0.5:
            due[0] += random.expovariate(1.0 / mean_s)
            came = True
        return (A, B) if came else (A,)

    assert play(liveness, schedule, 5_000) == {}
