"""What the console looks like, in every theme and size, held against pictures that somebody has looked at.

Made from fixed pictures of an engine. `make pictures` paints them anew after a
change that was meant; look at what it changed before you keep it.
"""

import difflib
import gzip
import html
import os
import re
from pathlib import Path

import pytest

from mds_tui.palettes import load_themes

FOLDER = Path(__file__).with_name("pictures")
RENEW = "MDS_RENEW_PICTURES"
THEMES = tuple(sorted(load_themes().loaded))
SIZES = ((160, 50), (140, 40), (112, 32), (80, 24), (60, 16), (59, 15))
WIDE, NARROW = (120, 40), (80, 24)

SCENES = {
    "source": ("1", "g", "enter"),
    "route": ("2", "g", "enter"),
    "instrument": ("5", "g", "enter"),
    "event": ("6", "g", "enter"),
    "help": ("question_mark",),
    "themes": ("t",),
    "filter": ("1", "slash", "k"),
    "command": ("1", "colon", "p", "i"),
    "quit": ("q",),
    "fail-over": ("1", "g", "F"),
    "breaker": ("1", "g", "B"),
    "priorities": ("2", "g", "P"),
    "enable": ("1", "g", "E"),
    "watch-alone": ("5", "plus"),
}


async def _picture(app, size: tuple[int, int], keys: tuple[str, ...] = ()) -> str:
    async with app.run_test(size=size, notifications=False) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return app.export_screenshot(title="mds-tui")


def _lines(svg: str) -> list[str]:
    """What stands there, for people."""
    lines: dict[int, str] = {}
    for number, text in re.findall(r"line-(\d+)\)\"[^>]*>(.*?)</text>", svg):
        lines[int(number)] = lines.get(int(number), "") + html.unescape(text).replace("\xa0", " ")
    return [lines[number] for number in sorted(lines)]


def _hold(name: str, svg: str, scratch: Path) -> None:
    kept = FOLDER / f"{name}.svg.gz"
    if RENEW in os.environ:
        kept.write_bytes(gzip.compress(svg.encode(), mtime=0))
        return
    before = gzip.decompress(kept.read_bytes()).decode() if kept.exists() else ""
    if svg == before:
        return
    (scratch / "now.svg").write_text(svg, encoding="utf-8")
    (scratch / "before.svg").write_text(before, encoding="utf-8")
    words = "\n".join(difflib.unified_diff(_lines(before), _lines(svg), "before", "now", lineterm="", n=0))
    pytest.fail(
        f"{name} looks otherwise: see {scratch}/before.svg and now.svg; `make pictures` keeps it.\n"
        f"{words or 'The words are the same: colours or places differ.'}",
        pytrace=False,
    )


@pytest.mark.parametrize("theme", THEMES)
async def test_the_desk_in_every_theme(console, theme, tmp_path) -> None:
    _hold(f"desk-{theme}", await _picture(console(theme=theme), WIDE), tmp_path)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_desk_in_every_size(console, size, tmp_path) -> None:
    _hold(f"desk-{size[0]}x{size[1]}", await _picture(console(), size), tmp_path)


async def test_the_desk_in_ascii(console, tmp_path) -> None:
    _hold("desk-ascii", await _picture(console(ascii=True), WIDE), tmp_path)


async def test_the_desk_that_may_not_act(console, tmp_path) -> None:
    _hold("desk-read-only", await _picture(console(read_only=True), NARROW), tmp_path)


async def test_the_desk_of_an_engine_that_has_ended(console, link, tmp_path) -> None:
    link.reason = "the engine died: ValueError; the log has more"
    _hold("desk-ended", await _picture(console(), WIDE), tmp_path)


@pytest.mark.parametrize("name", SCENES)
async def test_what_opens_from_the_desk(console, name, tmp_path) -> None:
    _hold(name, await _picture(console(), WIDE, SCENES[name]), tmp_path)


@pytest.mark.parametrize("name", ["source", "help", "fail-over", "priorities"])
@pytest.mark.parametrize("theme", ["light", "monochrome"])
async def test_pages_and_dialogs_in_other_themes_on_a_small_screen(console, name, theme, tmp_path) -> None:
    picture = await _picture(console(theme=theme), NARROW, SCENES[name])
    _hold(f"{name}-{theme}-small", picture, tmp_path)
