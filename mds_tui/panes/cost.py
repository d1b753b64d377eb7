"""Pane 4: what is used up, what it costs, and when it comes back."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from mds_engine.control.snapshot import Snapshot

from mds_tui.format.bars import quota_ink, quota_line
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell
from mds_tui.format.numbers import clock_minutes, count, countdown, duration, iso, money
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid


class UseRow(NamedTuple):
    """One quota of a plan, or one window of a rate limit."""

    source: str
    what: str
    period: str
    used: float
    limit: float | None
    resets_at: float | None
    exhausted_in_s: float | None
    blocked_for_s: float

    @property
    def percent(self) -> float | None:
        """Used over limit."""
        return self.used * 100 / self.limit if self.limit else None


def use_rows(snapshot: Snapshot) -> tuple[UseRow, ...]:
    """Quotas first, then the windows of the limiters; the vendor's order within a source."""
    rows = []
    for source in snapshot.sources:
        rows += [
            UseRow(
                source.name,
                meter.meter,
                meter.period,
                meter.used,
                meter.limit,
                meter.resets_at,
                meter.exhausted_in_s,
                0.0,
            )
            for meter in source.meters
        ]
        rows += [
            UseRow(
                source.name,
                "" if limiter.group == "default" else limiter.group,
                window_words(limiter.window_s),
                limiter.used,
                limiter.limit,
                None,
                None,
                limiter.blocked_for_s,
            )
            for limiter in source.limiters
        ]
    return tuple(rows)


def use_key(row: UseRow) -> str:
    """What stays the same about a row: source, meter, period."""
    return f"{row.source} {row.what} {row.period}"


def window_words(seconds: float) -> str:
    """`s`, `min`, `10 s`, `day`."""
    named = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "day"}
    return named.get(seconds, duration(seconds))


def totals(snapshot: Snapshot) -> dict[str, tuple[Decimal, Decimal]]:
    """Today and this month in each currency."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for source in snapshot.sources:
        for view in source.money:
            today, month = sums.get(view.currency, (Decimal(0), Decimal(0)))
            sums[view.currency] = (today + Decimal(view.today), month + Decimal(view.month))
    return sums


def _line(row: UseRow, sight: Sight, width: int) -> Cell:
    return EMPTY if row.percent is None else quota_line(row.percent, width, sight.glyphs)


def _use(row: UseRow, _sight: Sight, _width: int) -> Cell:
    limit = "" if row.limit is None else f"/{count(row.limit)}"
    return (Span(count(row.used), Ink.TEXT), Span(f"{limit} {row.period}", Ink.DIM))


def _what(row: UseRow, _sight: Sight, _width: int) -> Cell:
    return cell(row.what, Ink.DIM)


def _outlook(row: UseRow, sight: Sight, _width: int) -> Cell:
    if row.blocked_for_s > 0:
        return cell(f"held {countdown(row.blocked_for_s)}", Ink.WARN)
    if row.percent is not None and row.percent >= 100 and row.resets_at is not None:
        return cell(f"back {clock_minutes(row.resets_at, sight.zone)}", Ink.BAD)
    if row.exhausted_in_s is not None:
        return cell(f"lasts {countdown(row.exhausted_in_s)}", quota_ink(row.percent or 0.0))
    return EMPTY


class CostPane(LiveGrid[UseRow]):
    """Quotas, windows and money."""

    heading = False
    columns: Sequence[Column[UseRow]] = (
        Column("source", lambda row, _sight, _width: cell(row.source), 6, 14, order=lambda row: row.source),
        Column("what", _what, 5, 12, priority=1),
        Column("", _line, 6, 30, stretch=True, priority=2, order=lambda row: row.percent),
        Column("used", _use, 9, 16, right=True),
        Column("outlook", _outlook, 1, 13),
    )

    def basis(self, items: Sequence[UseRow], sight: Sight) -> object:
        """The rows, and the money in the border."""
        return items, tuple(source.money for source in sight.snapshot.sources), sight.zone

    def title(self) -> str:
        """What it is about."""
        return "cost and quota"

    def key(self, item: UseRow) -> str:
        """Source, meter, period."""
        return use_key(item)

    def fields(self, item: UseRow) -> Mapping[str, object]:
        """Its columns; times as times."""
        return {
            "source": item.source,
            "what": item.what or "calls",
            "period": item.period,
            "used": item.used,
            "limit": item.limit,
            "percent": item.percent,
            "resets_at": iso(item.resets_at),
            "exhausted_in_s": item.exhausted_in_s,
            "held_for_s": item.blocked_for_s or None,
        }

    def note(self) -> str:
        """Money spent, where any was."""
        if self.needle or self.sort_by is not None:
            return super().note()
        sums = {currency: both for currency, both in totals(self.sight.snapshot).items() if any(both)}
        if not sums:
            return ""
        today = " + ".join(money(currency, str(both[0])) for currency, both in sums.items())
        month = " + ".join(money(currency, str(both[1])) for currency, both in sums.items())
        return f"today {today} · month {month}"

    def empty_words(self) -> str:
        """Where nothing is metered."""
        return super().empty_words() if self.needle else "no quotas and no limits"
