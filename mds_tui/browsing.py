"""Opening an address in a browser, without a wait and without harm to the screen."""

import asyncio
import sys
from collections.abc import Mapping

_BEGUN_WITHIN_S = 10.0


async def open_in_browser(address: str, environment: Mapping[str, str]) -> str:
    """Open it; returns why that cannot be done here, in a sentence, or nothing.

    Over SSH a browser would open on the far machine, and one that is made for
    terminals would take this one away: neither is begun.
    """
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return "over SSH a browser would open at the far end; copy the address, or read the code with a phone"
    why = await asyncio.to_thread(_obstacle)
    if why:
        return why
    # In a process that has no terminal: what a browser prints does not get onto the screen.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "webbrowser",
        address,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_BEGUN_WITHIN_S):
            code = await process.wait()
    except TimeoutError:
        return ""  # it runs for as long as its browser does
    return "" if code == 0 else "the browser could not be opened; copy the address instead"


def _obstacle() -> str:
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return "no browser is found here; copy the address, or read the code with a phone"
    if type(browser) is webbrowser.GenericBrowser:
        return "the only browser here is one for terminals; copy the address, or read the code with a phone"
    return ""
