"""One fault while it stands: what it does to calls and to ticks, and what it kept from the vendor."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from mds_engine.clock import Clock
from mds_engine.control.drill import DrillScenario
from mds_engine.errors import AuthRequired, InvalidPayload, SourceError, Throttled, Unavailable
from mds_engine.model import Instrument, Tick, TickFlag

MARK = "drill: "
"""Before the words of every error of a drill's making."""

_SLOW_S = 3.0
_TOO_HIGH = 1.01


class _Prices(NamedTuple):
    """Where the prices of an instrument stand still."""

    price: float | None
    bid: float | None
    ask: float | None


class Fault:
    """Stands from its making until `lift`. Every method is for the engine's loop."""

    def __init__(self, scenario: DrillScenario, clock: Clock, until: float) -> None:
        """`until` is the monotonic time at which it is to end."""
        self.scenario = scenario
        self.held_back = 0
        """Requests and connections that were kept from the vendor."""
        self.throttles = 0
        self._clock = clock
        self._until = until
        self._lifted = asyncio.Event()
        self._frozen: dict[Instrument, _Prices] = {}

    @property
    def stands(self) -> bool:
        """Whether it still does anything."""
        return not self._lifted.is_set()

    def lift(self) -> None:
        """End it: who waits for an answer gets the vendor's."""
        self._lifted.set()

    # --- Calls ----------------------------------------------------------------------------------------

    @property
    def hits_calls(self) -> bool:
        """Whether requests are hit now."""
        return self.stands and self.scenario.hits_calls

    async def before_call(self) -> None:
        """Raise what the vendor seems to say, or wait; returns where the request may be sent."""
        if self.scenario.name == "slow":
            return
        if self.scenario.name == "hangs":
            await self._lifted.wait()
            return
        raise self._error(local=False)

    async def after_call(self) -> None:
        """Hold the vendor's answer back where that is the fault."""
        if self.stands and self.scenario.name == "slow":
            await self._clock.sleep(_SLOW_S)

    def _error(self, *, local: bool) -> SourceError:
        match self.scenario.name:
            case "errors":
                return Unavailable(f"{MARK}answered 503")
            case "throttled":
                self.throttles += not local
                left_s = max(1.0, self._until - self._clock.now())
                return Throttled(f"{MARK}answered 429, for {left_s:.0f} s", retry_after_s=left_s)
            case "login-ended":
                return AuthRequired(f"{MARK}answered 401, the login has ended")
            case "truncated":
                return InvalidPayload(f"{MARK}the answer ended in the middle")
            case "stream-cut":
                return Unavailable(f"{MARK}the stream was cut")
            case _:
                return Unavailable(f"{MARK}the connection was refused", unreachable=True)

    # --- Live ticks -----------------------------------------------------------------------------------

    @property
    def refuses_streams(self) -> bool:
        """Whether no new live connection to the vendor comes about now."""
        return self.stands and self.scenario.closes_streams

    async def open_stream(self) -> None:
        """What the opening of a live connection comes to: raises, or waits while the fault stands. A stream
        that is to be mute opens."""
        if self.scenario.name == "stream-mute":
            return
        if self.scenario.name == "hangs":
            await self.end_stream()
        raise self._error(local=False)

    async def end_stream(self) -> None:
        """Wait for the end of the fault, and break off what was no connection."""
        await self._lifted.wait()
        raise Unavailable(f"{MARK}the fault is over: connect again")

    def cut_error(self) -> SourceError | None:
        """What ends the live connections that are open; None where they stay."""
        return self._error(local=True) if self.stands and self.scenario.cuts_streams else None

    @property
    def bends(self) -> bool:
        """Whether ticks do not come as they are."""
        return self.stands and (self.scenario.bends_prices or self.scenario.name in {"hangs", "stream-mute"})

    def bend(self, ticks: Sequence[Tick]) -> Sequence[Tick]:
        """The ticks as the fault lets them through; every price of its making bears the flag SUSPECT."""
        if not self.bends:
            return ticks
        match self.scenario.name:
            case "wrong-price":
                return [_scaled(tick) for tick in ticks]
            case "frozen-price":
                return [self._frozen_tick(tick) for tick in ticks]
            case _:
                return ()

    def _frozen_tick(self, tick: Tick) -> Tick:
        before = self._frozen.get(tick.instrument, _Prices(None, None, None))
        held = _Prices(
            *(old if old is not None else new for old, new in zip(before, _prices(tick), strict=True))
        )
        self._frozen[tick.instrument] = held
        now = _prices(tick)
        still = _Prices(*(None if new is None else old for old, new in zip(held, now, strict=True)))
        return tick if still == now else _with(tick, still)


def _scaled(tick: Tick) -> Tick:
    return _with(tick, _Prices(*(None if one is None else one * _TOO_HIGH for one in _prices(tick))))


def _prices(tick: Tick) -> _Prices:
    return _Prices(tick.price, tick.bid, tick.ask)


def _with(tick: Tick, prices: _Prices) -> Tick:
    return msgspec.structs.replace(tick, **prices._asdict(), flags=tick.flags | TickFlag.SUSPECT)
