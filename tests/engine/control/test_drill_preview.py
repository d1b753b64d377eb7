"""What a drill's dialog says before it is begun."""

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.commands import EndDrill, StartDrill
from mds_engine.control.drill import SCENARIOS, DrillPhase, DrillView
from mds_engine.control.preview import preview
from mds_engine.control.snapshot import (
    BreakerView,
    EngineView,
    MeterView,
    PollView,
    RouteView,
    SourceState,
    SourceView,
)


def _source(name: str, **more: object) -> SourceView:
    told = {
        "name": name,
        "kind": name,
        "state": SourceState.ACTIVE,
        "why": "",
        "enabled": True,
        "health": "healthy",
        "score": 1.0,
        "breaker": BreakerView(capability="", state="closed"),
        "capabilities": (),
    }
    return SourceView(**{**told, **more})


def _route(capability: str, **more: object) -> RouteView:
    told = {
        "key": f"NSE/{capability}",
        "exchange": "NSE",
        "capability": capability,
        "sources": ("kite", "yahoo"),
        "active": "kite",
        "degraded": False,
        "next_source": "yahoo",
    }
    return RouteView(**{**told, **more})


def _snapshot(*routes: RouteView, drill: DrillView | None = None, **kite: object) -> Snapshot:
    return Snapshot(
        at=0.0,
        engine=EngineView(name="", started_at=0.0, uptime_s=0.0),
        sources=(_source("kite", **kite), _source("yahoo")),
        routes=routes or (_route("quote"), _route("ticks", instruments=812)),
        drill=drill,
    )


def _said(snapshot: Snapshot, scenario: str = "refused", **more: object) -> str:
    return " ".join(preview(StartDrill(scenario=scenario, target="kite", **more), snapshot))


def test_it_says_what_happens_where_and_for_how_long() -> None:
    said = _said(_snapshot())
    assert "For 60 s the engine sees of kite: connections to it are refused" in said
    assert "NSE/quote and NSE/ticks (812 live instruments) should move to yahoo." in said
    assert "It ends by itself" in said


def test_on_a_real_vendor_it_says_what_the_vendor_sees() -> None:
    assert "on our side of the connection; kite sees nothing of it." in _said(_snapshot(), "errors")
    assert "kite sees only that we close its live streams and open them again" in _said(_snapshot())
    assert "the simulated vendor is left alone" in _said(_snapshot(simulated=True))


def test_what_would_be_lost_is_named_and_refused_until_it_is_accepted() -> None:
    alone = _snapshot(_route("quote", next_source=None), _route("ticks"))
    said = _said(alone)
    assert "NSE/quote would be down: no other source can take over." in said
    assert "It is refused for that, unless you accept the loss." in said
    assert "It is refused" not in _said(alone, accept_loss=True)
    forced = _snapshot(_route("quote", pinned="kite"))
    assert "NSE/quote would be down: forced onto kite." in _said(forced)


def test_what_is_left_of_the_plan_of_who_takes_over_is_told() -> None:
    meter = MeterView(meter="calls", period="day", used=13, limit=25, resets_at=None)
    snapshot = _snapshot()
    metered = msgspec.structs.replace(
        snapshot, sources=(snapshot.sources[0], _source("yahoo", meters=(meter,)))
    )
    assert "really sent: yahoo has 12 of its 25 calls left this day." in _said(metered)


def test_bent_prices_are_warned_of() -> None:
    said = _said(_snapshot(), "wrong-price")
    assert "prices that are not the market's until the fault is found" in said
    assert "flag SUSPECT" in said
    assert "should move" not in said


def test_what_a_scenario_cannot_hit_it_does_not_name() -> None:
    polled = _snapshot(polls=PollView(pace_s=5.0, at_once=1))
    assert "NSE/quote" not in _said(_snapshot(), "stream-cut")
    assert "serves nothing that 'stream-cut' could hit" in _said(polled, "stream-cut")
    assert "NSE/ticks" in _said(polled, "errors")
    assert "NSE/ticks" not in _said(_snapshot(), "errors")


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        (_snapshot(state=SourceState.OUT, why="banned."), "kite is out already: banned."),
        (
            _snapshot(
                drill=DrillView(
                    number=1,
                    scenario="slow",
                    target="yahoo",
                    by="asha",
                    phase=DrillPhase.FAULT,
                    since=0.0,
                    duration_s=60.0,
                    remaining_s=10.0,
                    routes=(),
                )
            ),
            "The drill slow of yahoo is under way: one at a time.",
        ),
    ],
)
def test_what_speaks_against_it_is_all_it_says(snapshot: Snapshot, why: str) -> None:
    assert _said(snapshot) == why


def test_a_route_means_who_serves_it() -> None:
    command = StartDrill(scenario="slow", target="NSE/quote")
    assert "the engine sees of kite" in preview(command, _snapshot())[0]
    pinned = _snapshot(_route("quote", pinned="yahoo"))
    assert "the engine sees of yahoo" in preview(command, pinned)[0]


def test_ending_it_says_what_is_ended() -> None:
    running = DrillView(
        number=1,
        scenario="slow",
        target="kite",
        by="asha",
        phase=DrillPhase.FAULT,
        since=0.0,
        duration_s=60.0,
        remaining_s=10.0,
        routes=(),
    )
    assert "fault of kite ends at once" in preview(EndDrill(), _snapshot(drill=running))[0]
    recovering = msgspec.structs.replace(running, phase=DrillPhase.RECOVERY)
    assert "what is still broken is reset" in preview(EndDrill(), _snapshot(drill=recovering))[0]
    assert preview(EndDrill(), _snapshot()) == ("No drill is under way.",)


def test_every_scenario_fits_on_one_line_and_has_a_name_of_its_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert len(scenario.about) <= 80
        assert scenario.hits_calls or scenario.hits_ticks
