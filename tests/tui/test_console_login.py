"""Logging in through the console's own keys, on a real engine at the simulated Kite."""

import asyncio
import http.client
from collections.abc import Callable, Iterator
from datetime import UTC
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from mds_engine.config.simulated import demo_config
from mds_engine.control.commands import CheckHealth
from mds_engine.control.events import LoggedIn
from mds_engine.control.snapshot import SourceState
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.secret import Secret
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind
from textual.events import Paste

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.screens.login import LoginScreen
from mds_tui.settings import ConsoleSettings
from mds_tui.widgets.masked import MaskedInput

SIZE = (120, 40)
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=5) as running:
        yield running


@pytest.fixture
def make(simulator: SimulatorProcess) -> Iterator[Callable[..., ConsoleApp]]:
    links: list[EmbeddedLink] = []

    def app(*, read_only: bool = False, **kite: object) -> ConsoleApp:
        def build() -> Engine:
            vendors = InstalledVendors()
            config = demo_config(vendors, simulator.address)
            zerodha = msgspec.structs.replace(config.sources["zerodha"], **kite)
            changed = msgspec.structs.replace(config, sources={**config.sources, "zerodha": zerodha})
            return Engine(changed, vendors, seed=5)

        links.append(EmbeddedLink(build))
        settings = ConsoleSettings(operator="asha", zone=UTC, fps=20.0, read_only=read_only)
        return ConsoleApp(links[-1], settings=settings, now=lambda: 100.0)

    yield app
    for link in links:
        link.close()


async def until(pilot, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the engine, in the same process, is to get on
            await pilot.pause()


def source_of(app: ConsoleApp):
    return app.view().snapshot.source("zerodha")


async def expire(app: ConsoleApp, simulator: SimulatorProcess) -> None:
    async with ControlClient(simulator.address.control) as control:
        await control.clear("kite")
        await control.inject("kite", Fault(kind=FaultKind.TOKEN_EXPIRED))
    await asyncio.wrap_future(app.link.send(CheckHealth(source="zerodha")))


async def open_page(app: ConsoleApp, pilot) -> str:
    """Press `L` and wait for the page's address."""
    await pilot.press("1", "g", "L")
    await until(pilot, lambda: isinstance(app.screen, LoginScreen) and app.screen._page)
    await pilot.pause()
    return app.screen._page


async def landed(page: str) -> str:
    def browse() -> str:
        parts = urlsplit(page)
        connection = http.client.HTTPConnection(parts.netloc)
        connection.request("GET", f"{parts.path}?{parts.query}")
        address = connection.getresponse().headers["Location"]
        connection.close()
        return address

    return await asyncio.to_thread(browse)


async def test_an_expired_token_is_asked_for_pasted_and_the_source_flows_again(
    make, simulator, read_screen
) -> None:
    app = make()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: (source := source_of(app)) and source.state is SourceState.ACTIVE)
        await expire(app, simulator)
        await until(pilot, lambda: source_of(app).state is SourceState.LOGIN)
        await until(pilot, lambda: "login needed" in read_screen(app))

        page = await open_page(app, pilot)
        shown = read_screen(app)
        assert "http://127.0.0.1" in shown
        assert "login needed" in shown
        assert "primary of NSE/quote" in shown
        assert app.focused.id == "cancel", "as in every dialog"

        address = await landed(page)
        token = parse_qs(urlsplit(address).query)["request_token"][0]
        app.post_message(Paste(f"{address[:70]}\n{address[70:]}\n"))
        await until(pilot, lambda: app.focused is not None and app.focused.id == "do")
        assert app.screen.query_one(MaskedInput).value == address
        assert token not in read_screen(app)
        assert "•••" in read_screen(app)

        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.desk)
        await until(pilot, lambda: source_of(app).state is not SourceState.LOGIN)
        await until(pilot, lambda: "is logged in for" in read_screen(app))
        assert any(isinstance(event, LoggedIn) for event in app.feed.events)
        await until(pilot, lambda: (ticks := source_of(app).stream) is not None and ticks.connections)
        assert token not in repr((app.feed.snapshot, app.feed.events))


async def test_a_wrong_token_typed_by_hand_is_refused_in_the_dialog_and_can_be_tried_again(
    make, simulator, read_screen
) -> None:
    app = make()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: source_of(app))
        page = await open_page(app, pilot)
        await pilot.press("up")
        field = app.screen.query_one(MaskedInput)
        assert app.focused is field
        await pilot.press(*"wr0ngtoken", "enter")
        assert app.focused.id == "do", "Enter goes on to the button, and does not press it"
        await pilot.press("enter")
        await until(pilot, lambda: "serves once" in read_screen(app))
        assert isinstance(app.screen, LoginScreen)
        assert field.value == ""

        app.post_message(Paste(await landed(page)))
        await until(pilot, lambda: app.focused is not None and app.focused.id == "do")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.desk)


async def test_nothing_is_sent_while_nothing_was_brought(make, read_screen) -> None:
    app = make()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: source_of(app))
        await open_page(app, pilot)
        app.screen.query_one("#do").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "paste what the page gave first" in read_screen(app))
        await pilot.press("escape")
        assert app.screen is app.desk


async def test_what_a_login_lacks_is_told_with_where_to_put_it(make, read_screen) -> None:
    app = make(api_secret=Secret())
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: source_of(app))
        await pilot.press("1", "g", "L")
        await until(pilot, lambda: "KITE_API_SECRET" in read_screen(app))
        assert "[sources.zerodha]" in read_screen(app)


async def test_the_address_is_copied_and_the_line_for_commands_opens_it_too(make, read_screen) -> None:
    app = make()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: source_of(app))
        page = await open_page(app, pilot)
        await pilot.press("y")
        assert app.clipboard == page
        await pilot.press("escape", "colon", *"login yahoo", "enter")
        await until(pilot, lambda: "yahoo has no login that ends" in read_screen(app))
        await pilot.press("colon", *"login zerodha s3cret", "enter")
        await until(pilot, lambda: isinstance(app.screen, LoginScreen))
        await pilot.press("escape", "colon", "up")
        assert ":login zerodha" in read_screen(app)
        assert "s3cret" not in read_screen(app), "and the history keeps none of it"


async def test_who_may_only_look_logs_nobody_in(make, read_screen) -> None:
    app = make(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: source_of(app))
        await pilot.press("1", "g", "L")
        await pilot.pause()
        assert app.screen is app.desk
