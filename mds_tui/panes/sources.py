"""Pane 1: every source, its state, breaker, speed, quota and cost."""

from collections.abc import Mapping, Sequence

from mds_engine.control.snapshot import BreakerView, CapabilityView, SourceState, SourceView

from mds_tui.format.bars import breaker_dots, quota_blocks, quota_ink
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell, fit, wrap
from mds_tui.format.glyphs import Glyphs, state_glyph, state_ink
from mds_tui.format.numbers import (
    NOTHING,
    age,
    clock,
    count,
    countdown,
    iso,
    milliseconds,
    money,
    percent,
    rate,
)
from mds_tui.format.sight import Sight
from mds_tui.widgets.columns import Column
from mds_tui.widgets.live_grid import LiveGrid

OLD_AFTER_S = 10.0
"""An answer older than this is pointed out."""
SLOW_MS = 1000.0
QUOTA_WINDOW_S = 60.0
DOTS = 5
BLOCKS = 5
_ORDER = tuple(SourceState)


def name_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """The name."""
    return cell(source.name, Ink.STRONG if source.state is SourceState.ACTIVE else Ink.TEXT)


def state_cell(source: SourceView, sight: Sight, _width: int) -> Cell:
    """Sign and word."""
    glyph = state_glyph(source.state, sight.glyphs)
    return cell(f"{glyph} {source.state.value}", state_ink(source.state))


def breaker_words(breaker: BreakerView) -> Cell:
    """`closed`, `half-open 2/3`, `open 41 s`, `held open`."""
    state = breaker.state.replace("_", "-")
    if breaker.forced_for_s is not None:
        return cell(f"held {state.removeprefix('forced-')}", Ink.FORCED)
    if state.startswith("forced"):
        return cell(f"held {state.removeprefix('forced-')}", Ink.FORCED)
    if state == "open":
        left = f" {countdown(breaker.retry_in_s)}" if breaker.retry_in_s > 0 else ""
        return cell(f"open{left}", Ink.BAD)
    if state == "half-open":
        needed = f" {breaker.probes_passed}/{breaker.probes_needed}" if breaker.probes_needed else ""
        return cell(f"half-open{needed}", Ink.WARN)
    return cell(state, Ink.DIM)


def breaker_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """What the worst breaker does; a closed one lets nothing through while the vendor holds us off."""
    held = _held(source) if source.breaker.state == "closed" else EMPTY
    return held or breaker_words(source.breaker)


def _held(source: SourceView) -> Cell:
    """`throttled 59:55`, `banned 04:12`; nothing where the vendor lets us call."""
    held = max(source.limiters, key=lambda limiter: limiter.blocked_for_s, default=None)
    if held is None or round(held.blocked_for_s) <= 0:
        return EMPTY
    word, ink = ("banned", Ink.BAD) if held.banned else ("throttled", Ink.WARN)
    return cell(f"{word} {countdown(held.blocked_for_s)}", ink)


def _held_line(source: SourceView) -> tuple[Cell, ...]:
    """The hold in words, also while a breaker has the word in the row above."""
    if not (held := _held(source)):
        return ()
    groups = {limiter.group for limiter in source.limiters if round(limiter.blocked_for_s) > 0}
    what = "calls" if "default" in groups else f"{', '.join(sorted(groups))} calls"
    return ((Span("  "), *held, Span(f"  the vendor wants no {what} until then", Ink.TEXT)),)


def dots_cell(source: SourceView, sight: Sight, width: int) -> Cell:
    """The last outcomes where most went wrong: a source's own breaker may open without calls of its own."""
    breakers = (source.breaker, *(view.breaker for view in source.capabilities))
    worst = max(breakers, key=lambda breaker: breaker.recent[-DOTS:].count(False))
    return breaker_dots(worst.recent, min(width, DOTS), sight.glyphs)


def age_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Since the last good answer."""
    if source.age_s is None:
        return cell(NOTHING, Ink.DIM)
    return cell(age(source.age_s), Ink.WARN if source.age_s > OLD_AFTER_S else Ink.TEXT)


def p50_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Median latency."""
    return cell(milliseconds(source.p50_ms), Ink.TEXT if source.p50_ms is not None else Ink.DIM)


def p99_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Tail latency."""
    if source.p99_ms is None:
        return cell(NOTHING, Ink.DIM)
    return cell(milliseconds(source.p99_ms), Ink.WARN if source.p99_ms >= SLOW_MS else Ink.TEXT)


def error_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Failed calls of the last minute in percent."""
    share = source.error_percent
    if share is None:
        return cell(NOTHING, Ink.DIM)
    ink = Ink.BAD if share >= 20 else Ink.WARN if share >= 1 else Ink.TEXT if share > 0 else Ink.DIM
    return cell(percent(share), ink)


def ticks_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Ticks a second."""
    return cell(rate(source.ticks_per_s), Ink.TEXT if source.ticks_per_s > 0 else Ink.DIM)


def quota_percent(source: SourceView) -> float | None:
    """The fullest meter; where there is none, the fullest window of a minute or more."""
    meters = [meter.used * 100 / meter.limit for meter in source.meters if meter.limit]
    windows = [
        limiter.used * 100 / limiter.limit
        for limiter in source.limiters
        if limiter.limit and limiter.window_s >= QUOTA_WINDOW_S
    ]
    return max(meters or windows, default=None)


def quota_cell(source: SourceView, sight: Sight, _width: int) -> Cell:
    """Bar and percent."""
    share = quota_percent(source)
    if share is None:
        return cell(NOTHING, Ink.DIM)
    ink = quota_ink(share)
    number = Span(f"{min(share, 999):4.0f}%", Ink.TEXT if ink is Ink.DIM else ink)
    return (*quota_blocks(share, BLOCKS, sight.glyphs), number)


def money_cell(source: SourceView, _sight: Sight, _width: int) -> Cell:
    """Spent today."""
    spent = [view for view in source.money if float(view.today)]
    return cell(money(spent[0].currency, spent[0].today)) if spent else cell(NOTHING, Ink.DIM)


def state_sentence(source: SourceView, glyphs: Glyphs) -> Cell:
    """`▲ kite active: answers NSE/quote`."""
    ink = state_ink(source.state)
    # An engine's reason may begin with the state's own words: once is enough.
    reason = source.why.removeprefix(f"{source.state.value}: ")
    why = f"  {reason}" if reason else ""
    return (
        Span(f"{state_glyph(source.state, glyphs)} {source.name} ", ink),
        Span(source.state.value, ink),
        Span(why, Ink.TEXT),
    )


class SourcesPane(LiveGrid[SourceView]):
    """Every source."""

    columns: Sequence[Column[SourceView]] = (
        Column("source", name_cell, 8, 16, order=lambda source: source.name),
        Column("state", state_cell, 8, 14, order=lambda source: _ORDER.index(source.state)),
        Column("breaker", breaker_cell, 8, 17, order=lambda source: source.breaker.state),
        Column("dots", dots_cell, DOTS, right=True, priority=3, title=""),
        Column("age", age_cell, 5, right=True, order=lambda source: source.age_s),
        Column("p50", p50_cell, 5, right=True, priority=6, order=lambda source: source.p50_ms),
        Column("p99 ms", p99_cell, 6, right=True, priority=1, order=lambda source: source.p99_ms),
        Column("err %", error_cell, 5, right=True, priority=2, order=lambda source: source.error_percent),
        Column("t/s", ticks_cell, 5, right=True, priority=4, order=lambda source: source.ticks_per_s),
        Column(
            "quota", quota_cell, BLOCKS + 5, right=True, priority=1, title="quota     ", order=quota_percent
        ),
        Column("today", money_cell, 7, right=True, priority=5),
    )

    def key(self, item: SourceView) -> str:
        """Its name."""
        return item.name

    def fields(self, item: SourceView) -> Mapping[str, object]:
        """Its columns, and why it is in its state."""
        spent = next((view for view in item.money if float(view.today)), None)
        return {
            "source": item.name,
            "kind": item.kind,
            "state": item.state.value,
            "why": item.why,
            "breaker": item.breaker.state,
            "next_probe_in_s": item.breaker.retry_in_s if item.breaker.state == "open" else None,
            "recent": "".join("." if good else "x" for good in item.breaker.recent),
            "age_s": item.age_s,
            "p50_ms": item.p50_ms,
            "p99_ms": item.p99_ms,
            "error_percent": item.error_percent,
            "ticks_per_s": item.ticks_per_s,
            "quota_percent": quota_percent(item),
            "spent_today": spent.today if spent else None,
            "currency": spent.currency if spent else None,
            "calls": item.calls,
            "failures": item.failures,
            "last_error": item.last_error or None,
            "last_error_at": iso(item.last_error_at),
        }

    def words(self, item: SourceView) -> str:
        """Name, vendor, state and reason."""
        return f"{item.name} {item.kind} {item.state.value} {item.breaker.state} {item.why}"

    def is_quiet(self, item: SourceView) -> bool:
        """Out of service."""
        return item.state is SourceState.DISABLED

    def tail(self) -> tuple[Cell, ...]:
        """Why the source under the cursor is in its state; what its capabilities do, where there is room."""
        source = self.current()
        if source is None:
            return ()
        width = max(20, self.size.width - 3)
        room = max(3, self.size.height - len(self.rows) - 2)
        lines = list(wrap(state_sentence(source, self.sight.glyphs), width, indent=2)[:2])
        lines += _held_line(source)
        if source.last_error:
            when = f"{clock(source.last_error_at, self.sight.zone)}  " if source.last_error_at else ""
            lines.append((Span(f"  last error {when}", Ink.DIM), Span(source.last_error, Ink.TEXT)))
        if room >= len(lines) + 1 + len(source.capabilities):
            lines.append(EMPTY)
            lines += [_capability_line(view, self.sight.glyphs) for view in source.capabilities]
        lines = lines[:room]
        return (*lines, *(EMPTY for _ in range(room - len(lines))))


def _capability_line(view: CapabilityView, glyphs: Glyphs) -> Cell:
    failed = Span(f"{count(view.failures):>7} failed", Ink.BAD if view.failures else Ink.DIM)
    p99 = f"{milliseconds(view.p99_ms):>7}"
    return (
        Span(f"  {view.capability:<7}", Ink.DIM),
        *fit(breaker_words(view.breaker), 15),
        *breaker_dots(view.breaker.recent, DOTS, glyphs),
        Span(f"{count(view.calls):>9}", Ink.TEXT),
        Span(" calls", Ink.DIM),
        failed,
        Span("   p99", Ink.DIM),
        Span(p99, Ink.TEXT),
        Span(" ms" if view.p99_ms is not None else "", Ink.DIM),
    )
