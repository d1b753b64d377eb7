"""What single cells of the panes say where room is short or something is wrong."""

from datetime import UTC

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.events import BreakerOpened, Event, FailedOver, LoginNeeded
from mds_engine.control.snapshot import LimiterView, SourceState

from mds_tui.details.others import event_lines
from mds_tui.details.route import route_lines
from mds_tui.format.cells import text_of, width_of
from mds_tui.format.events import event_line
from mds_tui.format.glyphs import UNICODE
from mds_tui.format.sight import Sight
from mds_tui.news import INCIDENT_S, Incidents, incident_words
from mds_tui.panes.cost import CostPane
from mds_tui.panes.routes import chain_cell
from mds_tui.panes.sources import breaker_cell, state_sentence
from mds_tui.screens.help import found_lines, help_sections
from mds_tui.widgets.columns import place


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (40, "kite ▸ ▲ yahoo ▸ ✖ alphavantage"),
        (26, "kite▸▲yahoo▸✖alphavantage"),
        (19, "kite▸▲yahoo +1"),
        (12, "▲yahoo +2"),
    ],
)
def test_a_chain_never_cuts_a_name_and_always_names_who_answers(
    snapshot: Snapshot, width: int, words: str
) -> None:
    chain = chain_cell(snapshot.route("NSE/quote"), Sight(snapshot), width)
    assert text_of(chain) == words
    assert width_of(chain) <= width


@pytest.mark.parametrize(("banned", "words"), [(False, "throttled 59:55"), (True, "banned 59:55")])
def test_a_closed_breaker_says_when_the_vendor_holds_us_off(
    snapshot: Snapshot, *, banned: bool, words: str
) -> None:
    held = LimiterView(group="default", limit=10, window_s=60.0, used=3, blocked_for_s=3595.0, banned=banned)
    source = msgspec.structs.replace(snapshot.source("binance"), limiters=(held,))
    assert text_of(breaker_cell(source, Sight(snapshot), 17)) == words
    free = msgspec.structs.replace(source, limiters=(msgspec.structs.replace(held, blocked_for_s=0.2),))
    assert text_of(breaker_cell(free, Sight(snapshot), 17)) == "closed"


def test_what_a_limit_counts_stays_longer_than_its_bar() -> None:
    names = [
        CostPane.columns[spot.column].name for spot in place(CostPane.columns, {0: 12, 3: 14, 4: 10}, 46)
    ]
    assert names == ["source", "what", "used", "outlook"]


def test_the_cause_of_an_open_breaker_comes_before_the_count() -> None:
    event = BreakerOpened(
        source="kite", capability="", open_for_s=58.0, why="4 of the last 5 calls failed: connection refused"
    )
    assert (
        event_line(event).text == "breaker open for 58 s: connection refused (4 of the last 5 calls failed)"
    )


def test_an_incident_is_one_interruption_and_a_new_one_another() -> None:
    incidents = Incidents()
    over = FailedOver(route="NSE/quote", before="kite", after="yahoo", why="cut")
    more = FailedOver(route="NSE/bars", before="kite", after="yahoo", why="cut")
    login = LoginNeeded(number=9, source="kite", why="the token expired")
    assert incidents.sift([over, login], 0.0) == [[over], [login]]
    assert incidents.sift([more, more], 1.0) == []
    (later,) = incidents.sift([], INCIDENT_S)
    assert incident_words(later) == "1 route failed over: NSE/bars: cut"
    assert incidents.sift([over], INCIDENT_S + 1) == [[over]]


async def test_a_hold_is_told_also_while_a_breaker_is_not_closed(console, link, read_screen) -> None:
    held = LimiterView(group="quote", limit=1, window_s=1.0, used=0, blocked_for_s=3595.0)
    first, *others = link.picture.sources
    tripped = msgspec.structs.replace(first.breaker, state="half-open")
    first = msgspec.structs.replace(first, limiters=(held,), breaker=tripped)
    link.picture = msgspec.structs.replace(link.picture, sources=(first, *others))
    app = console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "throttled 59:55  the vendor wants no quote calls until then" in read_screen(app)


def test_why_a_candidate_stands_where_it_does_is_never_cut_without_a_sign(snapshot: Snapshot) -> None:
    sight = Sight(snapshot)
    for line in route_lines("NSE/quote", (), sight, 60):
        if text_of(line)[:1].isdigit():
            assert width_of(line) <= 60


def test_a_state_is_not_said_twice(snapshot: Snapshot) -> None:
    source = msgspec.structs.replace(
        snapshot.source("kite"), state=SourceState.LOGIN, why="login needed: the token expired"
    )
    assert text_of(state_sentence(source, UNICODE)) == "⚿ kite login needed  the token expired"


def test_help_tells_the_whole_of_each_command_where_it_is_narrow() -> None:
    lines = found_lines(help_sections({}, "watch", 70, on_desk=True), "")
    assert "Give a forced route back" in " ".join(" ".join(text_of(line) for line in lines).split())
    assert not any("…" in text_of(line) for line in lines)
    assert all(width_of(line) <= 70 for line in lines)


def test_an_event_tells_its_time_as_a_clock_does(snapshot: Snapshot, history: tuple[Event, ...]) -> None:
    lines = [text_of(line) for line in event_lines("1", history, Sight(snapshot, zone=UTC), 70)]
    (told,) = (line.split() for line in lines if line.strip().startswith("at "))
    assert told[1].count(":") == 2
