"""Keys at random: nothing crashes, nothing dangerous happens without a confirmation."""

import random

import pytest
from mds_engine.control.registry import entry_of

from mds_tui.screens.dialog import Dialog

KEYS = (
    *"123456hjklgGsSywvfopuFARBPEMNcWJK+qxztX",
    *("up", "down", "left", "right", "tab", "shift+tab", "enter", "escape", "space", "backspace"),
    *("slash", "colon", "question_mark", "pageup", "pagedown", "home", "end", "ctrl+p", "ctrl+q"),
    *("semicolon", "f1"),
)


@pytest.mark.parametrize(("seed", "size"), [(1, (120, 40)), (2, (80, 24)), (3, (60, 16))])
async def test_random_keys(
    console, link, tmp_path, monkeypatch: pytest.MonkeyPatch, seed: int, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # one of the keys writes files
    chance = random.Random(seed)
    app = console()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for _ in range(60):
            before = len(link.sent)
            asked = isinstance(app.screen, Dialog)
            # Leaving is no crash, but ends the walk: the button that quits is not pressed.
            if asked and app.screen.verb == "quit":
                await pilot.press("escape")
                continue
            await pilot.press(chance.choice(KEYS))
            assert app.is_running
            if any(entry_of(command).dangerous for command in link.sent[before:]):
                assert asked
        assert link.started == 1
