"""A picture with something of everything, and the events that led there."""

import msgspec
from mds_engine.control import Decision, Event, Snapshot, Step, Verdict
from mds_engine.control.commands import Pin, Unpin
from mds_engine.control.events import (
    BreakerHalfOpened,
    BreakerOpened,
    CommandApplied,
    EngineStarted,
    FailedOver,
    QuotaSpent,
    SourceConnected,
    StreamConnected,
)
from mds_engine.control.snapshot import (
    BreakerView,
    CapabilityView,
    EndpointView,
    EngineView,
    LimiterView,
    MeterView,
    MoneyView,
    RouteView,
    SourceState,
    SourceView,
    WatchRow,
)

AT = 1_790_000_000.0
"""When it is, in epoch seconds."""


def breaker(capability: str = "", state: str = "closed", **more: object) -> BreakerView:
    """A breaker with five good outcomes."""
    return BreakerView(**{"capability": capability, "state": state, "recent": (True,) * 5, **more})


def series(level: float, seed: int) -> tuple[float | None, ...]:
    """Sixty plausible values."""
    return tuple(level * (0.7 + ((index * 7 + seed * 13) % 11) / 18) for index in range(60))


def capability(name: str, p99_ms: float | None, seed: int = 1, **more: object) -> CapabilityView:
    """One capability."""
    values: dict[str, object] = {
        "capability": name,
        "breaker": breaker(name),
        "calls": 1200,
        "p50_ms": p99_ms / 3 if p99_ms else None,
        "p95_ms": p99_ms * 0.8 if p99_ms else None,
        "p99_ms": p99_ms,
        "p50_series_ms": series(p99_ms / 3, seed + 1) if p99_ms else (),
        "p95_series_ms": series(p99_ms * 0.8, seed + 2) if p99_ms else (),
        "p99_series_ms": series(p99_ms, seed) if p99_ms else (),
    }
    return CapabilityView(**{**values, **more})


def source(name: str, state: SourceState = SourceState.READY, **more: object) -> SourceView:
    """One source."""
    values: dict[str, object] = {
        "name": name,
        "kind": name,
        "state": state,
        "why": "",
        "enabled": state is not SourceState.DISABLED,
        "health": "healthy",
        "score": 1.0,
        "breaker": breaker(),
        "capabilities": (
            capability("quote", 64.0),
            capability("bars", 91.0, 2),
            capability("ticks", 12.0, 3),
        ),
        "age_s": 0.2,
        "p50_ms": 18.0,
        "p99_ms": 64.0,
        "error_percent": 0.0,
        "ticks_per_s": 812.0,
        "calls": 3600,
        "simulated": True,
    }
    return SourceView(**{**values, **more})


def route(key: str, *sources: str, active: str | None = "", **more: object) -> RouteView:
    """One route; the active source is the primary unless told otherwise."""
    exchange, _, name = key.partition("/")
    chosen = sources[0] if active == "" else active
    later = [other for other in sources if other != chosen]
    values: dict[str, object] = {
        "key": key,
        "exchange": exchange,
        "capability": name,
        "sources": sources,
        "active": chosen,
        "degraded": chosen != sources[0],
        "next_source": later[0] if later else None,
        "calls": 420,
    }
    return RouteView(**{**values, **more})


def rich_snapshot() -> Snapshot:
    """A bad quarter of an hour: one source spent, one trying, one route forced."""
    sources = (
        source(
            "kite",
            SourceState.ACTIVE,
            why="answers NSE/ticks",
            limiters=(
                LimiterView(group="quote", limit=1, window_s=1.0, used=0),
                LimiterView(group="historical", limit=3, window_s=1.0, used=2),
            ),
            money=(MoneyView(currency="INR", today="17", month="410"),),
            endpoints=(EndpointView(url="http://127.0.0.1:9001", active=True),),
        ),
        source(
            "yahoo",
            SourceState.TRYING,
            why="half-open: 2 of 3 probes passed",
            health="degraded",
            score=0.61,
            breaker=breaker(
                "quote",
                "half-open",
                probes_passed=2,
                probes_needed=3,
                recent=(False, False, True, False, True),
                why="5 failures in a row",
            ),
            capabilities=(
                capability(
                    "quote",
                    2100.0,
                    5,
                    failures=31,
                    breaker=breaker("quote", "half-open", why="5 failures in a row", opened=2),
                ),
                capability("bars", 640.0, 6),
            ),
            age_s=11.4,
            p50_ms=420.0,
            p99_ms=2100.0,
            error_percent=3.1,
            ticks_per_s=2.0,
            last_error="Unavailable: connection reset by peer",
            last_error_at=AT - 41,
        ),
        source(
            "binance",
            SourceState.ACTIVE,
            why="answers BINANCE/quote, BINANCE/bars, BINANCE/ticks",
            p50_ms=41.0,
            p99_ms=112.0,
            ticks_per_s=3911.0,
            age_s=0.1,
            limiters=(LimiterView(group="default", limit=6000, window_s=60.0, used=372),),
            endpoints=(
                EndpointView(url="http://127.0.0.1:9002", active=True),
                EndpointView(url="http://127.0.0.1:9003", active=False, failures=2, retry_in_s=12.0),
            ),
        ),
        source(
            "alphavantage",
            SourceState.OUT,
            why="quota spent: 25 calls a day, back at 04:30",
            age_s=182.0,
            p50_ms=None,
            p99_ms=None,
            error_percent=None,
            ticks_per_s=0.0,
            capabilities=(capability("quote", None), capability("bars", None)),
            meters=(
                MeterView(
                    meter="calls", period="day", used=25, limit=25, resets_at=AT + 51_000, state="exhausted"
                ),
            ),
            money=(MoneyView(currency="USD", today="3.90", month="41"),),
        ),
    )
    decision = Decision(
        4711,
        "NSE/quote",
        "NSE:RELIANCE",
        AT - 3,
        38.2,
        "yahoo",
        (
            Step("kite", Verdict.FAILED, "connection reset by peer", "Unavailable", 12.1),
            Step("yahoo", Verdict.TAKEN, "", "", 26.1),
            Step("alphavantage", Verdict.SKIPPED, "quota spent until 04:30"),
        ),
    )
    routes = (
        route("NSE/quote", "kite", "yahoo", "alphavantage", active="yahoo", last_decision=decision),
        route(
            "NSE/bars",
            "kite",
            "yahoo",
            active="yahoo",
            pinned="yahoo",
            pinned_for_s=760.0,
            pin_why="kite gaps",
        ),
        route("NSE/ticks", "kite", "yahoo", instruments=812),
        route("NASDAQ/quote", "yahoo", "alphavantage", next_source=None),
        route("NASDAQ/bars", "yahoo", "alphavantage", active=None),
        route("BINANCE/quote", "binance"),
        route("BINANCE/bars", "binance"),
        route("BINANCE/ticks", "binance", instruments=2),
    )
    watch = (
        row("NSE:NIFTY 50", 24812.35, 0.42),
        row("NSE:RELIANCE", 2951.0, 1.02),
        row("NSE:INFY", 1498.55, -0.18, age_s=0.4),
        row("BINANCE:BTCUSDT", 97412.11, -0.73, source="binance", age_s=0.1),
        row("BINANCE:ETHUSDT", 3318.6, -1.2, source="binance", age_s=0.1),
        row("BINANCE:DOGEUSDT", 0.3821, 2.4, source="binance", age_s=0.1),
        row("SSE:贵州茅台", 1688.0, 0.05, source="sina", age_s=1.0),
        row("NASDAQ:AAPL", 231.4, 0.2, source="yahoo", age_s=11.4, backup=True),
        WatchRow(instrument="NASDAQ:MSFT", problem="no source of NASDAQ/ticks can serve it"),
    )
    engine = EngineView(
        name="desk-in",
        started_at=AT - 4000,
        uptime_s=4000.0,
        ticks_per_s=4812.0,
        loop_lag_ms=3.1,
        simulated=True,
        last_event=8,
    )
    return Snapshot(at=AT, engine=engine, sources=sources, routes=routes, watch=watch)


def row(instrument: str, price: float, change: float, **more: object) -> WatchRow:
    """One watched instrument."""
    values: dict[str, object] = {
        "instrument": instrument,
        "price": price,
        "change_percent": change,
        "source": "kite",
        "age_s": 0.2,
        "bid": price * 0.99999,
        "ask": price * 1.00001,
        "volume": 1_234_567.0,
        "ticks": 900,
    }
    return WatchRow(**{**values, **more})


def rich_events() -> tuple[Event, ...]:
    """What led there."""
    happened: tuple[Event, ...] = (
        EngineStarted(sources=("kite", "yahoo", "binance", "alphavantage"), routes=("NSE/quote",)),
        SourceConnected(source="kite"),
        StreamConnected(source="kite", instruments=812),
        QuotaSpent(source="alphavantage", why="25 calls a day", resets_at=AT + 51_000),
        BreakerOpened(source="yahoo", capability="quote", open_for_s=60.0, why="5 failures in a row"),
        FailedOver(
            route="NSE/quote", before="kite", after="yahoo", why="connection reset by peer", took_ms=38.0
        ),
        BreakerHalfOpened(source="yahoo", capability="quote"),
        CommandApplied(
            command=Pin(route="NSE/bars", source="yahoo", by="asha", why="kite gaps"),
            message="forced NSE/bars to yahoo for 15 min",
            reverse=Unpin(route="NSE/bars"),
        ),
    )
    return tuple(
        msgspec.structs.replace(event, number=number, at=AT - 300 + number * 30)
        for number, event in enumerate(happened, 1)
    )
