"""One engine and the browsers that look at it, from the first page to the end in order."""

import asyncio
import errno
import signal
import sys
from typing import NamedTuple

from aiohttp import web
from mds_engine.attached_server import AttachedScreens
from mds_engine.link import EngineLink

from mds_tui.cli.exits import say
from mds_tui.web.guard import Guard, is_loopback
from mds_tui.web.server import WebConsole
from mds_tui.web.tab_settings import TabSettings

_LOOK_EVERY_S = 1.0
_PAGES_END_WITHIN_S = 1.0


class Place(NamedTuple):
    """Where it listens, and what may be done there."""

    host: str
    port: int
    """0 is any that is free."""
    may_act: bool


class CannotListenError(Exception):
    """One sentence that says why, and what to do."""


async def serve(link: EngineLink, guard: Guard, settings: TabSettings, place: Place) -> None:
    """Start the engine behind `link` and serve its console until SIGINT, SIGTERM or SIGHUP; then end all.

    The address is printed. Raises CannotListenError, before the engine is started.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    console = WebConsole(AttachedScreens(link), guard, settings, may_act=place.may_act)
    runner = web.AppRunner(
        console.application(), access_log=None, shutdown_timeout=_PAGES_END_WITHIN_S, handle_signals=False
    )
    await runner.setup()
    telling = None
    try:
        port = await _listen(runner, place)
        link.start()
        _tell(guard, place, port)
        telling = asyncio.create_task(_tell_failures(link), name="tell of the engine")
        await stopped.wait()
        for site in list(runner.sites):
            await site.stop()
        await console.end_tabs()
    finally:
        if telling is not None:
            telling.cancel()
        await runner.cleanup()
        await asyncio.to_thread(link.close)


async def _listen(runner: web.AppRunner, place: Place) -> int:
    """The port."""
    site = web.TCPSite(runner, place.host, place.port)
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            words = f"port {place.port} of {place.host} is taken; give another with --port"
        else:
            words = f"cannot listen on {place.host}, port {place.port}: {error.strerror or error}"
        raise CannotListenError(words) from None
    return int(runner.addresses[0][1])


def _tell(guard: Guard, place: Place, port: int) -> None:
    host = f"[{place.host}]" if ":" in place.host else place.host
    token = "TOKEN" if guard.chosen else guard.token.reveal()
    print(f"http://{host}:{port}/?token={token}")  # noqa: T201 - the verb's one line of output
    sys.stdout.flush()
    if guard.chosen:
        say("TOKEN is the one that was configured")
    if not is_loopback(place.host):
        say(
            f"warning: {place.host} is reached from elsewhere: whoever has the token sees everything"
            f"{' and can change it' if place.may_act else ''}, and without TLS in front, "
            "whoever is on the way has the token"
        )
    acting = "browsers may act" if place.may_act else "browsers are read-only"
    say(f"{acting}; Ctrl+C ends them and the engine")


async def _tell_failures(link: EngineLink) -> None:
    told = None
    while True:
        failure = link.failure()
        if failure is not None and failure != told:
            say(f"the engine stopped: {failure}")
        told = failure
        await asyncio.sleep(_LOOK_EVERY_S)
