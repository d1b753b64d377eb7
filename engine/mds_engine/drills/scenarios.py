"""What is rehearsed: each scenario's fault, the route it hits, and what must hold."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mds_engine.drills import judgements as judge
from mds_engine.drills.evidence import Evidence
from mds_engine.drills.scorecard import Check
from mds_engine.drills.staging import Stage
from mds_engine.drills.stream_scenarios import STREAM_SCENARIOS, StreamScenario
from mds_engine.errors import MdsError
from mds_engine.simulator.faults import Fault, FaultKind


class UnknownDrillError(MdsError):
    """There is no drill of that name."""


class Scenario(NamedTuple):
    """One drill."""

    name: str
    about: str
    stage: Stage
    faults: tuple[Fault, ...]
    """Injected together into the primary's endpoint."""
    judgements: Sequence[Callable[[Evidence], Sequence[Check]]]
    everywhere: bool = False
    """Whether every source is hit, not the primary alone."""
    fault_s: float = 2.4
    flaps: int = 0
    """How often the fault goes off and on again while it lasts."""
    bad_symbols: bool = False
    """Whether callers ask for instruments that nobody knows, in place of a fault."""


PAIR = Stage(
    "BINANCE",
    (("primary", "binance", 0), ("backup", "binance", 1)),
    ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT"),
    30.0,
)
"""Two accounts of one vendor: quick enough for thirty calls a second, so that counts mean something."""

NSE = Stage("NSE", (("zerodha", "kite", 0), ("yahoo", "yahoo", 0)), ("NSE:RELIANCE", "NSE:INFY"), 4.0)
"""Across vendors, at a pace that Kite's one call a second and Yahoo can serve together."""

NASDAQ = Stage(
    "NASDAQ",
    (("alphavantage", "alphavantage", 0), ("yahoo", "yahoo", 0)),
    ("NASDAQ:AAPL", "NASDAQ:MSFT"),
    4.0,
)
"""A metered primary before a free backup."""

_ILL = (judge.no_call_failed, judge.failed_over, judge.dead_source_left_alone, judge.recovered)
_POLITE = (judge.no_call_failed, judge.breakers_stayed_closed, judge.backup_served)

_SCENARIOS = (
    Scenario(
        "primary-down",
        "the primary refuses connections",
        PAIR,
        (Fault(kind=FaultKind.REFUSE),),
        _ILL,
    ),
    Scenario(
        "primary-hangs",
        "the primary takes requests and never answers",
        PAIR,
        (Fault(kind=FaultKind.HANG),),
        (*_ILL, judge.hanging_costs_one_timeout),
        fault_s=3.0,
    ),
    Scenario(
        "primary-5xx",
        "the primary answers 503",
        PAIR,
        (Fault(kind=FaultKind.STATUS, status=503),),
        _ILL,
    ),
    Scenario(
        "throttled",
        "the primary answers 429 with Retry-After 3600",
        PAIR,
        (Fault(kind=FaultKind.THROTTLE, retry_after_s=3600),),
        (*_POLITE, judge.throttle_was_obeyed),
    ),
    Scenario(
        "banned",
        "the primary answers 418 with Retry-After 3600",
        PAIR,
        (Fault(kind=FaultKind.BAN, retry_after_s=3600),),
        (*_POLITE, judge.throttle_was_obeyed, judge.failed_over),
    ),
    Scenario(
        "token-expired",
        "the primary's session has ended",
        NSE,
        (Fault(kind=FaultKind.TOKEN_EXPIRED),),
        (*_POLITE, judge.login_was_asked_for, judge.failed_over),
    ),
    Scenario(
        "garbage",
        "the primary answers with web pages and with bodies that end in the middle",
        PAIR,
        (Fault(kind=FaultKind.HTML, probability=0.5), Fault(kind=FaultKind.TRUNCATE)),
        _ILL,
    ),
    Scenario(
        "slow",
        "the primary answers, but many times slower than it uses to",
        PAIR,
        (Fault(kind=FaultKind.SLOW, delay_s=0.5),),
        (judge.no_call_failed, judge.failed_over, judge.dead_source_left_alone),
        fault_s=3.0,
    ),
    Scenario(
        "flapping",
        "the primary fails and recovers several times a second",
        PAIR,
        (Fault(kind=FaultKind.STATUS, status=500),),
        (judge.no_call_failed, judge.few_switches),
        fault_s=3.0,
        flaps=6,
    ),
    Scenario(
        "quota-spent",
        "the primary's plan is used up",
        NASDAQ,
        (Fault(kind=FaultKind.QUOTA),),
        (*_POLITE, judge.quota_was_noticed, judge.failed_over),
    ),
    Scenario(
        "bad-symbol",
        "callers ask for instruments that nobody knows",
        PAIR,
        (),
        (judge.no_call_failed, judge.breakers_stayed_closed, judge.primary_kept),
        bad_symbols=True,
    ),
    Scenario(
        "all-down",
        "every source refuses connections",
        PAIR,
        (Fault(kind=FaultKind.REFUSE),),
        (judge.every_attempt_was_named, judge.errors_came_in_time, judge.recovered),
        everywhere=True,
    ),
)

_ALL: tuple[Scenario | StreamScenario, ...] = (*_SCENARIOS, *STREAM_SCENARIOS)

SCENARIOS: dict[str, Scenario | StreamScenario] = {scenario.name: scenario for scenario in _ALL}


def find(name: str) -> Scenario | StreamScenario:
    """The scenario of that name. Raises UnknownDrillError."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise UnknownDrillError(f"there is no drill {name!r}; known are {', '.join(SCENARIOS)}") from None
