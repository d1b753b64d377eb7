"""Pane 4: what is used up, what it costs, and when it comes back."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from mds_engine.control.snapshot import Snapshot

from mds_tui.format.bars import quota_line
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell
from mds_tui.format.numbers import clock_minutes, count, countdown, duration, iso, money
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

_TAIL_LINES = 3


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
    forecast: float | None = None
    """Use at the reset if it goes on like this."""

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
                meter.forecast,
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


@lru_cache(maxsize=256)
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
        return cell(f"lasts {countdown(row.exhausted_in_s)}", Ink.WARN)
    if row.forecast is not None and row.limit:
        return cell(f"ends at {min(999, row.forecast * 100 / row.limit):.0f} %", Ink.DIM)
    return EMPTY


def _future(row: UseRow, sight: Sight) -> tuple[Cell, ...]:
    """What becomes of a quota: when it is spent or comes back, in sentences."""
    now = sight.snapshot.at
    if row.limit is None:
        return ()
    left = max(0.0, row.limit - row.used)
    what = f"{row.source} {row.what or 'calls'}".strip()
    head: Cell = (
        Span(f"{what}: ", Ink.DIM),
        Span(f"{count(left)} left"),
        Span(f" of {count(row.limit)} per {row.period}", Ink.DIM),
    )
    if row.blocked_for_s > 0:
        return (head, cell(f"  the vendor holds us off for {countdown(row.blocked_for_s)} more", Ink.WARN))
    if row.resets_at is None:
        return (head, cell("  freed again as the window moves on", Ink.DIM))
    back: Cell = (
        Span("  back to 0 at ", Ink.DIM),
        Span(clock_minutes(row.resets_at, sight.zone)),
        Span(f", in {countdown(row.resets_at - now)}", Ink.DIM),
    )
    if left <= 0:
        return (head, back)
    if row.exhausted_in_s is not None:
        until = clock_minutes(now + row.exhausted_in_s, sight.zone)
        goes: Cell = (
            Span("  at this pace spent at ", Ink.DIM),
            Span(f"{until}, in {countdown(row.exhausted_in_s)}", Ink.WARN),
        )
    elif row.forecast is not None:
        goes = (
            Span("  at this pace it ends at ", Ink.DIM),
            Span(f"{count(row.forecast)}, {row.forecast * 100 / row.limit:.0f} %"),
        )
    else:
        goes = cell("  not counted for long enough to tell how fast it goes", Ink.DIM)
    return (head, goes, back)


class CostPane(LiveGrid[UseRow]):
    """Quotas, windows and money."""

    heading = False
    columns: Sequence[Column[UseRow]] = (
        Column("source", lambda row, _sight, _width: cell(row.source), 6, 14, order=lambda row: row.source),
        Column("what", _what, 5, 12, priority=1),
        Column("share", _line, 6, 30, stretch=True, priority=2, order=lambda row: row.percent),
        Column("used", _use, 9, 16, right=True),
        Column("outlook", _outlook, 1, 13, order=lambda row: row.exhausted_in_s),
    )

    def basis(self, items: Sequence[UseRow], sight: Sight) -> object:
        """The rows, the money in the border, and the second for what is counted down."""
        spent = tuple(source.money for source in sight.snapshot.sources)
        return items, spent, sight.zone, int(sight.snapshot.at)

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
            "forecast_at_reset": item.forecast,
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

    def tail(self) -> tuple[Cell, ...]:
        """What becomes of the quota under the cursor."""
        row = self.current()
        lines = _future(row, self.sight) if row is not None else ()
        return (*lines, *(EMPTY for _ in range(_TAIL_LINES - len(lines))))

    def empty_words(self) -> str:
        """Where nothing is metered."""
        return super().empty_words() if self.needle else "no quotas and no limits"
