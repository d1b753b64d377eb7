"""Help tells the keys that hold where one stands, and finds among them."""

import pytest

from mds_tui.format.cells import cell, text_of
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.help import HelpPage, Section, found_lines
from mds_tui.screens.page import Page

SIZES = [(120, 40), (80, 24), (60, 16)]


async def _help(app, pilot, *keys: str) -> str:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(app.screen, HelpPage)
    return "\n".join(text_of(line) for line in app.screen.query_one("#page").lines)


@pytest.mark.parametrize("size", SIZES)
async def test_in_a_dialog_the_keys_of_the_dialog_are_told(console, size) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        words = await _help(app, pilot, "2", "P", "question_mark")
        assert words.startswith("in this dialog")
        for text in ("J", "move down", "esc", "cancel", "in the field in focus", "press button"):
            assert text in words
        for text in ("fail over", "zoom", "set-rate-limit"):
            assert text not in words
        await pilot.press("escape")
        assert isinstance(app.screen, Dialog)
        assert app.focused.id == "cancel"


async def test_f1_helps_where_a_question_mark_is_typed(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("2", "F", "shift+tab", "question_mark")
        assert isinstance(app.screen, Dialog)
        assert app.screen.reason == "?"
        words = await _help(app, pilot, "f1")
        assert "in the field in focus" in words


async def test_on_a_page_the_keys_of_the_page_are_told(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        words = await _help(app, pilot, "1", "enter", "question_mark")
        assert words.startswith("on this page")
        assert "page down" in words
        assert "fail over" not in words
        await pilot.press("question_mark")
        assert isinstance(app.screen, Page)
        assert not isinstance(app.screen, HelpPage)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_looked_for_is_found_and_escape_goes_back_step_by_step(
    console, read_screen, size
) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        everything = await _help(app, pilot, "question_mark")
        await pilot.press("slash", *"breaker")
        await pilot.pause()
        lines = [text_of(line) for line in app.screen.query_one("#page").lines]
        assert 0 < len(lines) < len(everything.splitlines()) / 2
        assert any("force-breaker" in line for line in lines)
        assert not any("zoom" in line for line in lines)
        await pilot.press("enter")
        assert app.focused.id == "page"
        await pilot.press("escape")
        assert isinstance(app.screen, HelpPage)
        await pilot.pause()
        assert len(app.screen.query_one("#page").lines) == len(everything.splitlines())
        await pilot.press("escape")
        assert app.screen is app.desk


async def test_nothing_found_is_said(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZES[1]) as pilot:
        await _help(app, pilot, "question_mark", "slash", *"qqq")
        assert "nothing here has 'qqq'" in read_screen(app)


def test_an_entry_is_found_whole_and_under_its_heading() -> None:
    sections = (
        Section("acting", ((cell("F  move"), cell("   a route")), (cell("R  reset"),))),
        Section("looking", ((cell("z  zoom"),),)),
    )
    assert [text_of(line) for line in found_lines(sections, "ROUTE")] == ["acting", "F  move", "   a route"]
    assert [text_of(line) for line in found_lines(sections, "looking")] == ["looking", "z  zoom"]
    assert len(found_lines(sections, "")) == 7
