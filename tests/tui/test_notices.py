"""What is told in passing: where it stands, that it can be switched off, and the bell."""

import asyncio

import msgspec
import pytest
from mds_engine.control.events import FailedOver, RouteDown
from textual.command import CommandList
from textual.widgets._toast import Toast

SIZES = [(160, 50), (120, 40), (80, 24), (60, 16)]


def _fail_over(link, route: str = "NSE/ticks") -> None:
    link.happen(FailedOver(route=route, before="kite", after="yahoo", why="cut " * 40, took_ms=41.0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", ["F", "B", "P", "q", "enter", "question_mark"])
async def test_no_toast_covers_what_is_open(console, link, read_screen, size, keys: str) -> None:
    app = console()
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        _fail_over(link)
        app.beat()
        await pilot.pause()
        assert app.query(Toast)
        await pilot.press("1", "g", keys)
        await pilot.pause()
        assert app.screen is not app.desk
        _fail_over(link, "NSE/quote")
        app.beat()
        link.happen(RouteDown(route="NSE/bars", why="nobody is left"))
        app.beat()
        await pilot.pause()
        frame = app.screen.query("Dialog > Vertical, Page > Lines").first().region
        toasts = [toast.region for toast in app.screen.query(Toast)]
        assert toasts
        assert not any(frame.overlaps(region) for region in toasts)
        assert "NSE/bars: " in read_screen(app).splitlines()[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_no_toast_covers_the_palette(console, link, size) -> None:
    app = console()
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("ctrl+p")
        await _listed(app, pilot)
        _fail_over(link)
        app.beat()
        await pilot.pause()
        (toast,) = app.screen.query(Toast)
        for part in ("#--input", CommandList):
            assert not app.screen.query_one(part).region.overlaps(toast.region), part


async def _listed(app, pilot) -> None:
    """Until the palette has found its commands, which it does in tasks of its own."""
    async with asyncio.timeout(30.0):
        while not app.screen.query_one(CommandList).option_count:
            await pilot.pause()


async def test_what_was_told_below_a_dialog_is_told_over_the_desk_after_it(
    console, link, read_screen
) -> None:
    app = console()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("question_mark")
        _fail_over(link)
        app.beat()
        await pilot.press("escape")
        await pilot.pause()
        assert "NSE/ticks: failed over kite" in read_screen(app)


async def test_toasts_can_be_switched_off_and_answers_still_come(console, link) -> None:
    app = console(toasts=False)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        _fail_over(link)
        app.beat()
        await pilot.pause()
        assert not app._notifications
        assert app.desk.pane_named("events").current().route == "NSE/ticks"
        await pilot.press("y")
        assert [note.message for note in app._notifications] == ["row copied"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_bell_rings_where_it_is_wanted(console, link, monkeypatch, wanted: bool) -> None:
    app = console(bell=wanted)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        written: list[str] = []
        monkeypatch.setattr(app, "_driver", _Terminal(app._driver, written))
        _fail_over(link)
        app.beat()
        assert written.count("\x07") == wanted
        link.picture = msgspec.structs.replace(link.picture)
        app.beat()
        assert written.count("\x07") == wanted


class _Terminal:
    """A driver with a screen, of which only what is written matters."""

    is_headless = False

    def __init__(self, driver, written: list[str]) -> None:
        self._driver = driver
        self.write = written.append

    def __getattr__(self, name: str):
        return getattr(self._driver, name)


async def test_what_is_told_is_text_and_no_markup(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        app.desk.notify("[routes.NSE] has [bold]no[/bold] sources")
        await pilot.pause()
        assert "[routes.NSE] has [bold]no[/bold] sources" in read_screen(app)
