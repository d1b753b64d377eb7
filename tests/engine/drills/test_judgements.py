"""The judges of calls pass what is well, and each of their checks fails where it must."""

import pytest
from mds_engine.control import events
from mds_engine.drills import SCENARIOS, judgements
from mds_engine.drills.evidence import Evidence
from mds_engine.drills.scenarios import Scenario
from mds_engine.drills.traffic import CallRecord, Traffic
from mds_engine.errors import AllSourcesFailedError, MdsError
from mds_engine.model import Decision
from mds_engine.model.decision import Step, Verdict
from mds_engine.simulator.wire_log import WireEntry

ROUTE = "BINANCE/quote"
FAULT, CLEARED, ENDED = 1000.0, 1010.0, 1020.0
REFUSED = MdsError("no answer")


def call(when, source="primary", took_ms=10.0, **more):
    return CallRecord(began_at=when, took_ms=took_ms, source=source, **more)


def traffic(*calls):
    made = Traffic(None, None, (), 1.0)
    made.calls += calls
    return made


def requests(*times):
    return tuple(
        WireEntry(number=1, at=when, vendor="", endpoint=0, method="", path="", query="", group="quote")
        for when in times
    )


def no_source(*asked):
    steps = tuple(Step(source, Verdict.FAILED) for source in asked)
    decision = Decision(1, ROUTE, "", FAULT, 1.0, None, steps)
    return call(FAULT + 1.0, None, error=AllSourcesFailedError("nobody could answer", decision=decision))


def opened(when, capability="quote"):
    return events.BreakerOpened(source="primary", capability=capability, open_for_s=2.0, why="", at=when)


def closed(when):
    return events.BreakerClosed(source="primary", capability="quote", why="", at=when)


def moved(took_ms=20.0):
    return events.FailedOver(
        route=ROUTE, before="primary", after="backup", why="", took_ms=took_ms, at=FAULT + 0.1
    )


THROTTLED = events.Throttled(source="primary", for_s=3600.0, banned=False, why="", at=FAULT + 0.1)
SPENT = events.QuotaSpent(source="primary", why="", resets_at=None, at=FAULT + 0.1)
LOGIN = events.LoginNeeded(source="primary", why="", at=FAULT + 0.1)

WELL = Evidence(
    primary="primary",
    backup="backup",
    route=ROUTE,
    traffic=traffic(call(FAULT - 1.0), call(FAULT + 1.0, "backup"), call(FAULT + 5.0, "backup")),
    events=(moved(), opened(FAULT + 0.5), closed(CLEARED + 1.0)),
    wire=requests(FAULT + 0.1, CLEARED + 2.0),
    fault_at=FAULT,
    cleared_at=CLEARED,
    ended_at=ENDED,
    timeout_s=0.75,
    check_interval_s=1.25,
    deadline_s=3.0,
    sources=("primary", "backup"),
)
NOTHING = WELL._replace(traffic=traffic(), events=(), wire=())
ALL_DOWN = WELL._replace(traffic=traffic(no_source("primary", "backup")))
STRANGE = WELL._replace(traffic=traffic(call(FAULT), call(FAULT, None, error=REFUSED, expected_to_fail=True)))
SLOW = WELL._replace(
    traffic=traffic(
        call(FAULT + 0.1, took_ms=5000.0),
        call(FAULT + 1.0, took_ms=5000.0),
        call(FAULT + 2.0, took_ms=5000.0),
    )
)

CASES = {
    judgements.no_call_failed: (WELL, [NOTHING, WELL._replace(traffic=traffic(call(FAULT, error=REFUSED)))]),
    judgements.failed_over: (WELL, [NOTHING]),
    judgements.dead_source_left_alone: (
        WELL,
        [NOTHING, WELL._replace(wire=requests(FAULT + 0.1, FAULT + 1.0, FAULT + 2.0))],
    ),
    judgements.recovered: (WELL, [NOTHING]),
    judgements.hanging_costs_one_timeout: (WELL, [NOTHING, SLOW]),
    judgements.breakers_stayed_closed: (NOTHING, [WELL]),
    judgements.backup_served: (WELL, [NOTHING]),
    judgements.throttle_was_obeyed: (
        WELL._replace(events=(THROTTLED,), wire=requests(FAULT)),
        [NOTHING, WELL._replace(events=(THROTTLED,), wire=requests(FAULT, FAULT + 1.0))],
    ),
    judgements.login_was_asked_for: (
        WELL._replace(events=(LOGIN,)),
        [NOTHING, WELL._replace(events=(LOGIN, LOGIN))],
    ),
    judgements.quota_was_noticed: (
        WELL._replace(events=(SPENT,), wire=requests(FAULT)),
        [NOTHING, WELL._replace(events=(SPENT,), wire=requests(FAULT, FAULT + 1.0))],
    ),
    judgements.few_switches: (WELL, [WELL._replace(events=(moved(),) * 5)]),
    judgements.primary_kept: (
        STRANGE,
        [
            NOTHING,
            WELL._replace(traffic=traffic(call(FAULT, "backup"), call(FAULT, expected_to_fail=True))),
        ],
    ),
    judgements.every_attempt_was_named: (
        ALL_DOWN,
        [NOTHING, WELL._replace(traffic=traffic(no_source("primary")))],
    ),
    judgements.errors_came_in_time: (ALL_DOWN, [SLOW]),
}


def failing(judgement, evidence):
    return {(place, check.name) for place, check in enumerate(judgement(evidence)) if not check.ok}


@pytest.mark.parametrize("judgement", CASES, ids=lambda judgement: judgement.__name__)
def test_it_passes_what_is_well(judgement):
    assert failing(judgement, CASES[judgement][0]) == set()


@pytest.mark.parametrize("judgement", CASES, ids=lambda judgement: judgement.__name__)
def test_each_of_its_checks_can_fail(judgement):
    good, bad = CASES[judgement]
    every = {(place, check.name) for place, check in enumerate(judgement(good))}
    assert every - set().union(*(failing(judgement, one) for one in bad)) == set()


def test_no_judgement_is_forgotten():
    in_use = {
        judgement
        for scenario in SCENARIOS.values()
        if isinstance(scenario, Scenario)
        for judgement in scenario.judgements
    }
    assert in_use == set(CASES)
