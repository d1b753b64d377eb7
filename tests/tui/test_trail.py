"""What an open instrument page remembers of the ticks that go by."""

from datetime import UTC

import msgspec
from mds_engine.control import Snapshot

from mds_tui.details.trail import Trail
from mds_tui.format.cells import text_of, width_of
from mds_tui.format.sight import Sight
from tests.tui.prepared import AT, row


def _words(trail: Trail, snapshot: Snapshot, width: int = 80) -> list[str]:
    return [" ".join(text_of(line).split()) for line in trail.lines(Sight(snapshot, zone=UTC), width)]


def test_each_step_has_its_price_its_move_its_source_and_how_many_came_with_it(snapshot: Snapshot) -> None:
    trail = Trail()
    trail.note(row("NSE:INFY", 100.0, 0.1, ticks=900, age_s=0.5), AT)
    trail.note(row("NSE:INFY", 100.0, 0.1, ticks=900, age_s=1.0), AT + 0.5)
    trail.note(row("NSE:INFY", 101.0, 0.1, ticks=937, age_s=0.0), AT + 1)
    trail.note(row("NSE:INFY", 100.5, 0.1, ticks=938, age_s=0.0, source="yahoo"), AT + 2)
    _, title, drawn, span, *rows = _words(trail, snapshot)
    assert (title, span) == ("last ticks, since this page was opened", "100.00 to 101.00")
    assert drawn == "▁█▅"
    assert rows == [
        "14:13:22 100.50 -49.50 bp yahoo",
        "14:13:21 101.00 +100.00 bp kite 36 before it",
        "14:13:19 100.00 – kite",
    ]


def test_of_many_the_last_are_told_and_a_count_that_goes_back_begins_anew(snapshot: Snapshot) -> None:
    trail = Trail()
    for step in range(200):
        trail.note(row("NSE:INFY", 100.0 + step, 0.0, ticks=10 + step), AT + step)
    trail.note(row("NSE:INFY", 300.0, 0.0, ticks=4), AT + 200)
    _, _, drawn, span, *rows = _words(trail, snapshot)
    assert len(rows) == 12
    assert len(drawn) == 72
    assert rows[0].endswith("300.00 +33.44 bp kite")
    assert span == "229.00 to 300.00"
    for width in (50, 68, 100):
        for line in trail.lines(Sight(snapshot, zone=UTC), width):
            assert width_of(line) <= width + 2


def test_without_a_price_there_is_nothing(snapshot: Snapshot) -> None:
    trail = Trail()
    trail.note(snapshot.watch[-1], AT)
    assert _words(trail, snapshot) == []


async def test_the_page_of_an_instrument_grows_with_its_ticks_and_begins_anew_when_opened_again(
    console, link, read_screen
) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("5", "enter")
        await pilot.pause()
        assert "24,812.35 to 24,812.35" in read_screen(app)
        first, *others = link.picture.watch
        ticked = msgspec.structs.replace(first, price=24_900.0, ticks=first.ticks + 3)
        link.picture = msgspec.structs.replace(link.picture, watch=(ticked, *others))
        app.beat()
        app.screen.settle()
        await pilot.pause()
        words = read_screen(app)
        assert "24,812.35 to 24,900.00" in words
        assert "2 before it" in words
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert "24,900.00 to 24,900.00" in read_screen(app)
