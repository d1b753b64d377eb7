"""Every footer is true: what it shows is bound, and pressing it does something."""

import pytest

from mds_tui.finding.key_names import shown_key
from mds_tui.format.cells import text_of
from mds_tui.screens.keys import entries_by_key
from mds_tui.tools import TOOLS
from mds_tui.widgets.key_bar import KeyBar, hints_of
from mds_tui.widgets.lines import Lines

SIZE = (220, 50)
MOST_ESCAPES = 5
"""From a help over a page over the desk, with something typed to be found."""
NOTHING_TO_OPEN = {"c", "W", "L", "go", "export", "scorecard", "seek", "speed"}
"""What acts at once, wants words after it, or has nothing to show on the prepared picture."""
OPENERS = (
    *((str(number),) for number in range(1, 7)),
    *(
        ("2", "j", key)
        for key in (*entries_by_key(), *(tool.key for tool in TOOLS if tool.key))
        if key not in NOTHING_TO_OPEN
    ),
    ("u",),
    ("q",),
    ("1", "enter"),
    ("2", "enter"),
    ("5", "enter"),
    ("6", "enter"),
    ("question_mark",),
    ("1", "enter", "question_mark"),
    ("2", "P", "question_mark"),
    *(("colon", *tool.name, "enter") for tool in TOOLS if not tool.key and tool.name not in NOTHING_TO_OPEN),
)


def _names(keys: tuple[str, ...]) -> str:
    return " ".join(keys)


async def _open(app, pilot, keys: tuple[str, ...]) -> None:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()


def _footer(screen) -> str:
    """What the lowest line of a screen says of its keys, wherever it stands."""
    bars = [text_of(bar._content) for bar in screen.query(KeyBar)]
    borders = [str(widget.border_subtitle) for widget in screen.query("*") if widget.border_subtitle]
    return " ".join([*bars, *borders])


def _looks(app) -> object:
    """All that an operator could see of a key's effect."""
    screen = app.screen
    lines = [
        [text_of(line) for line in widget.lines] + [widget.scroll_offset] for widget in screen.query(Lines)
    ]
    shown = [(widget.id, widget.display, widget.region) for widget in screen.query("*")]
    titles = [(str(widget.border_title), str(widget.border_subtitle)) for widget in screen.query("*")]
    told = len(app._notifications), app.clipboard, app._exit
    return screen, app.focused, lines, shown, titles, told


async def _back_to(app, pilot, opener: tuple[str, ...]) -> None:
    """As it was before a key."""
    for _ in range(MOST_ESCAPES):
        if app.screen is not app.desk:
            await pilot.press("escape")
    assert app.screen is app.desk
    await pilot.press("escape", "escape")
    await _open(app, pilot, opener)


@pytest.mark.parametrize("opener", OPENERS, ids=_names)
async def test_what_the_footer_shows_is_so(console, tmp_path, monkeypatch, opener: tuple[str, ...]) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # one of the keys writes files
    app = console(keymap_file=tmp_path / "keymap.toml")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _open(app, pilot, opener)
        screen = app.screen
        assert screen is not app.desk or opener[-1] in "123456", "there is nothing to open here"
        hints = [hint for hint in hints_of(screen, {}, plain=False) if hint.enabled]
        footer = _footer(screen)
        enabled = [key for key, active in screen.active_bindings.items() if active.enabled]
        for hint in hints:
            assert f"{hint.key} {hint.label}" in footer
        if screen is app.desk and opener != ("1",):
            # The keys of the desk itself are pressed once.
            hints = [hint for hint in hints if hint.action.startswith("focused.")]
        for hint in hints:
            key = next(key for key in enabled if shown_key(key) == hint.key)
            before = _looks(app)
            await pilot.press(key)
            await pilot.pause()
            if _looks(app) == before:
                # At the first of a list there is no way up.
                await pilot.press("j")
                before = _looks(app)
                await pilot.press(key)
                await pilot.pause()
            assert _looks(app) != before, f"{key} does nothing"
            await _back_to(app, pilot, opener)
