"""What is lost, what it costs and what is left, said before a command is sent."""

from decimal import Decimal

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.commands import (
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    RestartSource,
    SetPriority,
    SetRateLimit,
)
from mds_engine.control.consequences.words import about, amount, duration, listed
from mds_engine.control.preview import preview
from mds_engine.control.snapshot import (
    BreakerView,
    CapabilityView,
    CoverageView,
    EngineView,
    LimiterView,
    MeterView,
    PollView,
    PriceView,
    RouteView,
    SourceState,
    SourceView,
    StreamView,
)

AT = 1_000_000.0
CLOSED = BreakerView(capability="", state="closed")


def source(name: str, **more: object) -> SourceView:
    """A well one."""
    views = tuple(CapabilityView(capability=one, breaker=CLOSED) for one in ("quote", "bars", "ticks"))
    values = {
        "name": name,
        "kind": name,
        "state": SourceState.READY,
        "why": "",
        "enabled": True,
        "health": "healthy",
        "score": 1.0,
        "breaker": CLOSED,
        "capabilities": views,
    }
    return SourceView(**{**values, **more})


def route(capability: str, **more: object) -> RouteView:
    """kite, then yahoo, then alpha."""
    values = {
        "key": f"NSE/{capability}",
        "exchange": "NSE",
        "capability": capability,
        "sources": ("kite", "yahoo", "alpha"),
        "active": "kite",
        "degraded": False,
        "next_source": "yahoo",
    }
    return RouteView(**{**values, **more})


def desk(*routes: RouteView, **sources: SourceView) -> Snapshot:
    """A picture of them; sources that are not given are plain."""
    named = {name: source(name) for name in ("kite", "yahoo", "alpha")} | sources
    engine = EngineView(name="desk", started_at=0.0, uptime_s=0.0)
    return Snapshot(at=AT, engine=engine, sources=tuple(named.values()), routes=routes)


def covering(has: int, lacks: int, untried: int, *lacking: str) -> RouteView:
    """A route of ticks of which yahoo has so many."""
    view = CoverageView(source="yahoo", has=has, lacks=lacks, untried=untried, lacking=lacking)
    return route("ticks", instruments=has + lacks + untried, coverage=(view,))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (covering(812, 0, 0), ("yahoo has all of them.",)),
        (
            covering(810, 2, 0, "NSE:A", "NSE:B"),
            ("yahoo has 810 of them.", "2 would be lost: NSE:A and NSE:B."),
        ),
        (
            covering(0, 0, 812),
            ("yahoo has streamed none of them yet: whether it has them is not known.",),
        ),
        (
            covering(600, 12, 200, "NSE:A", "NSE:B", "NSE:C"),
            (
                "yahoo is known to have 600 of them; 200 were never tried there.",
                "12 would be lost: NSE:A, NSE:B, NSE:C and 9 more.",
            ),
        ),
        (covering(1, 0, 0), ("yahoo has it.",)),
    ],
)
def test_what_a_target_is_known_to_have_and_what_would_be_lost(of, words) -> None:
    said = preview(FailOver(route="NSE/ticks"), desk(of))
    assert said[2 : 2 + len(words)] == words


def test_what_a_targets_connections_cannot_carry_is_told() -> None:
    live = route("ticks", instruments=800, coverage=())
    other = msgspec.structs.replace(route("ticks", instruments=300, active="yahoo"), key="BSE/ticks")
    said = preview(FailOver(route="NSE/ticks"), desk(live, other, yahoo=source("yahoo", carries=1000)))
    assert "Its connections carry 1,000 instruments in all: 100 would be left out." in said
    roomy = preview(FailOver(route="NSE/ticks"), desk(live, other, yahoo=source("yahoo", carries=1100)))
    assert not any("left out" in sentence for sentence in roomy)


POLLED = source("alpha", polls=PollView(pace_s=12.0, at_once=1))


@pytest.mark.parametrize(
    "command",
    [
        Pin(route="NSE/ticks", source="alpha"),
        FailOver(route="NSE/ticks", to="alpha"),
        SetPriority(route="NSE/ticks", sources=("alpha", "kite", "yahoo")),
    ],
)
def test_that_polls_would_stand_in_for_a_stream_is_told_once(command) -> None:
    said = preview(command, desk(route("ticks", instruments=800), alpha=POLLED))
    words = "alpha has no stream: it is polled every 12 s for 1 instrument, each is seen every 2 h 40 min."
    assert said.count(words) == 1


def test_a_polled_source_that_comes_first_is_told_also_where_it_cannot_serve_now() -> None:
    out = msgspec.structs.replace(POLLED, state=SourceState.OUT)
    command = SetPriority(route="NSE/ticks", sources=("alpha", "kite", "yahoo"))
    said = preview(command, desk(route("ticks", instruments=2), alpha=out))
    assert said[1] == "kite stays the one that answers."
    assert said[2].startswith("alpha has no stream: it is polled every 12 s")
    assert said[3] == "kite, which streams, comes after it."
    last = SetPriority(route="NSE/ticks", sources=("kite", "alpha", "yahoo"))
    assert not any("polled" in sentence for sentence in preview(last, desk(route("ticks"), alpha=out)))


def test_polls_of_which_none_is_left_today() -> None:
    spent = source("alpha", polls=PollView(pace_s=None, at_once=1))
    said = preview(Pin(route="NSE/ticks", source="alpha"), desk(route("ticks", instruments=2), alpha=spent))
    assert "alpha has no stream, and its polls of today are used." in said


def priced(name: str, per_call: str, currency: str = "USD", **more: object) -> SourceView:
    """One that charges by the call."""
    return source(name, price=PriceView(currency=currency, per_call=per_call, per_month="0.00"), **more)


ASKED = route("quote", calls_per_hour=420.0)


@pytest.mark.parametrize(
    ("of", "sources", "words"),
    [
        (ASKED, {}, "It costs nothing more."),
        (
            ASKED,
            {"yahoo": priced("yahoo", "0.002")},
            (
                "It costs 0.84 USD per hour more, at the present 420 calls per hour "
                "(0.002 USD a call at yahoo, nothing at kite)."
            ),
        ),
        (
            ASKED,
            {"kite": priced("kite", "0.005"), "yahoo": priced("yahoo", "0.002")},
            (
                "It costs 1.26 USD per hour less, at the present 420 calls per hour "
                "(0.002 USD a call at yahoo, 0.005 USD at kite)."
            ),
        ),
        (
            ASKED,
            {"kite": priced("kite", "0.5", "INR"), "yahoo": priced("yahoo", "0.002")},
            "It costs 0.84 USD per hour in place of 210.00 INR, at the present 420 calls per hour.",
        ),
        (
            ASKED,
            {"kite": priced("kite", "0.002"), "yahoo": priced("yahoo", "0.002")},
            "It costs as much as now.",
        ),
        (
            route("quote"),
            {"yahoo": priced("yahoo", "0.002")},
            "A call costs 0.002 USD at yahoo, nothing at kite; none is asked at present.",
        ),
        (
            route("ticks", instruments=3),
            {"yahoo": priced("yahoo", "0.002")},
            "It costs nothing more: streams are not charged by the call.",
        ),
        (
            route("ticks", instruments=3),
            {"yahoo": priced("yahoo", "0.01", polls=PollView(pace_s=60.0, at_once=3))},
            (
                "It costs 0.60 USD per hour more, at the present 60 calls per hour "
                "(0.01 USD a call at yahoo, nothing at kite)."
            ),
        ),
    ],
)
def test_the_difference_in_money_is_told_at_the_present_pace(of, sources, words) -> None:
    assert words in preview(FailOver(route=of.key), desk(of, **sources))


def planned(used: float, limit: float, *, hours: float = 10.0, forecast: float | None = None) -> SourceView:
    """yahoo, with a plan of calls a day that begins anew in so many hours."""
    meter = MeterView(
        meter="calls", period="day", used=used, limit=limit, resets_at=AT + hours * 3600, forecast=forecast
    )
    return source("yahoo", meters=(meter,))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (planned(12, 100, hours=0.1), "88 of its 100 calls left today (88 %): enough until it begins anew"),
        (
            planned(80, 500),
            (
                "420 of its 500 calls left today (84 %): at the present pace that is spent in 1 h, "
                "and begins anew in 10 h."
            ),
        ),
        (planned(80, 500, forecast=4280), "at the present pace that is spent in 30 min, and begins anew"),
        (planned(100, 100), "yahoo has none of its 100 calls left today; they come back in 10 h."),
    ],
)
def test_what_is_left_of_a_plan_is_told_against_what_would_be_asked(plan, words) -> None:
    said = preview(FailOver(route="NSE/quote"), desk(ASKED, yahoo=plan))
    assert any(words in sentence for sentence in said), said


def test_the_plan_of_the_source_that_is_left_is_spared() -> None:
    said = preview(
        FailOver(route="NSE/quote"), desk(ASKED, kite=msgspec.structs.replace(planned(1, 9), name="kite"))
    )
    assert "kite's plan is spared 420 calls per hour." in said


def test_a_target_whose_limit_is_too_narrow_is_told() -> None:
    limits = (
        LimiterView(group="default", limit=5, window_s=60.0, used=0),
        LimiterView(group="other", limit=1, window_s=3600.0, used=0),
    )
    said = preview(FailOver(route="NSE/quote"), desk(ASKED, yahoo=source("yahoo", limiters=limits)))
    assert (
        "yahoo's limit of 5 per minute lets 300 calls per hour through, fewer than the present 420." in said
    )
    assert not any("per hour lets" in sentence for sentence in said)


def test_taking_a_source_out_tells_of_each_route_and_each_target_once() -> None:
    routes = (
        ASKED,
        covering(810, 2, 0, "NSE:A", "NSE:B"),
        route("bars", next_source="alpha", calls_per_hour=60.0),
        msgspec.structs.replace(route("news", pinned="kite"), capability="news"),
    )
    kite = source("kite", stream=StreamView(connections=1, instruments=820, delivers=812))
    said = preview(
        EnableSource(source="kite", enabled=False),
        desk(*routes, kite=kite, alpha=priced("alpha", "0.1"), yahoo=source("yahoo", health="degraded")),
    )
    assert said == (
        "kite goes out of service; nothing is sent to it.",
        "NSE/quote moves to yahoo.",
        "NSE/ticks moves to yahoo with 812 instruments.",
        "yahoo has 810 of them.",
        "2 would be lost: NSE:A and NSE:B.",
        "NSE/bars moves to alpha.",
        "NSE/news is forced to it, and is down.",
        "yahoo is ready, degraded, breaker closed.",
        "It costs nothing more.",
        "alpha is ready, healthy, breaker closed.",
        (
            "It costs 6.00 USD per hour more, at the present 60 calls per hour "
            "(0.1 USD a call at alpha, nothing at kite)."
        ),
        "It no longer stands by for 8 live instruments.",
    )


def test_holding_one_breaker_open_leaves_the_other_routes_out() -> None:
    said = preview(
        ForceBreaker(source="kite", state=ForcedState.OPEN, capability="bars"),
        desk(ASKED, route("bars", next_source=None)),
    )
    assert said[1:] == ("NSE/bars is down: no other source can serve it.",)


def test_a_restart_tells_what_is_interrupted_and_who_takes_over_meanwhile() -> None:
    kite = source("kite", stream=StreamView(connections=1, instruments=820, delivers=812))
    said = preview(RestartSource(source="kite"), desk(covering(812, 0, 0), kite=kite))
    assert said == (
        "kite lets calls under way end, is closed, and is connected anew.",
        "Its live streams are interrupted: 812 instruments it delivers, 8 instruments it stands by for.",
        "NSE/ticks moves to yahoo with 812 instruments.",
        "yahoo has all of them.",
        "yahoo is ready, healthy, breaker closed.",
        "It costs nothing more.",
        "kite takes back what it led when it is well.",
        "Its breakers, limits, bans and quotas stay as they are.",
    )
    alone = preview(RestartSource(source="kite"), desk(route("quote", next_source=None)))
    assert "It has no live streams now." in alone
    assert "NSE/quote is down until it is back: no other source can serve it." in alone
    off = preview(RestartSource(source="kite"), desk(kite=source("kite", enabled=False)))
    assert off == ("kite is out of service: take it into service instead.",)


def limited(**more: object) -> Snapshot:
    """kite with one window."""
    values = {"group": "default", "limit": 10, "window_s": 1.0, "used": 2, "published": 10}
    return desk(kite=source("kite", limiters=(LimiterView(**{**values, **more}),)))


@pytest.mark.parametrize(
    ("limit", "more", "words"),
    [
        (5, {}, ("That is 300 calls per minute fewer (50 % of now).", "The vendor publishes 10.")),
        (
            10,
            {"limit": 5},
            ("That is 300 calls per minute more (200 % of now).", "what the vendor publishes"),
        ),
        (12, {}, ("120 calls per minute more", "WARNING: the vendor publishes 10; above that it may")),
        (1, {}, ("540 calls per minute fewer", "2 were sent within the last second: calls wait")),
        (5, {"published": None}, ("kite publishes no limit for such a window.",)),
        (10, {}, ("kite may be sent 10 per second already; nothing changes.",)),
        (0, {}, ("at least 1; take the source out of service",)),
        (5, {"weighed": True}, ("That is 300 weight per minute less (50 % of now).",)),
        (24, {"limit": 25, "window_s": 86400.0}, ("That is 1 call per day fewer (96 % of now)",)),
    ],
)
def test_a_rate_limit_is_told_in_calls_per_minute_and_against_the_vendors(limit, more, words) -> None:
    window_s = more.get("window_s", 1.0)
    said = " ".join(preview(SetRateLimit(source="kite", limit=limit, window_s=window_s), limited(**more)))
    for text in words:
        assert text in said


def test_a_limit_that_another_window_makes_idle_is_told() -> None:
    limits = (
        LimiterView(group="default", limit=10, window_s=1.0, used=0, published=10),
        LimiterView(group="default", limit=300, window_s=60.0, used=0, published=300),
    )
    said = preview(SetRateLimit(source="kite", limit=8), desk(kite=source("kite", limiters=limits)))
    assert said[-1] == "In the long run the other limit of 300 per minute lets less through."


def test_a_window_that_is_none_is_told_with_those_there_are() -> None:
    said = preview(SetRateLimit(source="kite", limit=3, window_s=60.0), limited())
    assert said == ("kite has no default window of 1 min; it has default 1 s.",)


def test_words() -> None:
    assert [duration(value) for value in (41, 900, 905, 7500, 200_000)] == [
        "41 s",
        "15 min",
        "15 min 5 s",
        "2 h 5 min",
        "2 days",
    ]
    assert [about(value) for value in (41.4, 3599, 20_000)] == ["41 s", "1 h", "6 h"]
    assert listed(("A",)) == "A"
    assert listed(("A", "B", "C"), of=12) == "A, B, C and 9 more"
    assert [amount(Decimal(text)) for text in ("0.84", "0.0004", "12.3456", "-0.0001")] == [
        "0.84",
        "0.00",
        "12.35",
        "0.00",
    ]
