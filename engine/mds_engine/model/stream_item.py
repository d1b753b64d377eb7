"""What a reader of live ticks gets besides ticks: who sends them now, and what nobody has."""

import msgspec

from mds_engine.model.instrument import Instrument
from mds_engine.model.tick import Tick


class SourceSwitched(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="switched"):
    """From here on the ticks of an instrument come from another source."""

    instrument: Instrument
    before: str
    """Empty where nobody sent them before."""
    after: str
    why: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """Ticks of an instrument that happened, or may have, and that no source could give.

    They lie after `after_ns` and before `before_ns` (exchange time, UTC
    nanoseconds; None where not known). Where the vendor numbers its trades,
    the missing ones are `first_sequence` to `last_sequence`, both included.
    """

    instrument: Instrument
    source: str
    """Whose ticks go on after it."""
    after_ns: int | None = None
    before_ns: int | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None
    why: str = ""


class Missed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="missed"):
    """This reader alone was too slow: so many ticks were dropped from its queue before the next one."""

    ticks: int


StreamItem = Tick | SourceSwitched | Gap | Missed
"""One item of `engine.ticks(...)`."""
