"""What must hold in a drill of live ticks. Each judgement looks at the evidence and returns its checks."""

from collections.abc import Sequence

from mds_engine.control import events
from mds_engine.drills.scorecard import Check, at_least, at_most, exactly
from mds_engine.drills.stream_accounts import gaps_of, trades_of
from mds_engine.drills.stream_evidence import StreamEvidence
from mds_engine.model import Missed, SourceSwitched, TickFlag

_NEVER = float("inf")

LOADED_S = 0.5
"""A promise of 50 ms is kept with room to spare where the machine is free. Beside a full test run the loop
turns seldom, and each turn takes some of the drill's time."""


def no_call_failed(evidence: StreamEvidence) -> Sequence[Check]:
    """Calls go on beside the streams, whatever becomes of these."""
    return (
        at_least("calls made", len(evidence.traffic.calls), 1),
        exactly("calls failed", len(evidence.traffic.failures), 0),
    )


def every_trade_came_once(evidence: StreamEvidence) -> Sequence[Check]:
    """Each trade of the market came once and in order, or lies in a gap that was told."""
    account = evidence.account()
    return (
        at_least("trades delivered", account.delivered, 50),
        exactly("ticks lost", account.lost, 0),
        exactly("ticks duplicated", account.duplicated, 0),
        exactly("ticks out of order", account.disordered, 0),
    )


def every_trade_accounted_for(evidence: StreamEvidence) -> Sequence[Check]:
    """Each trade of the market came once, in order and as it was, or lies in a gap that was told."""
    return (
        *every_trade_came_once(evidence),
        exactly("ticks untrue", evidence.account().untrue, 0),
    )


def nothing_missing(evidence: StreamEvidence) -> Sequence[Check]:
    """There was always somebody who had the ticks: no gap."""
    gaps = sum(len(gaps_of(evidence.received, instrument)) for instrument in evidence.instruments)
    return (exactly("gaps told", gaps, 0), exactly("gap seconds", evidence.account().gap_s, 0.0))


def flows_to_the_end(evidence: StreamEvidence) -> Sequence[Check]:
    """Every instrument ticks again, and still does when the drill ends."""
    silent_s = 0.0
    back_s = 0.0
    for instrument in evidence.instruments:
        back_at = evidence.first_good_after(evidence.cleared_at, instrument)
        back_s = max(back_s, _NEVER if back_at is None else back_at - evidence.cleared_at)
        last = max((at for at, _ in trades_of(evidence.received, instrument)), default=0.0)
        silent_s = max(silent_s, evidence.ended_at - last)
    return (
        at_most("first good tick after the fault's end", back_s, 8.0, "s"),
        at_most("silence at the end", silent_s, 1.0, "s"),
    )


def fault_was_felt(evidence: StreamEvidence) -> Sequence[Check]:
    """The rehearsal was one: frames were hit."""
    return (at_least("frames hit", evidence.hits, 10),)


def primary_kept(evidence: StreamEvidence) -> Sequence[Check]:
    """It was no reason to leave the primary."""
    return (exactly("switches of the source", len(switches_of(evidence)), 0),)


# --- A source goes, its standby takes over --------------------------------------------------------------


def standby_took_over_a_cut(evidence: StreamEvidence) -> Sequence[Check]:
    """A warm standby goes on within milliseconds."""
    lost = _lost_at(evidence)
    return (
        at_most("cut noticed after", (lost - evidence.fault_at) * 1000.0, LOADED_S * 1000.0, "ms"),
        *_took_over(evidence, lost, evidence.instruments),
        at_most("fault to first good tick", _first_good_s(evidence), 2 * LOADED_S, "s"),
    )


def standby_took_over_a_mute(evidence: StreamEvidence) -> Sequence[Check]:
    """A socket that lives and says nothing is found by its silence."""
    lost = _lost_at(evidence)
    return (
        at_most("silence noticed after", lost - evidence.fault_at, 1.5, "s"),
        *_took_over(evidence, lost, evidence.instruments),
        *_had_held(evidence, evidence.instruments),
        at_most("fault to first good tick", _first_good_s(evidence), 1.5, "s"),
    )


def standby_took_over_one(evidence: StreamEvidence) -> Sequence[Check]:
    """One mute instrument is named and comes from the standby; the others stay where they are."""
    named = [
        event
        for event in evidence.of(events.InstrumentsMute)
        if event.source == evidence.primary and event.at >= evidence.fault_at
    ]
    instruments = {name for event in named for name in event.instruments}
    noticed = named[0].at if named else _NEVER
    others = [switch for _, switch in switches_of(evidence) if str(switch.instrument) not in evidence.hit]
    return (
        at_least("mute instruments named", len(instruments & set(evidence.hit)), 1),
        exactly("others named", len(instruments - set(evidence.hit)), 0),
        exactly("others moved", len(others), 0),
        at_most("silence noticed after", noticed - evidence.fault_at, 13.0, "s"),
        *_moved(evidence, noticed, evidence.hit),
        *_had_held(evidence, evidence.hit),
        at_most("fault to first good tick", _first_good_s(evidence), 14.0, "s"),
    )


def _took_over(evidence: StreamEvidence, noticed: float, instruments: Sequence[str]) -> Sequence[Check]:
    """All instruments come from the backup, at once."""
    first = min((_first_from_backup(evidence, noticed, name) for name in instruments), default=_NEVER)
    return (
        at_most("first tick after it was noticed", (first - noticed) * 1000.0, LOADED_S * 1000.0, "ms"),
        *_moved(evidence, noticed, instruments),
    )


def _moved(evidence: StreamEvidence, noticed: float, instruments: Sequence[str]) -> Sequence[Check]:
    """The reader was told that these come from the backup, and they do."""
    told = {
        str(switch.instrument)
        for _, switch in switches_of(evidence)
        if (switch.before, switch.after) == (evidence.primary, evidence.backup)
    }
    came = [name for name in instruments if _first_from_backup(evidence, noticed, name) < _NEVER]
    return (
        exactly("switches told", len(told & set(instruments)), len(instruments)),
        exactly("instruments that came from the backup", len(came), len(instruments)),
    )


def _had_held(evidence: StreamEvidence, instruments: Sequence[str]) -> Sequence[Check]:
    """What happened while nobody knew of the fault came from the standby's ring."""
    held = sum(
        1
        for name in instruments
        for _, tick in trades_of(evidence.received, name)
        if tick.flags & TickFlag.HELD
    )
    return (at_least("trades that the standby had held", held, 1),)


def _first_from_backup(evidence: StreamEvidence, noticed: float, instrument: str) -> float:
    return next(
        (
            at
            for at, tick in trades_of(evidence.received, instrument)
            if at >= noticed and tick.source == evidence.backup
        ),
        _NEVER,
    )


def _first_good_s(evidence: StreamEvidence) -> float:
    """From the fault to the first tick that happened after it, of the instrument that waited longest."""
    firsts = (evidence.first_good_after(evidence.fault_at, name) for name in evidence.hit)
    return max(_NEVER if first is None else first - evidence.fault_at for first in firsts)


def _lost_at(evidence: StreamEvidence) -> float:
    lost = (event.at for event in evidence.of(events.StreamLost) if event.source == evidence.primary)
    return next((at for at in lost if at >= evidence.fault_at), _NEVER)


def switches_of(evidence: StreamEvidence) -> list[tuple[float, SourceSwitched]]:
    """Changes of source that the reader was told, with their arrival, but for the first source of all."""
    return [(at, item) for at, item in evidence.received if isinstance(item, SourceSwitched) and item.before]


# --- Holes ----------------------------------------------------------------------------------------------


def first_hole_was_filled(evidence: StreamEvidence) -> Sequence[Check]:
    """What the stream lost while past trades could be asked for came by REST."""
    filled = sum(event.ticks for event in evidence.of(events.TicksFilled))
    flagged = sum(
        1
        for instrument in evidence.instruments
        for _, tick in trades_of(evidence.received, instrument)
        if tick.flags & TickFlag.FILLED
    )
    return (at_least("trades filled over REST", filled, 1), exactly("of them flagged so", flagged, filled))


def second_hole_was_told(evidence: StreamEvidence) -> Sequence[Check]:
    """Without past trades a gap is told, and it has the bounds of what the simulator kept back."""
    account = evidence.account()
    kept_back = filled = 0
    wrong = 0
    for instrument in evidence.instruments:
        withheld = _withheld(evidence, instrument)
        delivered = {tick.sequence for _, tick in trades_of(evidence.received, instrument)}
        nobody_had = withheld - delivered
        kept_back += len(nobody_had)
        filled += len(withheld & delivered)
        gaps = gaps_of(evidence.received, instrument)
        claimed = {
            number for gap in gaps for number in range(gap.first_sequence or 0, (gap.last_sequence or -1) + 1)
        }
        wrong += len(claimed ^ nobody_had)
        expected = evidence.expected[instrument]
        for gap in gaps:
            before = expected.get((gap.first_sequence or 0) - 1)
            after = expected.get((gap.last_sequence or 0) + 1)
            if before is None or after is None:
                wrong += 1
            else:
                wrong += (gap.after_ns, gap.before_ns) != (before.time_ns, after.time_ns)
    return (
        at_least("trades that nobody gave", kept_back, 1),
        exactly("of them in gaps that were told", account.told, kept_back),
        exactly("bounds of gaps that are not true", wrong, 0),
        at_least("gap seconds", account.gap_s, 0.001, "s"),
        at_most("gap seconds", account.gap_s, 4.0, "s"),
        exactly("gap events", len(evidence.of(events.TicksGapped)), _gaps(evidence)),
    )


def _gaps(evidence: StreamEvidence) -> int:
    return sum(len(gaps_of(evidence.received, instrument)) for instrument in evidence.instruments)


def _withheld(evidence: StreamEvidence, instrument: str) -> set[int]:
    """Trades that the simulator kept back, between the first and the last that the reader got."""
    numbers = [tick.sequence or 0 for _, tick in trades_of(evidence.received, instrument)]
    if not numbers:
        return set()
    return {
        push.told.number
        for pushes in evidence.pushes.values()
        for push in pushes
        if not push.sent
        and push.told.kind == "aggTrade"
        and push.told.instrument == instrument
        and push.told.number is not None
        and numbers[0] <= push.told.number <= numbers[-1]
    }


# --- Readers --------------------------------------------------------------------------------------------


def stalled_reader_was_told(evidence: StreamEvidence) -> Sequence[Check]:
    """Who stood still was told exactly how many ticks he missed; the other one lost nothing."""
    keeping_up, stalled = evidence.ticks(evidence.received), evidence.ticks(evidence.stalled)
    told = sum(item.ticks for _, item in evidence.stalled if isinstance(item, Missed))
    others = sum(item.ticks for _, item in evidence.received if isinstance(item, Missed))
    slow = sum(event.missed for event in evidence.of(events.ReaderSlow))
    return (
        exactly("ticks that the other reader missed", others, 0),
        at_least("ticks that the stalled reader was told it missed", told, 1),
        exactly("of them truly not delivered to it", len(keeping_up) - len(stalled), told),
        at_least("misses told to the operator", slow, 1),
    )


# --- Connections ----------------------------------------------------------------------------------------

_LEAST_PAUSE_S = 0.1
"""Of the drill's pauses between connections: the first, with all of its jitter taken off."""


def storm_was_weathered(evidence: StreamEvidence) -> Sequence[Check]:
    """Connections are asked for at the backoff's pace, and what the storm took is had over REST."""
    storm_s = evidence.cleared_at - evidence.fault_at
    attempts = [entry.at for entry in evidence.wire if entry.at >= evidence.fault_at]
    busiest = max((sum(at <= other < at + 1.0 for other in attempts) for at in attempts), default=0)
    filled = sum(event.ticks for event in evidence.of(events.TicksFilled))
    return (
        at_least("connections lost", len(evidence.of(events.StreamLost)), 2),
        at_least("connections asked for", len(attempts), 2),
        at_most("connections asked for", len(attempts), 4 * len(evidence.sources) * (1 + storm_s)),
        at_most("of them in the busiest second", busiest, len(evidence.sources) / _LEAST_PAUSE_S),
        at_least("trades filled over REST", filled, 1),
        exactly("connections at the end", evidence.streams, len(evidence.sources)),
    )


def renewed_without_a_loss(evidence: StreamEvidence) -> Sequence[Check]:
    """New connections carried before the old ones ended, and nobody took it for a loss."""
    renewed = {event.source for event in evidence.of(events.StreamRenewed)}
    first = max(_first_good_s(evidence) * 1000.0, 0.0)
    return (
        exactly("sources whose stream was renewed", len(renewed), len(evidence.sources)),
        exactly("streams lost", len(evidence.of(events.StreamLost)), 0),
        at_most("fault to first good tick", first, 2000.0 * LOADED_S, "ms"),
        exactly("connections at the end", evidence.streams, len(evidence.sources)),
    )
