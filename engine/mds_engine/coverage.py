"""Which of a route's live instruments each of its sources is known to have."""

from mds_engine.control.snapshot import CoverageView
from mds_engine.routing.route import Route
from mds_engine.streams.hub import TickHub

_REFRESH_S = 2.0
"""Of 5,000 instruments at three sources, one count takes 4 ms."""
_NAMED = 3


class Coverage:
    """Counts for the screen, now and then: what is known changes slowly."""

    def __init__(self, hub: TickHub) -> None:
        self._hub = hub
        self._counted: dict[Route, tuple[float, str, tuple[CoverageView, ...]]] = {}

    def of(self, route: Route, now: float) -> tuple[CoverageView, ...]:
        """One line for each source of a route of ticks; none while nothing is wanted. `now` is monotonic."""
        live = self._hub.live(route.key.exchange)
        if not live:
            return ()
        serving = route.serving
        name = serving.name if serving is not None else ""
        at, of, views = self._counted.get(route, (float("-inf"), "", ()))
        if now - at >= _REFRESH_S or of != name:
            views = self._count(route, name)
            self._counted[route] = now, name, views
        return views

    def _count(self, route: Route, serving: str) -> tuple[CoverageView, ...]:
        live, supervisors = self._hub.live(route.key.exchange), self._hub.supervisors
        nobody_has = live & supervisors[serving].proven.lacks.keys() if serving else frozenset()
        views = []
        for unit in route.units:
            proven = supervisors[unit.name].proven
            lacks = live & proven.lacks.keys()
            has = len(live & proven.has.keys())
            missed = lacks - nobody_has if unit.name != serving else lacks
            views.append(
                CoverageView(
                    source=unit.name,
                    has=has,
                    lacks=len(missed),
                    untried=len(live) - has - len(lacks),
                    lacking=tuple(str(instrument) for instrument in sorted(missed)[:_NAMED]),
                )
            )
        return tuple(views)
