"""The cost pane: what becomes of a quota, in its row and in words below it."""

from datetime import UTC

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.snapshot import MeterView

from mds_tui.format.cells import text_of
from mds_tui.format.sight import Sight
from mds_tui.panes.cost import CostPane, use_rows
from tests.tui.prepared import AT


def _with_meter(snapshot: Snapshot, **more: object) -> Snapshot:
    values: dict[str, object] = {
        "meter": "calls",
        "period": "day",
        "used": 10,
        "limit": 40,
        "resets_at": AT + 7200,
    }
    meter = MeterView(**{**values, **more})
    *others, last = snapshot.sources
    return msgspec.structs.replace(
        snapshot, sources=(*others, msgspec.structs.replace(last, meters=(meter,)))
    )


@pytest.mark.parametrize(
    ("more", "outlook", "words"),
    [
        (
            {"exhausted_in_s": 3661.0, "forecast": 70.0},
            "lasts 1:01:01",
            "at this pace spent at 15:14, in 1:01:01",
        ),
        ({"forecast": 22.0}, "ends at 55 %", "at this pace it ends at 22, 55 %"),
        ({}, "", "not counted for long enough to tell how fast it goes"),
        ({"used": 40, "exhausted_in_s": 0.0}, "back 16:13", "back to 0 at 16:13, in 2:00:00"),
    ],
)
async def test_a_quota_tells_when_it_is_spent_or_how_it_ends(
    console, link, read_screen, snapshot: Snapshot, more: dict[str, object], outlook: str, words: str
) -> None:
    link.picture = _with_meter(snapshot, **more)
    row = next(row for row in use_rows(link.picture) if row.source == "alphavantage")
    column = next(column for column in CostPane.columns if column.name == "outlook")
    assert text_of(column.cell(row, Sight(link.picture, zone=UTC), 13)) == outlook
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "G")
        await pilot.pause()
        assert app.focused.current() == row
        seen = read_screen(app)
        assert words in seen
        assert outlook in seen
        assert app.focused.fields(row)["forecast_at_reset"] == more.get("forecast")


async def test_a_window_that_slides_is_never_said_to_be_spent(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "g")
        await pilot.pause()
        assert "kite quote: 1 left of 1 per s" in read_screen(app)
        assert "freed again as the window moves on" in read_screen(app)


async def test_what_runs_out_first_can_be_sorted_to_the_top(console, link, snapshot: Snapshot) -> None:
    link.picture = _with_meter(snapshot, exhausted_in_s=60.0)
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4", "s", "s", "s")
        pane = app.focused
        assert pane.order_words() == "outlook"
        assert pane.rows[0].source == "alphavantage"
