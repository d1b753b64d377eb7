"""A check is passed by the vendor's own answer, not by whatever comes with status 200."""

from typing import Any

import pytest
from aiohttp import web
from mds_engine.config.secret import Secret
from mds_engine.errors import InvalidPayload
from mds_engine.simulator.server import Simulator
from mds_engine.sources import alphavantage, binance, kite, yahoo

PLUGINS = {"alphavantage": alphavantage, "binance": binance, "kite": kite, "yahoo": yahoo}


def source_at(vendor: str, url: str, context: Any) -> Any:
    plugin = PLUGINS[vendor].plugin
    secrets = {"api_key", "access_token", "api_secret"} & set(plugin.settings.__struct_fields__)
    keys = {name: Secret("simulated") for name in secrets}
    return plugin.create(plugin.settings(kind=vendor, endpoints=(url,), timeout_s=5.0, **keys), context)


@pytest.mark.parametrize("vendor", PLUGINS)
@pytest.mark.parametrize("body", ['{"cut', '"maintenance"', "[]", "", "<p>hello</p>"])
async def test_garbage_with_status_200_fails_the_check(context, vendor, body) -> None:
    application = web.Application()
    garbage = False

    async def answer(request: web.Request) -> web.Response:
        if not garbage:
            return web.json_response({"rateLimits": []})
        return web.Response(text=body, content_type="application/json")

    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        source = source_at(vendor, "http://{}:{}".format(*runner.addresses[0][:2]), context)
        await source.connect()
        try:
            if vendor == "binance":
                await source.check()  # the first asks for the limits, the next ones only ping
            garbage = True
            with pytest.raises(InvalidPayload):
                await source.check()
        finally:
            await source.close()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("vendor", PLUGINS)
async def test_the_vendors_own_answer_passes(context, vendor) -> None:
    async with Simulator(vendors=[vendor]) as simulator:
        source = source_at(vendor, simulator.vendor(vendor).http, context)
        await source.connect()
        try:
            for _ in range(2):
                await source.check()
        finally:
            await source.close()
