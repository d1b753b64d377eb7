"""The events pane through its real keys: levels, following, and the way to what an event is about."""

import pytest
from mds_engine.control import Event, Snapshot
from mds_engine.control.commands import SetRateLimit
from mds_engine.control.events import (
    BreakerClosed,
    BreakerOpened,
    CommandRefused,
    EngineStopped,
    OverrideEnded,
    QuotaSpent,
    ReaderSlow,
    SourceConnected,
    TicksGapped,
    TicksSwitched,
)

from mds_tui.about import row_about
from tests.tui.prepared import AT

SIZE = (120, 40)


def _numbers(pane) -> list[int]:
    return [event.number for event in pane.rows]


@pytest.mark.parametrize("size", [SIZE, (80, 24)])
async def test_v_leaves_out_what_is_below_a_level_and_the_border_says_so(
    console, link, read_screen, size: tuple[int, int]
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("6")
        pane = app.desk.pane_named("events")
        assert _numbers(pane) == [8, 7, 6, 5, 4, 3, 2, 1]
        for words, numbers in (
            ("notices · 5 of 8 · following", [7, 6, 5, 4, 3]),
            ("warnings · 4 of 8 · following", [7, 6, 5, 4]),
            ("errors · 1 of 8 · following", [5]),
        ):
            await pilot.press("v")
            assert _numbers(pane) == numbers
            assert words in read_screen(app)
        link.happen(SourceConnected(source="yahoo"))
        link.happen(BreakerOpened(source="kite", capability="", open_for_s=30.0, why="refused"))
        app.beat()
        assert _numbers(pane) == [10, 5]
        assert pane.current().number == 10
        await pilot.press("v")
        assert len(pane.rows) == 10
        assert "all · following" in read_screen(app)


async def test_levels_and_filter_hold_together_and_the_filter_inverts(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("6", "v", "v", "slash", *"yahoo", "enter")
        pane = app.desk.pane_named("events")
        assert _numbers(pane) == [7, 6, 5]
        await pilot.press("slash", "home", "right", "exclamation_mark", "enter")
        assert _numbers(pane) == [4]
        assert "warnings · 1 of 8 · /!yahoo · following" in read_screen(app)
        assert pane.filter_words() == "warnings !yahoo"


async def test_an_empty_level_says_so(console, link, read_screen) -> None:
    link.log = [event for event in link.log if not isinstance(event, BreakerOpened)]
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("6", "v", "v", "v")
        assert "no errors" in read_screen(app)


async def test_f_stops_following_and_follows_again(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("6", "f")
        pane = app.desk.pane_named("events")
        assert "f to follow" in read_screen(app)
        link.happen(EngineStopped())
        app.beat()
        assert (pane.rows[0].number, pane.current().number) == (9, 8)
        await pilot.press("f")
        assert pane.current().number == 9
        link.happen(EngineStopped())
        app.beat()
        assert pane.current().number == 10
        await pilot.press("j")
        link.happen(EngineStopped())
        app.beat()
        assert pane.current().number == 9, "who looks at another event stays with it"


@pytest.mark.parametrize("size", [SIZE, (80, 24)])
@pytest.mark.parametrize(
    ("event", "pane", "key"),
    [
        (BreakerClosed(source="binance", capability="", why=""), "sources", "binance"),
        (OverrideEnded(subject="NSE/bars", why="time over"), "routes", "NSE/bars"),
        (QuotaSpent(source="alphavantage", why="", resets_at=None), "cost", "alphavantage calls day"),
        (
            TicksGapped(source="kite", instrument="NSE:INFY", after_ns=1, before_ns=2, missing=None, why=""),
            "watch",
            "NSE:INFY",
        ),
    ],
)
async def test_o_goes_to_the_row_that_an_event_is_about_also_where_a_filter_hid_it(
    console, link, size: tuple[int, int], event: Event, pane: str, key: str
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.desk.pane_named(pane).filter("!" + key.split(maxsplit=1)[0])
        link.happen(event)
        app.beat()
        await pilot.press("6", "g", "o")
        await pilot.pause()
        assert app.focused.id == pane
        assert app.focused.key(app.focused.current()) == key


async def test_an_event_about_no_row_says_so_and_stays(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("6", "G", "o")
        await pilot.pause()
        assert app.focused.id == "events"
        assert [notice.message for notice in app._notifications] == [
            "this event is about nothing that has a row"
        ]


def test_the_most_exact_row_is_found(snapshot: Snapshot) -> None:
    limit = SetRateLimit(source="kite", group="quote", limit=2)
    unwatched = TicksGapped(
        source="kite", instrument="NSE:TCS", after_ns=1, before_ns=2, missing=None, why=""
    )
    assert row_about(CommandRefused(command=limit, message="no"), snapshot) == ("sources", "kite")
    assert row_about(unwatched, snapshot) == ("sources", "kite")
    moved = TicksSwitched(before="kite", after="yahoo", instruments=3, held=0, why="mute")
    assert row_about(moved, snapshot) == ("sources", "yahoo")
    assert row_about(QuotaSpent(source="yahoo", why="", resets_at=AT), snapshot) == ("sources", "yahoo")
    assert row_about(ReaderSlow(reader="console", missed=4), snapshot) is None
    assert row_about(SourceConnected(source="gone"), snapshot) is None


async def test_a_click_on_a_pane_s_own_key_in_the_footer_does_what_the_key_does(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(260, 50)) as pilot:
        await pilot.press("6")
        await pilot.pause()
        footer = app.query_one("#keys")
        line = "".join(segment.text for segment in footer.render_line(0))
        await pilot.click("#keys", offset=(line.index("by level"), 0))
        await pilot.pause()
        assert app.desk.pane_named("events").levels == "notices"


async def test_help_tells_all_three_keys(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(140, 60)) as pilot:
        await pilot.press("6", "question_mark")
        await pilot.pause()
        words = read_screen(app)
        for text in ("by level", "follow the newest, or stay", "go to what it is about"):
            assert text in words
