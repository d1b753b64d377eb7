"""What happens, as the console tells it: toasts, lit rows, the events that follow."""

import msgspec
from mds_engine.control.events import FailedOver, RouteDown

SIZE = (120, 40)


async def test_a_failover_is_a_toast_a_line_and_a_lit_row(console, link, times, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="cut", took_ms=41.0))
        app.beat()
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["⇄ NSE/ticks"]
        assert "failed over kite ▸ yahoo in 41 ms" in read_screen(app)
        pane = app.desk.pane_named("routes")
        assert [pane.is_lit(route) for route in pane.rows].count(True) == 1
        times.monotonic += 5.0
        link.picture = msgspec.structs.replace(link.picture)
        app.beat()
        assert not any(pane.is_lit(route) for route in pane.rows)


async def test_an_outage_of_many_routes_does_not_bury_the_screen_in_toasts(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        for route in link.picture.routes:
            link.happen(RouteDown(route=route.key, why="nobody is left " * 40))
        app.beat()
        await pilot.pause()
        (note,) = [note.message for note in app._notifications]
        assert note.startswith("8 routes down: NSE/quote, NSE/bars")
        assert len(note) <= 110


async def test_what_follows_of_an_incident_is_told_once_when_it_is_over(console, link, times) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        for route in ("NSE/ticks", "NSE/quote", "NSE/bars"):
            link.happen(FailedOver(route=route, before="kite", after="yahoo", why="cut"))
            app.beat()
            times.monotonic += 1.0
            link.picture = msgspec.structs.replace(link.picture, at=times.wall())
        link.happen(FailedOver(route="NASDAQ/quote", before="yahoo", after="alphavantage", why="refused"))
        app.beat()
        await pilot.pause()
        assert [note.title for note in app._notifications] == ["⇄ NSE/ticks", "⇄ NASDAQ/quote"]
        times.monotonic += 10.0
        app.beat()
        await pilot.pause()
        *_, last = app._notifications
        assert (last.title, last.message) == ("⇄ kite", "2 routes failed over: NSE/quote, NSE/bars: cut")


async def test_events_follow_until_the_operator_looks_at_one(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("6", "j")
        pane = app.desk.pane_named("events")
        looked_at = pane.current()
        link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="x"))
        app.beat()
        assert pane.current() is looked_at
        await pilot.press("g")
        link.happen(FailedOver(route="NSE/ticks", before="yahoo", after="kite", why="x"))
        app.beat()
        assert pane.current().number == len(link.log)
