"""What an operator commands by key, line and palette, and what is asked first."""

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

from mds_tui.screens.dialog import Dialog

SIZE = (120, 40)
KEYS = ("F", "A", "R", "B", "P", "E", "M", "N", "u")


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
