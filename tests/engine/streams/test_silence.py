"""When a connection that still stands counts as lost, by plain numbers."""

import math

import pytest
from mds_engine.streams.rhythm import Rhythm
from mds_engine.streams.silence import Heard, Silence, is_merely_quiet

OPEN = frozenset({"X"})
SHUT = frozenset()


def judge(mute_after_s=30.0, *, trading=OPEN, since=0.0):
    """A judge of silence whose connection was opened at `since`."""
    silence = Silence(mute_after_s)
    silence.begin(trading, since)
    return silence


def heard(last_at=0.0, *, every_s=None, instruments=50, flowed_at=0.0):
    """A connection that was opened at 0. Its usual pauses are known where `every_s` says them."""
    rhythm = Rhythm()
    if every_s is not None:
        for place in range(200):
            at = last_at - (199 - place) * every_s
            rhythm.beat(at)
            rhythm.limit_s(at)  # whoever listens looks now and then, and a long pause fades by that
    return Heard(0.0, last_at, rhythm, instruments, flowed_at)


def found_after_s(silence, what, *, late_s=0.0):
    """After how many seconds from its last tick it is lost, to a hundredth; None within ten minutes."""
    times = (place / 100 for place in range(60_000))
    return next((s for s in times if silence.too_long(what, what.last_at + s, late_s=late_s)), None)


def test_what_pauses_for_a_tenth_of_a_second_is_lost_after_one():
    flowing = heard(100.0, every_s=0.1)
    assert found_after_s(judge(), flowing) == 1.0
    assert judge().too_long(flowing, 101.04, late_s=0.0) == "connected but mute for 1.0 s"
    assert judge().due_in_s(flowing, 100.25) == pytest.approx(0.75)


def test_where_its_pauses_are_not_known_or_are_longer_it_may_be_silent_for_the_most_that_is_borne():
    assert found_after_s(judge(), heard(100.0)) == 30.0
    assert found_after_s(judge(), heard(10_000.0, every_s=20.0)) == 30.0
    assert judge().too_long(heard(100.0), 131.6, late_s=0.0) == "connected but mute for 32 s"


def test_a_few_instruments_may_be_silent_while_their_source_flows_and_many_may_not():
    assert found_after_s(judge(), heard(100.0, instruments=9, flowed_at=120.0)) == 50.0
    assert found_after_s(judge(), heard(100.0, instruments=10, flowed_at=120.0)) == 30.0
    known = heard(100.0, every_s=0.1, instruments=9, flowed_at=120.0)
    assert found_after_s(judge(), known) == 1.0, "its own pauses say more than what flows beside it"


def test_who_looks_late_takes_its_own_silence_for_nobodys_until_it_is_the_most_that_is_borne():
    flowing = heard(100.0, every_s=0.1)
    assert found_after_s(judge(), flowing, late_s=0.24) == 1.0
    assert found_after_s(judge(), flowing, late_s=0.25) == 30.0


@pytest.mark.parametrize(("mute_after_s", "trading"), [(0.0, OPEN), (30.0, SHUT)])
def test_a_closed_market_and_what_is_borne_for_ever_say_nothing(mute_after_s, trading):
    silence = judge(mute_after_s, trading=trading)
    assert found_after_s(silence, heard(100.0, every_s=0.1)) is None
    assert silence.due_in_s(heard(100.0), 1e6) == math.inf


def test_an_opening_gives_time_and_a_closing_does_not():
    silence = judge(trading=SHUT)
    quiet = heard(0.0)
    assert silence.follow_hours(frozenset({"X", "Y"}), 1000.0), "what was usual is so no more"
    assert not silence.follow_hours(frozenset({"X", "Y"}), 1020.0), "nothing changed"
    assert silence.follow_hours(OPEN, 1025.0)
    assert silence.due_in_s(quiet, 1025.0) == 5.0
    assert silence.too_long(quiet, 1029.9, late_s=0.0) == ""
    assert silence.too_long(quiet, 1030.0, late_s=0.0) == "connected but mute for 30 s"


def test_one_that_is_opened_is_given_time_whatever_was_before():
    silence = judge()
    silence.begin(OPEN, 500.0)
    assert silence.due_in_s(heard(0.0), 500.0) == 30.0


def test_one_that_is_up_again_is_well_once_it_is_settled_and_others_have_flowed_since():
    assert is_merely_quiet(heard(flowed_at=0.1), 30.0, 30.0)
    assert not is_merely_quiet(heard(flowed_at=0.1), 30.0, 29.9)
    assert not is_merely_quiet(heard(flowed_at=0.0), 30.0, 60.0), "nothing came beside it either"
