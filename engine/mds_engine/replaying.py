"""An engine on a recording."""

from collections.abc import Iterable

from mds_engine.control.route_key import RouteKey
from mds_engine.engine import Engine
from mds_engine.model import Capability, Instrument
from mds_engine.recording.replay import Replay
from mds_engine.rehearsing import Grounds, NoRehearsals, Rehearsals
from mds_engine.wiring import make_route

_SEED = 0
"""The same jitter in every replay."""


def engine_of(replay: Replay) -> Engine:
    """The engine of a replay, which its conductor plays to. Does no I/O."""

    def take(grounds: Grounds) -> Rehearsals:
        def meet(source: str, instruments: Iterable[Instrument]) -> None:
            _meet(replay, grounds, source, tuple(instruments))

        replay.conductor.meet = meet
        return NoRehearsals(grounds)

    return Engine(replay.config, replay.plugins, clock=replay.clock, seed=_SEED, rehearsals=take)


def _meet(replay: Replay, grounds: Grounds, source: str, instruments: tuple[Instrument, ...]) -> None:
    """Watch what a recording names for the first time; its source joins the routes of new exchanges."""
    if source not in replay.exchanges:
        return  # nothing of it had been written when the recording was opened
    known = replay.exchanges[source]
    exchanges = [one for one in dict.fromkeys(each.exchange for each in instruments) if one not in known]
    known.update(exchanges)
    for exchange in exchanges:
        key = RouteKey(Capability.TICKS, exchange)
        route = grounds.routes.get(key)
        if route is not None:
            route.units = make_route(key, grounds.config(), grounds.sources).units
            route.active = route.active or route.units[0]
            route.rebuild()
    grounds.hub.watch(instruments)
