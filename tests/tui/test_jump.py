"""Jumping to what is in sight, and going to what has a name."""

from itertools import pairwise

import msgspec
import pytest

from mds_tui.finding.labels import MOST, labels
from mds_tui.finding.places import place_named
from mds_tui.screens.jump import JumpScreen, targets
from mds_tui.screens.page import Page

SIZES = [(120, 40), (80, 24), (60, 16)]


@pytest.mark.parametrize("count", [0, 1, 26, 27, 51, 52, 100, 675, MOST, MOST + 5])
def test_no_label_begins_another_and_the_first_are_short(count: int) -> None:
    made = labels(count)
    assert len(made) == min(count, MOST) == len(set(made))
    assert not any(after.startswith(before) for before, after in pairwise(sorted(made)))
    assert [len(label) for label in made] == sorted(len(label) for label in made)


@pytest.mark.parametrize("size", SIZES)
async def test_a_label_stands_on_the_row_it_leads_to(console, read_screen, size) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        leads = targets(app.desk)
        await pilot.press("semicolon")
        await pilot.pause()
        label = next(name for name, target in leads.items() if target.key == "NSE:INFY")
        line = next(line for line in read_screen(app).splitlines() if "NSE:INFY" in line)
        assert line.index(label) < line.index("NSE:INFY")
        assert "press a label to go there" in read_screen(app)
        await pilot.press(*label)
        assert app.screen is app.desk
        assert app.desk.pane_named("watch").current().instrument == "NSE:INFY"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Page)


async def test_rows_of_every_pane_and_panes_by_number_are_in_reach(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        leads = targets(app.desk)
        assert {target.pane for target in leads.values()} == {pane.id for pane in app.desk.panes}
        label = next(name for name, target in leads.items() if target.key == "BINANCE/ticks")
        await pilot.press("semicolon", *label)
        assert app.focused.id == "routes"
        assert app.desk.pane_named("routes").current().key == "BINANCE/ticks"
        await pilot.press("semicolon", "4")
        assert app.focused.id == "cost"


async def test_two_letters_narrow_and_backspace_widens(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        leads = targets(app.desk)
        two = next(name for name in leads if len(name) == 2)
        await pilot.press("semicolon", two[0])
        await pilot.pause()
        shown = [child.id for child in app.screen.children if child.display]
        assert all(name.startswith(f"label-{two[0]}") or name == "jump-keys" for name in shown)
        await pilot.press("exclamation_mark", "F")
        assert isinstance(app.screen, JumpScreen)
        await pilot.press("backspace")
        await pilot.pause()
        assert all(child.display for child in app.screen.children)
        await pilot.press(*two)
        assert app.screen is app.desk


async def test_the_picture_holds_still_under_the_labels(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("5", "semicolon")
        link.picture = msgspec.structs.replace(link.picture, watch=())
        app.beat()
        assert len(app.desk.pane_named("watch").rows) == 9
        await pilot.press("escape")
        assert app.screen is app.desk
        app.beat()
        assert not app.desk.pane_named("watch").rows


async def test_another_size_or_a_click_ends_it(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0]) as pilot:
        await pilot.pause()
        await pilot.press("semicolon")
        await pilot.pause()
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert app.screen is app.desk
        await pilot.press("semicolon")
        await pilot.click(offset=(10, 10))
        assert app.screen is app.desk
        assert not app.desk.held


@pytest.mark.parametrize(
    ("name", "pane", "key"),
    [
        ("watch", "watch", ""),
        ("KITE", "sources", "kite"),
        ("nse/quote", "routes", "NSE/quote"),
        ("'NSE:NIFTY 50'", "watch", "NSE:NIFTY 50"),
        ("btc", "watch", "BINANCE:BTCUSDT"),
    ],
)
@pytest.mark.parametrize("size", SIZES[:2])
async def test_what_has_a_name_is_gone_to(console, size, name: str, pane: str, key: str) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("colon", *f"go {name}", "enter")
        await pilot.pause()
        assert app.focused.id == pane
        if key:
            assert app.focused.key(app.focused.current()) == key


async def test_a_name_that_there_is_not_is_answered_with_the_nearest(console) -> None:
    app = console()
    async with app.run_test(size=SIZES[0], notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("colon", *"go NSE:RELIANSE", "enter")
        await pilot.pause()
        told = [notification.message for notification in app._notifications]
        assert told == [
            "no pane, source, route or instrument is called 'NSE:RELIANSE'; did you mean NSE:RELIANCE?"
        ]


def test_a_part_of_a_name_is_enough_where_it_is_of_one_only(snapshot) -> None:
    assert place_named("alpha", snapshot).key == "alphavantage"
    assert place_named("NSE", snapshot) is None
