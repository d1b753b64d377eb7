"""What a dialog says before a command is sent."""

from typing import get_args

import msgspec
import pytest
from mds_engine.control import Command, Snapshot
from mds_engine.control.commands import (
    ApplyConfig,
    CheckHealth,
    EnableSource,
    EndDrill,
    FailOver,
    ForceBreaker,
    ForcedState,
    Login,
    Pin,
    ResetBreaker,
    RestartSource,
    SetPriority,
    SetRateLimit,
    StartDrill,
    Subscribe,
    Unpin,
    Unsubscribe,
)
from mds_engine.control.preview import preview, standing
from mds_engine.control.snapshot import (
    BreakerView,
    CapabilityView,
    EngineView,
    LoginView,
    MeterView,
    RouteView,
    SourceState,
    SourceView,
)


def _source(name: str, state: SourceState = SourceState.READY, **more: object) -> SourceView:
    breaker = BreakerView(capability="", state="closed")
    values = {
        "name": name,
        "kind": name,
        "state": state,
        "why": "",
        "enabled": True,
        "health": "healthy",
        "score": 1.0,
        "breaker": breaker,
        "capabilities": (CapabilityView(capability="ticks", breaker=breaker, p99_ms=91.0),),
    }
    return SourceView(**{**values, **more})


def _snapshot(**route: object) -> Snapshot:
    opened = BreakerView(capability="quote", state="open", retry_in_s=41.0, why="5 failures in a row")
    values = {
        "key": "NSE/ticks",
        "exchange": "NSE",
        "capability": "ticks",
        "sources": ("kite", "yahoo", "spent"),
        "active": "kite",
        "degraded": False,
        "next_source": "yahoo",
        "instruments": 812,
    }
    return Snapshot(
        at=0.0,
        engine=EngineView(name="desk", started_at=0.0, uptime_s=0.0),
        sources=(
            _source(
                "kite",
                SourceState.ACTIVE,
            ),
            _source(
                "yahoo", meters=(MeterView(meter="calls", period="day", used=12, limit=100, resets_at=None),)
            ),
            _source("spent", SourceState.OUT, why="quota spent", breaker=opened, capabilities=()),
        ),
        routes=(RouteView(**{**values, **route}),),
    )


def test_a_failover_says_what_moves_where_and_how_well_the_target_stands() -> None:
    assert preview(FailOver(route="NSE/ticks"), _snapshot()) == (
        "NSE/ticks moves from kite to yahoo.",
        "812 live instruments move with it.",
        "yahoo is ready, healthy, breaker closed, p99 91 ms.",
        "It costs nothing more.",
        "yahoo has 88 of its 100 calls left today (88 %).",
        "kite stays in the route and takes it back when it is well.",
    )


def test_a_failover_upwards_does_not_promise_a_return() -> None:
    said = preview(FailOver(route="NSE/ticks", to="kite"), _snapshot(active="yahoo"))
    assert said[-1] == "kite comes before yahoo, and keeps the route while it is well."


def test_a_failover_with_nobody_left_says_that_the_route_would_be_down() -> None:
    said = preview(FailOver(route="NSE/ticks"), _snapshot(next_source=None))
    assert said[0] == "No other source can serve NSE/ticks now."


def test_forcing_a_source_that_is_out_says_what_is_against_it_and_for_how_long() -> None:
    said = preview(Pin(route="NSE/ticks", source="spent", ttl_s=900.0), _snapshot())
    assert "spent is out, healthy, breaker open, next probe in 41 s." in said
    assert "Against it: quota spent." in said
    assert "Held for 15 min, then automatic." in said
    assert (
        preview(Pin(route="NSE/ticks", source="yahoo", ttl_s=None), _snapshot())[-2]
        == "Held until somebody ends it."
    )


def test_automatic_says_who_takes_over() -> None:
    said = preview(Unpin(route="NSE/ticks"), _snapshot(active="yahoo", pinned="yahoo"))
    assert said[0] == "NSE/ticks moves from yahoo to kite."
    assert preview(Unpin(route="NSE/ticks"), _snapshot()) == (
        "NSE/ticks is automatic already; nothing changes.",
    )


def test_a_new_order_says_who_answers_then_and_who_is_left_out() -> None:
    said = preview(SetPriority(route="NSE/ticks", sources=("spent", "yahoo")), _snapshot())
    assert said[:3] == (
        "NSE/ticks tries spent, then yahoo.",
        "kite will no longer serve it.",
        "NSE/ticks moves from kite to yahoo.",
    )


def test_holding_a_breaker_open_says_where_its_routes_go() -> None:
    said = preview(ForceBreaker(source="kite", state=ForcedState.OPEN), _snapshot())
    assert said == (
        "kite's breakers are held open for 15 min: no call reaches it.",
        "NSE/ticks moves to yahoo with 812 instruments.",
        "yahoo is ready, healthy, breaker closed, p99 91 ms.",
        "It costs nothing more.",
        "yahoo has 88 of its 100 calls left today (88 %).",
    )
    of_bars = preview(ForceBreaker(source="kite", state=ForcedState.OPEN, capability="bars"), _snapshot())
    assert of_bars[-1] == "No route uses it now."


def test_taking_a_source_out_of_service_says_which_routes_go_down() -> None:
    said = preview(EnableSource(source="kite", enabled=False), _snapshot(next_source=None))
    assert said[-1] == "NSE/ticks is down with 812 instruments: no other source can serve it."
    assert preview(EnableSource(source="kite"), _snapshot()) == (
        "kite is in service already; nothing changes.",
    )


def test_a_reset_says_what_closes_and_what_had_opened_it() -> None:
    said = preview(ResetBreaker(source="spent"), _snapshot())
    assert said[:2] == (
        "spent: quote closes at once and its failures are forgotten.",
        "It opened for: 5 failures in a row.",
    )


_EXAMPLES: dict[type, Command] = {
    type(command): command
    for command in (
        FailOver(route="NSE/ticks"),
        Pin(route="NSE/ticks", source="yahoo"),
        Unpin(route="NSE/ticks"),
        SetPriority(route="NSE/ticks", sources=("kite",)),
        ForceBreaker(source="kite", state=ForcedState.CLOSED),
        ResetBreaker(source="kite"),
        EnableSource(source="kite"),
        RestartSource(source="kite"),
        SetRateLimit(source="kite", limit=1),
        CheckHealth(source="kite"),
        Login(source="kite"),
        Subscribe(instruments=("NSE:INFY",)),
        Unsubscribe(instruments=("NSE:INFY", "NSE:TCS")),
        ApplyConfig(),
        StartDrill(scenario="refused", target="kite"),
        EndDrill(),
    )
}


@pytest.mark.parametrize("command", get_args(Command))
def test_every_command_has_sentences_also_about_what_does_not_exist(command: type) -> None:
    example = _EXAMPLES[command]
    assert preview(example, _snapshot())
    names = {field.name for field in msgspec.structs.fields(command)}
    unknown = {name: "nothing" for name in ("route", "source", "target") if name in names}
    said = preview(msgspec.structs.replace(example, **unknown), _snapshot())
    assert all(sentence.endswith(".") for sentence in said)
    if unknown:
        assert said[0].startswith("There is no ")


def test_a_login_says_which_routes_wait_for_it_and_whether_it_lasts() -> None:
    asked = _source("kite", SourceState.LOGIN, login=LoginView(needed=True, lasts=False, opens_in_s=90_000.0))
    waiting = msgspec.structs.replace(_snapshot(), sources=(asked,))
    said = " ".join(preview(Login(source="kite"), waiting))
    assert "primary of NSE/ticks" in said
    assert "another one will be needed" in said

    well = _source("kite", SourceState.ACTIVE, login=LoginView(needed=False, expires_in_s=3600.0))
    said = " ".join(preview(Login(source="kite"), msgspec.structs.replace(_snapshot(), sources=(well,))))
    assert "logged in already" in said
    assert "another one" not in said

    assert "no login" in preview(Login(source="yahoo"), _snapshot())[0]


def test_standing_of_an_unknown_source() -> None:
    assert standing("nobody", _snapshot()) == ("There is no source nobody.",)
