"""The console at every size, from a prepared picture."""

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest
from mds_engine.control.events import FailedOver

from mds_tui.desk_layout import PANES
from mds_tui.format.cells import width_of


def _visible(app) -> list[str]:
    return [name for name in PANES if app.desk.pane_named(name).display]


@pytest.mark.parametrize("size", [(120, 40), (140, 40), (200, 60)])
async def test_wide_screens_show_all_panes(console, read_screen, size: tuple[int, int]) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert _visible(app) == list(PANES)
        words = read_screen(app)
        for text in (
            "kite",
            "half-open 2/3",
            "alphavantage",
            "24,812.35",
            "贵州茅台",
            "failed over",
            "2,100",
        ):
            assert text in words
        assert "q quit" in words.splitlines()[-1]
        ET.fromstring(app.export_screenshot())


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
@pytest.mark.parametrize(("number", "name"), list(enumerate(PANES, 1)))
async def test_narrow_screens_show_one_pane_with_events_and_trouble(
    console, read_screen, size: tuple[int, int], number: int, name: str
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.press(str(number))
        assert _visible(app) == sorted({name, "events"}, key=PANES.index)
        assert app.focused.id == name
        words = read_screen(app)
        assert "NASDAQ/bars down" in words
        assert all(len(line) <= size[0] for line in words.splitlines())


@pytest.mark.parametrize("size", [(59, 40), (120, 15), (20, 5)])
async def test_a_screen_that_is_too_small_says_what_it_needs(
    console, read_screen, size: tuple[int, int]
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "60×16" in read_screen(app).replace("\n", "")
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert _visible(app) == list(PANES)
        assert app.query_one("#small").display is False


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_is_wrong_with_the_engine_stands_on_the_screen(
    console, link, read_screen, size: tuple[int, int]
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert "the disk is full" not in read_screen(app)
        engine = msgspec.structs.replace(link.picture.engine, trouble="the disk is full")
        link.picture = msgspec.structs.replace(link.picture, engine=engine)
        app.beat()
        await pilot.pause()
        lines = read_screen(app).splitlines()
        assert any("engine: the disk is full" in line for line in lines)
        assert len(lines) == size[1]
        assert "q quit" in lines[-1]


async def test_a_beat_lays_nothing_out_and_paints_only_what_changed(emulated, link, monkeypatch) -> None:
    app = emulated()
    async with app.run_test(headless=False, size=(140, 40)) as pilot:
        await pilot.pause()
        terminal = app._driver
        app.beat()  # with the first figures in the header
        for pane in app.desk.panes:
            monkeypatch.setattr(pane, "refresh", lambda *_, **__: pytest.fail("Textual is to paint"))
        link.picture = msgspec.structs.replace(link.picture, at=link.picture.at + 0.1)
        terminal.written = ""
        app.beat()
        assert terminal.written == ""
        watch = app.desk.pane_named("watch")
        first, *others = link.picture.watch
        ticked = msgspec.structs.replace(first, price=24_900.0)
        link.picture = msgspec.structs.replace(link.picture, watch=(ticked, *others))
        app.beat()
        ((line, column),) = re.findall(r"\x1b\[(\d+);(\d+)H", terminal.written.removesuffix("\x1b[1;1H"))
        assert int(line) == watch.content_region.y + 2, "the first row below the heading, counted from one"
        assert int(column) > watch.content_region.x + 12, "not from its name on"
        assert "24,900" in terminal.written
        assert terminal.screen.display[int(line) - 1].find("24,900") > int(column) - 2
        link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="x"))
        size = app.desk.pane_named("events").virtual_size
        monkeypatch.undo()
        app.beat()
        assert app.desk.pane_named("events").virtual_size == size


async def test_a_filter_is_told_as_it_was_typed(console, read_screen) -> None:
    """Also where it looks like Textual's markup."""
    app = console()
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        app.desk.pane_named("sources").filter("[/b]")
        await pilot.pause()
        assert "/[/b]" in read_screen(app)


async def test_resizing_keeps_the_focus(console) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.focused.id == "watch"
        assert _visible(app) == ["watch", "events"]


async def test_ascii_draws_nothing_else_of_its_own(console, link, read_screen, snapshot) -> None:
    link.picture = type(snapshot)(
        at=snapshot.at,
        engine=snapshot.engine,
        sources=snapshot.sources,
        routes=snapshot.routes,
        watch=tuple(row for row in snapshot.watch if row.instrument.isascii()),
    )
    app = console(ascii=True)
    async with app.run_test(size=(140, 40)) as pilot:
        for keys in (
            (),
            ("2", "enter"),
            ("escape", "1", "enter"),
            ("escape", "question_mark"),
            ("escape", "F"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            words = read_screen(app)
            assert words.isascii(), sorted({character for character in words if not character.isascii()})


async def test_no_colour_still_shows_where_the_focus_is(console, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.desk.pane_named("sources").styles.border_top[0] == "heavy"
        assert app.desk.pane_named("routes").styles.border_top[0] == "round"


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_themes_colour_the_screen(console, theme: str) -> None:
    app = console(theme=theme)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert app.theme == theme
        assert app.paint.styles["background", "text"].bgcolor is not None


async def test_an_unknown_theme_is_said_and_another_taken(console) -> None:
    app = console(theme="sepia")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        assert "there is no theme 'sepia'" in next(iter(app._notifications)).message


async def test_the_first_frame_comes_before_the_engine(console, link, read_screen) -> None:
    picture, link.picture = link.picture, None
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert link.started == 1
        assert "starting…" in read_screen(app)
        await pilot.press("F", "E", "u", "enter", "s", "j")
        assert app.screen is app.desk
        link.picture = picture
        app.beat()
        await pilot.pause()
        assert "demo" in read_screen(app)


async def test_the_panes_take_the_room_that_the_first_picture_asks_for(console, link, snapshot) -> None:
    app = console()
    link.picture = None
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        before = app.desk.pane_named("sources").size.height
        link.picture = snapshot
        app.beat()
        await pilot.pause()
        rows = max(len(snapshot.sources), len(snapshot.routes))
        assert app.desk.pane_named("sources").size.height > max(before, rows)


async def test_a_silent_engine_is_said_and_the_picture_dimmed(console, link, times, read_screen) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert not app.desk.pane_named("sources").faded
        times.monotonic += 3.0
        app.beat()
        await pilot.pause()
        assert "engine silent for 3 s" in read_screen(app)
        assert all(pane.faded for pane in app.desk.panes)
        link.reason = "config.toml: no such file"
        app.beat()
        await pilot.pause()
        assert "engine stopped: config.toml: no such file" in read_screen(app)
        await pilot.press("F")
        assert app.screen is app.desk


async def test_rows_out_of_sight_are_told_in_the_border(console, link, read_screen) -> None:
    routes = tuple(
        msgspec.structs.replace(link.picture.routes[0], exchange=f"X{number}") for number in range(9)
    )
    link.picture = msgspec.structs.replace(link.picture, routes=routes)
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        pane = app.desk.pane_named("routes")
        assert pane.border_subtitle.startswith("▼ 2 more")
        await pilot.press("G", "k")
        assert pane.border_subtitle.startswith("▲ 2 more")
        await pilot.resize_terminal(80, 40)
        await pilot.pause()
        assert "more" not in pane.border_subtitle


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
@pytest.mark.parametrize("key", ["F", "R", "B", "P", "E"])
async def test_a_dialog_shows_its_buttons_and_cuts_no_sentence(
    console, read_screen, size: tuple[int, int], key: str
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("1", "g", key)
        await pilot.pause()
        frame = app.screen.query_one("#preview").parent
        for name in ("#preview", "#cancel", "#do"):
            assert frame.content_region.contains_region(app.screen.query_one(name).region), name
        lines = app.screen.query_one("#preview")
        assert all(width_of(line) <= lines.content_size.width for line in lines.lines)
