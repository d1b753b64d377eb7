"""One source: why it is in its state, its breakers, speeds, limits, endpoints, and what happened to it."""

from collections.abc import Iterable

from mds_engine.control.events import Event, TicksSwitched
from mds_engine.control.snapshot import CapabilityView, SourceView

from mds_tui.details.breakers import is_of_breaker, timeline_lines
from mds_tui.details.lines import decision_lines, entry, event_rows, heading, table
from mds_tui.format.bars import breaker_dots, calm_top, chart, quota_line, sparkline
from mds_tui.format.cells import Cell, Ink, Span, cell, fit, wrap
from mds_tui.format.glyphs import state_ink
from mds_tui.format.numbers import (
    age,
    clock,
    clock_minutes,
    count,
    countdown,
    duration,
    milliseconds,
    money,
    percent,
)
from mds_tui.format.sight import Sight
from mds_tui.panes.cost import use_rows, window_words
from mds_tui.panes.sources import breaker_words, state_sentence

_EVENTS = 12
_BAR = 20
_CHART_WIDTH = 60
_CHART_HEIGHT = 4
_SCALE = 12
_USE_AND_OUTLOOK = 24 + 16 + 16
_WIDTHS = (7, 14, 6, 6, 6, 8, 6, 10, 24)
_LEAST = 5


def source_lines(name: str, events: Iterable[Event], sight: Sight, width: int) -> tuple[Cell, ...]:
    """The page; `events` newest first."""
    source = sight.snapshot.source(name)
    if source is None:
        return (cell(f"there is no source {name} any more", Ink.WARN),)
    own = [event for event in events if _is_about(event, name)]
    others = event_rows((event for event in own if not is_of_breaker(event)), sight, width, most=_EVENTS)
    return (
        *_state(source, sight, width),
        *timeline_lines(own, sight, width),
        *_capabilities(source, sight, width),
        *_chart(source, sight, width),
        *_limits(source, sight, width),
        *_endpoints(source, width),
        *_decisions(source, sight, width),
        *(*heading("what else happened to it"), *others) * bool(others),
    )


def _state(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    seen = f"{age(source.age_s)} ago" if source.age_s is not None else "never"
    failed = f", {count(source.failures)} failed" if source.failures else ""
    recent = f", {percent(source.error_percent)} % of the last minute" if source.error_percent else ""
    spent = ", ".join(
        f"{money(view.currency, view.today)} today, {money(view.currency, view.month)} this month"
        for view in source.money
    )
    where = ", on loopback" if source.simulated else ""
    lines = [
        *wrap(state_sentence(source, sight.glyphs), width, indent=2),
        *entry("vendor", cell(f"{source.kind}{where}"), width),
        *entry("health", (Span(source.health), Span(f"  score {source.score:.2f}", Ink.DIM)), width),
        *entry("last answer", cell(seen), width),
        *entry("calls", cell(f"{count(source.calls)}{failed}{recent}"), width),
    ]
    lines += _login(source, sight, width)
    lines += _probes(source, width)
    lines += _stream(source, width)
    if spent:
        lines += entry("spent", cell(spent), width)
    if source.last_error:
        when = f"{clock(source.last_error_at, sight.zone)}  " if source.last_error_at is not None else ""
        lines += entry("last error", (Span(when, Ink.DIM), Span(source.last_error, Ink.BAD)), width)
    return tuple(lines)


def _login(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    """How long the vendor honours its credentials, and when that matters."""
    login = source.login
    if login is None:
        return ()
    opens = f"its exchange opens in {duration(login.opens_in_s)}" if login.opens_in_s else ""
    if login.needed:
        return entry("login", cell(", ".join(filter(None, ("needed", opens, "L logs in"))), Ink.WARN), width)
    if login.valid_until is None or login.expires_in_s is None:
        return entry("login", cell("nobody knows until when", Ink.DIM), width)
    until = clock_minutes(login.valid_until, sight.zone)
    if login.expires_in_s <= 0:
        return entry("login", cell(", ".join(filter(None, (f"ended at {until}", opens))), Ink.DIM), width)
    return entry("login", cell(f"until {until}, for {duration(login.expires_in_s)} more"), width)


def _probes(source: SourceView, width: int) -> tuple[Cell, ...]:
    """When the next probes go out, and how those in progress do."""
    lines: list[Cell] = []
    own = [source.breaker] if not source.breaker.capability else []
    for breaker in (*own, *(view.breaker for view in source.capabilities)):
        what = breaker.capability or "the whole source"
        if breaker.state == "open" and breaker.retry_in_s > 0:
            left = Span(countdown(breaker.retry_in_s), Ink.BAD)
            lines += entry("next probe", (Span("in ", Ink.DIM), left, Span(f", of {what}", Ink.DIM)), width)
        elif breaker.state.startswith("half") and breaker.probes_needed:
            passed = f"{breaker.probes_passed} of {breaker.probes_needed} passed"
            lines += entry("probing", (Span(passed, Ink.WARN), Span(f", of {what}", Ink.DIM)), width)
    return tuple(lines)


def _stream(source: SourceView, width: int) -> tuple[Cell, ...]:
    stream = source.stream
    if stream is None:
        return ()
    if stream.next_poll_s is not None:
        polled = f"{_many(stream.instruments, 'instrument')}, next in {duration(stream.next_poll_s)}"
        return entry("polled", cell(polled), width)
    held = stream.instruments - stream.delivers
    words = [
        f"{_many(stream.instruments, 'instrument')} on {_many(stream.connections, 'connection')}",
        f"delivers {count(stream.delivers)}",
    ]
    if held > 0:
        words.append(f"stands by for {count(held)} with {_many(stream.held, 'tick')} at hand")
    lines = list(entry("live stream", cell(", ".join(words)), width))
    if stream.mute:
        lines += entry("mute", cell(f"{count(stream.mute)} instruments do not tick", Ink.WARN), width)
    if stream.looked_wrong:
        found = ", ".join(f"{check} {times} times" for check, times in sorted(stream.looked_wrong.items()))
        lines += entry("looked wrong", cell(found, Ink.WARN), width)
    return tuple(lines)


def _many(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def _capabilities(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    head = ("", "breaker", "p50", "p95", "p99 ms", "calls", "failed", "", "last minute")
    rows: list[tuple[Cell, ...]] = [tuple(cell(word, Ink.DIM) for word in head)]
    rows += [_capability(source, view, sight) for view in source.capabilities]
    # What is left out where it is narrow stands last; nothing is cut in the middle.
    kept, widths = len(_WIDTHS), _WIDTHS
    while kept > _LEAST and sum(widths[:kept]) + 2 * (kept - 1) > width:
        kept -= 1
    lines = list(table([row[:kept] for row in rows], widths[:kept], right=frozenset({2, 3, 4, 5, 6})))
    own = [source.breaker] if not source.breaker.capability else []
    for view in (*own, *(capability.breaker for capability in source.capabilities)):
        if view.why and view.state != "closed":
            label = view.capability or "source"
            opened = f", opened {view.opened} times" if view.opened > 1 else ""
            held = f", held for {duration(view.forced_for_s)}" if view.forced_for_s is not None else ""
            why = (Span(f"{label}: ", Ink.DIM), Span(view.why + opened + held, Ink.WARN))
            lines += wrap(why, width, indent=2)
    return (*heading("capabilities"), *lines)


def _capability(source: SourceView, view: CapabilityView, sight: Sight) -> tuple[Cell, ...]:
    return (
        cell(view.capability),
        breaker_words(view.breaker),
        cell(milliseconds(view.p50_ms)),
        cell(milliseconds(view.p95_ms)),
        cell(milliseconds(view.p99_ms)),
        cell(count(view.calls)),
        cell(count(view.failures), Ink.BAD if view.failures else Ink.DIM),
        breaker_dots(view.breaker.recent, 10, sight.glyphs),
        sparkline(
            view.p99_series_ms,
            24,
            sight.glyphs,
            state_ink(source.state),
            top=calm_top(view.p99_series_ms),
        ),
    )


def _chart(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    """The last minute of the capability that is asked most, large enough to see its shape."""
    asked = [view for view in source.capabilities if any(value is not None for value in view.p99_series_ms)]
    view = max(asked, key=lambda view: view.calls, default=None)
    if view is None:
        return ()
    top = calm_top(view.p99_series_ms)
    room = max(10, min(_CHART_WIDTH, width - _SCALE))
    drawn = chart(view.p99_series_ms, room, _CHART_HEIGHT, sight.glyphs, state_ink(source.state), top=top)
    scale = [f"{milliseconds(top)} ms", *[""] * (_CHART_HEIGHT - 2), "0"]
    lines = [
        (*fit((Span(label, Ink.DIM),), _SCALE - 2, right=True), Span("  "), *line)
        for label, line in zip(scale, drawn, strict=True)
    ]
    return (*heading(f"p99 of {view.capability}, second by second over the last minute"), *lines)


def _limits(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    rows = [row for row in use_rows(sight.snapshot) if row.source == source.name]
    if not rows:
        return ()
    lines: list[Cell] = []
    room = max(4, min(_BAR, width - _USE_AND_OUTLOOK))
    for row in rows:
        limit = f"/{count(row.limit)}" if row.limit is not None else ""
        back = ""
        if row.resets_at is not None:
            back = f"resets {clock(row.resets_at, sight.zone)}"
        if row.blocked_for_s > 0:
            back = f"held for {duration(row.blocked_for_s)}"
        bar = quota_line(row.percent, room, sight.glyphs) if row.percent is not None else cell(" " * room)
        what = f"{row.what or 'requests'} per {row.period}"
        use = f"{count(row.used)}{limit}"
        spans = (Span(f"{what:<24}", Ink.DIM), *bar, Span(f"  {use:<14}"), Span(back, Ink.DIM))
        lines += wrap(spans, width, indent=2)
    lines += [
        (
            Span(f"{limiter.group} per {window_words(limiter.window_s)} set to ", Ink.DIM),
            Span(count(limiter.limit), Ink.WARN if limiter.limit > limiter.published else Ink.TEXT),
            Span(f", the vendor publishes {count(limiter.published)}", Ink.DIM),
        )
        for limiter in source.limiters
        if limiter.published is not None and limiter.published != limiter.limit
    ]
    lines += [
        (
            Span(f"{limiter.group} per {window_words(limiter.window_s)} slowed to ", Ink.DIM),
            Span(f"{limiter.rate_factor:.0%} of its rate", Ink.WARN),
        )
        for limiter in source.limiters
        if limiter.rate_factor < 1.0
    ]
    return (*heading("limits and quota"), *lines)


def _endpoints(source: SourceView, width: int) -> tuple[Cell, ...]:
    if not source.endpoints:
        return ()
    lines: list[Cell] = []
    for endpoint in source.endpoints:
        word = Span("in use   " if endpoint.active else "standby  ", Ink.GOOD if endpoint.active else Ink.DIM)
        trouble = f"  {endpoint.failures} failures" if endpoint.failures else ""
        again = f", tried again in {duration(endpoint.retry_in_s)}" if endpoint.retry_in_s > 0 else ""
        lines += wrap((word, Span(endpoint.url), Span(trouble + again, Ink.WARN)), width, indent=9)
    return (*heading("endpoints"), *lines)


def _decisions(source: SourceView, sight: Sight, width: int) -> tuple[Cell, ...]:
    lines: list[Cell] = []
    for route in sight.snapshot.routes:
        decision = route.last_decision
        if decision is not None and any(step.source == source.name for step in decision.steps):
            lines.append((Span(route.key, Ink.DIM),))
            lines += decision_lines(decision, sight, width)
    return (*heading("last decisions that considered it"), *lines) if lines else ()


def _is_about(event: Event, name: str) -> bool:
    command = getattr(event, "command", None)
    if isinstance(event, TicksSwitched):
        return name == event.after
    named = {getattr(about, "source", None) for about in (event, command)}
    return name in named or name == getattr(event, "subject", None)
