"""Pane 3: how long the calls of each source and capability took over the last minute."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple

from mds_engine.control.snapshot import CapabilityView, Snapshot, SourceState
from textual.binding import Binding, BindingType

from mds_tui.format.bars import calm_top, sparkline
from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.glyphs import state_ink
from mds_tui.format.numbers import NOTHING, milliseconds
from mds_tui.format.sight import Sight
from mds_tui.panes.sources import SLOW_MS
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

SPARK_COLUMNS = 60
LEAST_COLUMNS = 16
"""Of the drawing: the other quantiles make room for it."""


class Quantile(StrEnum):
    """Which share of the calls was as fast as that."""

    P50 = "p50"
    P95 = "p95"
    P99 = "p99"

    def of(self, view: CapabilityView) -> float | None:
        """Milliseconds over the last minute."""
        return {Quantile.P50: view.p50_ms, Quantile.P95: view.p95_ms, Quantile.P99: view.p99_ms}[self]

    def series(self, view: CapabilityView) -> Sequence[float | None]:
        """Milliseconds of each second, oldest first."""
        every = {
            Quantile.P50: view.p50_series_ms,
            Quantile.P95: view.p95_series_ms,
            Quantile.P99: view.p99_series_ms,
        }
        return every[self]


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
        if view.p99_ms is not None or view.p99_series_ms.count(None) < len(view.p99_series_ms)
    )


def _columns(chosen: Quantile) -> tuple[Column[LatencyRow], ...]:
    """The chosen quantile is drawn and never hidden; the others stand beside it where there is room."""

    def spark(row: LatencyRow, sight: Sight, width: int) -> Cell:
        series = chosen.series(row.view)
        return sparkline(series, width, sight.glyphs, state_ink(row.state), top=calm_top(series))

    def column(quantile: Quantile, place: int) -> Column[LatencyRow]:
        order = partial(_order, quantile)
        if quantile is chosen:
            return Column(quantile.value, partial(_chosen, quantile), 8, right=True, order=order)
        return Column(
            quantile.value, partial(_other, quantile), 9, right=True, priority=2 + place, order=order
        )

    return (
        Column("source", lambda row, _sight, _width: cell(row.source), 6, 14),
        Column("data", lambda row, _sight, _width: cell(row.view.capability, Ink.DIM), 5, priority=1),
        Column("last minute", spark, LEAST_COLUMNS, SPARK_COLUMNS, stretch=True),
        *(column(quantile, place) for place, quantile in enumerate(Quantile)),
    )


def _order(quantile: Quantile, row: LatencyRow) -> float | None:
    return quantile.of(row.view)


def _chosen(quantile: Quantile, row: LatencyRow, _sight: Sight, _width: int) -> Cell:
    value = quantile.of(row.view)
    if value is None:
        return cell(NOTHING, Ink.DIM)
    return (
        Span(milliseconds(value), Ink.WARN if value >= SLOW_MS else Ink.TEXT),
        Span(" ms", Ink.DIM),
    )


def _other(quantile: Quantile, row: LatencyRow, _sight: Sight, _width: int) -> Cell:
    """With its name: the pane has no heading."""
    return (
        Span(f"{quantile.value} ", Ink.FAINT),
        Span(f"{milliseconds(quantile.of(row.view)):>5}", Ink.DIM),
    )


_COLUMNS = {quantile: _columns(quantile) for quantile in Quantile}


class LatencyPane(LiveGrid[LatencyRow]):
    """A sparkline a row, of the quantile that the operator chose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "quantile", "p50, p95 or p99", id="latency.quantile")
    ]
    heading = False
    columns = _COLUMNS[Quantile.P99]
    quantile = Quantile.P99

    def action_quantile(self) -> None:
        """Draw the next quantile."""
        every = list(Quantile)
        self.quantile = every[(every.index(self.quantile) + 1) % len(every)]
        self.columns = _COLUMNS[self.quantile]
        self.show_title()
        self._redraw()

    def title(self) -> str:
        """Which quantile."""
        return f"latency {self.quantile.value}"

    def key(self, item: LatencyRow) -> str:
        """`kite/quote`."""
        return f"{item.source}/{item.view.capability}"

    def fields(self, item: LatencyRow) -> Mapping[str, object]:
        """Every quantile, and the series that is drawn."""
        return {
            "source": item.source,
            "data": item.view.capability,
            **{f"{quantile.value}_ms": quantile.of(item.view) for quantile in Quantile},
            "calls": item.view.calls,
            f"{self.quantile.value}_of_each_second_ms": self.quantile.series(item.view),
        }

    def note(self) -> str:
        """The span of the sparklines."""
        return super().note() if self.needle or self.sort_by is not None else "60 s"

    def empty_words(self) -> str:
        """Before the first calls."""
        return super().empty_words() if self.needle else "no calls in the last minute"
