"""Every event as one line: sign, level, whom it is about, and a sentence."""

from datetime import tzinfo
from typing import NamedTuple, assert_never

from mds_engine.control import events
from mds_engine.control.commands import Command
from mds_engine.control.events import Event, Level

from mds_tui.format.cells import Ink
from mds_tui.format.glyphs import UNICODE, Glyphs
from mds_tui.format.numbers import clock_minutes, duration, duration_ms

DRILL = "drill: "
"""Before the words of what comes from a drill."""


class EventLine(NamedTuple):
    """One event in words."""

    glyph: str
    level: Level
    subject: str
    """A source, a route, an operator, or the engine."""
    text: str


def event_line(event: Event, glyphs: Glyphs = UNICODE, zone: tzinfo | None = None) -> EventLine:
    """The line of one event; times of day in `zone`, None meaning this machine's. What comes from a drill
    says so."""
    line = _line(event, glyphs, zone)
    if not event.drill or isinstance(event, events.DrillStarted | events.DrillEnded):
        return line
    return line._replace(text=DRILL + line.text.replace(DRILL, ""))


def _line(event: Event, glyphs: Glyphs, zone: tzinfo | None) -> EventLine:
    match event:
        case (
            events.EngineStarted()
            | events.EngineStopped()
            | events.CommandApplied()
            | events.CommandRefused()
            | events.OverrideEnded()
            | events.ConfigApplied()
        ):
            return _engine_line(event, glyphs)
        case (
            events.BreakerOpened()
            | events.BreakerHalfOpened()
            | events.BreakerClosed()
            | events.BreakerForced()
        ):
            return _breaker_line(event, glyphs)
        case events.FailedOver() | events.FailedBack() | events.RouteDown() | events.RouteRestored():
            return _route_line(event, glyphs)
        case (
            events.SourceConnected()
            | events.SourceUnhealthy()
            | events.SourceRecovered()
            | events.EndpointSwitched()
            | events.StreamConnected()
            | events.StreamLost()
        ):
            return _source_line(event, glyphs)
        case (
            events.StreamRenewed()
            | events.InstrumentsMute()
            | events.TicksSwitched()
            | events.TicksFilled()
            | events.TicksGapped()
            | events.ReaderSlow()
            | events.DataSuspect()
            | events.DataTrusted()
        ):
            return _ticks_line(event, glyphs)
        case events.LoginNeeded() | events.LoggedIn():
            return _login_line(event, glyphs, zone)
        case events.Throttled() | events.QuotaSpent() | events.BudgetCrossed():
            return _limit_line(event, glyphs, zone)
        case events.DrillStarted() | events.DrillEnded():
            return _drill_line(event, glyphs)
        case _:
            assert_never(event)


def level_ink(level: Level) -> Ink:
    """The colour role of a level."""
    return {Level.INFO: Ink.INFO, Level.GOOD: Ink.GOOD, Level.WARNING: Ink.WARN, Level.CRITICAL: Ink.BAD}[
        level
    ]


def command_words(command: Command) -> str:
    """A command's verb, as it is written on the `:` line."""
    tag = command.__struct_config__.tag
    return str(tag)


def _engine_line(
    event: events.EngineStarted
    | events.EngineStopped
    | events.CommandApplied
    | events.CommandRefused
    | events.OverrideEnded
    | events.ConfigApplied,
    glyphs: Glyphs,
) -> EventLine:
    match event:
        case events.EngineStarted():
            text = (
                f"started with {_many(len(event.sources), 'source')} and {_many(len(event.routes), 'route')}"
            )
            return EventLine(glyphs.live, Level.INFO, "engine", text)
        case events.EngineStopped():
            return EventLine(glyphs.out, Level.WARNING, "engine", "stopped in order")
        case events.ConfigApplied():
            return EventLine(glyphs.forced, Level.INFO, "engine", f"configured anew: {event.what}")
        case events.CommandApplied():
            said = f": “{event.command.why}”" if event.command.why else ""
            return EventLine(glyphs.forced, Level.INFO, event.command.by, _sentence(event.message) + said)
        case events.CommandRefused():
            text = f"{command_words(event.command)} refused: {_sentence(event.message)}"
            return EventLine(glyphs.out, Level.WARNING, event.command.by, text)
        case events.OverrideEnded():
            return EventLine(glyphs.back, Level.INFO, event.subject, _because("automatic again", event.why))
        case _:
            assert_never(event)


def _breaker_line(
    event: events.BreakerOpened | events.BreakerHalfOpened | events.BreakerClosed | events.BreakerForced,
    glyphs: Glyphs,
) -> EventLine:
    what = f"{event.capability} breaker" if event.capability else "breaker"
    match event:
        case events.BreakerOpened():
            # The cause is what an operator looks for: before the count that tripped it, which may be cut.
            count, _, cause = _sentence(event.why).partition(": ")
            why = f"{cause} ({count})" if cause else count
            text = _because(f"{what} open for {duration(event.open_for_s)}", why)
            return EventLine(glyphs.out, Level.CRITICAL, event.source, text)
        case events.BreakerHalfOpened():
            text = f"{what} half-open: probes decide"
            return EventLine(glyphs.trying, Level.WARNING, event.source, text)
        case events.BreakerClosed():
            text = _because(f"{what} closed, calls flow again", event.why)
            return EventLine(glyphs.good, Level.GOOD, event.source, text)
        case events.BreakerForced():
            held = f"{what} automatic again" if event.state == "automatic" else f"{what} held {event.state}"
            return EventLine(glyphs.forced, Level.WARNING, event.source, _because(held, event.why))
        case _:
            assert_never(event)


def _route_line(
    event: events.FailedOver | events.FailedBack | events.RouteDown | events.RouteRestored, glyphs: Glyphs
) -> EventLine:
    match event:
        case events.FailedOver():
            took = f" in {duration_ms(event.took_ms)}" if event.took_ms > 0 else ""
            text = _because(f"failed over {event.before} {glyphs.arrow} {event.after}{took}", event.why)
            return EventLine(glyphs.moved, Level.WARNING, event.route, text)
        case events.FailedBack():
            text = _because(f"back {event.before} {glyphs.arrow} {event.after}", event.why)
            return EventLine(glyphs.back, Level.GOOD, event.route, text)
        case events.RouteDown():
            return EventLine(glyphs.out, Level.CRITICAL, event.route, _because("down", event.why))
        case events.RouteRestored():
            text = f"answers again from {event.source}, was down for {duration(event.down_for_s)}"
            return EventLine(glyphs.good, Level.GOOD, event.route, text)
        case _:
            assert_never(event)


def _source_line(
    event: events.SourceConnected
    | events.SourceUnhealthy
    | events.SourceRecovered
    | events.EndpointSwitched
    | events.StreamConnected
    | events.StreamLost,
    glyphs: Glyphs,
) -> EventLine:
    match event:
        case events.SourceConnected():
            return EventLine(glyphs.ready, Level.INFO, event.source, "connected and ready for calls")
        case events.SourceUnhealthy():
            text = _because(f"health {event.before} {glyphs.arrow} {event.after}", event.why)
            return EventLine(glyphs.warning, Level.WARNING, event.source, text)
        case events.SourceRecovered():
            text = _because(f"well again after {duration(event.out_for_s)}", event.why)
            return EventLine(glyphs.good, Level.GOOD, event.source, text)
        case events.EndpointSwitched():
            text = _because(f"endpoint {event.before} {glyphs.arrow} {event.after}", event.why)
            return EventLine(glyphs.moved, Level.WARNING, event.source, text)
        case events.StreamConnected():
            text = f"stream up, {_many(event.instruments, 'instrument')}"
            return EventLine(glyphs.live, Level.GOOD, event.source, text)
        case events.StreamLost():
            return EventLine(glyphs.out, Level.WARNING, event.source, _because("stream lost", event.why))
        case _:
            assert_never(event)


def _drill_line(event: events.DrillStarted | events.DrillEnded, glyphs: Glyphs) -> EventLine:
    match event:
        case events.DrillStarted():
            said = f": “{event.why}”" if event.why else ""
            text = f"DRILL {event.scenario} for {duration(event.duration_s)}: {event.about}; {event.by}{said}"
            return EventLine(glyphs.forced, Level.WARNING, event.source, text)
        case events.DrillEnded():
            card = event.card
            failed = [check.name for check in card.checks if not check.ok]
            why = f": {', '.join(failed)}" if failed else ""
            level = Level.WARNING if failed else Level.GOOD
            glyph = glyphs.warning if failed else glyphs.good
            return EventLine(
                glyph, level, event.source, f"DRILL {card.scenario} is over, {card.verdict.upper()}{why}"
            )
        case _:
            assert_never(event)


def _ticks_line(
    event: events.StreamRenewed
    | events.InstrumentsMute
    | events.TicksSwitched
    | events.TicksFilled
    | events.TicksGapped
    | events.ReaderSlow
    | events.DataSuspect
    | events.DataTrusted,
    glyphs: Glyphs,
) -> EventLine:
    match event:
        case events.StreamRenewed():
            text = _because("stream moved to a new connection", event.why)
            return EventLine(glyphs.back, Level.INFO, event.source, text)
        case events.InstrumentsMute():
            text = _because(f"no ticks of {_first_of(event.instruments)}", event.why)
            return EventLine(glyphs.warning, Level.WARNING, event.source, text)
        case events.TicksSwitched():
            held = f", {_many(event.held, 'tick')} from the ring" if event.held else ""
            moved = f"{event.before or 'nobody'} {glyphs.arrow} {event.after}"
            text = f"ticks of {_many(event.instruments, 'instrument')} moved {moved}{held}"
            return EventLine(glyphs.moved, Level.WARNING, event.after, _because(text, event.why))
        case events.TicksFilled():
            text = f"{_many(event.ticks, 'missed trade')} of {event.instrument} had over REST"
            return EventLine(glyphs.good, Level.GOOD, event.source, text)
        case events.TicksGapped():
            missing = "ticks" if event.missing is None else _many(event.missing, "trade")
            text = _because(f"gap in {event.instrument}: {missing} that nobody has", event.why)
            return EventLine(glyphs.out, Level.CRITICAL, event.source, text)
        case events.ReaderSlow():
            text = f"too slow: {_many(event.missed, 'tick')} dropped from its queue"
            return EventLine(glyphs.warning, Level.WARNING, event.reader, text)
        case events.DataSuspect():
            text = _because(f"{event.instrument} looks wrong ({event.check})", event.why)
            return EventLine(glyphs.warning, Level.WARNING, event.source, text)
        case events.DataTrusted():
            text = f"{event.instrument} agrees again ({event.check})"
            return EventLine(glyphs.good, Level.GOOD, event.source, text)
        case _:
            assert_never(event)


def _first_of(instruments: tuple[str, ...]) -> str:
    """All of a few, else the first ones and how many more."""
    if len(instruments) <= _NAMED:
        return ", ".join(instruments)
    return f"{', '.join(instruments[:_NAMED])} and {len(instruments) - _NAMED} more"


_NAMED = 3


def _limit_line(
    event: events.Throttled | events.QuotaSpent | events.BudgetCrossed,
    glyphs: Glyphs,
    zone: tzinfo | None,
) -> EventLine:
    match event:
        case events.Throttled():
            verb = "banned" if event.banned else "throttled"
            text = _because(f"{verb} for {duration(event.for_s)}", event.why)
            level = Level.CRITICAL if event.banned else Level.WARNING
            return EventLine(glyphs.disabled, level, event.source, text)
        case events.QuotaSpent():
            until = f", back at {clock_minutes(event.resets_at, zone)}" if event.resets_at is not None else ""
            text = _because("quota spent", event.why) + until
            return EventLine(glyphs.out, Level.WARNING, event.source, text)
        case events.BudgetCrossed():
            text = f"{event.meter} at {event.percent:.0f} %"
            return EventLine(glyphs.warning, Level.WARNING, event.source, text)
        case _:
            assert_never(event)


def _login_line(
    event: events.LoginNeeded | events.LoggedIn, glyphs: Glyphs, zone: tzinfo | None
) -> EventLine:
    match event:
        case events.LoginNeeded():
            what = "login needed"
            if event.opens_in_s:
                what += f", its exchange opens in {duration(event.opens_in_s)}"
            level = Level.CRITICAL if event.soon else Level.WARNING
            return EventLine(glyphs.login, level, event.source, _because(what, event.why))
        case events.LoggedIn():
            text = f"logged in until {clock_minutes(event.until, zone)}, {event.kept}"
            return EventLine(glyphs.good, Level.GOOD, event.source, text)
        case _:
            assert_never(event)


def _because(text: str, why: str) -> str:
    return f"{text}: {_sentence(why)}" if why else text


def _sentence(text: str) -> str:
    return text.strip().rstrip(".")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
