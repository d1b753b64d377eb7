"""What must hold in a drill of wrong data. Each judgement looks at the evidence and returns its checks."""

from collections.abc import Sequence

from mds_engine.control import events
from mds_engine.drills.scorecard import Check, at_least, at_most, exactly
from mds_engine.drills.stream_accounts import untrue_of
from mds_engine.drills.stream_evidence import StreamEvidence
from mds_engine.drills.stream_judgements import LOADED_S, switches_of
from mds_engine.model import Tick, TickFlag
from mds_engine.policy.quality import Check as QualityCheck

_NEVER = float("inf")


def only_the_liar_was_doubted(evidence: StreamEvidence) -> Sequence[Check]:
    """Nothing was found wrong before the fault, nor with the honest source, nor with what was not hit."""
    false = [
        event
        for event in evidence.of(events.DataSuspect)
        if event.at < evidence.fault_at
        or event.source != evidence.primary
        or event.instrument not in evidence.hit
    ]
    honest = [tick for _, tick in _untrue(evidence) if tick.source != evidence.primary]
    return (
        exactly("false alarms", len(false), 0),
        exactly("wrong ticks of the honest source", len(honest), 0),
    )


def wrong_price_was_found(evidence: StreamEvidence) -> Sequence[Check]:
    """A price that departs from the other source's is found within the seconds that a vendor may be late."""
    return _found(evidence, QualityCheck.PRICE, 8.0 + LOADED_S)


def frozen_price_was_found(evidence: StreamEvidence) -> Sequence[Check]:
    """A price that stands still is found once the other source's moved at ten looks."""
    return _found(evidence, QualityCheck.FROZEN, 15.0 + LOADED_S)


def liar_was_left(evidence: StreamEvidence) -> Sequence[Check]:
    """Found wrong, an instrument comes from the honest source at once, and goes back once it agrees again."""
    found = _found_at(evidence)
    lied_on_s = max(
        (tick.received_ns * 1e-9 - found.get(str(tick.instrument), 0.0) for _, tick in _untrue(evidence)),
        default=0.0,
    )
    away = _switched(evidence, evidence.primary, evidence.backup)
    back = _switched(evidence, evidence.backup, evidence.primary)
    good_s = max(_good_after_s(evidence, name) for name in evidence.hit)
    return (
        exactly("switches to the honest source", len(away), len(evidence.hit)),
        at_most("wrong ticks after it was found, for", max(0.0, lied_on_s), LOADED_S, "s"),
        at_most("fault to first good tick", good_s, 9.0 + LOADED_S, "s"),
        exactly("switches back", len(back), len(evidence.hit)),
        exactly(
            "of them before it was trusted",
            sum(at < _trusted_at(evidence).get(name, _NEVER) for name, at in back.items()),
            0,
        ),
        exactly("switches in all", len(switches_of(evidence)), 2 * len(evidence.hit)),
    )


def liar_was_flagged(evidence: StreamEvidence) -> Sequence[Check]:
    """Where the route does not say to leave it, every tick bears the flag while its source looks wrong."""
    found, trusted = _found_at(evidence), _trusted_at(evidence)
    flagged = unflagged = beside = 0
    for _, tick in evidence.ticks(evidence.received):
        name, received_at = str(tick.instrument), tick.received_ns * 1e-9
        begin, end = found.get(name, _NEVER), trusted.get(name, _NEVER)
        is_flagged = bool(tick.flags & TickFlag.SUSPECT)
        flagged += is_flagged
        unflagged += begin < received_at < end and not is_flagged
        beside += is_flagged and not begin <= received_at <= end
    return (
        at_least("ticks flagged", flagged, 10),
        exactly("ticks in doubt that were not flagged", unflagged, 0),
        exactly("ticks flagged without a doubt", beside, 0),
    )


def _found(evidence: StreamEvidence, check: QualityCheck, within_s: float) -> Sequence[Check]:
    """Told, once for each instrument, by the check that is for it; counted; and over when it was over."""
    suspects = [event for event in evidence.of(events.DataSuspect) if event.check == check.value]
    found, trusted = _found_at(evidence), _trusted_at(evidence)
    slowest_s = max(found.get(name, _NEVER) for name in evidence.hit) - evidence.fault_at
    before = [
        tick
        for _, tick in _untrue(evidence)
        if tick.received_ns * 1e-9 < found.get(str(tick.instrument), _NEVER)
    ]
    early = [name for name, at in trusted.items() if at < evidence.cleared_at]
    return (
        exactly("instruments found wrong", len({event.instrument for event in suspects}), len(evidence.hit)),
        exactly("findings", len(suspects), len(evidence.hit)),
        exactly(
            "findings that the operator is shown", evidence.looked_wrong.get(check.value, 0), len(suspects)
        ),
        exactly("findings of another kind", len(evidence.of(events.DataSuspect)) - len(suspects), 0),
        at_most("fault to finding", slowest_s, within_s, "s"),
        at_least("wrong ticks before it was found", len(before), 1),
        exactly("instruments trusted again", len(trusted.keys() & set(evidence.hit)), len(evidence.hit)),
        exactly("of them while the fault stood", len(early), 0),
    )


def _untrue(evidence: StreamEvidence) -> list[tuple[float, Tick]]:
    return [
        wrong
        for name in evidence.instruments
        for wrong in untrue_of(evidence.received, name, evidence.expected[name])
    ]


def _found_at(evidence: StreamEvidence) -> dict[str, float]:
    """When each instrument of the primary was found wrong first, by name."""
    found: dict[str, float] = {}
    for event in evidence.of(events.DataSuspect):
        if event.source == evidence.primary:
            found.setdefault(event.instrument, event.at)
    return found


def _trusted_at(evidence: StreamEvidence) -> dict[str, float]:
    """When each instrument of the primary was last trusted again, by name."""
    return {
        event.instrument: event.at
        for event in evidence.of(events.DataTrusted)
        if event.source == evidence.primary
    }


def _switched(evidence: StreamEvidence, before: str, after: str) -> dict[str, float]:
    """When a reader was told of each instrument's first change from one source to the other, by name."""
    switched: dict[str, float] = {}
    for at, item in switches_of(evidence):
        if (item.before, item.after) == (before, after):
            switched.setdefault(str(item.instrument), at)
    return switched


def _good_after_s(evidence: StreamEvidence, instrument: str) -> float:
    """From the fault to the first good tick after the first wrong one."""
    wrong = [at for at, _ in untrue_of(evidence.received, instrument, evidence.expected[instrument])]
    if not wrong:
        return 0.0
    good = evidence.first_good_after(wrong[0], instrument)
    return _NEVER if good is None else good - evidence.fault_at
