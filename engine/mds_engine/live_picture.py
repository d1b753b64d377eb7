"""What can be seen of live ticks at one time: of each source's streams, and of each watched instrument."""

from collections import Counter
from collections.abc import Mapping

from mds_engine.control.route_key import RouteKey
from mds_engine.control.snapshot import SourcePrice, StreamView, WatchRow, told_age
from mds_engine.model import Capability, Instrument
from mds_engine.policy.quality import spread_bps
from mds_engine.routing.route import Route
from mds_engine.streams.hub import TickHub


class LivePicture:
    """One look at a hub. Made for each snapshot."""

    def __init__(self, hub: TickHub, routes: Mapping[RouteKey, Route], now: float) -> None:
        self._hub = hub
        self._routes = routes
        self._now = now
        self._delivers = Counter(lane.active for lane in hub.lanes.values())
        self._primaries: dict[str, str | None] = {}
        self._doubts = {(finding.instrument, finding.source): finding.why for finding in hub.quality.findings}

    def stream(self, source: str) -> StreamView | None:
        """A source's streams; None while nothing is wanted from it."""
        supervisor = self._hub.supervisors.get(source)
        if supervisor is None or not supervisor.wanted:
            return None
        ring, polls = self._hub.ring(source), supervisor.runtime.polls
        return StreamView(
            connections=supervisor.connections,
            instruments=len(supervisor.wanted),
            delivers=self._delivers[source],
            held=0 if ring is None else ring.ticks,
            mute=len(supervisor.mute_instruments),
            looked_wrong={
                check.value: count
                for (name, check), count in self._hub.quality.counts.items()
                if name == source
            },
            next_poll_s=None if polls is None else polls.due_in_s,
        )

    def watch(self, known: dict[Instrument, WatchRow]) -> tuple[WatchRow, ...]:
        """Every watched instrument.

        `known` has the rows of the picture before, and then of this one: a row that is equal stays the same
        object, so that whoever compares two pictures need not look into it.
        """
        watched = self._hub.watched
        self._primaries = {
            exchange: self._primary(exchange) for exchange in {one.exchange for one in watched}
        }
        if len(known) > len(watched):
            known.clear()
        rows = []
        for instrument in watched:
            row = self._row(instrument)
            if (before := known.get(instrument)) == row:
                row = before
            else:
                known[instrument] = row
            rows.append(row)
        return tuple(rows)

    def _primary(self, exchange: str) -> str | None:
        route = self._routes.get(RouteKey(Capability.TICKS, exchange))
        return route.units[0].name if route is not None and route.units else None

    def _row(self, instrument: Instrument) -> WatchRow:
        # There may be thousands, ten times a second.
        hub, now = self._hub, self._now
        row = hub.board.row(instrument)
        source, seen_at, prices = row.source, row.seen_at, hub.quality.prices(instrument, now)
        return WatchRow(
            instrument=str(instrument),
            price=row.price,
            change_percent=row.change_percent,
            source=source,
            age_s=None if seen_at is None else told_age(now - seen_at),
            bid=row.bid,
            ask=row.ask,
            volume=row.volume,
            ticks=row.ticks,
            backup=source is not None and source != self._primaries[instrument.exchange],
            problem=row.problem,
            spread_bps=spread_bps(prices.values()) if len(prices) > 1 else None,
            doubt=self._doubts.get((instrument, source or ""), "") if self._doubts else "",
            prices=tuple(
                [
                    SourcePrice(source=name, price=price, age_s=told_age(age_s))
                    for name, (price, age_s) in prices.items()
                ]
            ),
        )
