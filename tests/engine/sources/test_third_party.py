"""A vendor from another distribution: docs/adding-a-vendor.md, done for real."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGE = REPOSITORY / "tests" / "plugins" / "mds-source-coinpaper"

USE_IT = """
    import asyncio, json, sys
    from mds_engine.clock import SystemClock
    from mds_engine.config.secret import Secret
    from mds_engine.errors import SourceError
    from mds_engine.model import Instrument
    from mds_engine.sources.plugins import find_plugins

    class Context:
        name = "coins"
        clock = SystemClock()

    async def main() -> None:
        plugins = find_plugins()
        plugin = plugins["coinpaper"]
        settings = plugin.settings(endpoints=(sys.argv[1],), token=Secret("open sesame"))
        source = plugin.create(settings, Context())
        await source.connect()
        asked = [Instrument.parse(text) for text in sys.argv[2:]]
        try:
            await source.check()
            quotes = await source.quotes(asked)
            answer = {str(instrument): quote.price for instrument, quote in quotes.items()}
        except SourceError as error:
            answer = {"class": error.class_name, "raw": error.raw}
        await source.close()
        print(json.dumps({"kinds": sorted(plugins), "title": plugin.title, "answer": answer}))

    asyncio.run(main())
"""

STREAM_IT = """
    import asyncio, json, sys
    from mds_engine.config.load import parse_config
    from mds_engine.engine import Engine
    from mds_engine.model import Tick, TickFlag
    from mds_engine.sources.plugins import find_plugins

    CONFIG = '''
    [engine]
    state_path = ":memory:"
    [sources.coins]
    kind = "coinpaper"
    token = "open sesame"
    endpoints = ["{url}"]
    [routes.CRYPTO]
    sources = ["coins"]
    '''

    async def main() -> None:
        plugins = find_plugins()
        config = parse_config(CONFIG.format(url=sys.argv[1]), plugins, {}).config
        async with Engine(config, plugins) as engine, engine.ticks(sys.argv[2:]) as ticks:
            async for item in ticks:
                if isinstance(item, Tick):
                    flags = [flag.name for flag in TickFlag(item.flags)]
                    told = [str(item.instrument), item.price, item.time_ns, item.source, flags]
                    print(json.dumps({"tick": told}))
                    return

    asyncio.run(main())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package, installed by pip into a folder of its own, without a network."""
    target = tmp_path_factory.mktemp("third-party")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(PACKAGE)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return target


@pytest.fixture
async def coinpaper() -> AsyncIterator[str]:
    """The vendor on loopback: knows bitcoin, wants its token."""

    async def handle(request: web.Request) -> web.Response:
        if request.headers.get("X-Token") != "open sesame":
            return web.Response(status=401)
        known = {"BTC": {"usd": "67000.10", "at": 1718200000}}
        asked = request.query["coins"].split(",")
        if "HONEYPOT" in asked:
            return web.Response(status=429, text="open sesame was used too often")
        return web.json_response({"prices": {coin: known[coin] for coin in asked if coin in known}})

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def use(installed: Path, url: str, *instruments: str, script: str = USE_IT) -> dict[str, Any]:
    """What a process that finds the installed package gets from it."""
    import asyncio

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(script),
        url,
        *instruments,
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    answer: dict[str, Any] = json.loads(output)
    return answer


async def test_an_installed_package_is_found_beside_the_engines_own_vendors(
    installed: Path, coinpaper: str
) -> None:
    found = await use(installed, coinpaper, "CRYPTO:BTC-USD", "CRYPTO:NOBODY-USD")
    assert {"alphavantage", "coinpaper", "yahoo"} <= set(found["kinds"])
    assert found["title"] == "Coinpaper"
    assert found["answer"] == {"CRYPTO:BTC-USD": 67000.10}


async def test_its_failures_are_the_engines_classes_and_show_no_secret(
    installed: Path, coinpaper: str
) -> None:
    found = await use(installed, coinpaper, "CRYPTO:HONEYPOT-USD")
    assert found["answer"] == {"class": "Throttled", "raw": "*** was used too often"}


async def test_its_quotes_are_polled_because_it_says_so_in_one_line(installed: Path, coinpaper: str) -> None:
    found = await use(installed, coinpaper, "CRYPTO:BTC-USD", "CRYPTO:NOBODY-USD", script=STREAM_IT)
    assert found["tick"] == ["CRYPTO:BTC-USD", 67000.10, 1718200000 * 10**9, "coins", ["POLLED"]]


def test_the_page_shows_the_package_as_it_is() -> None:
    page = (REPOSITORY / "docs" / "adding-a-vendor.md").read_text()
    shown = re.findall(r"^```(?:python|toml)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    sources = (PACKAGE / "mds_source_coinpaper" / "__init__.py").read_text() + (
        PACKAGE / "pyproject.toml"
    ).read_text()
    assert shown
    for piece in shown:
        assert piece in sources, f"docs/adding-a-vendor.md shows what the example does not hold:\n{piece}"
