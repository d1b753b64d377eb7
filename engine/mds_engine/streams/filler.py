"""Finds trades that no stream brought, in a standby's ring or over REST, and says what became of it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence

import msgspec

from mds_engine.clock import Clock
from mds_engine.config.stream_settings import StreamSettings
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.errors import SourceError
from mds_engine.log import get_logger
from mds_engine.model import Capability, Instrument, StreamItem, Tick, TickFlag, TickKind
from mds_engine.policy.breaker import BreakerState
from mds_engine.routing.breaker_words import WELL
from mds_engine.routing.source_runtime import SourceRuntime
from mds_engine.sources.contract import TradesRequest
from mds_engine.streams.lane import Lane

_log = get_logger(__name__)

_LOOK_AGAIN_S = 0.25

Pass = Callable[[Lane, Sequence[StreamItem]], None]
"""Hands on what a lane delivers."""


class Filler:
    """Watches lanes that miss trades: waits a little for them, asks for them, gives up in time."""

    def __init__(
        self,
        settings: StreamSettings,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        own: Callable[[Coroutine[None, None, None], str], object],
        sources_of: Callable[[Lane], Sequence[SourceRuntime]],
        held: Callable[[Sequence[Lane]], Mapping[Instrument, Sequence[Tick]]],
        hand_on: Pass,
    ) -> None:
        """`sources_of` says who may have past trades of a lane, `held` what standbys hold of some lanes."""
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self._own = own
        self._sources_of = sources_of
        self._held = held
        self._hand_on = hand_on
        self._lanes: dict[Lane, None] = {}

    def use(self, settings: StreamSettings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

    def watch(self, lane: Lane) -> None:
        """A lane has a hole."""
        self._lanes[lane] = None

    def housekeep(self) -> None:
        """Ask for what has been missing long enough; tell as gaps what was not had in time."""
        if not self._lanes:
            return
        now = self._clock.now()
        due: list[Lane] = []
        for lane in list(self._lanes):
            if lane.hole_since is None:
                del self._lanes[lane]
                continue
            missing_s = now - lane.hole_since
            if lane.asked_to is None and missing_s >= self._settings.reorder_s:
                due.append(lane)
            elif missing_s >= self._settings.reorder_s + self._settings.fill_within_s:
                why = f"not had within {self._settings.fill_within_s:g} s"
                self._hand_on(lane, lane.give_up(now, why))

        if due:
            held = self._held(due)
            for lane in due:
                self._take_held(lane, held.get(lane.instrument, ()))
                self._ask(lane)

    def _take_held(self, lane: Lane, held: Sequence[Tick]) -> None:
        """Close a hole with what a standby brought meanwhile."""
        hole = lane.hole()
        if hole is None:
            return
        found = {
            tick.sequence: tick
            for tick in held
            if tick.kind is TickKind.TRADE
            and tick.sequence is not None
            and hole[0] <= tick.sequence <= hole[1]
        }
        if found:
            last = found[max(found)]
            marked = [
                msgspec.structs.replace(tick, flags=tick.flags | TickFlag.HELD)
                for _, tick in sorted(found.items())
            ]
            self._took(lane, last.source, marked, hole[1])

    def _ask(self, lane: Lane) -> None:
        hole = lane.hole()
        if hole is None:
            return
        first, last = hole
        sources = self._sources_of(lane)
        if not sources:
            self._hand_on(lane, lane.give_up(self._clock.now(), "no source of its route gives past trades"))
            return
        lane.asked_to = last
        self._own(self._fill(lane, first, last, sources), f"fill {lane.instrument}")

    async def _fill(self, lane: Lane, first: int, last: int, sources: Sequence[SourceRuntime]) -> None:
        why = ""
        most = self._settings.fill_most
        for runtime in await self._allowed(sources):
            # The newest matter most: of a hole that is too large the beginning is given up.
            ask_from = max(first, last - most + 1)
            try:
                async with asyncio.timeout(self._settings.fill_within_s):
                    ticks = await runtime.source.trades(TradesRequest(lane.instrument, ask_from, last))
            except TimeoutError:
                why = f"{runtime.name} gave no past trades within {self._settings.fill_within_s:g} s"
            except SourceError as error:
                why = f"{runtime.name}: {error.message}"
            except Exception as error:  # noqa: BLE001  a plug-in's bug must not take the desk's data down
                _log.error("adapter_bug", source=runtime.name, subject="trades", exc_info=error)
                why = f"{runtime.name}: the adapter failed: {type(error).__name__}"
            else:
                if ask_from > first and lane.next_trade == first:
                    self._begin_later(lane, ask_from)
                if self._took(lane, runtime.name, ticks, last):
                    return
                why = f"{runtime.name} no longer has them"
        hole = lane.hole()
        if hole is not None and hole[0] <= last:
            self._hand_on(
                lane, lane.give_up(self._clock.now(), why or "nobody that has them may be asked now")
            )
        lane.asked_to = None

    async def _allowed(self, sources: Sequence[SourceRuntime]) -> Sequence[SourceRuntime]:
        """Those that may be asked. While there is none a probe may find one well again: waits for that, in
        so far as there is time."""
        until = self._clock.now() + self._settings.fill_within_s - 2 * _LOOK_AGAIN_S
        while True:
            now = self._clock.now()
            allowed = [one for one in sources if _may_be_asked(one, now)]
            if allowed or now >= until:
                return allowed
            await self._clock.sleep(_LOOK_AGAIN_S)

    def _begin_later(self, lane: Lane, number: int) -> None:
        why = f"more than {self._settings.fill_most} trades were missed"
        self._hand_on(lane, lane.give_up_before(number, why))

    def _took(self, lane: Lane, source: str, ticks: Sequence[Tick], last: int) -> bool:
        """Deliver what was had; whether it closed the hole up to `last`."""
        items = lane.fill(ticks, self._clock.now())
        self._hand_on(lane, items)
        had = sum(1 for item in items if isinstance(item, Tick) and (item.sequence or 0) <= last)
        if had:
            self._emit(events.TicksFilled(source=source, instrument=str(lane.instrument), ticks=had))
        hole = lane.hole()
        return hole is None or hole[0] > last


def _may_be_asked(runtime: SourceRuntime, now: float) -> bool:
    """Whether nothing forbids a call. That its stream broke, which may have opened the breaker of its ticks,
    forbids none: it is why trades are missing."""
    unit = runtime.units.get(Capability.TICKS)
    forced = unit is not None and unit.breaker.state(now) is BreakerState.FORCED_OPEN
    return not forced and not runtime.refusal() and runtime.whole.state(now) in WELL
