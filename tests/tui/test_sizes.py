"""Every size in every theme, and every sign of the console in ASCII, seen as it is painted."""

import msgspec
import pytest
from mds_engine.control.events import FailedOver
from mds_engine.control.registry import REGISTRY
from rich.cells import cell_len
from textual._compositor import Compositor

from mds_tui.contrast import contrast
from mds_tui.format.cells import Ink
from mds_tui.palettes import load_themes

THEMES = load_themes().loaded
SIZES = [(160, 50), (120, 40), (80, 24), (60, 16), (59, 15)]
STEPS = (
    *((str(number),) for number in range(1, 7)),
    *((str(number), "plus") for number in range(1, 7)),
    *((str(number), "g", "enter") for number in range(1, 7)),
    *(("1", "g", entry.key) for entry in REGISTRY if entry.key),
    *(("1", key) for key in ("question_mark", "t", "p", "q", "ctrl+p")),
    ("1", "colon", "p", "i"),
    ("1", "slash", "k"),
)
"""From the desk: every pane, alone too, every row's detail, every dialog, page and prompt."""


@pytest.fixture(autouse=True)
def _painted_when_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a console without a terminal paints nobody sees: `_lines` and `_painted` paint for themselves."""
    paint = Compositor.render_update

    def only_in_full(self: Compositor, full: bool = False, **options: object) -> object:
        return paint(self, full=True, **options) if full else self._dirty_regions.clear()

    monkeypatch.setattr(Compositor, "render_update", only_in_full)


async def _back(app, pilot, keys: tuple[str, ...]) -> None:
    """To the desk as it was."""
    if "plus" in keys or "p" in keys[-1:]:
        await pilot.press(keys[-1])
    while app.screen is not app.desk:
        await pilot.press("escape")
    await pilot.press("escape")


@pytest.mark.parametrize("size", SIZES)
async def test_ascii_is_ascii_everywhere(console, link, snapshot, size) -> None:
    named = tuple(row for row in snapshot.watch if row.instrument.isascii())
    link.picture = msgspec.structs.replace(snapshot, watch=named)
    app = console(ascii=True)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        for keys in STEPS:
            await pilot.press(*keys)
            link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="“cut” → 5 ≥ 4…"))
            app.beat()
            await pilot.pause()
            odd = [line for line in _lines(app) if not line.isascii()]
            assert not odd, keys
            await _back(app, pilot, keys)
        link.reason = "config.toml: “x” → no such file…"
        app.beat()
        await pilot.pause()
        assert "".join(_lines(app)).isascii()


async def test_names_in_other_scripts_stay_in_ascii(console, read_screen) -> None:
    app = console(ascii=True)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        assert "SSE:贵州茅台" in read_screen(app)
        assert "enter detail" in read_screen(app).splitlines()[-1]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
async def test_every_theme_says_the_same_at_every_size(console, theme: str, size) -> None:
    app = console(theme="dark")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        expected = _lines(app)
        app.theme = theme
        await pilot.pause()
        assert _lines(app) == expected
        assert [cell_len(line) for line in expected] == [size[0]] * size[1]


def _lines(app) -> list[str]:
    return [strip.text for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize("theme", THEMES)
async def test_all_that_is_painted_can_be_read(console, link, theme: str) -> None:
    app = console(theme=theme)
    colours = THEMES[theme].colours
    quiet = {colours[Ink.FAINT.value], colours["frame"]}
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        for keys in STEPS:
            if "plus" in keys:
                continue
            await pilot.press(*keys)
            link.happen(FailedOver(route="NSE/ticks", before="kite", after="yahoo", why="cut"))
            app.beat()
            await pilot.pause()
            for text, ink, ground in _painted(app):
                least = 1.5 if ink in quiet else 3.0
                assert contrast(ink, ground) >= least, (keys, text, ink, ground)
            await _back(app, pilot, keys)


def _painted(app):
    """Every piece of text on the screen with its two colours; of a dialog's screen, only the dialog."""
    screen = app.screen
    if screen is app.desk:
        regions = [screen.region]
    else:
        regions = [child.region for child in screen.children if child.region and child.visible]
    strips = screen._compositor.render_strips()
    for region in regions:
        for strip in strips[region.y : region.bottom]:
            for segment in strip.crop(region.x, region.right):
                style = segment.style
                if style is None or not any(sign.isalnum() for sign in segment.text):
                    continue
                inks = style.color.triplet, style.bgcolor.triplet
                yield segment.text, *(triplet.hex for triplet in inks)
