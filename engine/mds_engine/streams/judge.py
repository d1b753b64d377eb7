"""What follows from data that looks wrong: it is told, flagged, shown; avoided where the route says so."""

from collections.abc import Callable, Iterable, Mapping

from mds_engine.clock import Clock
from mds_engine.control import events
from mds_engine.control.events import Event
from mds_engine.control.route_key import RouteKey
from mds_engine.model import Capability, Instrument
from mds_engine.policy.quality import Finding, QualityMonitor
from mds_engine.routing.route import Route
from mds_engine.streams.lane import Lane


class Judge:
    """Acts on what the checks find."""

    def __init__(
        self,
        quality: QualityMonitor,
        *,
        clock: Clock,
        route_of: Callable[[RouteKey], Route],
        emit: Callable[[Event], None],
        avoid: Callable[[str, Iterable[Instrument], str], bool],
        flagged: Callable[[], None],
    ) -> None:
        self.quality = quality
        self._clock = clock
        self._route_of = route_of
        self._emit = emit
        self._avoid = avoid
        self._flagged = flagged

    def judge(self, lanes: Mapping[Instrument, Lane], now: float) -> bool:
        """Act on what is found now; True where instruments must be taken from a source."""
        found = self.quality.scan(now, self._clock.wall())
        standing = self.quality.findings
        for finding in found:
            self._tell(finding)
        if not found and not standing:
            return False
        for instrument in dict.fromkeys(finding.instrument for finding in (*found, *standing)):
            if instrument in lanes:
                self._flag(lanes[instrument])
        moved = False
        for finding in standing:
            route = self._route_of(RouteKey(Capability.TICKS, finding.instrument.exchange))
            if route.quarantine and self.quality.verdict(finding.instrument) == finding.source:
                moved |= self._avoid(finding.source, (finding.instrument,), finding.why)
        return moved

    def _tell(self, finding: Finding) -> None:
        source, instrument, check = finding.source, str(finding.instrument), finding.check.value
        if finding.active:
            self._emit(events.DataSuspect(source=source, instrument=instrument, check=check, why=finding.why))
        else:
            self._emit(events.DataTrusted(source=source, instrument=instrument, check=check))

    def _flag(self, lane: Lane) -> None:
        """Let the ticks of a lane bear the flag while its source looks wrong."""
        wrong = [
            finding
            for finding in self.quality.findings
            if finding.instrument == lane.instrument and finding.source == lane.active
        ]
        if lane.suspect != bool(wrong):
            lane.suspect = bool(wrong)
            self._flagged()
