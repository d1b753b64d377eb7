"""Keys of one's own in the console: taken at the start, shown everywhere, changed with `:keymap`."""

from pathlib import Path

import pytest

from mds_tui.screens.dialog import Confirm, Dialog
from mds_tui.screens.keymap import KeymapEditor, KeyTaker

SIZES = [(120, 40), (80, 24), (60, 16)]


class _File:
    """`keymap.toml` as a test writes and reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def text(self) -> str | None:
        return self.path.read_text() if self.path.exists() else None

    @text.setter
    def text(self, text: str) -> None:
        self.path.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> _File:
    return _File(tmp_path / "keymap.toml")


def _told(app) -> list[str]:
    return [notification.message for notification in app._notifications]


async def _begun(app, pilot) -> None:
    """Until the keys and the tour are there: they come after the first picture."""
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


async def test_ones_own_keys_hold_from_the_start_in_footer_and_help(
    console, file: _File, read_screen
) -> None:
    file.text = 'act.fail-over = "ctrl+o"\ndesk.filter = ["f3", "slash"]\n[page]\nback = "x"\n'
    app = console(keymap_file=file.path)
    async with app.run_test(size=(140, 60)) as pilot:
        await _begun(app, pilot)
        assert "ctrl+o fail over" in read_screen(app)
        assert "f3 filter" in read_screen(app)
        await pilot.press("F")
        assert app.screen is app.desk
        await pilot.press("question_mark")
        await pilot.pause()
        assert "ctrl+o" in read_screen(app)
        assert "x back" in read_screen(app)
        await pilot.press("escape")
        assert app.screen is not app.desk
        await pilot.press("x", "ctrl+o")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)
        assert app.focused.id == "cancel"


async def test_a_wrong_line_is_told_and_the_rest_is_used(console, file: _File) -> None:
    file.text = 'act.fail-over = "f"\ndesk.zom = "z"\ndesk.zoom = "q"\ndesk.pause = "ctrl+s"\n'
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await _begun(app, pilot)
        assert [words[:14] for words in _told(app)] == ["keymap.toml:1:", "keymap.toml:2:", "and 1 more: se"]
        await pilot.press("ctrl+s")
        assert app.desk._paused_at is not None
        await pilot.press("F")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)


async def test_no_key_of_ones_own_fires_through_a_dialog(console, file: _File, link) -> None:
    file.text = 'act.fail-over = "ctrl+o"\nact.reset-breaker = "f5"\n'
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await _begun(app, pilot)
        await pilot.press("P")
        await pilot.pause()
        dialog = app.screen
        await pilot.press("ctrl+o", "f5")
        assert app.screen is dialog
        assert link.sent == []


async def _editor(app, pilot, find: str = "") -> KeymapEditor:
    await _begun(app, pilot)
    await pilot.press("colon", *f"keymap {find}".strip(), "enter")
    await pilot.pause()
    assert isinstance(app.screen, KeymapEditor)
    return app.screen


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_is_changed_kept_and_used_at_once(console, file: _File, read_screen, size) -> None:
    file.text = "# mine\n"
    app = console(keymap_file=file.path)
    async with app.run_test(size=size) as pilot:
        await _editor(app, pilot, "desk.zoom")
        assert "▎ desk.zoom" in read_screen(app)
        await pilot.press("enter")
        assert isinstance(app.screen, KeyTaker)
        await pilot.press("z")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert file.text == '# mine\n\n[desk]\nzoom = "z"\n'
        assert "usually +" in read_screen(app) or size[0] < 70
        await pilot.press("escape", "escape")
        assert app.screen is app.desk
        await pilot.press("z")
        assert [pane.id for pane in app.desk.panes if pane.display] == ["sources"]
        await pilot.press("plus")
        assert [pane.id for pane in app.desk.panes if pane.display] == ["sources"]


async def test_a_clash_is_shown_at_once_and_nothing_is_written(console, file: _File, read_screen) -> None:
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[1]) as pilot:
        await _editor(app, pilot, "desk.zoom")
        await pilot.press("enter", "F")
        await pilot.pause()
        assert isinstance(app.screen, KeyTaker)
        assert "F is act.fail-over (fail over) on the desk, in sources" in " ".join(read_screen(app).split())
        await pilot.press("tab")
        await pilot.pause()
        assert "tab is desk.next-pane (next pane)" in read_screen(app)
        await pilot.press("escape")
        assert isinstance(app.screen, KeymapEditor)
        assert file.text is None


async def test_what_acts_takes_no_key_that_is_pressed_by_mistake(console, file: _File, read_screen) -> None:
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await _editor(app, pilot, "act.fail-over")
        await pilot.press("enter", "z")
        await pilot.pause()
        assert "z is too easily pressed for what acts" in read_screen(app)
        await pilot.press("Z")
        await app.workers.wait_for_complete()
        assert 'fail-over = "Z"' in file.text


async def test_a_key_is_added_and_all_are_as_usual_again(console, file: _File, read_screen) -> None:
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await _editor(app, pilot, "desk.pause")
        await pilot.press("a", "f4")
        await app.workers.wait_for_complete()
        assert 'pause = ["p", "f4"]' in file.text
        await pilot.pause()
        assert "keys · 1 of your own" in read_screen(app)
        await pilot.press("u")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "keys · all usual" in read_screen(app)
        assert "pause" not in file.text
        for key in ("f6", "f7"):
            await pilot.press("enter", key)
            await app.workers.wait_for_complete()
        await pilot.press("U")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        assert app.focused.id == "cancel"
        await pilot.press("right", "tab", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "f7" not in file.text


async def test_a_file_with_a_mistake_is_shown_and_not_written_over(console, file: _File, read_screen) -> None:
    file.text = "desk.zoom = z\n"
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await _editor(app, pilot, "desk.zoom")
        assert "keymap.toml: not TOML" in read_screen(app)
        await pilot.press("enter", "z")
        await app.workers.wait_for_complete()
        assert any("put that line right first" in words for words in _told(app))
        assert file.text == "desk.zoom = z\n"


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_stays_in_sight_on_the_whole_way(console, file: _File, read_screen, size) -> None:
    app = console(keymap_file=file.path)
    async with app.run_test(size=size) as pilot:
        editor = await _editor(app, pilot)
        await pilot.press("G")
        await pilot.pause()
        assert f"▎ {editor.current.id[:20]}" in read_screen(app)
        await pilot.press("pageup", "k", "pagedown", "g", "j")
        await pilot.pause()
        assert f"▎ {editor.current.id[:20]}" in read_screen(app)


async def test_without_a_file_the_keys_are_the_usual_ones(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await _begun(app, pilot)
        await pilot.press("colon", *"keymap", "enter")
        assert _told(app) == ["this console keeps no keys"]


async def test_what_a_dialog_says_of_its_keys_follows(console, file: _File, read_screen) -> None:
    file.text = '[priorities]\nmove-down = "D"\n'
    app = console(keymap_file=file.path)
    async with app.run_test(size=SIZES[0]) as pilot:
        await _begun(app, pilot)
        await pilot.press("2", "P")
        await pilot.pause()
        words = read_screen(app)
        assert "D K move   j k choose" in words
        assert "D move down" in words
        await pilot.press("D")
        await pilot.pause()
        assert "NSE/quote tries yahoo, then kite" in read_screen(app)
