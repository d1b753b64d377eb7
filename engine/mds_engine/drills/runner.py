"""Runs drills: sets the stage, lets callers call, injects the fault, ends it, asks the judges."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import msgspec

from mds_engine.clock import Clock, SystemClock
from mds_engine.config.simulated import SimulatorAddress
from mds_engine.control.route_key import RouteKey
from mds_engine.drills.drill_clock import DrillClock
from mds_engine.drills.evidence import Evidence
from mds_engine.drills.scenarios import SCENARIOS, Scenario, find
from mds_engine.drills.scorecard import Scorecard
from mds_engine.drills.staging import CHECK_INTERVAL_S, DEADLINE_S, TIMEOUT_S, configure, until_ready
from mds_engine.drills.stream_rehearsal import StreamRehearsal
from mds_engine.drills.stream_scenarios import StreamScenario
from mds_engine.drills.traffic import Traffic
from mds_engine.engine import Engine
from mds_engine.model import Capability
from mds_engine.simulator.server import Simulator
from mds_engine.sources.contract import SourcePlugin

_WARM_S = 1.2
_RECOVERY_S = 2.8


async def run(
    name: str, plugins: Mapping[str, SourcePlugin], *, seed: int = 1, clock: Clock | None = None
) -> Scorecard:
    """Run one drill on this event loop, on a clock of its own if none is given. Raises UnknownDrillError."""
    scenario = find(name)
    if clock is None:
        pace = scenario.pace if isinstance(scenario, StreamScenario) else 1.0
        async with DrillClock(pace) as own:
            return await run(name, plugins, seed=seed, clock=own)
    if isinstance(scenario, StreamScenario):
        return await StreamRehearsal(scenario, plugins, seed, clock).run()
    return await _Drill(scenario, plugins, seed, clock).run()


async def run_all(
    plugins: Mapping[str, SourcePlugin],
    *,
    seed: int = 1,
    side_by_side: int = 3,
    done: Callable[[Scorecard], None] | None = None,
) -> list[Scorecard]:
    """Run every drill, a few side by side, each with a simulator and an engine of its own."""
    gate = asyncio.Semaphore(side_by_side)

    async def one(name: str) -> Scorecard:
        async with gate:
            scorecard = await run(name, plugins, seed=seed)
        if done is not None:
            done(scorecard)
        return scorecard

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name)) for name in SCENARIOS]
    return [task.result() for task in tasks]


class _Drill:
    """One drill under way."""

    def __init__(
        self, scenario: Scenario, plugins: Mapping[str, SourcePlugin], seed: int, clock: Clock
    ) -> None:
        self._scenario = scenario
        self._plugins = plugins
        self._seed = seed
        self._clock = clock
        self._took = SystemClock()

    async def run(self) -> Scorecard:
        began = self._took.now()
        stage = self._scenario.stage
        vendors = tuple(dict.fromkeys(vendor for _, vendor, _ in stage.sources))
        async with Simulator(seed=self._seed, vendors=vendors, clock=self._clock) as simulator:
            address = msgspec.convert(simulator.describe(), SimulatorAddress)
            config = configure(stage, address, self._plugins)
            engine = Engine(config, self._plugins, clock=self._clock, seed=self._seed)
            async with engine:
                evidence = await self._rehearse(simulator, engine)
        checks = tuple(check for judge in self._scenario.judgements for check in judge(evidence))
        return Scorecard(
            scenario=self._scenario.name,
            seed=self._seed,
            verdict="pass" if all(check.ok for check in checks) else "fail",
            checks=checks,
            calls=evidence.traffic.summary(),
            timeline=evidence.events,
            took_s=round(self._took.now() - began, 2),
        )

    async def _rehearse(self, simulator: Simulator, engine: Engine) -> Evidence:
        stage = self._scenario.stage
        traffic = Traffic(engine, self._clock, stage.instruments, stage.calls_per_s)
        await until_ready(engine, stage, self._clock)
        vendor, endpoint = stage.sources[0][1], stage.sources[0][2]
        wire = simulator.vendor(vendor)
        await traffic.run(_WARM_S)
        fault_at = self._clock.wall()
        await self._set_faults(simulator)
        await self._during_fault(simulator, traffic)
        cleared_at = self._clock.wall()
        await self._clear_faults(simulator)
        await traffic.run(_RECOVERY_S)
        await traffic.drain()
        return Evidence(
            primary=stage.sources[0][0],
            backup=stage.sources[1][0],
            route=str(RouteKey(Capability.QUOTE, stage.exchange)),
            traffic=traffic,
            events=engine.events(),
            wire=tuple(
                entry for entry in wire.requests(endpoint=endpoint) if entry.group not in _CHECK_GROUPS
            ),
            fault_at=fault_at,
            cleared_at=cleared_at,
            ended_at=self._clock.wall(),
            timeout_s=TIMEOUT_S,
            check_interval_s=CHECK_INTERVAL_S,
            deadline_s=DEADLINE_S,
            sources=tuple(name for name, _, _ in stage.sources),
        )

    async def _during_fault(self, simulator: Simulator, traffic: Traffic) -> None:
        scenario = self._scenario
        if scenario.flaps:
            for _ in range(scenario.flaps):
                await traffic.run(scenario.fault_s / scenario.flaps / 2)
                await self._clear_faults(simulator)
                await traffic.run(scenario.fault_s / scenario.flaps / 2)
                await self._set_faults(simulator)
            return
        if scenario.bad_symbols:
            for number in range(10):
                traffic.call(f"{scenario.stage.exchange}:NOSUCH{number}", expected_to_fail=True)
        await traffic.run(scenario.fault_s)

    async def _set_faults(self, simulator: Simulator) -> None:
        for _, vendor, endpoint in self._hit():
            for fault in self._scenario.faults:
                await simulator.inject(vendor, fault, endpoint)

    async def _clear_faults(self, simulator: Simulator) -> None:
        for _, vendor, endpoint in self._hit():
            await simulator.clear(vendor, endpoint=endpoint)

    def _hit(self) -> Sequence[tuple[str, str, int]]:
        sources = self._scenario.stage.sources
        return sources if self._scenario.everywhere else sources[:1]


_CHECK_GROUPS = frozenset({"ping", "profile", "instruments", "ticks", "crumb", "cookie", ""})
"""Wire groups that carry no data calls: checks, logins, handshakes."""
