"""The panic rule: who is probed before its time when every source is out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.policy.panic import PanicCandidate, PanicRule, PanicSettings


def out(name: str, due_in_s: float, only_health: bool = True) -> PanicCandidate:
    return PanicCandidate(name, due_in_s, only_health)


def test_the_one_due_soonest_is_probed() -> None:
    rule = PanicRule(PanicSettings())
    assert rule.choose([out("kite", 40.0), out("yahoo", 12.0), out("alphavantage", 50.0)], 0.0) == "yahoo"


def test_the_first_of_equals_is_probed() -> None:
    assert PanicRule(PanicSettings()).choose([out("kite", 40.0), out("yahoo", 40.0)], 0.0) == "kite"


def test_bans_quotas_logins_and_operators_are_never_overruled() -> None:
    rule = PanicRule(PanicSettings())
    assert rule.choose([out("kite", 1.0, only_health=False), out("yahoo", 300.0)], 0.0) == "yahoo"
    assert rule.choose([out("kite", 1.0, only_health=False)], 5.0) is None
    assert rule.choose([out("kite", math.inf)], 9.0) is None
    assert rule.choose([], 10.0) is None


def test_a_dead_vendor_gets_one_probe_a_second_however_many_call() -> None:
    rule = PanicRule(PanicSettings())
    probes = [rule.choose([out("kite", 60.0)], thousandth / 1000) for thousandth in range(5_000)]
    assert sum(probe is not None for probe in probes) == 5


def test_each_source_has_its_own_second() -> None:
    rule = PanicRule(PanicSettings())
    both = [out("kite", 10.0), out("yahoo", 20.0)]
    assert [rule.choose(both, 0.0), rule.choose(both, 0.1), rule.choose(both, 0.2)] == ["kite", "yahoo", None]
    assert rule.choose(both, 1.0) == "kite"


def test_switched_off_it_chooses_nobody() -> None:
    assert PanicRule(PanicSettings(enabled=False)).choose([out("kite", 1.0)], 0.0) is None


_CANDIDATES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0.0, 100.0) | st.just(math.inf), st.booleans()),
    max_size=4,
    unique_by=lambda entry: entry[0],
)


@given(st.lists(st.tuples(st.floats(0.0, 0.6), _CANDIDATES), max_size=40))
def test_it_is_the_soonest_of_those_whose_second_is_over(
    steps: list[tuple[float, list[tuple[str, float, bool]]]],
) -> None:
    rule = PanicRule(PanicSettings())
    probed: dict[str, float] = {}
    now = 0.0
    for wait_s, entries in steps:
        now += wait_s
        fit = [
            (due_in_s, name)
            for name, due_in_s, only_health in entries
            if only_health and due_in_s < math.inf and now - probed.get(name, -math.inf) >= 1.0
        ]
        chosen = rule.choose([PanicCandidate(*entry) for entry in entries], now)
        if chosen is None:
            assert not fit
        else:
            assert chosen in [name for due_in_s, name in fit if due_in_s == min(fit)[0]]
            probed[chosen] = now


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="interval_s"):
        PanicSettings(interval_s=0.0)
