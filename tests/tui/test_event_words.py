"""Every event has a line."""

from datetime import UTC
from typing import Any, get_args

import msgspec
import pytest
from mds_engine.control import Event
from mds_engine.control.commands import Pin
from mds_engine.control.drill import DrillCard
from mds_engine.control.events import (
    BreakerOpened,
    CommandApplied,
    CommandRefused,
    FailedOver,
    InstrumentsMute,
    Level,
    LoggedIn,
    LoginNeeded,
    QuotaSpent,
    RouteRestored,
    Throttled,
    TicksGapped,
    TicksSwitched,
)

from mds_tui.format.events import event_line, level_ink
from mds_tui.format.glyphs import ASCII, UNICODE
from tests.tui.prepared_drill import drill_card


def _example(event: type) -> Event:
    """One of that type, each field filled with something of its type."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(event):
        if field.name == "command":
            made[field.name] = Pin(route="NSE/quote", source="yahoo", by="asha")
        elif field.type is DrillCard:
            made[field.name] = drill_card()
        elif field.type is str:
            made[field.name] = f"some {field.name}"
        elif field.type is bool:
            made[field.name] = True
        elif field.type in (int, float):
            made[field.name] = 3
        elif field.type in (int | None, float | None):
            made[field.name] = 60
        elif "tuple" in str(field.type):
            made[field.name] = ("a", "b")
    return event(**made)


WHOM = ("source", "route", "subject", "reader", "after")


@pytest.mark.parametrize("event", get_args(Event), ids=lambda event: event.__name__)
def test_every_event_has_a_sign_a_level_a_subject_and_a_sentence(event: type) -> None:
    example = _example(event)
    line = event_line(example, UNICODE, UTC)
    assert len(line.glyph) == 1
    assert level_ink(line.level)
    assert line.subject in {"engine", "asha", *(f"some {field}" for field in WHOM)}
    assert line.text
    assert not line.text.endswith(".")
    assert "None" not in line.text
    assert event_line(example, ASCII, UTC).glyph.isascii()


@pytest.mark.parametrize(
    ("event", "level", "subject", "text"),
    [
        (
            BreakerOpened(source="yahoo", capability="quote", open_for_s=60.0, why="5 failures in a row."),
            Level.CRITICAL,
            "yahoo",
            "quote breaker open for 1 min: 5 failures in a row",
        ),
        (
            FailedOver(route="NSE/quote", before="kite", after="yahoo", why="refused", took_ms=38.2),
            Level.WARNING,
            "NSE/quote",
            "failed over kite ▸ yahoo in 38 ms: refused",
        ),
        (
            TicksSwitched(before="kite", after="yahoo", instruments=40, held=1, why="mute for 3 s"),
            Level.WARNING,
            "yahoo",
            "ticks of 40 instruments moved kite ▸ yahoo, 1 tick from the ring: mute for 3 s",
        ),
        (
            TicksGapped(
                source="b", instrument="X:A", after_ns=1, before_ns=None, missing=1, why="too long ago"
            ),
            Level.CRITICAL,
            "b",
            "gap in X:A: 1 trade that nobody has: too long ago",
        ),
        (
            InstrumentsMute(
                source="kite", instruments=("N:A", "N:B", "N:C", "N:D", "N:E"), why="never began"
            ),
            Level.WARNING,
            "kite",
            "no ticks of N:A, N:B, N:C and 2 more: never began",
        ),
        (
            LoginNeeded(source="kite", why="the token has expired", opens_in_s=2700.0, soon=True),
            Level.CRITICAL,
            "kite",
            "login needed, its exchange opens in 45 min: the token has expired",
        ),
        (
            LoginNeeded(source="kite", why="the token has expired", opens_in_s=0.0),
            Level.CRITICAL,
            "kite",
            "login needed: the token has expired",
        ),
        (
            LoginNeeded(source="kite", why="the token has expired", opens_in_s=11_700.0, soon=False),
            Level.WARNING,
            "kite",
            "login needed, its exchange opens in 3 h 15 min: the token has expired",
        ),
        (
            LoggedIn(source="kite", until=1_795_307_400.0, kept="kept in the keyring"),
            Level.GOOD,
            "kite",
            "logged in until 00:30, kept in the keyring",
        ),
        (
            RouteRestored(route="NSE/quote", source="kite", down_for_s=61.0),
            Level.GOOD,
            "NSE/quote",
            "answers again from kite, was down for 1 min 1 s",
        ),
        (
            Throttled(source="a", for_s=2.0, banned=True, why="418"),
            Level.CRITICAL,
            "a",
            "banned for 2 s: 418",
        ),
        (
            QuotaSpent(source="a", why="25 calls a day", resets_at=16_200.0),
            Level.WARNING,
            "a",
            "quota spent: 25 calls a day, back at 04:30",
        ),
        (
            CommandApplied(command=Pin(route="r", source="s", by="asha", why="gaps"), message="Held r."),
            Level.INFO,
            "asha",
            "Held r: “gaps”",
        ),
        (
            CommandRefused(command=Pin(route="r", source="s", by="asha"), message="there is no route r"),
            Level.WARNING,
            "asha",
            "pin refused: there is no route r",
        ),
    ],
)
def test_the_words(event: Event, level: Level, subject: str, text: str) -> None:
    line = event_line(event, UNICODE, UTC)
    assert (line.level, line.subject, line.text) == (level, subject, text)
