"""Pane 3: tail latency of each source and capability over the last minute."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from mds_engine.control.snapshot import CapabilityView, Snapshot, SourceState

from mds_tui.format.bars import calm_top, sparkline
from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.glyphs import state_ink
from mds_tui.format.numbers import NOTHING, milliseconds
from mds_tui.format.sight import Sight
from mds_tui.panes.sources import SLOW_MS
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

SPARK_COLUMNS = 60


class LatencyRow(NamedTuple):
    """One capability of one source."""

    source: str
    state: SourceState
    view: CapabilityView


def latency_rows(snapshot: Snapshot) -> tuple[LatencyRow, ...]:
    """Those that answered something."""
    return tuple(
        LatencyRow(source.name, source.state, view)
        for source in snapshot.sources
        for view in source.capabilities
        if view.p99_ms is not None or any(value is not None for value in view.p99_series_ms)
    )


def _spark(row: LatencyRow, sight: Sight, width: int) -> Cell:
    series = row.view.p99_series_ms
    return sparkline(series, width, sight.glyphs, state_ink(row.state), top=calm_top(series))


def _p99(row: LatencyRow, _sight: Sight, _width: int) -> Cell:
    value = row.view.p99_ms
    if value is None:
        return cell(NOTHING, Ink.DIM)
    return (
        Span(milliseconds(value), Ink.WARN if value >= SLOW_MS else Ink.TEXT),
        Span(" ms", Ink.DIM),
    )


def _p50(row: LatencyRow, _sight: Sight, _width: int) -> Cell:
    return cell(milliseconds(row.view.p50_ms), Ink.DIM)


class LatencyPane(LiveGrid[LatencyRow]):
    """A sparkline a row."""

    heading = False
    columns: ClassVar[Sequence[Column[LatencyRow]]] = (
        Column("source", lambda row, _sight, _width: cell(row.source), 6, 14),
        Column("data", lambda row, _sight, _width: cell(row.view.capability, Ink.DIM), 5, priority=1),
        Column("last minute", _spark, 8, SPARK_COLUMNS, stretch=True),
        Column("p50", _p50, 5, right=True, priority=2, order=lambda row: row.view.p50_ms),
        Column("p99", _p99, 8, right=True, order=lambda row: row.view.p99_ms),
    )

    def key(self, item: LatencyRow) -> str:
        """`kite/quote`."""
        return f"{item.source}/{item.view.capability}"

    def note(self) -> str:
        """The span of the sparklines."""
        return super().note() if self.needle or self.sort_by is not None else "60 s"

    def empty_words(self) -> str:
        """Before the first calls."""
        return super().empty_words() if self.needle else "no calls in the last minute"
