"""A vendor that answers at once from memory, so that only the engine's own work is measured."""

import random
from collections.abc import Mapping, Sequence

from mds_engine.clock import SystemClock
from mds_engine.config.schema import Config, EngineSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.control.route_key import RouteKey
from mds_engine.model import Capability, Instrument, Quote
from mds_engine.policy.limiter import LimitWindow
from mds_engine.routing.deadlines import DeadlineSweeper
from mds_engine.routing.failover import Failover
from mds_engine.routing.route import Route
from mds_engine.routing.router import Router
from mds_engine.sources.contract import RequestCost, Source, SourceContext, SourcePlugin
from mds_engine.wiring import make_route, make_runtime

INSTRUMENT = Instrument("NULL", "ANY")
_WINDOWS = (LimitWindow(60_000_000, 60.0), LimitWindow(2_000_000, 1.0))
_COST = RequestCost("default", 1)


class NullSource(Source):
    """Two limits, as vendors have them, which it never reaches."""

    capabilities = frozenset({Capability.QUOTE})

    def __init__(self) -> None:
        self._answer = {INSTRUMENT: Quote(instrument=INSTRUMENT, price=1.0)}

    def limits(self) -> Mapping[str, Sequence[LimitWindow]]:
        return {"default": _WINDOWS}

    def cost(self, capability: Capability, instruments: int) -> RequestCost:  # noqa: ARG002
        return _COST

    def serves(self, capability: Capability, instrument: Instrument) -> bool:  # noqa: ARG002
        return capability is Capability.QUOTE

    async def connect(self) -> None:
        return

    async def close(self) -> None:
        return

    async def check(self) -> None:
        return

    async def quotes(self, instruments: Sequence[Instrument]) -> dict[Instrument, Quote]:  # noqa: ARG002
        return self._answer


def _create(_settings: SourceSettings, _context: SourceContext) -> NullSource:
    return NullSource()


PLUGINS = {"null": SourcePlugin(kind="null", title="Null", settings=SourceSettings, create=_create)}


def null_config(names: Sequence[str] = ("first", "second", "third")) -> Config:
    """Sources of that kind with the engine's defaults; nothing is kept on disk."""
    settings = SourceSettings(kind="null", calls_per_day=0)
    return Config(
        engine=EngineSettings(name="bench", state_path=":memory:"),
        sources=dict.fromkeys(names, settings),
    )


def null_route(sweeper: DeadlineSweeper, *, moving: bool = True) -> tuple[Router, Route]:
    """What the engine would make of three such sources: the whole guarded call, no engine around it.

    Without `moving` the active source stays the first, even where it is out.
    """
    clock, config, chance = SystemClock(), null_config(), random.Random(1)
    runtimes = {
        name: make_runtime(name, settings, config, PLUGINS, clock=clock, emit=_nobody, random=chance)
        for name, settings in config.sources.items()
    }
    failover = Failover(config.failback, clock=clock, emit=_nobody, moved=_nobody)
    router = Router(
        clock=clock,
        sweeper=sweeper,
        retry=config.retry,
        panic=config.panic,
        failback=config.failback,
        hedging=config.hedging,
        random=chance,
        on_answer=failover.answered if moving else _nobody,
        on_failure=failover.all_failed,
    )
    return router, make_route(RouteKey(Capability.QUOTE, INSTRUMENT.exchange), config, runtimes)


def _nobody(*_what: object) -> None:
    """Nobody listens."""
