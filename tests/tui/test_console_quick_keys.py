"""Keys faster than the screen: each goes where the one before it led."""

import pytest
from textual import events
from textual.keys import _character_to_key


async def _typed_at_once(app, pilot, text: str) -> None:
    """All in the queue before the first is looked at, as from a paste or a script."""
    for character in text:
        app.post_message(events.Key(_character_to_key(character), character))
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_key_after_a_pane_s_number_goes_to_that_pane(console, size: tuple[int, int]) -> None:
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await _typed_at_once(app, pilot, "3v6v5s")
        assert app.desk.pane_named("latency").quantile == "p50"
        assert app.desk.pane_named("events").levels == "notices"
        assert app.desk.pane_named("watch").order_words() == "instrument"
        assert app.desk.pane_named("sources").order_words() == ""
