"""What one source has shown to have, and was found to lack, since the engine started. Pure."""

from collections.abc import Iterable

from mds_engine.model import Instrument

_MOST = 20_000
"""Instruments are forgotten beyond that, the oldest first."""


class Proven:
    """Of each instrument the last that was seen, also after it is no longer subscribed."""

    __slots__ = ("has", "lacks")

    def __init__(self) -> None:
        self.has: dict[Instrument, None] = {}
        """A tick came."""
        self.lacks: dict[Instrument, None] = {}
        """The vendor does not have it, or it was silent for too long."""

    def came(self, instruments: Iterable[Instrument]) -> None:
        """Their ticks came."""
        _move(instruments, self.lacks, self.has)

    def missed(self, instruments: Iterable[Instrument]) -> None:
        """Their ticks did not come."""
        _move(instruments, self.has, self.lacks)


def _move(
    instruments: Iterable[Instrument], before: dict[Instrument, None], to: dict[Instrument, None]
) -> None:
    for instrument in instruments:
        before.pop(instrument, None)
        to[instrument] = None
    while len(to) > _MOST:
        del to[next(iter(to))]
