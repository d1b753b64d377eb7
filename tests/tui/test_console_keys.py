"""The console through its real keys, on a prepared picture: moving, finding, reading."""

import msgspec
import pytest

from mds_tui.desk_layout import PANES
from mds_tui.screens.page import Page

SIZE = (120, 40)


async def test_numbers_tab_and_arrows_move_the_focus(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        for number, name in enumerate(PANES, 1):
            await pilot.press(str(number))
            assert app.focused.id == name
        await pilot.press("tab")
        assert app.focused.id == "sources"
        await pilot.press("l", "right")
        assert app.focused.id == "latency"
        await pilot.press("h", "left", "shift+tab")
        assert app.focused.id == "events"


async def test_the_cursor_stays_on_its_item_when_the_order_changes(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("j", "j", "k")
        pane = app.desk.pane_named("sources")
        assert pane.current().name == "yahoo"
        await pilot.press("s")
        assert [item.name for item in pane.rows] == ["alphavantage", "binance", "kite", "yahoo"]
        assert pane.current().name == "yahoo"
        await pilot.press("S")
        assert pane.rows[0].name == "yahoo"
        await pilot.press("G")
        assert pane.current().name == "alphavantage"
        await pilot.press("g")
        assert pane.current().name == "yahoo"


async def test_a_filter_works_while_it_is_typed_and_escape_takes_it_away(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5", "slash", *"btc|aapl")
        pane = app.desk.pane_named("watch")
        assert [row.instrument for row in pane.rows] == ["BINANCE:BTCUSDT", "NASDAQ:AAPL"]
        await pilot.press("enter")
        assert app.focused is pane
        assert "2 of 9 · /btc|aapl" in read_screen(app)
        await pilot.press("slash", "home", "right", "exclamation_mark", "enter")
        assert len(pane.rows) == 7
        await pilot.press("escape")
        assert len(pane.rows) == 9
        await pilot.press("slash", *"zzz")
        assert not pane.rows
        assert "nothing matches /zzz" in read_screen(app)
        await pilot.press("escape")
        assert len(pane.rows) == 9


async def test_zoom_shows_one_pane_and_all_again(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5", "plus")
        assert [pane.id for pane in app.desk.panes if pane.display] == ["watch"]
        await pilot.press("1")
        assert [pane.id for pane in app.desk.panes if pane.display] == ["sources"]
        await pilot.press("escape")
        assert all(pane.display for pane in app.desk.panes)


async def test_pause_holds_the_picture_only(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("p")
        engine = msgspec.structs.replace(link.picture.engine, name="moved-on")
        link.picture = msgspec.structs.replace(link.picture, engine=engine, watch=())
        app.beat()
        await pilot.pause()
        assert "display paused" in read_screen(app)
        assert len(app.desk.pane_named("watch").rows) == 9
        assert app.view().snapshot.engine.name == "moved-on"
        await pilot.press("p")
        app.beat()
        assert not app.desk.pane_named("watch").rows


async def test_y_copies_the_row(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5", "y")
        assert app.clipboard.startswith("NSE:NIFTY 50\t24,812.35\t+0.42\tkite")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            ("1", "j"),
            ("half-open: 2 of 3 probes passed", "Unavailable: connection reset by peer"),
        ),
        (("1", "G"), ("quota spent: 25 calls a day", "25/25")),
        (("2",), ("candidates, in order", "NSE:RELIANCE", "quota spent until 04:30", "answers")),
        (("2", "j"), ("kite gaps",)),
        (("3",), ("capabilities",)),
        (("4",), ("limits and quota",)),
        (("5", "G"), ("no source of NASDAQ/ticks can serve it",)),
        (("6",), ("NSE/bars", "fail", "kite gaps")),
    ],
)
async def test_enter_opens_the_why(
    console, read_screen, keys: tuple[str, ...], words: tuple[str, ...]
) -> None:
    app = console()
    async with app.run_test(size=(140, 50)) as pilot:
        await pilot.pause()
        await pilot.press(*keys, "enter")
        await pilot.pause()
        assert isinstance(app.screen, Page)
        seen = read_screen(app)
        for text in words[:1] if keys == ("6",) else words:
            assert text in seen
        await pilot.press("escape")
        assert app.screen is app.desk


async def test_help_is_read_from_the_bindings(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(140, 60)) as pilot:
        await pilot.press("5", "question_mark")
        await pilot.pause()
        words = read_screen(app)
        for text in (
            "in watch",
            "sort by the next column",
            "fail over: Move a route",
        ):
            assert text in words
        await pilot.press("G")
        await pilot.pause()
        assert "set-rate-limit" in read_screen(app)
        await pilot.press("question_mark")
        assert app.screen is app.desk


async def test_help_tells_no_key_that_does_nothing(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(140, 60)) as pilot:
        await pilot.press("6", "s", "S", "question_mark")
        await pilot.pause()
        words = read_screen(app)
        assert "in events" in words
        assert "sort by" not in words
        assert "reverse" not in words
