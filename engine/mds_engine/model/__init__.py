"""The nouns: instruments, intervals, quotes, bars, ticks. No I/O."""

from mds_engine.model.bars import Bars
from mds_engine.model.capability import Capability
from mds_engine.model.decision import Decision, Step, Verdict
from mds_engine.model.instrument import Instrument
from mds_engine.model.interval import Interval
from mds_engine.model.quote import Quote
from mds_engine.model.tick import Tick, TickKind

__all__ = [
    "Bars",
    "Capability",
    "Decision",
    "Instrument",
    "Interval",
    "Quote",
    "Step",
    "Tick",
    "TickKind",
    "Verdict",
]
