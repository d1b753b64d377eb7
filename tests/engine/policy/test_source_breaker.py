"""The source as a whole: a dead vendor is learned once."""

from random import Random

from mds_engine.policy.breaker import BreakerSettings, BreakerState
from mds_engine.policy.source_breaker import SourceBreaker, SourceBreakerSettings


def source_breaker() -> SourceBreaker:
    return SourceBreaker(SourceBreakerSettings(), BreakerSettings(open_jitter=0.0), Random(1))


def fail(subject: SourceBreaker, now: float, unreachable: bool):
    return subject.failure(subject.acquire(now), now, 0.1, "failed", unreachable=unreachable)


def test_an_unreachable_endpoint_is_learned_over_all_capabilities():
    subject = source_breaker()
    for _ in range(4):
        assert fail(subject, 0.0, unreachable=True) is None
    assert fail(subject, 0.0, unreachable=True).after is BreakerState.OPEN
    assert subject.acquire(1.0) == 0


def test_a_vendor_that_answers_badly_is_reachable():
    subject = source_breaker()
    for _ in range(30):
        fail(subject, 0.0, unreachable=True)
        fail(subject, 0.0, unreachable=False)
    assert subject.state(0.0) is BreakerState.CLOSED


def test_two_capabilities_within_the_window_take_the_source_out():
    subject = source_breaker()
    assert subject.capability_opened("quote", 0.0, "5 failures") is None
    assert subject.capability_opened("quote", 10.0, "5 failures") is None, "one capability is one"
    moved = subject.capability_opened("bars", 70.0, "timeouts")
    assert moved is not None
    assert moved.why == "breakers of bars, quote opened: timeouts"


def test_openings_long_ago_or_healed_do_not_count():
    subject = source_breaker()
    subject.capability_opened("quote", 0.0, "x")
    assert subject.capability_opened("bars", 60.1, "x") is None
    subject.capability_closed("bars")
    assert subject.capability_opened("ticks", 61.0, "x") is None
    subject.reset(62.0, "asha")
    assert subject.capability_opened("quote", 63.0, "x") is None


def test_any_failed_probe_opens_the_source_again():
    subject = source_breaker()
    subject.trip(0.0, "both failed")
    assert fail(subject, 60.0, unreachable=False).after is BreakerState.OPEN


def test_forced_states_hold_against_the_capabilities():
    subject = source_breaker()
    subject.force_closed(0.0, "asha")
    subject.capability_opened("quote", 0.0, "x")
    assert subject.capability_opened("bars", 0.0, "x") is None
    assert subject.state(0.0) is BreakerState.FORCED_CLOSED


def test_other_settings_hold_from_the_next_failure_on():
    subject = source_breaker()
    for _ in range(2):
        fail(subject, 0.0, unreachable=True)
    subject.use_both(SourceBreakerSettings(unreachable=3), BreakerSettings(open_s=10.0, open_jitter=0.0))
    moved = fail(subject, 0.0, unreachable=True)
    assert (moved.after, moved.open_for_s) == (BreakerState.OPEN, 10.0)
