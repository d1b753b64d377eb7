"""What went to the terminal, piece by piece, is what the screen is when all of it is painted at once.

A terminal emulator of somebody else (pyte) reads both.
"""

import random

import msgspec
import pyte
import pytest
from mds_engine.control import Snapshot

from mds_tui.app import ConsoleApp
from tests.tui.prepared import rich_snapshot

STEPS = 60
LOOKING = ("down", "down", "up", "G", "g", "s", "S", "tab", "plus", "1", "2", "3", "4", "5", "6", "escape")
OPENING = ("enter", "question_mark", "F", "t")


def at_once(app: ConsoleApp) -> pyte.Screen:
    """The same screen, painted whole."""
    width, height = app.size
    screen = pyte.Screen(width, height)
    stream = pyte.Stream(screen)
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        stream.feed(f"\x1b[{y + 1};1H{strip.render(app.console)}")
    return screen


def looks(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell of every line; the ink of a blank is nothing that one sees."""
    lines = []
    for y in range(screen.lines):
        cells = [screen.buffer[y][x] for x in range(screen.columns)]
        lines.append([(one.data, one.bg) if one.data == " " else (*one[:4],) for one in cells])
    return lines


def words(screen: pyte.Screen) -> str:
    return "\n".join(screen.display)


def moved(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    """The same desk a moment later: prices, ages and latencies are others, sometimes a row has gone."""
    watch = [
        msgspec.structs.replace(
            row, price=chance.choice([1.0, 22.5, 30_000.25, None]), age_s=chance.random() * 20
        )
        if chance.random() < 0.6
        else row
        for row in snapshot.watch
    ]
    if len(watch) > 1 and chance.random() < 0.2:
        watch.pop(chance.randrange(len(watch)))
    sources = [
        msgspec.structs.replace(one, ticks_per_s=chance.choice([0.0, 12.0, 3_400.0]))
        for one in snapshot.sources
    ]
    return msgspec.structs.replace(snapshot, watch=tuple(watch), sources=tuple(sources))


@pytest.mark.parametrize(
    ("size", "looks_like"),
    [
        ((160, 50), {}),
        ((120, 40), {"theme": "high-contrast", "ascii": True}),
        ((80, 24), {"theme": "monochrome"}),
    ],
)
async def test_the_terminal_shows_the_screen(emulated, link, times, size, looks_like) -> None:
    chance = random.Random(f"{size}{looks_like}")
    app = emulated(**looks_like)
    first = rich_snapshot()
    async with app.run_test(headless=False, size=size, notifications=True) as pilot:
        await pilot.pause()
        for step in range(STEPS):
            done = chance.choice(["beat", "beat", "beat", "key", "open", "told", "time"])
            if done == "beat":
                link.picture = moved(first, chance)
                app.beat()
            elif done == "key":
                await pilot.press(chance.choice(LOOKING))
            elif done == "open":
                await pilot.press(chance.choice(OPENING) if app.screen is app.desk else "escape")
            elif done == "told":
                app.notify("a word about nothing", timeout=600.0)
            else:
                times.monotonic += chance.random() * 3
                app.beat()
            await pilot.pause()
            terminal, whole = app._driver.screen, at_once(app)
            assert words(terminal) == words(whole), f"after step {step}: {done}"
            other = [
                (y, x, now, then)
                for y, (line, right) in enumerate(zip(looks(terminal), looks(whole), strict=True))
                for x, (now, then) in enumerate(zip(line, right, strict=True))
                if now != then
            ]
            assert not other, f"after step {step}: {done}"
