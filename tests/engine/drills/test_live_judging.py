"""When a drill on the running engine passes, fails, or cannot be judged."""

import msgspec
import pytest
from mds_engine.control.drill import DrillFigures, scenario_named
from mds_engine.drills.live.judging import Circumstances, judge, verdict_of


def _about(scenario: str = "refused", **more: object) -> Circumstances:
    told = {
        "scenario": scenario_named(scenario),
        "target": "kite",
        "kind": "kite",
        "stood_s": 70.0,
        "watched_to_the_end": True,
        "served": 2,
        "to_move": 2,
        "moved": 2,
        "failed_beyond_risk": 0,
        "at_risk": (),
        "streamed": True,
        "compared": True,
        "timeout_s": 2.0,
        "check_interval_s": 30.0,
        "open_timeout_s": 10.0,
        "mute_after_s": 30.0,
        "reconnect_cap_s": 60.0,
    }
    return Circumstances(**{**told, **more})


GOOD = DrillFigures(
    held_back=9,
    calls=50,
    answered=50,
    answered_by={"yahoo": 50},
    noticed_after_s=0.5,
    failover_ms=40.0,
    moved_after_s=2.0,
    ticks=900,
    lost=0,
    silence_s=1.5,
    breakers_opened=1,
    recovered_after_s=4.0,
    served=2,
)


def _figures(**more: object) -> DrillFigures:
    return msgspec.structs.replace(GOOD, **more)


def _bad(figures: DrillFigures, about: Circumstances) -> list[str]:
    return [check.name for check in judge(figures, about) if not check.ok]


def test_all_well_is_a_pass() -> None:
    checks = judge(GOOD, _about())
    assert verdict_of(checks) == "pass"
    assert all(check.limit or check.why is not None for check in checks)


@pytest.mark.parametrize(
    ("figures", "about", "name"),
    [
        ({"failed": 1}, {"failed_beyond_risk": 1}, "calls failed"),
        ({"failover_ms": 2600.0}, {}, "first failover"),
        ({"noticed_after_s": 61.0}, {}, "noticed after"),
        ({"noticed_after_s": None}, {}, "noticed after"),
        ({}, {"moved": 1}, "routes moved to another source"),
        ({"past_breaker": 1}, {}, "requests past an open breaker"),
        ({"lost": 1}, {}, "ticks lost"),
        ({"doubled": 1}, {}, "ticks doubled"),
        ({"disordered": 1}, {}, "ticks out of order"),
        ({"silence_s": 10.5}, {}, "longest silence"),
        ({"recovered_after_s": 61.0}, {}, "well again after"),
        ({"recovered_after_s": None}, {}, "well again after"),
        ({"breakers_opened": 1}, {"scenario": "throttled"}, "breakers opened"),
    ],
)
def test_each_thing_that_must_hold_can_fail_it(figures: dict, about: dict, name: str) -> None:
    checks = judge(_figures(**figures), _about(**about))
    assert [check.name for check in checks if not check.ok] == [name]
    assert verdict_of(checks) == "fail"
    failed = next(check for check in checks if not check.ok)
    assert failed.limit


@pytest.mark.parametrize(
    ("figures", "about"),
    [
        ({"noticed_after_s": None}, {"stood_s": 20.0}),
        ({"noticed_after_s": None, "held_back": 2}, {}),
        ({"noticed_after_s": None}, {"scenario": "stream-cut", "streamed": False}),
        ({"noticed_after_s": None}, {"scenario": "wrong-price", "compared": False}),
        ({"noticed_after_s": None}, {"scenario": "slow"}),
        ({"recovered_after_s": None}, {"watched_to_the_end": False}),
        ({"silence_s": 60.0}, {"streamed": False}),
        ({"silence_s": None}, {}),
        ({"lost": None}, {}),
        ({"failed": 3}, {"at_risk": ("NSE/quote",)}),
    ],
)
def test_what_nobody_can_be_blamed_for_is_told_and_not_judged(figures: dict, about: dict) -> None:
    assert _bad(_figures(**{"breakers_opened": 0, **figures}), _about(**about)) == []


def test_a_silent_stream_may_be_silent_for_as_long_as_it_takes_to_find() -> None:
    assert _bad(_figures(silence_s=35.0), _about("stream-mute")) == []
    assert _bad(_figures(silence_s=41.0), _about("stream-mute")) == ["longest silence"]


def test_nobody_asked_is_no_pass_for_calls() -> None:
    checks = judge(_figures(calls=0, answered=0), _about("errors"))
    (calls,) = [check for check in checks if check.name == "calls failed"]
    assert (calls.limit, calls.why) == ("", "nobody asked anything while it stood")


def test_where_nothing_was_judged_the_verdict_says_so() -> None:
    figures = _figures(calls=0, noticed_after_s=None, breakers_opened=0, recovered_after_s=None)
    about = _about("errors", stood_s=2.0, to_move=0, moved=0, watched_to_the_end=False)
    assert verdict_of(judge(figures, about)) == "not judged"
