"""The console through its real keys, on a prepared picture."""

import msgspec
import pytest
from mds_engine.control.commands import (
    CheckHealth,
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    ResetBreaker,
    SetPriority,
    Unpin,
)
from mds_engine.control.events import FailedOver, RouteDown

from mds_tui.desk_layout import PANES
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.page import Page

SIZE = (120, 40)
KEYS = ("F", "A", "R", "B", "P", "E", "u")


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


async def _dialog(app, pilot, *keys: str) -> str:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(app.screen, Dialog)
    assert app.focused.id == "cancel"
    return ""


async def _confirm(app, pilot) -> None:
    app.screen.query_one("#do").focus()
    await pilot.press("enter")
    await pilot.pause()
    assert app.screen is app.desk


async def test_enter_in_a_fresh_dialog_cancels(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        for key in KEYS:
            await _dialog(app, pilot, "2", "j", key)
            await pilot.press("enter")
            assert app.screen is app.desk
        assert link.sent == []


async def test_failing_over_from_the_routes_pane(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "2", "F")
        assert "NSE/quote moves from yahoo to kite." in read_screen(app)
        await pilot.press("shift+tab", *"lunch", "enter")
        assert app.focused.id == "do"
        await pilot.press("enter")
        await pilot.pause()
        assert link.sent == [FailOver(route="NSE/quote", by="asha", why="lunch")]


async def test_forcing_a_source_for_a_while(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "2", "F")
        app.screen.query_one("#choice-how").focus()
        await pilot.press("right", "down", "right", "down", "left")
        await pilot.pause()
        words = read_screen(app)
        assert "alphavantage is out" in words
        assert "Held until somebody ends it." in words
        await _confirm(app, pilot)
        assert link.sent == [Pin(route="NSE/quote", source="alphavantage", ttl_s=None, by="asha")]
        app.beat()
        assert app.desk.check_action("undo", ()) is True


async def test_forcing_is_offered_on_a_source_that_answers_nothing(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "1", "G", "F")
        words = read_screen(app)
        assert "[force]" in words
        assert "[alphavantage]" in words


async def test_automatic_reset_breaker_and_enable(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "2", "A")
        await _confirm(app, pilot)
        await _dialog(app, pilot, "1", "j", "R")
        await _confirm(app, pilot)
        await _dialog(app, pilot, "B")
        await _confirm(app, pilot)
        await _dialog(app, pilot, "E")
        await _confirm(app, pilot)
        assert link.sent == [
            Unpin(route="NSE/bars", by="asha"),
            ResetBreaker(source="yahoo", by="asha"),
            ForceBreaker(source="yahoo", state=ForcedState.OPEN, by="asha"),
            EnableSource(source="yahoo", enabled=False, by="asha"),
        ]


async def test_reordering_priorities(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "2", "P")
        await pilot.press("J", "K", "j", "K")
        await pilot.pause()
        assert "NSE/quote tries yahoo, then kite, then alphavantage." in read_screen(app)
        assert app.focused.id == "do"
        await pilot.press("enter")
        await pilot.pause()
        assert link.sent == [
            SetPriority(route="NSE/quote", sources=("yahoo", "kite", "alphavantage"), by="asha")
        ]


async def test_undo_reverses_the_last_command_after_a_confirmation(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, "u")
        assert "undo: forced NSE/bars to yahoo for 15 min" in read_screen(app)
        await _confirm(app, pilot)
        assert link.sent == [Unpin(route="NSE/bars")]
        app.beat()
        await pilot.press("u")
        assert app.screen is app.desk


async def test_the_command_line_completes_asks_and_sends(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"che", "tab", "space", *"ki", "tab", "enter")
        await pilot.pause()
        assert link.sent == [CheckHealth(source="kite", by="asha")]
        await pilot.press("colon", *"pin NSE/quote yahoo", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)
        assert len(link.sent) == 1
        await pilot.press("enter", "colon", *"pinn", "enter")
        await pilot.pause()
        assert any("did you mean 'pin'" in notification.message for notification in app._notifications)
        await pilot.press("escape")
        assert app.focused.id == "sources"


async def test_the_palette_has_the_registry(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", *"priorities")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)


async def test_read_only_greys_what_is_dangerous(console, link, read_screen) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        for key in KEYS:
            await pilot.press(key)
            assert app.screen is app.desk
        assert app.desk.check_action("act", ("fail-over",)) is None
        assert "read-only" in read_screen(app)
        await pilot.press("colon", *"pin NSE/quote yahoo", "enter")
        assert link.sent == []


async def test_a_failover_is_a_toast_a_line_and_a_lit_row(console, link, times, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="cut", took_ms=41.0))
        app.beat()
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["⇄ NSE/ticks"]
        assert "failed over kite ▸ yahoo in 41 ms" in read_screen(app)
        pane = app.desk.pane_named("routes")
        assert [pane.is_lit(route) for route in pane.rows].count(True) == 1
        times.monotonic += 5.0
        link.picture = msgspec.structs.replace(link.picture)
        app.beat()
        assert not any(pane.is_lit(route) for route in pane.rows)


async def test_an_outage_of_many_routes_does_not_bury_the_screen_in_toasts(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        for route in link.picture.routes:
            link.happen(RouteDown(route=route.key, why="nobody is left " * 40))
        app.beat()
        await pilot.pause()
        (note,) = [note.message for note in app._notifications]
        assert note.startswith("8 routes down: NSE/quote, NSE/bars")
        assert len(note) <= 110


async def test_what_follows_of_an_incident_is_told_once_when_it_is_over(console, link, times) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        for route in ("NSE/ticks", "NSE/quote", "NSE/bars"):
            link.happen(FailedOver(route=route, before="kite", after="yahoo", why="cut"))
            app.beat()
            times.monotonic += 1.0
        link.happen(FailedOver(route="NASDAQ/quote", before="yahoo", after="alphavantage", why="refused"))
        app.beat()
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["⇄ NSE/ticks", "⇄ NASDAQ/quote"]
        times.monotonic += 10.0
        app.beat()
        await pilot.pause()
        *_, last = app._notifications
        assert (last.title, last.message) == ("⇄ kite", "2 routes failed over: NSE/quote, NSE/bars: cut")


async def test_events_follow_until_the_operator_looks_at_one(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("6", "j")
        pane = app.desk.pane_named("events")
        looked_at = pane.current()
        link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="x"))
        app.beat()
        assert pane.current() is looked_at
        await pilot.press("g")
        link.happen(FailedOver(route="NSE/ticks", before="yahoo", after="kite", why="x"))
        app.beat()
        assert pane.current().number == len(link.log)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quitting_asks_while_the_engine_is_embedded(console, key: str) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _dialog(app, pilot, key)
        await pilot.press("enter")
        assert app.is_running
        assert app.screen is app.desk
        await _dialog(app, pilot, key)
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
    assert app.return_code == 0


async def test_quitting_a_remote_engine_does_not_ask(console, link) -> None:
    link.mode = "remote"
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("q")
    assert app.return_code == 0
