"""The nouns: instruments, intervals, quotes, bars, ticks. No I/O."""

from typing import TYPE_CHECKING, Any

from mds_engine.model.capability import Capability
from mds_engine.model.decision import Decision, Step, Verdict
from mds_engine.model.instrument import Instrument
from mds_engine.model.interval import Interval
from mds_engine.model.quote import Quote
from mds_engine.model.stream_item import Gap, Missed, SourceSwitched, StreamItem
from mds_engine.model.tick import Tick, TickFlag, TickKind

if TYPE_CHECKING:
    from mds_engine.model.bars import Bars

__all__ = [
    "Bars",
    "Capability",
    "Decision",
    "Gap",
    "Instrument",
    "Interval",
    "Missed",
    "Quote",
    "SourceSwitched",
    "Step",
    "StreamItem",
    "Tick",
    "TickFlag",
    "TickKind",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    """`Bars` alone needs numpy, which a screen does not: it is imported when it is first asked for."""
    if name == "Bars":
        from mds_engine.model.bars import Bars

        return Bars
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
