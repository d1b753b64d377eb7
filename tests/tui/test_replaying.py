"""The console on a recording of real traffic, played by its real keys."""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest
from mds_engine.control.events import CommandApplied
from mds_engine.recording.foreign import convert
from mds_engine.recording.reading import Recording
from mds_engine.replay_link import Playback, ReplayLink
from mds_engine.sources.plugins import find_plugins

from mds_tui.app import ConsoleApp
from mds_tui.format.cells import text_of
from mds_tui.settings import ConsoleSettings

PATIENCE_S = 30.0
LOG = "ws_spot_2021-04-04_btc_eth_dot.cryptofeed.log.gz"
SIZE = (120, 40)


@pytest.fixture(scope="module")
def folder(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """67 seconds of three instruments at one source."""
    folder = tmp_path_factory.mktemp("spot")
    convert(recordings / "binance" / LOG, folder, source="binance", kind="binance")
    return folder


@pytest.fixture
def replay(folder: Path) -> Iterator[Callable[..., ConsoleApp]]:
    """Makes consoles on it, standing still at its beginning."""
    links: list[ReplayLink] = []

    def build(path: Path = folder, **settings: object) -> ConsoleApp:
        link = ReplayLink(lambda: Recording(path), find_plugins, interval_s=0.01)
        link.pause()
        links.append(link)
        chosen = ConsoleSettings(**{"operator": "asha", "zone": UTC, "fps": 50.0, **settings})
        # On a busy machine an engine may be silent for a while; the keys are not to be greyed for it here.
        return ConsoleApp(link, settings=chosen, now=lambda: 100.0)

    yield build
    for link in links:
        link.close()


async def until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


def state(app: ConsoleApp) -> Playback:
    playback = app.link.playback()
    assert playback is not None
    return playback


async def opened(app: ConsoleApp, pilot) -> None:
    await until(pilot, lambda: app.link.playback() and state(app).surveyed == 1.0 and app.feed.snapshot)


async def still(app: ConsoleApp, pilot) -> None:
    """Until it is where it should be, and the screen shows that."""
    await until(pilot, lambda: state(app).seeking is None and app.desk.sight.snapshot.at == state(app).at)
    await pilot.pause()


def line(screen: str, word: str) -> str:
    return next(text for text in screen.splitlines() if word in text)


async def test_play_pause_step_and_speed_by_their_keys(replay, read_screen) -> None:
    app = replay()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(app, pilot)
        assert "paused" in line(read_screen(app), "REPLAY, not live")
        for key, rows in (("full_stop", 1), ("full_stop", 2), ("comma", 1)):
            await pilot.press(key)
            await still(app, pilot)
            assert state(app).rows == rows
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert state(app).speed == 2.0
        await pilot.press("space")
        await until(pilot, lambda: state(app).rows > 5 and "playing" in read_screen(app))
        assert "2x" in line(read_screen(app), "REPLAY")
        await pilot.press("space")
        assert not state(app).playing
        start = state(app).start
        await pilot.press("right_curly_bracket")
        await still(app, pilot)
        assert state(app).at > start + 1.0


async def test_the_words_of_the_line_seek_and_say_what_is_wrong(replay, read_screen) -> None:
    app = replay()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(app, pilot)
        await pilot.press(*":seek", "space", *"20:04:00", "enter")
        await still(app, pilot)
        assert "Sun 4 Apr 2021 20:04:00 UTC" in line(read_screen(app), "REPLAY")
        at = state(app).at
        await pilot.press(*":seek", "space", *"-10s", "enter")
        await until(pilot, lambda: state(app).at < at)
        await still(app, pilot)
        assert state(app).at == pytest.approx(at - 10.0, abs=1e-3)
        await pilot.press(*":seek", "space", *"14:00", "enter")
        await until(pilot, lambda: "is not in the recording" in read_screen(app))
        await pilot.press(*":speed", "space", *"max", "enter")
        await until(pilot, lambda: state(app).speed == 0.0)
        await pilot.press("space")
        await until(pilot, lambda: "at the end" in read_screen(app))
        await until(pilot, lambda: "the recording has ended" in read_screen(app))
        await pilot.press(*":seek", "space", *"start", "enter")
        await still(app, pilot)
        assert not state(app).ended


async def test_nothing_can_be_done_to_a_recording(replay, read_screen) -> None:
    app = replay()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(app, pilot)
        await pilot.press("2", "F")
        assert app.screen is app.desk
        assert not app.may_act
        acting = [active for active in app.desk.active_bindings.values() if "act(" in active.binding.action]
        assert len(acting) > 5
        assert not any(active.enabled for active in acting)
        await pilot.press(*":fail-over", "space", *"BINANCE/ticks", "enter")
        await until(pilot, lambda: "what happened in it cannot be changed" in read_screen(app))
        await pilot.press(*":check-health", "space", *"binance", "enter")
        await until(pilot, lambda: "not done: this is a recording" in read_screen(app))
        assert app.screen is app.desk


async def test_events_are_places_to_go_to(replay, read_screen) -> None:
    app = replay()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(app, pilot)
        await pilot.press(*":seek", "space", "e", "n", "d", "enter")
        await still(app, pilot)
        end = state(app).at
        assert len(app.feed.events) > 2
        await pilot.press("6", "G", "o")
        await until(pilot, lambda: state(app).at < end)
        await still(app, pilot)
        assert state(app).at == pytest.approx(state(app).start, abs=0.1)
        await pilot.press("right_square_bracket")
        await still(app, pilot)
        first = state(app).at
        assert first > state(app).start
        await pilot.press("right_square_bracket")
        await still(app, pilot)
        await pilot.press("left_square_bracket")
        await still(app, pilot)
        assert state(app).at == pytest.approx(first, abs=0.01)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [(160, 50), (120, 40), (80, 24), (60, 16)])
async def test_it_cannot_be_taken_for_live_at_any_size(replay, read_screen, size, plain) -> None:
    app = replay(ascii=plain)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        screen = read_screen(app)
        banner = line(screen, "REPLAY, not live")
        assert "paused" in banner
        assert len(banner) <= size[0]
        assert ("20:03:11 " in screen and "20:04:42" in screen) is (size[1] >= 20)
        assert "live embedded" not in screen
        assert not plain or all(sign.isascii() for sign in screen)
        assert re.search(r"space ?play/pause", screen)


async def test_help_names_the_keys_that_play(replay) -> None:
    app = replay()
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: app.screen.query("#page") and app.screen.query_one("#page").lines)
        page = "\n".join(map(text_of, app.screen.query_one("#page").lines))
        for words in ("step back", "next event", "slower", "a second on", "seek"):
            assert words in page


async def test_what_cannot_be_opened_is_told_on_the_screen(replay, read_screen, tmp_path) -> None:
    (tmp_path / "x.arrows").write_bytes(b"no")
    app = replay(tmp_path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: "it is not a recording" in read_screen(app))
        await pilot.press("space", "full_stop", "left_square_bracket")
        assert "REPLAY, not live" in read_screen(app)


@pytest.mark.parametrize("seed", range(2))
async def test_no_row_of_keys_does_harm(replay, seed: int) -> None:
    """The keys that play, and those of the panes, in any order."""
    chance = random.Random(seed)
    keys = [
        *("space", "full_stop", "comma", "less_than_sign", "greater_than_sign"),
        *("left_square_bracket", "right_square_bracket", "left_curly_bracket", "right_curly_bracket"),
        *"123456oGgFARBPEuvfp+NMcDLW",
    ]
    app = replay()
    async with app.run_test(size=chance.choice([(120, 40), (80, 24), (60, 16)])) as pilot:
        await opened(app, pilot)
        for _ in range(80):
            await pilot.press(chance.choice(keys))
            assert app.screen is app.desk
            assert app.link.failure() is None
        app.link.pause()
        # The display may be held by now, so it is the engine's own picture that must get there.
        await until(pilot, lambda: state(app).seeking is None and app.feed.snapshot.at == state(app).at)
        assert not any(isinstance(event, CommandApplied) for event in app.feed.events)
