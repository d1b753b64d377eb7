"""What guarding a call costs: deadline, decision trace, limiter, breakers, metrics and account."""

import asyncio
import time

import stamina
from aiolimiter import AsyncLimiter
from mds_engine.engine import Engine
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.requests import QuoteRequest
from prometheus_client import CollectorRegistry, Counter, Histogram
from purgatory import AsyncCircuitBreakerFactory

from benchmarks.null_source import INSTRUMENT, PLUGINS, NullSource, null_config, null_route
from benchmarks.report import Row
from benchmarks.timing import Call, measure_calls

ABOUT = "a guarded call on a null source, against the same guards from libraries"
ROUNDS, CALLS = 301, 200
_INSTRUMENTS = (INSTRUMENT,)


async def run() -> list[Row]:
    """The rows."""
    bare = NullSource()

    async def bare_await() -> object:
        return await bare.quotes(_INSTRUMENTS)

    sweeper = DeadlineSweeper(asyncio.get_running_loop())
    router, route = null_route(sweeper)

    async def ours() -> object:
        return await router.call(route, QuoteRequest(_INSTRUMENTS), deadline=time.monotonic() + 10.0)

    async with Engine(null_config(), PLUGINS) as engine:

        async def whole_engine() -> object:
            return await engine.quote(INSTRUMENT)

        contenders = {
            "bare": bare_await,
            "ours": ours,
            "libraries": await _from_libraries(bare, deadline=True, retry=True),
            "without retry": await _from_libraries(bare, deadline=True, retry=False),
            "engine": whole_engine,
        }
        times = await measure_calls(contenders, rounds=ROUNDS, calls=CALLS)
    sweeper.close()
    beside = f"bare await {times.micro('bare')}, ours {times.micro('ours')}"
    return [
        Row(what="guarded call over a bare await", value=times.above("ours", "bare") * 1e6, unit="us",
            at_most=6.0, note=beside),
        Row(what="how much faster than purgatory + aiolimiter + stamina + prometheus_client",
            value=times.ratio("libraries", "ours"), at_least=4.0,
            note=f"they {times.micro('libraries')}, with asyncio.timeout, without a decision trace"),
        Row(what="the same without stamina", value=times.ratio("without retry", "ours"),
            note=f"they {times.micro('without retry')}"),
        Row(what="engine.quote on the null source over a bare await (route, coalescing, signed quote)",
            value=times.above("engine", "bare") * 1e6, unit="us", note=f"{times.micro('engine')}"),
    ]  # fmt: skip


async def _from_libraries(source: NullSource, *, deadline: bool, retry: bool) -> Call:
    """One source's guards as documented; labels and breaker are looked up beforehand."""
    breaker = await AsyncCircuitBreakerFactory(default_threshold=5, default_ttl=60).get_breaker("null")
    limiter = AsyncLimiter(60_000_000, 60.0)
    registry = CollectorRegistry()
    seconds = Histogram("call_seconds", "Latency", ["source"], registry=registry).labels("null")
    calls = Counter("calls", "Calls", ["source", "outcome"], registry=registry).labels("null", "ok")

    async def attempt() -> object:
        async with limiter, breaker:
            with seconds.time():
                answer = await source.quotes(_INSTRUMENTS)
        calls.inc()
        return answer

    tried = stamina.retry(on=OSError, attempts=2)(attempt) if retry else attempt

    async def call() -> object:
        if not deadline:
            return await tried()
        async with asyncio.timeout(10.0):
            return await tried()

    return call
