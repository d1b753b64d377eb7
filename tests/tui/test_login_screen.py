"""The login dialog's parts: the code as it is drawn, the mask, the browser, and every size of screen."""

import asyncio
import os
import stat
from concurrent.futures import Future
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from mds_engine.control import CommandResult
from mds_engine.control.commands import Login
from mds_engine.control.events import LoginNeeded
from mds_engine.control.snapshot import LoginView, SourceState
from rich.color import ColorTriplet
from textual.strip import Strip

from mds_tui.browsing import open_in_browser
from mds_tui.details.source import source_lines
from mds_tui.format.glyphs import UNICODE
from mds_tui.format.sight import Sight
from mds_tui.news import is_alarm, is_toast
from mds_tui.qr_code import largest_that_fits, matrix_of, size_of
from mds_tui.screens.login import LoginScreen
from mds_tui.widgets.masked import MaskedInput
from mds_tui.widgets.qr_picture import QrPicture
from tests.tui.prepared import rich_snapshot

PAGE = "https://kite.zerodha.com/connect/login?v=3&api_key=abcdefghij123456"
BLACK, WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)


def colours(strip: Strip) -> list[tuple[str, ColorTriplet, ColorTriplet]]:
    """Each cell's sign, ink and ground."""
    return [
        (sign, segment.style.color.get_truecolor(), segment.style.bgcolor.get_truecolor())
        for segment in strip
        for sign in segment.text
    ]


def seen(picture: QrPicture, height: int, *, plain: bool) -> list[list[bool]]:
    """The modules as a camera sees them."""
    rows: list[list[bool]] = []
    for y in range(height):
        cells = colours(picture.render_line(y))
        if plain:
            assert {sign for sign, *_ in cells} == {" "}
            rows.append([ground == BLACK for _, _, ground in cells[::2]])
            assert rows[-1] == [ground == BLACK for _, _, ground in cells[1::2]]
        else:
            rows.append([(ink if sign == "▀" else ground) == BLACK for sign, ink, ground in cells])
            rows.append([ground == BLACK for _, _, ground in cells])
    return rows


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("quiet_zone", [2, 4])
def test_what_is_drawn_is_the_code_dark_on_light_with_its_quiet_zone(plain, quiet_zone) -> None:
    matrix = matrix_of(PAGE, quiet_zone)
    size = size_of(matrix, plain=plain)
    picture = QrPicture()
    picture.show(matrix, plain=plain)
    drawn = seen(picture, size.height, plain=plain)[: len(matrix)]
    assert drawn == [list(row) for row in matrix]
    assert not any(drawn[0]), "light around it"
    assert not any(row[quiet_zone - 1] for row in drawn)
    corner = [row[quiet_zone : quiet_zone + 7] for row in drawn[quiet_zone : quiet_zone + 7]]
    assert corner[0] == [True] * 7, "the mark that a phone looks for"
    assert corner[1] == [True, False, False, False, False, False, True]
    used = {
        (colour.red, colour.green, colour.blue)
        for _, *pair in colours(picture.render_line(size.height // 2))
        for colour in pair
    }
    assert used == {(0, 0, 0), (255, 255, 255)}, "in every theme"


def test_the_widest_quiet_zone_is_taken_that_there_is_room_for() -> None:
    whole, narrow = matrix_of(PAGE, 4), matrix_of(PAGE, 2)
    roomy, tight = size_of(whole, plain=False), size_of(narrow, plain=False)
    assert largest_that_fits(PAGE, *roomy, plain=False) == whole
    assert largest_that_fits(PAGE, roomy.width - 1, roomy.height, plain=False) == narrow
    assert largest_that_fits(PAGE, *tight, plain=False) == narrow
    assert largest_that_fits(PAGE, tight.width, tight.height - 1, plain=False) is None
    assert tight.width <= 40
    assert tight.height <= 22, "which is what 80x24 has room for"


# --- The screen -----------------------------------------------------------------------------------------


@pytest.fixture
def at_kite(link, console):
    """Makes a console whose first source needs a login; the engine's answers are prepared."""
    source = msgspec.structs.replace(
        rich_snapshot().sources[0],
        state=SourceState.LOGIN,
        login=LoginView(
            needed=True, opens_in_s=2700.0, lasts=False, brings="the address that you are sent to"
        ),
    )
    picture = rich_snapshot()
    link.picture = msgspec.structs.replace(picture, sources=(source, *picture.sources[1:]))
    done = CommandResult(accepted=True, message="asked", page=PAGE)

    def send(command):
        assert isinstance(command, Login)
        link.sent.append(command)
        future: Future[CommandResult] = Future()
        future.set_result(done if isinstance(command.answer, msgspec.UnsetType) else link.outcome)
        return future

    link.send = send
    link.outcome = CommandResult(accepted=False, message="Kite refused the request token: Token is invalid")
    return console


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("size", "has_code"),
    [
        ((160, 50), (True, True)),
        ((120, 40), (True, True)),
        ((80, 24), (True, False)),
        ((60, 16), (False, False)),
    ],
)
async def test_everything_is_in_sight_at_every_size(at_kite, read_screen, size, has_code, plain) -> None:
    app = at_kite(ascii=plain)
    async with app.run_test(size=size) as pilot:
        app.beat()
        await pilot.pause()
        await pilot.press("L")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, LoginScreen)
        shown = read_screen(app)
        assert screen.query_one(QrPicture).display is has_code[plain]
        for id_ in ("#answer", "#cancel", "#do"):
            region = screen.query_one(id_).region
            assert region.height == 1
            assert screen.region.contains_region(region)
        assert "too small here for a code" in shown or has_code[plain]
        assert not plain or not set("•▀╭│▸…") & set(shown)
        steps = ["".join(span.text for span in line) for line in screen.query_one("#steps").lines]
        assert "login needed; its exchange opens in 45 min" in " ".join(" ".join(steps).split())
        assert PAGE in "".join(line.strip() for line in steps)


async def test_a_refusal_is_read_before_what_will_happen_and_the_answer_is_gone(
    at_kite, link, read_screen
) -> None:
    app = at_kite()
    async with app.run_test(size=(80, 24)) as pilot:
        app.beat()
        await pilot.press("L")
        await pilot.pause()
        field = app.screen.query_one(MaskedInput)
        field.take("us3d")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await pilot.pause()
        lines = ["".join(span.text for span in cell) for cell in app.screen.query_one("#preview").lines]
        assert lines[0].startswith("Kite refused")
        assert field.value == ""
        assert link.sent[-1].answer.reveal() == "us3d"
        assert "us3d" not in repr(link.sent)


async def test_the_mask_shows_as_many_signs_as_there_are_and_none_of_them(at_kite, read_screen) -> None:
    app = at_kite(ascii=True)
    async with app.run_test(size=(120, 40)) as pilot:
        app.beat()
        await pilot.press("L")
        await pilot.pause()
        app.screen.query_one(MaskedInput).take("s3 cr\net")
        await pilot.pause()
        assert "******" in read_screen(app)
        assert "s3" not in read_screen(app).replace("v=3", "")


async def test_a_theme_is_taken_while_it_is_open(at_kite) -> None:
    app = at_kite()
    async with app.run_test(size=(120, 40)) as pilot:
        app.beat()
        await pilot.press("L")
        await pilot.pause()
        app.theme = "light"
        await pilot.pause()
        assert app.screen.query_one("#steps").paint is app.paint
        assert colours(app.screen.query_one(QrPicture).render_line(0))[0][2] == WHITE


def test_it_rings_when_the_open_is_near_and_not_at_six_in_the_morning() -> None:
    needed = LoginNeeded(source="kite", why="the token expired", opens_in_s=3600.0, soon=True)
    assert is_alarm(needed)
    early = msgspec.structs.replace(needed, opens_in_s=11_700.0, soon=False)
    assert not is_alarm(early)
    assert is_toast(early)


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (LoginView(needed=True, opens_in_s=2700.0), "needed, its exchange opens in 45 min, L logs in"),
        (LoginView(needed=False), "nobody knows until when"),
        (LoginView(needed=False, valid_until=1_795_307_400.0, expires_in_s=-9.0), "ended at 00:30"),
        (
            LoginView(needed=False, valid_until=1_795_307_400.0, expires_in_s=60.0),
            "until 00:30, for 1 min more",
        ),
    ],
)
def test_the_page_of_a_source_says_how_long_it_is_logged_in(login, words) -> None:
    picture = rich_snapshot()
    source = msgspec.structs.replace(picture.sources[0], login=login)
    picture = msgspec.structs.replace(picture, sources=(source, *picture.sources[1:]))
    lines = source_lines(source.name, (), Sight(picture, UNICODE, UTC), 100)
    assert any(words in "".join(span.text for span in line) for line in lines)


# --- The browser ----------------------------------------------------------------------------------------


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes a program the browser of this environment, and gives the file to which it writes."""
    import webbrowser

    def make(suffix: str) -> Path:
        program, seen = tmp_path / "browse", tmp_path / "seen"
        program.write_text(
            f'#!/bin/sh\necho noise; echo noise >&2\necho "$1" > {seen}.part; mv {seen}.part {seen}\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("BROWSER", f"{program} %s{suffix}")
        monkeypatch.setattr(webbrowser, "_tryorder", None)
        monkeypatch.setattr(webbrowser, "_browsers", {})
        return seen

    return make


async def test_the_page_is_opened_without_a_sound(browser, capfd) -> None:
    seen = browser(" &")
    assert await open_in_browser(PAGE, {}) == ""
    async with asyncio.timeout(60.0):
        while not seen.exists():  # noqa: ASYNC110  (no event tells of a file)
            await asyncio.sleep(0.01)  # the browser, another process, is to get on
    assert seen.read_text() == f"{PAGE}\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("suffix", "environment", "words"),
    [
        (" &", {"SSH_CONNECTION": "somewhere"}, "over SSH"),
        ("", {}, "one for terminals"),  # it would take this one away
    ],
)
async def test_no_browser_is_begun_that_would_harm_or_help_nobody(
    browser, suffix, environment, words
) -> None:
    seen = browser(suffix)
    assert words in await open_in_browser(PAGE, environment)
    assert not seen.exists()


async def test_where_there_is_no_browser_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    monkeypatch.delenv("BROWSER", raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    assert "no browser is found" in await open_in_browser(PAGE, {})
