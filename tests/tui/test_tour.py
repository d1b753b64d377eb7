"""The tour: once, short, out of the way, and told in the keys that hold."""

from pathlib import Path

import pytest
from textual.geometry import Region

from mds_tui.finding.catalogue import actions
from mds_tui.format.cells import text_of
from mds_tui.format.glyphs import UNICODE
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.tour import STOPS, Tour, stop_lines

SIZES = [(120, 40), (80, 24), (60, 16)]


async def _begun(app, pilot) -> None:
    """Until the keys and the tour are there: they come after the first picture."""
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_shown_once_and_leaves_the_header_and_the_keys_in_sight(
    console, read_screen, tmp_path: Path, size
) -> None:
    file = tmp_path / "state" / "tour-shown"
    app = console(tour_file=file)
    async with app.run_test(size=size) as pilot:
        await _begun(app, pilot)
        assert isinstance(app.screen, Tour)
        for number, stop in enumerate(STOPS, 1):
            await pilot.pause()
            words = read_screen(app).splitlines()
            assert f"{stop.title}  {number} of {len(STOPS)}" in "\n".join(words)
            assert words[0].startswith(" mds-tui")
            assert "q quit" in words[-1]
            frame = app.screen.query_one("#tour").region
            assert Region(0, 4, size[0], size[1] - 5).contains_region(frame)
            lines = app.screen.query_one("#tour")
            assert len(lines.lines) <= lines.scrollable_content_region.height
            await pilot.press("enter")
        assert app.screen is app.desk
        await app.workers.wait_for_complete()
    again = console(tour_file=file)
    async with again.run_test(size=size) as pilot:
        await _begun(again, pilot)
        assert again.screen is again.desk


async def test_escape_skips_it_and_it_can_be_had_again(console, tmp_path: Path) -> None:
    file = tmp_path / "tour-shown"
    app = console(tour_file=file)
    async with app.run_test(size=SIZES[1]) as pilot:
        await _begun(app, pilot)
        await pilot.press("escape")
        assert app.screen is app.desk
        await app.workers.wait_for_complete()
        assert file.exists()
        await pilot.press("colon", *"tour", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Tour)
        await pilot.press("right", "left", "left")
        assert "1 of 5" in app.screen.query_one("#tour").border_title
        await pilot.press("q")
        assert app.screen is app.desk


async def test_no_key_acts_below_it(console, link, tmp_path: Path) -> None:
    app = console(tour_file=tmp_path / "tour-shown")
    async with app.run_test(size=SIZES[0]) as pilot:
        await _begun(app, pilot)
        await pilot.press(*"FARBPEDXu:5t")
        assert isinstance(app.screen, Tour)
        assert link.sent == []
        await pilot.press("escape", "F")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)


async def test_a_folder_that_cannot_be_written_stops_nothing(console, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = console(tour_file=tmp_path / "file" / "tour-shown")
    async with app.run_test(size=SIZES[1]) as pilot:
        await _begun(app, pilot)
        await app.workers.wait_for_complete()
        await pilot.press("escape")
        assert app.is_running


def test_every_key_that_it_names_is_there() -> None:
    keys = {name: f"<{name}>" for name in actions()}
    for stop in STOPS:
        words = " ".join(text_of(line) for line in stop_lines(stop, keys, 400, UNICODE))
        named = [part for sentence in stop.sentences for part in sentence.split("{")[1:]]
        for part in named:
            name = part.partition("}")[0]
            assert name == "states" or f"<{name}>" in words, name
