"""What a dead primary costs: once its breaker is open, and on the call that finds out."""

import asyncio
import socket
import time
from statistics import median

import httpx
import msgspec
from mds_engine.config.schema import Config
from mds_engine.engine import Engine
from mds_engine.errors import AllSourcesFailedError
from mds_engine.model import Capability
from mds_engine.policy.breaker import BreakerState
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.requests import QuoteRequest
from mds_engine.sources.binance import plugin

from benchmarks.loopback_server import loopback_server
from benchmarks.null_source import INSTRUMENT, null_route
from benchmarks.quote_over_http import http_config
from benchmarks.report import Row
from benchmarks.timing import Call, Times, measure_calls, measure_each

ABOUT = "a dead primary, against a healthy one"
NULL_ROUNDS, NULL_CALLS = 201, 200
HTTP_ROUNDS, FIRST_CALLS = 500, 60
_PLUGINS = {"binance": plugin}
_QUOTE = "BINANCE:BTCUSDT"
_FIRST = ("healthy", "connect", "plain connect", "found out")


async def run() -> list[Row]:
    """The rows."""
    null = await _on_null_sources()
    with loopback_server() as url:
        http = await _over_http(url)
        refused = await _first_calls(url)
    found_out_s, healthy_s = refused.seconds("found out"), refused.seconds("healthy")
    connect_s, plain_s = refused.seconds("connect"), refused.seconds("plain connect")
    return [
        Row(what="breaker open, over HTTP: engine.quote, times as long as with a healthy primary",
            value=http.ratio("open", "healthy"), at_most=1.5,
            note=f"healthy {http.micro('healthy')}, open {http.micro('open')}"),
        Row(what="breaker open, null sources, the route's active source still the dead one: times as long",
            value=null.ratio("open", "healthy"), at_most=1.5,
            note=f"healthy {null.micro('healthy')}, open {null.micro('open')}"),
        Row(what="breaker open, null sources, the route moved on as the engine does: times as long",
            value=null.ratio("moved", "healthy"), at_most=1.5, note=null.micro("moved")),
        Row(what="first call that is refused, less one refused connect by httpx: times a healthy call",
            value=(found_out_s - connect_s) / healthy_s, at_most=2.0,
            note=f"first {found_out_s * 1e6:.0f} us, connect {connect_s * 1e6:.0f} us,"
                 f" healthy {healthy_s * 1e6:.0f} us; of {FIRST_CALLS} engines"),
        Row(what="the same, less one refused connect by asyncio alone",
            value=(found_out_s - plain_s) / healthy_s, note=f"connect {plain_s * 1e6:.0f} us"),
    ]  # fmt: skip


async def _on_null_sources() -> Times:
    sweeper = DeadlineSweeper(asyncio.get_running_loop())
    contenders: dict[str, Call] = {}
    for name, dead, moving in (("healthy", False, True), ("open", True, False), ("moved", True, True)):
        router, route = null_route(sweeper, moving=moving)
        if dead:
            route.units[0].breaker.trip(time.monotonic(), "bench")

        async def call(router=router, route=route) -> object:  # noqa: ANN001
            return await router.call(route, QuoteRequest((INSTRUMENT,)), deadline=time.monotonic() + 10.0)

        contenders[name] = call
    times = await measure_calls(contenders, rounds=NULL_ROUNDS, calls=NULL_CALLS)
    sweeper.close()
    return times


async def _over_http(url: str) -> Times:
    """Two engines side by side: both sources of the one answer, the other's primary refuses."""
    async with (
        Engine(_two(url, url), _PLUGINS) as healthy,
        Engine(_two(_refusing_url(), url), _PLUGINS) as hurt,
    ):
        breaker = hurt.sources["first"].units[Capability.QUOTE].breaker
        while breaker.state(time.monotonic()) is not BreakerState.OPEN:
            await hurt.quote(_QUOTE)
        times = await measure_each(
            {"healthy": lambda: healthy.quote(_QUOTE), "open": lambda: hurt.quote(_QUOTE)},
            rounds=HTTP_ROUNDS,
        )
        if breaker.state(time.monotonic()) is not BreakerState.OPEN:
            raise ValueError("the breaker was open no longer: the rounds took too long")
    return times


async def _first_calls(url: str) -> Times:
    """Engines that have never called their primary, which refuses; one first call each."""
    times: dict[str, list[float]] = {name: [] for name in _FIRST}
    for _ in range(FIRST_CALLS):
        dead = _refusing_url()
        async with Engine(_two(dead, url), _PLUGINS) as engine:
            times["healthy"].append(median([await _seconds(engine, source="second") for _ in range(9)]))
            times["connect"].append(await _httpx_connect_s(dead))
            times["plain connect"].append(await _connect_s(dead))
            times["found out"].append(await _seconds(engine))
    return Times(times)


async def _seconds(engine: Engine, source: str | None = None) -> float:
    began = time.perf_counter()
    quote = await engine.quote(_QUOTE, source=source)
    took = time.perf_counter() - began
    if quote.source != "second":
        raise AllSourcesFailedError("the wrong source answered", decision=quote.decision)
    return took


async def _httpx_connect_s(url: str) -> float:
    """One connect that is refused, by the transport that a source uses."""
    async with httpx.AsyncHTTPTransport(verify=False, trust_env=False) as transport:
        began = time.perf_counter()
        try:
            await transport.handle_async_request(httpx.Request("GET", url))
        except httpx.ConnectError:
            return time.perf_counter() - began
    raise ValueError(f"{url} was not refused")


async def _connect_s(url: str) -> float:
    """One connect that is refused, by asyncio itself."""
    host, _, port = url.removeprefix("http://").partition(":")
    began = time.perf_counter()
    try:
        await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return time.perf_counter() - began
    raise ValueError(f"{url} was not refused")


def _two(first: str, second: str) -> Config:
    """Two sources of one route, in that order."""
    configs = {"first": http_config(first), "second": http_config(second)}
    sources = {name: config.sources["binance"] for name, config in configs.items()}
    return msgspec.structs.replace(configs["first"], sources=sources)


def _refusing_url() -> str:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
