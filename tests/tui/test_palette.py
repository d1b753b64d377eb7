"""The palette finds all that there is: commands, tools, panes, themes, and what has a name."""

import pytest
from mds_engine.control.registry import REGISTRY
from textual.command import CommandPalette

from mds_tui.desk_layout import PANES
from mds_tui.palette import RegistryCommands
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.looks import ThemeChooser
from mds_tui.screens.tour import Tour
from mds_tui.tools import TOOLS, tool_named

SIZE = (120, 40)


async def _found(app, query: str) -> list[str]:
    provider = RegistryCommands(app.screen)
    hits = provider.search(query) if query else provider.discover()
    return [str(getattr(hit, "match_display", None) or hit.display) async for hit in hits]


async def test_everything_is_there_before_anything_is_typed(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        found = await _found(app, "")
        for entry in REGISTRY:
            assert entry.title in found or tool_named(entry.name) is not None
        assert {tool.name for tool in TOOLS if not tool.if_read_only} <= set(found)
        assert {f"go to {pane}" for pane in PANES} <= set(found)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("light", "theme light"),
        ("watch", "go to watch"),
        ("kite", "go to kite"),
        ("nse/bars", "go to NSE/bars"),
        ("btc", "go to BINANCE:BTCUSDT"),
        ("tour", "tour"),
        ("keymap", "keymap"),
        ("fail", "fail over"),
        ("set-prio", "priorities"),
    ],
)
async def test_what_is_typed_is_found(console, typed: str, title: str) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert title in await _found(app, typed)


async def test_nothing_that_acts_is_offered_to_who_only_looks(console) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        found = await _found(app, "")
        for entry in REGISTRY:
            assert (entry.title in found) <= (not entry.dangerous)
        for tool in TOOLS:
            assert (tool.name in found) == (not tool.dangerous)


async def _chosen(app, pilot, typed: str) -> None:
    await pilot.press("ctrl+p", *typed)
    await app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(app.screen, CommandPalette)
    await pilot.press("enter")
    await pilot.pause()


async def test_what_is_chosen_happens(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await _chosen(app, pilot, "go to BINANCE:BTC")
        assert app.focused.id == "watch"
        assert app.focused.current().instrument == "BINANCE:BTCUSDT"
        await _chosen(app, pilot, "theme")
        assert isinstance(app.screen, ThemeChooser)
        await pilot.press("escape")
        await _chosen(app, pilot, "theme light")
        assert app.theme == "light"
        await _chosen(app, pilot, "priorities")
        assert isinstance(app.screen, Dialog)
        await pilot.press("escape")
        await _chosen(app, pilot, "tour")
        assert isinstance(app.screen, Tour)
