"""What is rehearsed on live streams: each scenario's faults, one after the other, and what must hold."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mds_engine.drills import quality_judgements as quality
from mds_engine.drills import stream_judgements as judge
from mds_engine.drills.scorecard import Check
from mds_engine.drills.staging import Stage
from mds_engine.drills.stream_evidence import StreamEvidence
from mds_engine.simulator.faults import Fault, FaultKind


class Phase(NamedTuple):
    """Faults that stand together for a while, and are cleared when it is over."""

    for_s: float
    faults: tuple[Fault, ...] = ()
    everywhere: bool = False
    """Whether every source is hit, not the primary alone."""


class StreamScenario(NamedTuple):
    """One drill of live ticks, from a primary with a warm standby."""

    name: str
    about: str
    phases: tuple[Phase, ...]
    judgements: Sequence[Callable[[StreamEvidence], Sequence[Check]]]
    hit: tuple[str, ...] = ()
    """The instruments that the fault is about; none means all."""
    settings: str = ""
    """TOML that goes on in `[streams]`, and may begin tables of its own."""
    route: str = "standby = true"
    """TOML of the route's table."""
    pace: float = 1.0
    """How many times as fast as the machine's the drill's clock runs; all times are on that clock."""
    warm_s: float = 0.8
    """Seconds of ticks from all sources before the fault."""
    after_s: float = 1.0
    """Seconds that ticks flow on after the first good one."""
    stalls: bool = False
    """Whether a second reader stands still while the phases last."""
    trades_per_s: float = 40.0
    """Of each instrument."""


STREAM_PAIR = Stage(
    "BINANCE",
    (("primary", "binance", 0), ("backup", "binance", 1)),
    ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT"),
    8.0,
)
"""Two accounts of one vendor whose trades bear numbers, so that each of them can be accounted for."""

_BTC, _ETH = STREAM_PAIR.instruments

_EXACT = (judge.every_trade_accounted_for, judge.flows_to_the_end, judge.no_call_failed)
_WHOLE = (*_EXACT, judge.nothing_missing)
_WRONG = (
    judge.every_trade_came_once,
    judge.nothing_missing,
    judge.flows_to_the_end,
    judge.no_call_failed,
    quality.only_the_liar_was_doubted,
)

_LEARNED_SOON = """\
return_after_s = 2.0

[quality]
learn_after = 10
frozen_s = 6.0
frozen_factor = 2.0
recover_s = 4.0
"""
_LEARNING_S = 36.0
"""A price must have changed at twenty looks, one a second, before its standstills count as known."""


def _dropped(for_s: float) -> Phase:
    return Phase(for_s, (Fault(kind=FaultKind.DROPPED_FRAMES),))


STREAM_SCENARIOS: tuple[StreamScenario, ...] = (
    StreamScenario(
        "stream-cut",
        "the primary's live stream is cut and cannot be had again",
        (
            Phase(
                2.0,
                (Fault(kind=FaultKind.CUT_STREAM), Fault(kind=FaultKind.STATUS, status=503, scope="ws")),
            ),
        ),
        (*_WHOLE, judge.standby_took_over_a_cut),
    ),
    StreamScenario(
        "stream-mute",
        "the primary's live stream stays connected and says nothing",
        (Phase(3.0, (Fault(kind=FaultKind.MUTE_STREAM),)),),
        (*_WHOLE, judge.standby_took_over_a_mute),
        settings="mute_after_s = 1.0",
    ),
    StreamScenario(
        "instrument-mute",
        "one instrument of the primary's live stream falls silent, the others go on",
        (Phase(16.0, (Fault(kind=FaultKind.MUTE_INSTRUMENT, instrument=_ETH),)),),
        (*_WHOLE, judge.standby_took_over_one),
        hit=(_ETH,),
        settings="instrument_mute_after_s = 2.5\nreturn_after_s = 2.0",
        pace=8.0,
        warm_s=20.0,
        after_s=4.0,
        trades_per_s=10.0,
    ),
    StreamScenario(
        "stream-duplicates",
        "frames of the primary's live stream come twice, at once or a little later",
        (
            Phase(1.2, (Fault(kind=FaultKind.DUPLICATE_FRAMES, probability=0.5),)),
            Phase(1.2, (Fault(kind=FaultKind.DUPLICATE_FRAMES, probability=0.5, delay_s=0.25),)),
        ),
        (*_WHOLE, judge.fault_was_felt, judge.primary_kept),
    ),
    StreamScenario(
        "stream-reordered",
        "frames of the primary's live stream come in the wrong order",
        (
            Phase(1.2, (Fault(kind=FaultKind.REORDERED_FRAMES, probability=0.3),)),
            Phase(1.2, (Fault(kind=FaultKind.REORDERED_FRAMES, probability=0.1, delay_s=0.08),)),
        ),
        (*_WHOLE, judge.fault_was_felt, judge.primary_kept),
    ),
    StreamScenario(
        "stream-gap",
        "frames of the primary's live stream are lost; then also nobody has past trades",
        (
            _dropped(0.4),
            Phase(1.0),
            Phase(
                1.2,
                (
                    Fault(kind=FaultKind.NO_TRADES, scope="http"),
                    Fault(kind=FaultKind.DROPPED_FRAMES, first=20),
                ),
                everywhere=True,
            ),
        ),
        (*_EXACT, judge.fault_was_felt, judge.first_hole_was_filled, judge.second_hole_was_told),
        route="standby = false",
    ),
    StreamScenario(
        "wrong-price",
        "the primary's prices are 1 % off, on a route that leaves a liar",
        (Phase(14.0, (Fault(kind=FaultKind.WRONG_PRICE, factor=1.01),)),),
        (*_WRONG, quality.wrong_price_was_found, quality.liar_was_left),
        settings=_LEARNED_SOON,
        route="standby = true\nquarantine = true",
        pace=10.0,
        warm_s=_LEARNING_S,
        after_s=10.0,
        trades_per_s=10.0,
    ),
    StreamScenario(
        "frozen-price",
        "the primary's prices stand still while its ticks go on, on a route that stays with it",
        (Phase(20.0, (Fault(kind=FaultKind.FROZEN_PRICE),)),),
        (*_WRONG, quality.frozen_price_was_found, quality.liar_was_flagged, judge.primary_kept),
        settings=_LEARNED_SOON,
        pace=10.0,
        warm_s=_LEARNING_S,
        after_s=8.0,
        trades_per_s=10.0,
    ),
    StreamScenario(
        "slow-reader",
        "one of two readers stands still for a while",
        (Phase(2.0),),
        (*_WHOLE, judge.stalled_reader_was_told, judge.primary_kept),
        stalls=True,
    ),
    StreamScenario(
        "reconnect-storm",
        "every live stream is cut and refused, then accepted and cut again, for some seconds",
        (
            Phase(
                1.5,
                (Fault(kind=FaultKind.CUT_STREAM), Fault(kind=FaultKind.STATUS, status=503, scope="ws")),
                everywhere=True,
            ),
            Phase(1.5, (Fault(kind=FaultKind.CUT_STREAM, delay_s=0.2),), everywhere=True),
        ),
        (*_EXACT, judge.nothing_missing, judge.storm_was_weathered),
    ),
    StreamScenario(
        "day-cut",
        "the vendor announces that it will end the live streams, and does",
        (Phase(2.4, (Fault(kind=FaultKind.STREAM_SHUTDOWN, delay_s=1.5),), everywhere=True),),
        (*_WHOLE, judge.renewed_without_a_loss, judge.primary_kept),
    ),
)
