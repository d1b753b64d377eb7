"""When a login is needed: judged over days with a weekend, by two kinds of vendors."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.model.hours import next_open
from mds_engine.policy.logins import known_end, need

from tests.engine.india import HOUR_S, next_six, wall

DAY_S = 24 * HOUR_S


def a_day_later(at: float) -> float:
    """Another rule: a login lasts for 24 hours."""
    return at + DAY_S


def nse(at: float) -> float:
    return next_open("NSE", at)


def asked(
    now: str, until: str | None, *, refused: bool = False, ends_at: Callable[[float], float] = next_six
):
    return need(
        refused=refused,
        until=None if until is None else wall(until),
        now=wall(now),
        ahead_s=HOUR_S,
        ends_at=ends_at,
        next_open=nse,
    )


@pytest.mark.parametrize(
    ("now", "until", "at", "soon"),
    [
        # 2026-11-20 is a Friday.
        ("2026-11-20T05:30", "2026-11-20T06:00", None, False),  # a login of now would not last to the open
        ("2026-11-20T06:00", "2026-11-20T06:00", "2026-11-20T09:15", False),
        ("2026-11-20T08:14:59", "2026-11-20T06:00", "2026-11-20T09:15", False),
        ("2026-11-20T08:15", "2026-11-20T06:00", "2026-11-20T09:15", True),
        ("2026-11-20T11:00", "2026-11-20T06:00", "2026-11-20T11:00", True),  # it trades already
        ("2026-11-20T11:00", "2026-11-21T06:00", None, False),
        ("2026-11-20T16:00", "2026-11-21T06:00", None, False),
        ("2026-11-21T08:30", "2026-11-21T06:00", None, False),  # Saturday: it would end on Sunday again
        ("2026-11-22T20:00", "2026-11-21T06:00", None, False),
        ("2026-11-23T06:00", "2026-11-21T06:00", "2026-11-23T09:15", False),
        ("2026-11-23T08:15", "2026-11-21T06:00", "2026-11-23T09:15", True),
    ],
)
def test_a_login_that_ends_every_morning_is_wanted_an_hour_before_the_open(now, until, at, soon) -> None:
    found = asked(now, until)
    assert (found and (found.at, found.soon)) == (at and (wall(at), soon))


@pytest.mark.parametrize(
    ("now", "until", "at", "soon"),
    [
        ("2026-11-20T08:15", "2026-11-20T09:10", "2026-11-20T09:15", True),
        # It ends while the exchange trades: told an hour before it does.
        ("2026-11-20T08:15", "2026-11-20T10:00", "2026-11-20T10:00", False),
        ("2026-11-20T09:00", "2026-11-20T10:00", "2026-11-20T10:00", True),
        ("2026-11-20T14:00", "2026-11-20T16:00", None, False),  # Monday is further than a login lasts
    ],
)
def test_a_login_that_lasts_a_day_may_end_within_the_session(now, until, at, soon) -> None:
    found = asked(now, until, ends_at=a_day_later)
    assert (found and (found.at, found.soon)) == (at and (wall(at), soon))


def test_one_that_is_refused_is_needed_however_far_the_open_is_and_wanted_when_it_is_near() -> None:
    assert asked("2026-11-21T08:30", None, refused=True) == (wall("2026-11-23T09:15"), False)
    assert asked("2026-11-23T08:15", None, refused=True) == (wall("2026-11-23T09:15"), True)
    assert asked("2026-11-20T11:00", "2026-11-21T06:00", refused=True) == (wall("2026-11-20T11:00"), True)


def test_nothing_is_needed_of_credentials_that_nobody_knows_anything_of() -> None:
    assert asked("2026-11-20T08:15", None) is None


@pytest.mark.parametrize(
    ("logged_in", "proven", "end"),
    [
        (None, None, None),
        ("2026-11-20T08:00", None, "2026-11-21T06:00"),
        ("2026-11-20T08:00", "2026-11-20T15:00", "2026-11-21T06:00"),
        (None, "2026-11-20T15:00", "2026-11-21T06:00"),
        # Honoured a little longer than it should be: no proof that it lasts a day more.
        ("2026-11-20T08:00", "2026-11-21T06:20", "2026-11-21T06:00"),
        # Of unknown age it may be yesterday's, or of a minute ago: by 07:00 the vendor will have said.
        (None, "2026-11-21T06:20", None),
        (None, "2026-11-21T07:20", "2026-11-22T06:00"),
        ("2026-11-20T08:00", "2026-11-21T07:20", "2026-11-22T06:00"),
    ],
)
def test_the_end_follows_from_the_login_or_from_what_the_vendor_honours(logged_in, proven, end) -> None:
    found = known_end(
        next_six,
        logged_in_at=logged_in and wall(logged_in),
        proven_at=proven and wall(proven),
        honoured_s=HOUR_S,
    )
    assert found == (end and wall(end))


@given(
    at=st.floats(0, 21 * DAY_S),
    login_at=st.floats(0, 21 * DAY_S),
    rule=st.sampled_from([next_six, a_day_later]),
)
def test_whoever_logs_in_when_it_is_said_is_not_asked_again_before_that_open(at, login_at, rule) -> None:
    now = wall("2026-11-16T00:00") + max(at, login_at)
    until = rule(wall("2026-11-16T00:00") + min(at, login_at))
    first = need(refused=False, until=until, now=now, ahead_s=HOUR_S, ends_at=rule, next_open=nse)
    if first is None or not first.soon:
        return
    assert now >= first.at - HOUR_S
    again = need(refused=False, until=rule(now), now=now, ahead_s=HOUR_S, ends_at=rule, next_open=nse)
    assert again is None or again.at > first.at
