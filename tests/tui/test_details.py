"""Pages behind rows: what they say of the past, and that nothing is cut at any width."""

from datetime import UTC

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.events import (
    BreakerClosed,
    BreakerHalfOpened,
    BreakerOpened,
    Event,
    FailedBack,
    FailedOver,
    RouteDown,
    RouteRestored,
    SourceRecovered,
)

from mds_tui.details.route import route_lines
from mds_tui.details.source import source_lines
from mds_tui.format.cells import text_of, width_of
from mds_tui.format.glyphs import UNICODE
from mds_tui.format.sight import Sight
from tests.tui.prepared import AT


def _at(seconds_ago: float, number: int, event: Event) -> Event:
    return msgspec.structs.replace(event, at=AT - seconds_ago, number=number)


def _texts(lines) -> list[str]:
    return [text_of(line).rstrip() for line in lines]


MOVES = (
    _at(20, 6, SourceRecovered(source="yahoo", out_for_s=520.0)),
    _at(60, 5, BreakerClosed(source="yahoo", capability="quote", why="3 probes passed")),
    _at(120, 4, BreakerHalfOpened(source="yahoo", capability="quote")),
    _at(
        300,
        3,
        BreakerOpened(
            source="yahoo", capability="quote", open_for_s=60.0, why="5 failures in a row: connection reset"
        ),
    ),
    _at(400, 2, BreakerOpened(source="kite", capability="bars", open_for_s=60.0, why="not this one")),
    _at(600, 1, BreakerOpened(source="yahoo", capability="bars", open_for_s=60.0, why="timeout")),
)


def test_a_breaker_s_timeline_shows_each_state_as_long_as_it_lasted(snapshot: Snapshot) -> None:
    lines = _texts(source_lines("yahoo", MOVES, Sight(snapshot, zone=UTC), 100))
    bars, quote = (next(line for line in lines if line.startswith(name)) for name in ("bars  ", "quote  "))
    passed, failed, trying = UNICODE.passed, UNICODE.failed, UNICODE.trying
    room = 67
    strip = quote[9 : 9 + room]
    # Ten minutes: closed for 5, open for 3, half-open for 1, closed for 1.
    assert {sign: strip.count(sign) for sign in (passed, failed, trying)} == {
        passed: pytest.approx(room * 0.6, abs=2),
        failed: pytest.approx(room * 0.3, abs=2),
        trying: pytest.approx(room * 0.1, abs=2),
    }
    assert strip == strip[0] * strip.count(passed) or strip.index(failed) < strip.index(trying)
    assert quote.endswith("open 3 min")
    assert bars[9 : 9 + room] == failed * room
    assert bars.endswith("open 10 min")
    assert any((line.startswith("14:03") and line.endswith("now")) or "now" in line for line in lines)


def test_a_timeline_is_blank_before_the_engine_was_there(snapshot: Snapshot) -> None:
    engine = msgspec.structs.replace(snapshot.engine, started_at=AT - 150)
    young = msgspec.structs.replace(snapshot, engine=engine)
    opened = _at(75, 1, BreakerOpened(source="yahoo", capability="", open_for_s=60.0, why="cut"))
    lines = _texts(source_lines("yahoo", [opened], Sight(young, zone=UTC), 100))
    strip = next(line for line in lines if line.startswith("source "))[9:76]
    assert {sign: strip.count(sign) for sign in (" ", UNICODE.passed, UNICODE.failed)} == {
        " ": pytest.approx(33, abs=1),
        UNICODE.passed: pytest.approx(17, abs=1),
        UNICODE.failed: pytest.approx(17, abs=1),
    }


def test_each_move_is_told_with_the_errors_that_caused_it_and_only_there(snapshot: Snapshot) -> None:
    lines = _texts(source_lines("yahoo", MOVES, Sight(snapshot, zone=UTC), 100))
    begin = lines.index("breaker timeline")
    other = lines.index("what else happened to it")
    told = [line for line in lines if "breaker" in line and ":" in line and line[:2].isdigit()]
    assert [line.split("  ")[0] for line in told] == ["14:12:20", "14:11:20", "14:08:20", "14:03:20"]
    assert "connection reset (5 failures in a row)" in told[2]
    assert all(begin < lines.index(line) < other for line in told)
    assert "well again after 8 min 40 s" in lines[other + 1]
    assert not any("not this one" in line for line in lines)


def test_a_source_whose_breakers_never_moved_has_no_timeline(snapshot: Snapshot) -> None:
    lines = _texts(source_lines("binance", MOVES, Sight(snapshot, zone=UTC), 100))
    assert "breaker timeline" not in lines
    assert "what else happened to it" not in lines


def test_the_next_probe_is_counted_down(snapshot: Snapshot) -> None:
    yahoo = snapshot.source("yahoo")
    quote, bars = yahoo.capabilities
    opened = msgspec.structs.replace(bars.breaker, state="open", retry_in_s=41.3)
    probing = msgspec.structs.replace(quote.breaker, probes_passed=2, probes_needed=3)
    capabilities = (
        msgspec.structs.replace(quote, breaker=probing),
        msgspec.structs.replace(bars, breaker=opened),
    )
    changed = msgspec.structs.replace(yahoo, capabilities=capabilities)
    sources = tuple(changed if source is yahoo else source for source in snapshot.sources)
    sight = Sight(msgspec.structs.replace(snapshot, sources=sources), zone=UTC)
    lines = [" ".join(line.split()) for line in _texts(source_lines("yahoo", (), sight, 100))]
    assert "next probe in 41 s, of bars" in lines
    assert "probing 2 of 3 passed, of quote" in lines


SWITCHES = (
    _at(30, 5, FailedBack(route="NSE/quote", before="yahoo", after="kite", why="well for 60 s")),
    _at(90, 4, RouteRestored(route="NSE/quote", source="yahoo", down_for_s=10.0)),
    _at(100, 3, RouteDown(route="NSE/quote", why="kite: refused; yahoo: refused")),
    _at(110, 2, FailedOver(route="NSE/bars", before="kite", after="yahoo", why="another route")),
    _at(
        400,
        1,
        FailedOver(route="NSE/quote", before="kite", after="yahoo", why="connection reset", took_ms=38.0),
    ),
)


def test_switches_tell_who_answered_for_how_long_and_why(snapshot: Snapshot) -> None:
    lines = _texts(route_lines("NSE/quote", SWITCHES, Sight(snapshot, zone=UTC), 100))
    begin = lines.index("switches, and how long each held")
    told = [" ".join(line.split()) for line in lines[begin + 1 : begin + 5]]
    assert told == [
        "14:12:50 ↩ for 30 s yahoo ▸ kite again: well for 60 s",
        "14:11:50 ✔ for 1 min nobody ▸ yahoo",
        "14:11:40 ✖ for 10 s nobody: kite: refused; yahoo: refused",
        "14:06:40 ⇄ for 5 min kite ▸ yahoo in 38 ms: connection reset",
    ]
    assert not any("another route" in line for line in lines)


def test_of_many_switches_the_newest_are_told_and_how_many_are_not(snapshot: Snapshot) -> None:
    many = [
        _at(
            number * 10, 99 - number, FailedOver(route="NSE/quote", before="a", after="b", why=f"no {number}")
        )
        for number in range(30)
    ]
    lines = _texts(route_lines("NSE/quote", many, Sight(snapshot, zone=UTC), 100))
    assert "switches, and how long each held; 18 earlier ones left out" in lines
    assert sum("a ▸ b" in line for line in lines) == 12


@pytest.mark.parametrize("width", [50, 69, 100, 126])
def test_pages_fit_their_width(snapshot: Snapshot, history: tuple[Event, ...], width: int) -> None:
    events = (*MOVES, *SWITCHES, *reversed(history))
    sight = Sight(snapshot, zone=UTC)
    for source in snapshot.sources:
        for line in source_lines(source.name, events, sight, width):
            assert width_of(line) <= width + 2, text_of(line)
    for route in snapshot.routes:
        for line in route_lines(route.key, events, sight, width):
            assert width_of(line) <= width + 2, text_of(line)


@pytest.mark.parametrize(("size", "plain"), [((120, 40), False), ((80, 24), False), ((60, 16), True)])
async def test_a_long_page_scrolls_and_says_which_lines_are_in_sight(
    console, link, read_screen, size: tuple[int, int], plain: bool
) -> None:
    link.log = [
        *link.log,
        *(
            msgspec.structs.replace(event, number=number)
            for number, event in enumerate([*reversed(MOVES)] * 3, 100)
        ),
    ]
    app = console(ascii=plain)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("1", "j", "enter")
        await pilot.pause()
        page = app.screen.query_one("#page")
        total = len(page.lines)
        top = page.border_subtitle
        assert top.startswith("1")
        dot = "-" if plain else "·"
        assert f" of {total} {dot} " in top
        assert top.endswith(f"esc back {dot} ? help")
        await pilot.press("j")
        assert page.border_subtitle.startswith("2")
        await pilot.press("G")
        await pilot.pause()
        assert f"{total} of {total}" in page.border_subtitle
        assert "well again after" in read_screen(app)
        await pilot.press("g", "pagedown", "pageup")
        assert page.border_subtitle == top


async def test_a_page_that_fits_says_only_its_keys(console) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("6", "enter")
        await pilot.pause()
        words = app.screen.query_one("#page").border_subtitle
        assert words.endswith("esc back · ? help")
        assert " of " not in words
