"""The latency pane through its real keys: which quantile is drawn, and what stands beside it."""

import pytest
from mds_engine.control import Snapshot

from mds_tui.format.bars import calm_top, sparkline
from mds_tui.format.cells import Ink, text_of
from mds_tui.format.glyphs import UNICODE


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_v_switches_the_quantile_that_is_drawn_and_the_title_says_which(
    console, read_screen, snapshot: Snapshot, size: tuple[int, int]
) -> None:
    quote = snapshot.source("yahoo").capabilities[0]
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.press("3")
        pane = app.desk.pane_named("latency")
        for title, series, value in (
            ("3 latency p99", quote.p99_series_ms, "2,100 ms"),
            ("3 latency p50", quote.p50_series_ms, "700 ms"),
            ("3 latency p95", quote.p95_series_ms, "1,680 ms"),
            ("3 latency p99", quote.p99_series_ms, "2,100 ms"),
        ):
            await pilot.pause()
            assert pane.border_title == title
            words = read_screen(app)
            assert title in words
            assert value in words
            ladder = text_of(sparkline(series, 8, UNICODE, Ink.TEXT, top=calm_top(series)))
            assert ladder in words
            await pilot.press("v")


async def test_the_other_quantiles_stand_beside_it_with_their_names_where_there_is_room(
    console, read_screen
) -> None:
    app = console()
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.press("3", "v")
        words = read_screen(app).replace(" ", "")
        assert "700msp951,680p992,100" in words


async def test_each_quantile_can_be_sorted_by_and_the_order_stays_with_the_next_one(console) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "s", "S")
        pane = app.desk.pane_named("latency")
        assert pane.note().endswith("by p50 down")
        assert pane.rows[0].view.p50_ms == 700.0
        await pilot.press("v", "s")
        assert pane.note().endswith("by p95 down")
        assert pane.rows[0].view.p95_ms == 1680.0


async def test_the_key_stands_in_the_footer_and_in_the_help_of_this_pane_alone(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.press("3")
        await pilot.pause()
        assert "v p50, p95 or p99" in read_screen(app).splitlines()[-1]
        await pilot.press("question_mark")
        await pilot.pause()
        assert "p50, p95 or p99" in read_screen(app)
        await pilot.press("escape", "1", "question_mark")
        await pilot.pause()
        assert "p50, p95 or p99" not in read_screen(app)
