"""Rehearses a fault of live streams: readers read, phase after phase of faults, then the judges are asked."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from mds_engine.clock import Clock, SystemClock
from mds_engine.config.simulated import SimulatorAddress
from mds_engine.control import events
from mds_engine.control.snapshot import Snapshot
from mds_engine.drills.scorecard import Scorecard
from mds_engine.drills.staging import configure, until_ready
from mds_engine.drills.stream_accounts import Received, trades_of
from mds_engine.drills.stream_evidence import StreamEvidence
from mds_engine.drills.stream_scenarios import STREAM_PAIR, Phase, StreamScenario
from mds_engine.drills.traffic import Traffic
from mds_engine.engine import Engine
from mds_engine.simulator.binance import BinanceVendor
from mds_engine.simulator.binance.streams import StreamRules
from mds_engine.simulator.faults import ActiveFault
from mds_engine.simulator.server import Simulator
from mds_engine.simulator.truth import expected_trades
from mds_engine.sources.contract import SourcePlugin
from mds_engine.streams.reader import TickReader

_LOOK_EVERY_S = 0.02
_WARM_WITHIN_S = 15.0
_BACK_WITHIN_S = 10.0
_ENOUGH_TRADES = 5
_STALLED_QUEUE = 100
_CALLS_APART_S = 0.125

_Binance = partial(BinanceVendor, rules=StreamRules(step_s=0.01))
"""Sends each trade soon after it happened, so that what is late was made late by us."""


class StreamRehearsal:
    """One drill of live ticks under way."""

    def __init__(
        self,
        scenario: StreamScenario,
        plugins: Mapping[str, SourcePlugin],
        seed: int,
        clock: Clock,
    ) -> None:
        self._scenario = scenario
        self._stage = STREAM_PAIR
        self._plugins = plugins
        self._seed = seed
        self._clock = clock
        self._took = SystemClock()
        self._received: list[Received] = []
        self._stalled: list[Received] = []
        self._injected: list[ActiveFault] = []

    async def run(self) -> Scorecard:
        """Rehearse and judge."""
        began, scenario = self._took.now(), self._scenario
        async with Simulator(
            seed=self._seed, vendors=(_Binance,), clock=self._clock, trades_per_s=scenario.trades_per_s
        ) as simulator:
            address = msgspec.convert(simulator.describe(), SimulatorAddress)
            config = configure(
                self._stage, address, self._plugins, route=scenario.route, more=scenario.settings
            )
            engine = Engine(config, self._plugins, clock=self._clock, seed=self._seed)
            async with engine:
                evidence = await self._rehearse(simulator, engine)
        checks = tuple(check for judge in scenario.judgements for check in judge(evidence))
        return Scorecard(
            scenario=scenario.name,
            seed=self._seed,
            verdict="pass" if all(check.ok for check in checks) else "fail",
            checks=checks,
            calls=evidence.traffic.summary(),
            timeline=evidence.events,
            took_s=round(self._took.now() - began, 2),
        )

    async def _rehearse(self, simulator: Simulator, engine: Engine) -> StreamEvidence:
        stage, clock = self._stage, self._clock
        began_at = clock.wall()
        traffic = Traffic(engine, clock, stage.instruments, stage.calls_per_s / self._scenario.pace)
        reader = engine.ticks(stage.instruments, name="keeps up")
        queue = _STALLED_QUEUE if self._scenario.stalls else None
        stalling = engine.ticks(stage.instruments, name="stalls", queue=queue)
        readings = [asyncio.create_task(_read(reader, self._received, clock), name="read ticks")]
        try:
            await until_ready(engine, stage, clock)
            await self._until_warm(engine)
            await traffic.run(self._scenario.warm_s)
            streams, fault_at = _streams(simulator), clock.wall()
            for phase in self._scenario.phases:
                await self._go_through(phase, simulator, traffic)
            cleared_at = clock.wall()
            readings.append(
                asyncio.create_task(_read(stalling, self._stalled, clock), name="read ticks late")
            )
            await self._until_back(cleared_at, simulator, streams)
            await traffic.run(self._scenario.after_s)
            await traffic.drain()
            ended_at = clock.wall()
            shown = engine.snapshot()
        finally:
            reader.close()
            stalling.close()
            await asyncio.gather(*readings)
        vendors = dict.fromkeys(vendor for _, vendor, _ in stage.sources)
        return StreamEvidence(
            sources=tuple(name for name, _, _ in stage.sources),
            instruments=stage.instruments,
            hit=self._scenario.hit or stage.instruments,
            received=self._received,
            stalled=self._stalled if self._scenario.stalls else (),
            expected={
                name: {
                    trade.id: trade
                    for trade in expected_trades(simulator.market, name, began_at, clock.wall())
                }
                for name in stage.instruments
            },
            pushes={vendor: simulator.vendor(vendor).pushes.entries() for vendor in vendors},
            wire=simulator.vendor(stage.sources[0][1]).requests(group="ticks"),
            hits=sum(active.hits for active in self._injected),
            traffic=traffic,
            events=engine.events(),
            fault_at=fault_at,
            cleared_at=cleared_at,
            ended_at=ended_at,
            looked_wrong=_looked_wrong(shown, stage.sources[0][0]),
            streams=_streams(simulator),
        )

    async def _until_warm(self, engine: Engine) -> None:
        """Wait until every source that should stream does, and every instrument ticks."""
        wanted = len(self._stage.sources) if "standby = true" in self._scenario.route else 1
        deadline = self._clock.now() + _WARM_WITHIN_S * self._scenario.pace
        while self._clock.now() < deadline:
            up = {event.source for event in engine.events() if isinstance(event, events.StreamConnected)}
            if len(up) >= wanted and all(self._trades(name) >= _ENOUGH_TRADES for name in self._instruments):
                return
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _until_back(self, moment: float, simulator: Simulator, streams: int) -> None:
        """Wait until every instrument ticked that happened after `moment`, and all connections are there
        again, as far as they come."""
        deadline = self._clock.now() + _BACK_WITHIN_S
        waiting = set(self._instruments)
        while (waiting or _streams(simulator) < streams) and self._clock.now() < deadline:
            await self._clock.sleep(_LOOK_EVERY_S)
            waiting = {name for name in waiting if not self._ticked_since(name, moment)}

    async def _go_through(self, phase: Phase, simulator: Simulator, traffic: Traffic) -> None:
        hit = self._stage.sources if phase.everywhere else self._stage.sources[:1]
        for fault in phase.faults:
            for _, vendor, endpoint in hit:
                self._injected.append(await simulator.inject(vendor, fault, endpoint))
        await traffic.run(phase.for_s)
        for _, vendor, endpoint in hit:
            await simulator.clear(vendor, endpoint=endpoint)

    @property
    def _instruments(self) -> Sequence[str]:
        return self._stage.instruments

    def _trades(self, instrument: str) -> int:
        return len(trades_of(self._received, instrument))

    def _ticked_since(self, instrument: str, moment: float) -> bool:
        return any(
            tick.time_ns is not None and tick.time_ns >= moment * 1e9
            for _, tick in trades_of(self._received, instrument)
        )


def _streams(simulator: Simulator) -> int:
    """Connections that are open now, by the vendors' own count."""
    return sum(vendor.streams for vendor in simulator.vendors.values())


def _looked_wrong(shown: Snapshot, source: str) -> Mapping[str, int]:
    stream = next(view.stream for view in shown.sources if view.name == source)
    return {} if stream is None else stream.looked_wrong


async def _read(reader: TickReader, into: list[Received], clock: Clock) -> None:
    async for item in reader:
        received = Received(clock.wall(), item)
        into.append(received)
