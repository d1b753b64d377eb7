"""The whole of engine.quote over HTTP, against the same request by bare httpx with the same decoding."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
from mds_engine.config.schema import Config, EngineSettings
from mds_engine.engine import Engine
from mds_engine.model import Quote
from mds_engine.sources.binance import plugin
from mds_engine.sources.binance.decode_rest import decode_tickers
from mds_engine.sources.binance.settings import BinanceSettings

from benchmarks.loopback_server import loopback_server
from benchmarks.report import Row
from benchmarks.timing import Times, measure_each, quiet_heap

ABOUT = "engine.quote over HTTP to a loopback server, against bare httpx, both decoding to quotes"
ROUNDS = 800
CALLERS, CALLS_A_CALLER, CROWD_ROUNDS = 64, 6, 7
HEADERS = {"accept-encoding": "gzip, deflate", "user-agent": "mds-engine"}
_DIRECT = httpx.AsyncHTTPTransport

Ask = Callable[[str], Awaitable[object]]


def http_config(url: str, **settings: object) -> Config:
    """One Binance at `url`, its limits out of the way."""
    binance = BinanceSettings(
        kind="binance",
        endpoints=(url,),
        stream_endpoints=(url.replace("http:", "ws:"),),
        rate_limit=60_000_000,
        rate_window_s=60.0,
        **settings,  # type: ignore[arg-type]
    )
    return Config(
        engine=EngineSettings(name="bench", state_path=":memory:"),
        sources={"binance": binance},
    )


async def run() -> list[Row]:
    """The rows."""
    with loopback_server() as url:
        async with (
            Engine(http_config(url), {"binance": plugin}) as engine,
            httpx.AsyncClient(headers=HEADERS, trust_env=False) as client,
            _DIRECT(trust_env=False) as transport,
        ):

            async def bare(symbol: str) -> Quote:
                reply = await client.get(f"{url}/api/v3/ticker/24hr", params={"symbol": symbol})
                reply.raise_for_status()
                return decode_tickers(reply.content)[0]

            async def under_the_client(symbol: str) -> Quote:
                request = httpx.Request("GET", f"{url}/api/v3/ticker/24hr?symbol={symbol}", headers=HEADERS)
                reply = await transport.handle_async_request(request)
                return decode_tickers(await reply.aread())[0]

            async def ours(symbol: str) -> Quote:
                return await engine.quote(f"BINANCE:{symbol}")

            contenders: dict[str, Ask] = {"httpx": bare, "transport": under_the_client, "ours": ours}
            times = await measure_each(
                {name: lambda ask=ask: ask("BTCUSDT") for name, ask in contenders.items()}, rounds=ROUNDS
            )
            crowd = await _crowds({"httpx": bare, "ours": ours})
    return [
        Row(what="engine.quote, times as long as httpx.AsyncClient.get", value=times.ratio("ours", "httpx"),
            at_most=1.05, note=f"httpx {times.micro('httpx')}, ours {times.micro('ours')}"),
        Row(what="the same against httpx's transport without its client, which ours uses too",
            value=times.ratio("ours", "transport"), note=f"transport {times.micro('transport')}"),
        Row(what=f"{CALLERS} callers at once, distinct instruments, times as many quotes a second",
            value=crowd.ratio("httpx", "ours"), at_least=1.8,
            note=f"httpx with its default pool {1 / crowd.seconds('httpx'):.0f}/s,"
                 f" ours on its default of 3 connections {1 / crowd.seconds('ours'):.0f}/s"),
    ]  # fmt: skip


async def _crowds(contenders: dict[str, Ask]) -> Times:
    """Seconds a call when many ask at once."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    with quiet_heap():
        for number in range(CROWD_ROUNDS + 1):
            for name, ask in contenders.items():
                began = time.perf_counter()
                await asyncio.gather(*(_caller(ask, f"S{caller}USDT") for caller in range(CALLERS)))
                took = time.perf_counter() - began
                if number:
                    times[name].append(took / (CALLERS * CALLS_A_CALLER))
    return Times(times)


async def _caller(ask: Ask, symbol: str) -> None:
    for _ in range(CALLS_A_CALLER):
        await ask(symbol)
