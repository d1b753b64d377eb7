"""The last ticks of an instrument, as an open page saw them go by."""

from collections import deque
from typing import NamedTuple

from mds_engine.control.snapshot import WatchRow

from mds_tui.details.lines import heading, table
from mds_tui.format.bars import sparkline
from mds_tui.format.cells import Cell, Ink, cell
from mds_tui.format.numbers import NOTHING, clock, count, price
from mds_tui.format.sight import Sight

_KEPT = 72
_TOLD = 12
_WIDTHS = (8, 12, 10, 11, 15)


class Step(NamedTuple):
    """What a picture showed that the one before it did not."""

    at: float
    """When the tick came in, epoch seconds UTC."""
    price: float
    source: str | None
    ticks: int
    """Ticks since the step before; of those between only their number is known."""


class Trail:
    """Remembers an instrument from one picture to the next; made when its page is opened."""

    def __init__(self) -> None:
        self._seen: int | None = None
        self.steps: deque[Step] = deque(maxlen=_KEPT)
        """Oldest first."""

    def note(self, row: WatchRow, at: float) -> None:
        """Take a picture of `at`, epoch seconds UTC."""
        if row.price is None or row.age_s is None or row.ticks == self._seen:
            return
        since = row.ticks if self._seen is None else row.ticks - self._seen
        # A count that went back is another stream's: it begins anew.
        new = 1 if self._seen is None or since < 0 else since
        self._seen = row.ticks
        self.steps.append(Step(at - row.age_s, row.price, row.source, new))

    def lines(self, sight: Sight, width: int) -> tuple[Cell, ...]:
        """A drawing of the prices, then the last of them, the newest first."""
        if not self.steps:
            return ()
        prices = [step.price for step in self.steps]
        lowest, highest = min(prices), max(prices)
        above = [value - lowest for value in prices]
        drawn = sparkline(above, min(len(above), max(8, width)), sight.glyphs, Ink.INFO, top=highest - lowest)
        pairs = list(zip((None, *self.steps), self.steps, strict=False))[-_TOLD:]
        rows = [_row(step, before, sight) for before, step in reversed(pairs)]
        kept = len(_WIDTHS) if width >= sum(_WIDTHS) + 2 * len(_WIDTHS) else len(_WIDTHS) - 1
        return (
            *heading("last ticks, since this page was opened"),
            drawn,
            cell(f"{_told(lowest)} to {_told(highest)}", Ink.DIM),
            *table([row[:kept] for row in rows], _WIDTHS[:kept], right=frozenset({1, 2})),
        )


def _told(value: float) -> str:
    return price(value).strip()


def _row(step: Step, before: Step | None, sight: Sight) -> tuple[Cell, ...]:
    moved = (step.price / before.price - 1.0) * 1e4 if before is not None and before.price else 0.0
    ink = Ink.GOOD if moved > 0 else Ink.BAD if moved < 0 else Ink.DIM
    more = f"{count(step.ticks - 1)} before it" if step.ticks > 1 else ""
    return (
        cell(clock(step.at, sight.zone), Ink.DIM),
        cell(_told(step.price), Ink.STRONG if before is None or moved else Ink.TEXT),
        cell(f"{moved:+.2f} bp" if moved else NOTHING, ink),
        cell(step.source or NOTHING, Ink.DIM),
        cell(more, Ink.FAINT),
    )
