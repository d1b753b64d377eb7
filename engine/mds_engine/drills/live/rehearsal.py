"""One drill on a running engine, from its fault to its scorecard. It leaves nothing behind."""

import asyncio
from collections.abc import Sequence

from mds_engine.control import events
from mds_engine.control.commands import StartDrill
from mds_engine.control.drill import DrillCard, DrillPhase, DrillScenario, DrillView
from mds_engine.drills.live.fault import MARK, Fault
from mds_engine.drills.live.faulty_source import FaultySource
from mds_engine.drills.live.judging import Circumstances, judge, verdict_of
from mds_engine.drills.live.watching import WHOLE, Watcher
from mds_engine.log import get_logger
from mds_engine.model import Capability
from mds_engine.policy.breaker import Breaker, BreakerState
from mds_engine.rehearsing import Grounds
from mds_engine.routing.route import Route
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.sources.contract import RequestCost
from mds_engine.streams.reader import TickReader

_log = get_logger(__name__)

_LOOK_EVERY_S = 0.1
_GRACE_S = 15.0
"""Recovery is watched for so long beyond what it should take at the most."""
_FORCED = frozenset({BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED})

_NO_ANSWER = "no answer"
"""What a caller says who has waited for long enough."""

TIME_OVER = "its time was over"
ENGINE_STOPPED = "the engine was stopped"
_BROKEN = "a defect of the drill; the log has more"
_LET_GO = "its source was let go, or made anew"


class Rehearsal:
    """Stands the fault up when it is made; `run` is its task. For the engine's loop."""

    def __init__(
        self,
        number: int,
        scenario: DrillScenario,
        command: StartDrill,
        grounds: Grounds,
        runtime: SourceRuntime,
        *,
        routes: Sequence[Route],
        risky: Sequence[Route],
        simulated: bool,
    ) -> None:
        """`routes` are those of the source that are hit; `risky` of them have no other source now."""
        self.number = number
        self.is_over = False
        self._scenario = scenario
        self._command = command
        self._grounds = grounds
        self._runtime = runtime
        self._routes = tuple(routes)
        self._risky = tuple(risky)
        self._simulated = simulated
        self._began, self._began_wall = grounds.clock.now(), grounds.clock.wall()
        self._cleared_at: float | None = None
        self._cleared_wall = 0.0
        self._ended = ""
        self._broken_off = False
        self._before = (runtime.last_error, runtime.last_error_wall)
        self._fault = Fault(scenario, grounds.clock, self._began + command.duration_s)
        self._watcher = Watcher(grounds, runtime, routes, risky)
        self._source = FaultySource(
            runtime.source, self._fault, came=self._watcher.came, not_sent=self._not_sent
        )
        grounds.log.drill_of = self._drill_of
        grounds.log.emit(
            events.DrillStarted(
                drill=number,
                scenario=scenario.name,
                about=scenario.about,
                source=runtime.name,
                duration_s=command.duration_s,
                by=command.by,
                why=command.why,
            )
        )
        self._watcher.watch_calls()
        self._reader: TickReader | None = self._watcher.reader()
        runtime.source = self._source
        self._hit_streams()

    # --- For the operator -----------------------------------------------------------------------------

    def view(self) -> DrillView:
        """How it stands."""
        now = self._grounds.clock.now()
        until = self._began + self._command.duration_s if self._cleared_at is None else self._watch_until
        return DrillView(
            number=self.number,
            scenario=self._scenario.name,
            target=self._runtime.name,
            by=self._command.by,
            phase=DrillPhase.FAULT if self._cleared_at is None else DrillPhase.RECOVERY,
            since=self._began_wall,
            duration_s=self._command.duration_s,
            remaining_s=max(0.0, until - now),
            routes=tuple(route.text for route in self._routes),
            at_risk=tuple(route.text for route in self._risky),
            figures=self._watcher.figures(self._fault),
        )

    def end(self, by: str) -> str:
        """End the fault, or the watching of its recovery; returns what was ended, in a sentence."""
        name = self._runtime.name
        if self._cleared_at is None:
            self._lift(f"{by} ended it")
            return f"the fault of {name} is over; its recovery is watched"
        self._broken_off = True
        return f"the recovery of {name} is watched no longer"

    # --- Its life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the source is well again, or the time for that is over. Never raises but for cancellation."""
        reading = asyncio.create_task(self._read(), name="read the ticks of a drill")
        try:
            await self._go_on()
        except asyncio.CancelledError:
            self._lift(ENGINE_STOPPED)
            raise
        except Exception:  # noqa: BLE001  a defect here must not cost the desk its data
            _log.exception("drill_defect", scenario=self._scenario.name)
            self._lift(_BROKEN)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._close()

    async def _go_on(self) -> None:
        clock = self._grounds.clock
        while self._cleared_at is None:
            await clock.sleep(_LOOK_EVERY_S)
            if not self._is_there():
                self._lift(_LET_GO)
                return
            self._hit_streams()
            self._watcher.look()
            if clock.now() >= self._began + self._command.duration_s:
                self._lift(TIME_OVER)
        while not self._broken_off and clock.now() < self._watch_until and self._is_there():
            self._watcher.look()
            if self._watcher.well_since is not None and not self._watcher.away:
                return
            await clock.sleep(_LOOK_EVERY_S)

    def _is_there(self) -> bool:
        """Whether the source and its routes are still those of the beginning: a new configuration may not."""
        return self._grounds.sources.get(self._runtime.name) is self._runtime and all(
            self._grounds.routes.get(route.key) is route for route in self._routes
        )

    async def _read(self) -> None:
        accounts, clock = self._watcher.accounts, self._grounds.clock
        if self._reader is None or accounts is None:
            return
        async with self._reader as reader:
            async for item in reader:
                accounts.put(item, clock.now())

    @property
    def _watch_until(self) -> float:
        """Monotonic time until which recovery is watched: first of the source, then of its routes."""
        config, well_since = self._grounds.config(), self._watcher.well_since
        if well_since is not None:
            proven_s = config.failback.good_checks * config.health.interval_s
            return well_since + max(config.failback.after_s, proven_s) + _GRACE_S
        lasts_s = max(2 * config.health.interval_s, config.reconnect.cap_s) + _GRACE_S
        return (self._cleared_at or self._began) + lasts_s

    def _drill_of(self, event: events.Event) -> int:
        return self.number if self._watcher.is_about(event) else 0

    # --- The fault ------------------------------------------------------------------------------------

    def _hit_streams(self) -> None:
        """Live connections that were there before the fault; new ones go through the source."""
        supervisor = self._grounds.hub.supervisors.get(self._runtime.name)
        if supervisor is None or not self._scenario.hits_ticks or self._runtime.polls is not None:
            return
        for connection in supervisor.open_connections:
            error = self._fault.cut_error()
            if error is not None:
                connection.cut(error)
            elif self._fault.bends and not self._source.made(connection.stream):
                connection.bend = self._fault.bend

    def _not_sent(self, cost: RequestCost) -> None:
        if cost.counted:
            self._runtime.spending.take_back()

    def _lift(self, why: str) -> None:
        """Take the fault away: from here on everything is the vendor's again."""
        if self._cleared_at is not None:
            return
        self._watcher.look()
        self._fault.lift()
        self._cleared_at, self._cleared_wall = self._grounds.clock.now(), self._grounds.clock.wall()
        self._ended = why
        if self._runtime.source is self._source:
            self._runtime.source = self._source.real
        supervisor = self._grounds.hub.supervisors.get(self._runtime.name)
        for connection in () if supervisor is None else supervisor.open_connections:
            connection.bend = None
        self._watcher.cleared()

    # --- Its end --------------------------------------------------------------------------------------

    def _close(self) -> None:
        self._watcher.look()
        figures = self._watcher.figures(self._fault)
        about = self._circumstances()
        self._watcher.let_go()
        cleaned = self._clean()
        self.is_over = True
        checks = judge(figures, about)
        card = DrillCard(
            number=self.number,
            scenario=self._scenario.name,
            about=self._scenario.about,
            target=self._runtime.name,
            kind=self._runtime.settings.kind,
            simulated=self._simulated,
            by=self._command.by,
            why=self._command.why,
            verdict=verdict_of(checks),
            ended=self._ended,
            began_at=self._began_wall,
            cleared_at=self._cleared_wall,
            ended_at=self._grounds.clock.wall(),
            routes=tuple(route.text for route in self._routes),
            checks=checks,
            figures=figures,
            cleaned=cleaned,
        )
        self._grounds.log.emit(events.DrillEnded(drill=self.number, source=self._runtime.name, card=card))
        self._grounds.log.drill_of = None

    def _circumstances(self) -> Circumstances:
        config, watcher = self._grounds.config(), self._watcher
        served = [route for route in watcher.served if route not in self._risky]
        ticks = [route for route in served if route.key.capability is Capability.TICKS]
        to_move = watcher.to_move - {route.text for route in self._risky}
        stood_s = (self._cleared_at or self._began) - self._began
        return Circumstances(
            scenario=self._scenario,
            target=self._runtime.name,
            kind=self._runtime.settings.kind,
            stood_s=stood_s,
            watched_to_the_end=not self._broken_off and self._ended not in {ENGINE_STOPPED, _BROKEN, _LET_GO},
            served=len(watcher.served),
            to_move=len(to_move),
            moved=sum(route in watcher.moved_after_s for route in to_move),
            failed_beyond_risk=watcher.failed_beyond_risk,
            at_risk=tuple(route.text for route in self._risky),
            streamed=bool(ticks) and watcher.accounts is not None,
            compared=any(route.standby for route in ticks),
            timeout_s=self._runtime.timeout_s,
            check_interval_s=config.health.interval_s,
            open_timeout_s=config.streams.open_timeout_s,
            mute_after_s=config.streams.mute_after_s,
            reconnect_cap_s=config.reconnect.cap_s,
        )

    def _clean(self) -> tuple[str, ...]:
        """Put back by hand what did not heal by itself; returns that, in words."""
        runtime, now, cleaned = self._runtime, self._grounds.clock.now(), []
        login = runtime.blocks.get("login")
        if login is not None and MARK in login.why:
            runtime.unblock("login")
            cleaned.append(f"{runtime.name} needs no login any more")
        if self._fault.throttles:
            for limiter in runtime.limiters.values():
                held = limiter.blocked_until(now) is not None
                limiter.reset(now)
                if held:
                    cleaned.append(f"{runtime.name} may be asked again at once")
            runtime.changed(runtime)
        cleaned += self._reset_breakers(now)
        if MARK in runtime.last_error or (self._scenario.delays and _NO_ANSWER in runtime.last_error):
            runtime.last_error, runtime.last_error_wall = self._before
        supervisor = self._grounds.hub.supervisors.get(runtime.name)
        if supervisor is not None and cleaned:
            supervisor.wake()
        return tuple(dict.fromkeys(cleaned))

    def _reset_breakers(self, now: float) -> list[str]:
        """Those that opened forget it; an operator's word on them holds."""
        runtime, why = self._runtime, "the drill is over"
        cleaned = []
        for unit in runtime.units.values():
            if unit.capability.value in self._watcher.opened and _may_be_reset(unit.breaker, now):
                cleaned += _named(unit.breaker, unit.capability.value, runtime.name, now)
                runtime.unit_changed(unit, unit.breaker.reset(now, why))
        if self._watcher.opened and _may_be_reset(runtime.whole, now):
            cleaned += _named(runtime.whole, WHOLE, runtime.name, now)
            runtime.whole_changed(runtime.whole.reset(now, why))
        return cleaned


def _may_be_reset(breaker: Breaker, now: float) -> bool:
    return breaker.state(now) not in _FORCED


def _named(breaker: Breaker, what: str, source: str, now: float) -> list[str]:
    """The breaker in words where it is not closed by itself."""
    return [] if breaker.state(now) is BreakerState.CLOSED else [f"the {what} breaker of {source} was reset"]
