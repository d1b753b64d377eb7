"""The configuration in the console: through the real keys, on a real engine, a simulator and a real file."""

import asyncio
import stat
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest
from mds_engine.config.file import ConfigFile
from mds_engine.config.simulated import at_simulator
from mds_engine.config.versions import Versions
from mds_engine.control.events import CommandRefused, ConfigApplied, SourceConnected
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.sources.plugins import find_plugins
from textual.widgets import Input

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.configuring.toml_area import TomlArea
from mds_tui.settings import ConsoleSettings
from tests.tui.configured import TEXT

SIZE = (120, 40)
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


@pytest.fixture
def app(simulator: SimulatorProcess, path: Path, tmp_path: Path) -> Iterator[ConsoleApp]:
    plugins = find_plugins()
    file = ConfigFile(path, plugins, {}, turn=lambda config: at_simulator(config, simulator.address))
    file.load()

    def build() -> Engine:
        return Engine(file.in_force.loaded.config, plugins, seed=5, file=file)

    link = EmbeddedLink(build)
    settings = ConsoleSettings(
        operator="asha",
        zone=UTC,
        fps=20.0,
        config=file,
        config_versions=Versions(tmp_path / "versions", path),
    )
    yield ConsoleApp(link, settings=settings, now=lambda: 100.0)
    link.close()


async def _until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


async def _opened(pilot, app: ConsoleApp, *keys: str) -> None:
    await _until(pilot, lambda: app.view().snapshot.source("binance") is not None)
    await pilot.press("C", *keys)


def _told(app: ConsoleApp, kind: type) -> list:
    return [event for event in app.link.events(0) if isinstance(event, kind)]


async def test_a_setting_is_changed_in_the_form_seen_as_a_diff_and_applied(app, path, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "j", "enter", "j", "j", "enter")
        app.screen.query_one("#typed", Input).value = "3"
        await pilot.press("enter")
        assert path.read_text() == TEXT, "nothing is written before it is confirmed"
        await pilot.press("ctrl+s")
        shown = read_screen(app)
        assert "-priority=10" in shown.replace(" ", "")
        assert "+priority=3" in shown.replace(" ", "")
        assert "stays connected" in shown
        assert app.focused is app.screen.query_one("#cancel")
        app.screen.query_one("#reason", Input).value = "yahoo first"
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, ConfigApplied))
        assert path.read_text() == TEXT.replace("priority = 10", "priority = 3")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [event.what for event in _told(app, ConfigApplied)] == ["yahoo: priority"]
        assert [version.by for version in app.settings.config_versions.all()] == ["asha", ""]
        assert len([event for event in _told(app, SourceConnected) if event.source == "yahoo"]) <= 1


async def test_cancelled_is_not_done_and_leaving_asks(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "j", "enter", "j", "space", "ctrl+s", "enter")
        assert path.read_text() == TEXT
        await pilot.press("escape", "escape")
        assert "is lost" in " ".join(app.screen.sentences())
        await pilot.press("enter")
        assert app.screen is not app.desk, "Cancel has the focus there too"
        await pilot.press("escape")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        assert app.screen is app.desk
        assert not _told(app, ConfigApplied)


async def test_only_what_changed_reconnects(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: len(_told(app, SourceConnected)) == 3)
        await _opened(pilot, app, "enter")
        app.screen.form.go_to("sources.zerodha.timeout_s")
        await pilot.press("enter")
        app.screen.query_one("#typed", Input).value = "7.5"
        await pilot.press("enter", "ctrl+s")
        assert "zerodha reconnects: timeout_s changes." in app.screen.sentences()
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: len(_told(app, SourceConnected)) == 4)
        assert [event.source for event in _told(app, SourceConnected)][3:] == ["zerodha"]


async def test_the_text_is_coloured_checked_as_one_types_and_shows_no_secret(app, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "ctrl+t")
        area = app.screen.query_one(TomlArea)
        assert app.focused is area
        assert "secret" not in area.text
        assert "secret" not in read_screen(app)
        area.move_cursor((15, 0))
        await pilot.press("end", *"x")
        await _until(pilot, lambda: app.screen.draft.problems)
        (problem,) = app.screen.draft.problems
        assert (problem.line, "TOML" in problem.what) == (16, True)
        assert "line 16" in read_screen(app)
        await pilot.press("ctrl+s")
        assert app.screen.query("TomlArea"), "what is wrong is not saved"
        await pilot.press("end", "backspace", "escape")
        assert not app.screen.draft.problems
        assert not app.screen.in_text


async def test_a_secret_is_typed_unseen_and_told_nowhere(app, path, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app)
        app.screen.form.go_to("sources.zerodha.access_token")
        await pilot.press("enter")
        typed = app.screen.query_one("#typed", Input)
        assert (typed.password, typed.value) == (True, "")
        await pilot.press(*"third-hush", "enter", "ctrl+s")
        shown = read_screen(app)
        assert "hush" not in shown
        assert "+access_token" in shown, "that it changes can be seen"
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, ConfigApplied))
        assert 'access_token = "third-hush"' in path.read_text()
        assert 'api_key = "first-secret" # of the desk' in path.read_text()
        for hidden in ("hush", "first-secret"):
            assert hidden not in repr(app.link.events(0))
            assert hidden not in read_screen(app)


async def test_an_earlier_version_comes_back_through_the_diff(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "j", "enter", "j", "space", "ctrl+s")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, ConfigApplied))
        await _until(pilot, lambda: not app.screen.draft.is_changed)
        assert "enabled = false" in path.read_text()
        await pilot.press("v", "j", "enter", "ctrl+s")
        assert "yahoo comes into service." in app.screen.sentences()
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: len(_told(app, ConfigApplied)) == 2)
        assert path.read_text() == TEXT


async def test_a_change_on_disk_is_told_and_offered_never_taken(app, path, read_screen) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "escape")
        path.write_text(TEXT.replace("priority = 10", "priority = 4"))
        await _until(pilot, lambda: app.config_watch.differs)
        await _until(pilot, lambda: "config changed on disk: C" in read_screen(app))
        assert not _told(app, ConfigApplied)
        await pilot.press("C", "ctrl+s")
        assert "yahoo stays connected: priority changes at once." in app.screen.sentences()
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, ConfigApplied))
        await _until(pilot, lambda: not app.config_watch.differs)
        assert not app.config_watch.words


async def test_what_somebody_wrote_meanwhile_is_merged_and_not_lost(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "j", "enter", "j", "space")
        path.write_text(TEXT.replace('name = "desk"', 'name = "desk" # theirs'))
        await pilot.press("ctrl+s")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: app.screen.check_action("merge", ()))
        assert "enabled" not in path.read_text(), "not saved over it"
        await pilot.press("m", "ctrl+s")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, ConfigApplied))
        assert "# theirs" in path.read_text()
        assert "priority = 10\nenabled = false\n" in path.read_text()


async def test_a_source_comes_and_another_goes_by_the_form(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: len(_told(app, SourceConnected)) == 3)
        await _opened(pilot, app, "n", *"binance", "space", *"crypto", "enter")
        app.screen.form.go_to("sources.binance")
        await pilot.press("x", "ctrl+s")
        said = app.screen.sentences()
        assert said[:2] == ("crypto is new and connects.", "binance is let go: its connections end.")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: app.view().snapshot.source("crypto") is not None)
        assert app.view().snapshot.source("binance") is None
        await _until(pilot, lambda: app.view().snapshot.watch[0].source == "crypto")
        written = path.read_text()
        assert "[sources.crypto]" in written
        assert "[sources.binance]" not in written
        assert "# --- Crypto ---" in written


async def test_the_engine_begins_anew_with_what_was_applied(app) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "n", *"yahoo", "space", *"second", "enter", "ctrl+s")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: app.view().snapshot.source("second") is not None)
        app.link.restart()
        await _until(pilot, lambda: app.view().snapshot.engine.started_at > app.link.events(0)[0].at)
        assert app.view().snapshot.source("second") is not None


async def test_what_is_no_section_is_not_added(app) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "n", *"nonsense", "enter")
        assert app.screen.query_one("#typed", Input).display, "it can be put right"
        await pilot.press("escape")
        assert not app.screen.draft.is_changed


async def test_apply_config_is_refused_when_the_file_is_wrong_or_another(app, path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: app.view().snapshot.source("binance") is not None)
        path.write_text(TEXT + "[nonsense]\n")
        await pilot.press("colon", *"apply-config", "enter")
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await _until(pilot, lambda: _told(app, CommandRefused))
        assert "nonsense" in _told(app, CommandRefused)[0].message
        assert not _told(app, ConfigApplied)


async def test_read_only_shows_and_changes_nothing(app, path, monkeypatch) -> None:
    monkeypatch.setattr(ConsoleApp, "refusal", "the console is read-only")
    async with app.run_test(size=SIZE) as pilot:
        await _opened(pilot, app, "j", "enter", "j", "space", "ctrl+s")
        assert not app.screen.draft.is_changed
        await pilot.press("ctrl+t")
        assert app.screen.query_one(TomlArea).read_only
        assert path.read_text() == TEXT


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (160, 50)])
@pytest.mark.parametrize("theme", ["dark", "light", "monochrome"])
async def test_it_fits_every_size_and_theme(app, size, theme, read_screen) -> None:
    async with app.run_test(size=size) as pilot:
        await _until(pilot, lambda: app.view().snapshot.source("binance") is not None)
        app.theme = theme
        await _opened(pilot, app, "j", "tab", "j")
        shown = read_screen(app)
        assert "yahoo" in shown
        assert "enabled" in shown
        await pilot.press("ctrl+t")
        assert "[sources.yahoo]" in app.screen.query_one(TomlArea).text


async def test_without_a_file_it_is_shown_and_cannot_be_changed(console, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("C")
        assert "configuration file" in read_screen(app) or "demo has no file" in read_screen(app)
        before = app.screen.draft.shown
        await pilot.press("j", "tab", "j", "space", "u", "ctrl+s")
        assert app.screen.draft.shown == before
        await pilot.press("escape", "escape")
        assert app.screen is app.desk
