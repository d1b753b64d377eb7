"""The `:` line through its keys: what stands above it, Tab, and the commands of before."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.control.commands import CheckHealth
from textual.events import Key
from textual.keys import _character_to_key

from mds_tui.finding.history import MOST_LINES, History, add_to_history, earlier, read_history, with_line
from mds_tui.widgets.hints import Hints

SIZES = [(120, 40), (80, 24), (60, 16)]


def _typed(app) -> str:
    return app.desk.query_one("#prompt").value


@pytest.mark.parametrize("size", SIZES)
async def test_what_may_come_next_stands_above_the_line(console, read_screen, size) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"pin NSE/")
        await pilot.pause()
        lines = read_screen(app).splitlines()
        assert lines[-1].strip().startswith(":pin NSE/")
        shown = "\n".join(lines[-6:])
        for words in ("pin ROUTE SOURCE [--ttl-s] [--why]", "NSE/quote", "yahoo answers", "forced to yahoo"):
            assert words in shown
        await pilot.press("escape")
        await pilot.pause()
        assert "ROUTE SOURCE" not in read_screen(app)
        assert app.focused is app.desk.pane_named("sources")


async def test_a_filter_has_nothing_above_it(console) -> None:
    app = console()
    async with app.run_test() as pilot:
        await pilot.press("slash", *"pin")
        await pilot.pause()
        assert not app.desk.query_one(Hints).display
        await pilot.press("tab")
        assert _typed(app) == "/pin"


async def test_tab_takes_the_only_one_and_goes_round_many(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"rese", "tab")
        assert _typed(app) == ":reset-breaker "
        seen = []
        for _ in range(5):
            await pilot.press("tab")
            seen.append(_typed(app).split()[-1])
        assert seen == ["kite", "yahoo", "binance", "alphavantage", "kite"]
        await pilot.press("shift+tab")
        assert _typed(app) == ":reset-breaker alphavantage"
        await pilot.pause()
        assert "▎ alphavantage" in read_screen(app)
        await pilot.press("space", "tab")
        assert _typed(app) == ":reset-breaker alphavantage bars"


async def test_what_is_wrong_stands_there_and_the_line_is_left_alone(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"pin NSE/qote y")
        await pilot.pause()
        assert "there is no route 'NSE/qote'; did you mean 'NSE/quote'?" in read_screen(app)
        await pilot.press(*["backspace"] * 5, *"uote y")
        await pilot.pause()
        assert "there is no route" not in read_screen(app)
        assert link.sent == []


async def test_a_read_only_console_says_so_while_something_dangerous_is_typed(console, read_screen) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"pin ")
        await pilot.pause()
        assert "the console is read-only" in read_screen(app)


async def test_ascii_draws_nothing_else(console, read_screen) -> None:
    app = console(ascii=True)
    async with app.run_test(size=SIZES[1]) as pilot:
        await pilot.pause()
        await pilot.press("colon", "tab", "tab")
        await pilot.pause()
        app.desk.query_one(Hints)
        assert read_screen(app).replace("贵州茅台", "").isascii()


async def test_commands_are_there_again_after_a_restart(console, link, tmp_path: Path) -> None:
    file = tmp_path / "state" / "history"
    app = console(history_file=file)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("colon", *"check-health kite", "enter")
        await pilot.press("colon", *"check-health yahoo", "enter")
        await pilot.press("colon", *"theme light", "enter")
        await app.workers.wait_for_complete()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_history(file) == ["check-health kite", "check-health yahoo", "theme light"]
    again = console(history_file=file)
    async with again.run_test() as pilot:
        await pilot.pause()
        await pilot.press("colon", *"che", "up")
        assert _typed(again) == ":check-health yahoo"
        await pilot.press("up")
        assert _typed(again) == ":check-health kite"
        await pilot.press("up")
        assert _typed(again) == ":check-health kite"
        await pilot.press("down", "down")
        assert _typed(again) == ":che"
        await pilot.press("up", "enter")
        await pilot.pause()
        assert link.sent[-1] == CheckHealth(source="yahoo", by="asha")


async def test_a_mistyped_line_can_be_had_again_and_put_right(console) -> None:
    app = console()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("colon", *"chekc-health kite", "enter", "escape", "colon", "up")
        assert _typed(app) == ":chekc-health kite"


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history")
    history.add("check-health kite")
    history.keep("check-health kite")
    assert history.lines == ["check-health kite"]
    with pytest.raises(OSError, match="file"):
        add_to_history(tmp_path / "file" / "history", "x")


def test_two_consoles_keep_each_others_lines(tmp_path: Path) -> None:
    file = tmp_path / "history"
    one, other = History(file), History(file)
    assert one.lines == other.lines == []
    for history, line in ((one, "pin a"), (other, "pin b"), (one, "pin c")):
        history.add(line)
        history.keep(line)
    assert read_history(file) == ["pin a", "pin b", "pin c"]
    assert one.lines == ["pin a", "pin c"]


@given(st.lists(st.text(alphabet="ab\n ", max_size=3), max_size=20), st.text(alphabet="ab", max_size=2))
def test_history_is_bounded_each_line_once_and_found_by_its_beginning(typed: list[str], begun: str) -> None:
    lines: list[str] = []
    for line in typed:
        lines = with_line(lines, line)
    worth = [line for line in typed if line.strip() and "\n" not in line]
    assert lines == list(dict.fromkeys(reversed(worth)))[::-1]
    found, place = [], len(lines)
    while (next_place := earlier(lines, begun, place, -1)) != place:
        place = next_place
        found.append(lines[place])
    assert found == [line for line in reversed(lines) if line.startswith(begun) and line != begun]
    for _ in found:
        place = earlier(lines, begun, place, 1)
    assert place == len(lines)


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_text("".join(f"pin {number}\n" for number in range(2 * MOST_LINES)) + "x" * 10_000 + "\n")
    add_to_history(file, "pin last")
    lines = read_history(file)
    assert len(lines) == MOST_LINES
    assert lines[-1] == "pin last"
    assert lines[0] == f"pin {MOST_LINES + 1}"


@pytest.mark.parametrize("again", [False, True], ids=["the first", "another"])
async def test_what_comes_in_one_read_with_the_colon_is_typed(console, link, *, again: bool) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        if again:
            await pilot.press("colon", "escape")
        # As the driver hands on what it read: none waits for what the one before it did.
        for character in ":pin NSE/quote kite":
            app.post_message(Key(_character_to_key(character), character))
        await pilot.pause()
        assert app.focused.value == ":pin NSE/quote kite"
        await pilot.press("escape")
        for character in "/k:":
            app.post_message(Key(_character_to_key(character), character))
        await pilot.pause()
        assert app.focused.value == "/k:"
        assert not link.sent
