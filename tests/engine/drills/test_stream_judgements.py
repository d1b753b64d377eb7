"""The judges of live streams pass what is well, and each of their checks fails where it must."""

import pytest
from mds_engine.control import events
from mds_engine.drills import SCENARIOS, quality_judgements, stream_judgements
from mds_engine.drills.stream_accounts import Received
from mds_engine.drills.stream_evidence import StreamEvidence
from mds_engine.drills.stream_scenarios import StreamScenario
from mds_engine.drills.traffic import CallRecord, Traffic
from mds_engine.errors import MdsError
from mds_engine.model import Gap, Instrument, Missed, SourceSwitched, Tick, TickFlag, TickKind
from mds_engine.simulator.push_log import Push, Told
from mds_engine.simulator.truth import ExpectedTrade
from mds_engine.simulator.wire_log import WireEntry

X, Y = "BINANCE:X", "BINANCE:Y"
BOTH = (X, Y)
BEGAN = 1_000_000_000.0
FAULT, CLEARED, ENDED = BEGAN + 5.05, BEGAN + 12.0, BEGAN + 15.0
FOUND, TRUSTED = BEGAN + 11.05, BEGAN + 13.0
LAST = 149
"""Ten trades a second, numbered from 1 on."""


def at(number):
    return BEGAN + number / 10


def time_ns(number):
    return round(at(number) * 1e9)


def trade(number, name, source="primary", came=None, flags=TickFlag.NONE, factor=1.0):
    came = at(number) + 0.01 if came is None else came
    tick = Tick(
        instrument=Instrument.parse(name),
        kind=TickKind.TRADE,
        price=(100.0 + number) * factor,
        size=1.0,
        time_ns=time_ns(number),
        received_ns=round(came * 1e9),
        sequence=number,
        source=source,
        flags=flags,
    )
    return Received(came, tick)


def span(source, first, last, **changes):
    return [(number, source, changes) for number in range(first, last + 1)]


def flow(name, *spans):
    """What a reader gets of one instrument; each change of source is told before its first tick."""
    items, before = [], ""
    for number, source, changes in (one for part in spans for one in part):
        received = trade(number, name, source, **changes)
        if source != before:
            switched = SourceSwitched(instrument=Instrument.parse(name), before=before, after=source)
            items.append(Received(received.at, switched))
            before = source
        items.append(received)
    return items


def flows(*spans):
    return [item for name in BOTH for item in flow(name, *spans)]


def gap(name, first, last, **changes):
    bounds = {"after_ns": time_ns(first - 1), "before_ns": time_ns(last + 1)}
    told = Gap(
        instrument=Instrument.parse(name),
        source="primary",
        first_sequence=first,
        last_sequence=last,
        **{**bounds, **changes},
    )
    return Received(at(last + 1), told)


def traffic(*errors):
    calls = Traffic(None, None, (), 1.0)
    calls.calls += [
        CallRecord(began_at=FAULT, took_ms=1.0, source="primary", error=error) for error in errors
    ]
    return calls


def attempts(*times):
    return [
        WireEntry(number=1, at=when, vendor="", endpoint=0, method="", path="", query="", group="")
        for when in times
    ]


def but(received, drop=lambda _: False, more=()):
    """What a reader got, but for some of it."""
    return [*(one for one in received if not drop(one.item)), *more]


def is_trade(numbers, name=X):
    return lambda item: isinstance(item, Tick) and str(item.instrument) == name and item.sequence in numbers


def is_switch(item):
    return isinstance(item, SourceSwitched) and item.before != ""


WELL = StreamEvidence(
    sources=("primary", "backup"),
    instruments=BOTH,
    hit=BOTH,
    received=flows(span("primary", 1, LAST)),
    stalled=(),
    expected={
        name: {
            number: ExpectedTrade(number, time_ns(number), 100.0 + number, 1.0)
            for number in range(1, LAST + 1)
        }
        for name in BOTH
    },
    pushes={},
    wire=(),
    hits=20,
    traffic=traffic(None),
    events=(),
    fault_at=FAULT,
    cleared_at=CLEARED,
    ended_at=ENDED,
    looked_wrong={},
    streams=2,
)
NOTHING = WELL._replace(received=[], hits=0, traffic=traffic(), streams=0)
SWITCHED = WELL._replace(received=flows(span("primary", 1, 60), span("backup", 61, LAST)))


def lost(when):
    return events.StreamLost(source="primary", why="", at=when)


CUT = WELL._replace(
    received=flows(span("primary", 1, 50), span("backup", 51, LAST)), events=(lost(FAULT + 0.02),)
)
MUTE = WELL._replace(
    received=flows(
        span("primary", 1, 50),
        span("backup", 51, 62, came=FAULT + 1.26, flags=TickFlag.HELD),
        span("backup", 63, LAST),
    ),
    events=(lost(FAULT + 1.25),),
)
LATE_CUT = CUT._replace(
    received=flows(span("primary", 1, 50), span("backup", 51, LAST, came=FAULT + 9.0)),
    events=(lost(FAULT + 4.0),),
)


def muted(*names, source="primary"):
    return events.InstrumentsMute(source=source, instruments=names, why="", at=FAULT + 3.0)


ONE_MUTE = WELL._replace(
    hit=(Y,),
    received=[
        *flow(X, span("primary", 1, LAST)),
        *flow(
            Y,
            span("primary", 1, 50),
            span("backup", 51, 81, came=FAULT + 3.05, flags=TickFlag.HELD),
            span("backup", 82, LAST),
        ),
    ],
    events=(muted(Y),),
)

FILLED = WELL._replace(
    received=flows(
        span("primary", 1, 59), span("primary", 60, 62, flags=TickFlag.FILLED), span("primary", 63, LAST)
    ),
    events=tuple(events.TicksFilled(source="primary", instrument=name, ticks=3) for name in BOTH),
)


def gapped(name):
    return events.TicksGapped(
        source="primary", instrument=name, after_ns=None, before_ns=None, missing=5, why=""
    )


HOLE = WELL._replace(
    received=but(WELL.received, is_trade(range(60, 65)), [gap(X, 60, 64)]),
    pushes={
        "binance": [Push(at(n), 1, Told(X, "aggTrade", number=n), not 60 <= n <= 64) for n in range(1, LAST)]
    },
    events=(gapped(X),),
)

STALLED = WELL._replace(
    stalled=[*WELL.received[:200], Received(ENDED, Missed(ticks=len(WELL.received) - 200))],
    events=(events.ReaderSlow(reader="stalls", missed=98),),
)

STORM = WELL._replace(
    wire=attempts(FAULT + 0.1, FAULT + 0.4, FAULT + 1.5),
    events=(lost(FAULT), lost(FAULT + 1.0), events.TicksFilled(source="primary", instrument=X, ticks=3)),
)
RENEWED = WELL._replace(
    events=tuple(events.StreamRenewed(source=source, why="") for source in ("primary", "backup"))
)


def doubt(kind, name, when, source="primary", check="price", **more):
    return kind(source=source, instrument=name, check=check, at=when, **more)


def suspect(name, when=FOUND, **changes):
    return doubt(events.DataSuspect, name, when, why="", **changes)


def trusted(name, when=TRUSTED, **changes):
    return doubt(events.DataTrusted, name, when, **changes)


def doubts(check="price"):
    return tuple(event for name in BOTH for event in (suspect(name, check=check), trusted(name, check=check)))


WRONG = WELL._replace(
    received=flows(
        span("primary", 1, 50),
        span("primary", 51, 110, factor=1.01),
        span("backup", 111, 139),
        span("primary", 140, LAST),
    ),
    events=doubts(),
    looked_wrong={"price": 2},
)
FLAGGED = WELL._replace(
    received=flows(
        span("primary", 1, 50),
        span("primary", 51, 110, factor=1.01),
        span("primary", 111, 129, factor=1.01, flags=TickFlag.SUSPECT),
        span("primary", 130, LAST),
    ),
    events=doubts("frozen"),
    looked_wrong={"frozen": 2},
)
LIES = flows(span("primary", 1, 50), span("primary", 51, LAST, factor=1.01))
UNHEARD = WELL._replace(events=())

judge, quality = stream_judgements, quality_judgements

CASES = {
    judge.no_call_failed: (WELL, [NOTHING, WELL._replace(traffic=traffic(MdsError("no answer")))]),
    judge.every_trade_came_once: (
        WELL,
        [
            NOTHING,
            WELL._replace(received=but(WELL.received, is_trade({70}))),
            WELL._replace(received=but(WELL.received, more=[trade(70, X)])),
            WELL._replace(received=but(WELL.received, is_trade({70}), [trade(70, X)])),
        ],
    ),
    judge.every_trade_accounted_for: (
        WELL,
        [
            NOTHING,
            WELL._replace(received=but(WELL.received, is_trade({70}))),
            WELL._replace(received=but(WELL.received, more=[trade(70, X)])),
            WELL._replace(received=but(WELL.received, is_trade({70}), [trade(70, X)])),
            WELL._replace(received=LIES),
        ],
    ),
    judge.nothing_missing: (WELL, [HOLE]),
    judge.flows_to_the_end: (WELL, [WELL._replace(received=flows(span("primary", 1, 60)))]),
    judge.fault_was_felt: (WELL, [NOTHING]),
    judge.primary_kept: (WELL, [SWITCHED]),
    judge.standby_took_over_a_cut: (CUT, [UNHEARD, LATE_CUT]),
    judge.standby_took_over_a_mute: (MUTE, [UNHEARD, LATE_CUT]),
    judge.standby_took_over_one: (
        ONE_MUTE,
        [UNHEARD._replace(hit=(Y,), received=[]), SWITCHED._replace(hit=(Y,), events=(muted(X, Y),))],
    ),
    judge.first_hole_was_filled: (FILLED, [UNHEARD, FILLED._replace(received=WELL.received)]),
    judge.second_hole_was_told: (
        HOLE,
        [
            HOLE._replace(received=but(WELL.received, is_trade(range(60, 65)))),
            HOLE._replace(received=but(HOLE.received, more=[gap(Y, 60, 64, before_ns=time_ns(129))])),
            HOLE._replace(pushes={}),
        ],
    ),
    judge.stalled_reader_was_told: (
        STALLED,
        [
            STALLED._replace(events=()),
            STALLED._replace(received=but(WELL.received, more=[Received(ENDED, Missed(ticks=1))])),
            STALLED._replace(stalled=WELL.received[:200]),
        ],
    ),
    judge.storm_was_weathered: (
        STORM,
        [
            NOTHING,
            STORM._replace(wire=attempts(*(FAULT + step / 100 for step in range(100)))),
        ],
    ),
    judge.renewed_without_a_loss: (RENEWED, [NOTHING._replace(events=(lost(FAULT),))]),
    quality.only_the_liar_was_doubted: (
        WRONG,
        [
            WRONG._replace(events=(*doubts(), suspect(X, source="backup"))),
            WRONG._replace(received=flows(span("primary", 1, 50), span("backup", 51, LAST, factor=1.01))),
        ],
    ),
    quality.wrong_price_was_found: (
        WRONG,
        [
            UNHEARD,
            WRONG._replace(events=doubts("crossed")),
            WRONG._replace(events=(*doubts(), suspect(X))),
            WRONG._replace(events=(suspect(X), suspect(Y, ENDED), trusted(X, FAULT + 6.5))),
        ],
    ),
    quality.frozen_price_was_found: (
        FLAGGED,
        [
            UNHEARD,
            FLAGGED._replace(events=doubts()),
            FLAGGED._replace(events=(*doubts("frozen"), suspect(X, check="frozen"))),
            FLAGGED._replace(events=(suspect(X, check="frozen"), trusted(X, FAULT + 6.0, check="frozen"))),
        ],
    ),
    quality.liar_was_left: (
        WRONG,
        [
            WRONG._replace(received=LIES),
            WRONG._replace(received=SWITCHED.received),
            WRONG._replace(events=tuple(suspect(name) for name in BOTH)),
        ],
    ),
    quality.liar_was_flagged: (
        FLAGGED,
        [
            FLAGGED._replace(received=LIES),
            FLAGGED._replace(received=flows(span("primary", 1, LAST, flags=TickFlag.SUSPECT))),
        ],
    ),
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
        if isinstance(scenario, StreamScenario)
        for judgement in scenario.judgements
    }
    assert in_use | {judge.every_trade_came_once} == set(CASES)
