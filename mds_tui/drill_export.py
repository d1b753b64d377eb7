"""A drill's scorecard as Markdown, for a ticket or a handover."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mds_engine.control import Event
from mds_engine.control.drill import DrillCard, DrillCheck, DrillFigures

from mds_tui.details.drill import many, of_drill, seconds_words, side_words, value_words
from mds_tui.export import ExportError, short
from mds_tui.format.events import DRILL, event_line
from mds_tui.format.numbers import NOTHING, duration, duration_ms, iso


def markdown(card: DrillCard, events: Iterable[Event], engine: str) -> str:
    """The whole result; `events` are those of the engine, in any order. Times are UTC."""
    stood = duration(card.cleared_at - card.began_at)
    lines = [
        f"# Drill {card.scenario} of {card.target}: {card.verdict.upper()}",
        "",
        f"- fault: {_text(card.about)}",
        f"- where: {side_words(card)}",
        f"- engine: {_text(engine) or NOTHING}; routes: {', '.join(card.routes)}",
        f"- began {iso(card.began_at)}, stood for {stood} ({card.ended}), over {iso(card.ended_at)}",
        f"- by {_text(card.by)}" + (f": {_text(card.why)}" if card.why else ""),
        f"- left behind: {'; '.join(card.cleaned) or 'nothing, it healed by itself'}",
        "",
        "## Scorecard",
        "",
        "| | check | measured | allowed | why |",
        "| --- | --- | ---: | --- | --- |",
        *(_row(check) for check in card.checks),
        "",
        "## Figures",
        "",
        *_figures(card.figures),
        "",
        "## What it brought about",
        "",
        *_timeline(card, events),
    ]
    return "\n".join(lines) + "\n"


def write(card: DrillCard, events: Iterable[Event], engine: str, folder: Path) -> str:
    """Write it into `folder`; returns where it went. Raises ExportError."""
    stamp = datetime.fromtimestamp(card.began_at, UTC).strftime("%Y%m%dT%H%M%SZ")
    name = "".join(
        sign if sign.isalnum() or sign in "-_" else "_" for sign in f"{card.scenario}-{card.target}"
    )
    file = folder / f"drill-{name}-{stamp}.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(markdown(card, events, engine), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"cannot write {file}: {error.strerror}") from None
    return f"the scorecard was written to {short(file)}"


def _row(check: DrillCheck) -> str:
    mark = "told" if not check.limit else "ok" if check.ok else "**FAIL**"
    return f"| {mark} | {check.name} | {value_words(check)} | {check.limit} | {_text(check.why)} |"


def _figures(figures: DrillFigures) -> Iterable[str]:
    by = ", ".join(f"{name} {number}" for name, number in sorted(figures.answered_by.items())) or NOTHING
    breakers = ", ".join(f"{name} {state}" for name, state in figures.breakers.items()) or NOTHING
    lost = NOTHING if figures.lost is None else figures.lost
    yield f"- calls: {figures.calls} made, {figures.answered} answered, {figures.failed} failed; by {by}"
    yield (
        f"- noticed after {seconds_words(figures.noticed_after_s)}, "
        f"routes moved after {seconds_words(figures.moved_after_s)}, first failover "
        f"{NOTHING if figures.failover_ms is None else duration_ms(figures.failover_ms)}"
    )
    yield (
        f"- ticks: {figures.ticks} delivered, {lost} lost, {figures.doubled} doubled, "
        f"{figures.disordered} out of order, {figures.gap_s:.1f} s in {many(figures.gaps, 'gap')}, "
        f"longest silence {seconds_words(figures.silence_s)}, {figures.bent} with a wrong price"
    )
    yield f"- breakers at the end: {breakers}; opened {many(figures.breakers_opened, 'time')}"
    yield (
        f"- well again after {seconds_words(figures.recovered_after_s)}; "
        f"{figures.served - figures.away} of {figures.served} routes are its own"
    )
    yield f"- {many(figures.held_back, 'request')} kept from the vendor"


def _timeline(card: DrillCard, events: Iterable[Event]) -> Iterable[str]:
    mine = sorted(
        of_drill(events, card.number, card.began_at),
        key=lambda event: (event.at, event.number),
    )
    for event in mine:
        line = event_line(event, zone=UTC)
        yield f"- {iso(event.at)} {_text(line.subject)}: {_text(line.text.removeprefix(DRILL))}"
    if not mine:
        yield "Its events are no longer kept."


def _text(words: str) -> str:
    """On one line, and harmless in a table."""
    return " ".join(words.split()).replace("|", "\\|")
