"""Pane 5: live prices of the watched instruments, with the source and the age of each."""

from collections.abc import Mapping, Sequence

from mds_engine.control.snapshot import WatchRow

from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell, wrap
from mds_tui.format.numbers import NOTHING, age, basis_points, change, compact, price
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

OLD_AFTER_S = 10.0


def is_old(row: WatchRow) -> bool:
    """No tick for a while."""
    return row.age_s is None or row.age_s > OLD_AFTER_S


def _instrument(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    return cell(row.instrument, Ink.DIM if is_old(row) else Ink.TEXT)


def _price(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    return cell(price(row.price), Ink.DIM if is_old(row) else Ink.STRONG)


def _change(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    value = row.change_percent
    if value is None or is_old(row) or abs(value) < 0.005:
        return cell(change(value), Ink.DIM)
    return cell(change(value), Ink.GOOD if value > 0 else Ink.BAD)


def _source(row: WatchRow, sight: Sight, _width: int) -> Cell:
    if row.problem and row.source is None:
        return (Span(f"{sight.glyphs.out} no data", Ink.BAD),)
    if row.source is None:
        return cell(NOTHING, Ink.DIM)
    if row.doubt:
        return (Span(f"! {row.source}", Ink.BAD),)
    return (
        (Span(row.source, Ink.WARN), Span(" backup", Ink.WARN)) if row.backup else cell(row.source, Ink.DIM)
    )


def _age(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    return cell(age(row.age_s), Ink.WARN if is_old(row) and row.age_s is not None else Ink.TEXT)


def _spread(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    """How far the sources are apart."""
    if row.spread_bps is None:
        return cell(NOTHING, Ink.FAINT)
    return cell(f"{row.spread_bps:.1f}", Ink.BAD if row.doubt else Ink.DIM)


def _bid_to_ask(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    value = basis_points(row.bid, row.ask)
    if value is None:
        return cell(NOTHING, Ink.FAINT)
    return cell(f"{value:.1f}", Ink.BAD if value < 0 else Ink.DIM)


def _volume(row: WatchRow, _sight: Sight, _width: int) -> Cell:
    return cell(compact(row.volume), Ink.DIM)


class WatchPane(LiveGrid[WatchRow]):
    """Every watched instrument."""

    columns: Sequence[Column[WatchRow]] = (
        Column("instrument", _instrument, 12, 24, order=lambda row: row.instrument),
        Column("last", _price, 12, 16, right=True, title="last  ", order=lambda row: row.price),
        Column("change %", _change, 6, right=True, title="Δ %", order=lambda row: row.change_percent),
        Column("source", _source, 7, 20, order=lambda row: row.source),
        Column("age", _age, 5, right=True, order=lambda row: row.age_s),
        Column("spread bps", _spread, 10, right=True, priority=1, order=lambda row: row.spread_bps),
        Column("volume", _volume, 7, right=True, priority=2, order=lambda row: row.volume),
        Column(
            "bid-ask",
            _bid_to_ask,
            7,
            right=True,
            priority=3,
            order=lambda row: basis_points(row.bid, row.ask),
        ),
    )

    def key(self, item: WatchRow) -> str:
        """`NSE:RELIANCE`."""
        return item.instrument

    def fields(self, item: WatchRow) -> Mapping[str, object]:
        """Its columns, and the price at each of its sources."""
        return {
            "instrument": item.instrument,
            "last": item.price,
            "change_percent": item.change_percent,
            "source": item.source,
            "backup": item.backup,
            "age_s": item.age_s,
            "spread_bps": item.spread_bps,
            "volume": item.volume,
            "bid": item.bid,
            "ask": item.ask,
            "bid_ask_bps": basis_points(item.bid, item.ask),
            "ticks": item.ticks,
            "problem": item.problem or None,
            "doubt": item.doubt or None,
            "prices": [{"source": one.source, "price": one.price, "age_s": one.age_s} for one in item.prices],
        }

    def words(self, item: WatchRow) -> str:
        """Instrument, source and condition."""
        old = "old" if is_old(item) else ""
        doubt = f"looks wrong {item.doubt}" if item.doubt else ""
        return f"{item.instrument} {item.source or ''} {old} {item.problem} {doubt}"

    def tail(self) -> tuple[Cell, ...]:
        """Why there is no data, where there is none, or what looks wrong with it."""
        row = self.current()
        if row is None or not (row.problem or row.doubt):
            return ()
        why = row.problem or f"{row.source} looks wrong: {row.doubt}"
        lines = wrap((Span(f"{row.instrument}: ", Ink.DIM), Span(why, Ink.WARN)), self.size.width - 4)
        return (*lines[:2], *(EMPTY for _ in range(2 - len(lines[:2]))))

    def empty_words(self) -> str:
        """How to begin."""
        return super().empty_words() if self.needle else "nothing watched; :subscribe EXCHANGE:SYMBOL"
