"""Undo, completion, forms, feed, layout, header, themes: what the console decides without a screen."""

import msgspec
import pytest
from mds_engine.control import Snapshot
from mds_engine.control.commands import (
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Pin,
    ResetBreaker,
    Unpin,
)
from mds_engine.control.events import CommandApplied, FailedBack, FailedOver, OverrideEnded

from mds_tui.desk_layout import PANES, Shape, boxes, shape_of
from mds_tui.feed import Feed
from mds_tui.format.cells import text_of, width_of
from mds_tui.format.header import Figures, Status, header, tabs, trouble
from mds_tui.format.sight import BLANK, Sight
from mds_tui.forms.form import answers
from mds_tui.forms.routes import FailOverForm
from mds_tui.forms.sources import EnableForm, ForceBreakerForm, ResetForm
from mds_tui.palettes import bare_palette, load_themes
from mds_tui.settings import default_fps, operator_name
from mds_tui.theme import paint_of, textual_theme
from mds_tui.undo import undoable


def _applied(command: object, reverse: object) -> CommandApplied:
    return CommandApplied(command=command, message="done", reverse=reverse)


PIN = Pin(route="NSE/quote", source="yahoo", by="asha", why="gaps")
UNPIN = Unpin(route="NSE/quote")


def test_undo_takes_the_last_command_that_can_be_reversed_and_was_not() -> None:
    reset = _applied(ResetBreaker(source="kite"), None)
    enable = _applied(EnableSource(source="kite", enabled=False), EnableSource(source="kite"))
    pinned = _applied(PIN, UNPIN)
    undone = _applied(Unpin(route="NSE/quote", by="asha"), PIN)
    assert undoable([]) is None
    assert undoable([enable, pinned, reset]) is pinned
    assert undoable([enable, pinned, undone]) is enable
    assert undoable([enable, pinned, OverrideEnded(subject="NSE/quote", why="time over")]) is enable
    moved = _applied(FailOver(route="NSE/quote"), FailOver(route="NSE/quote", to="kite"))
    back = FailedBack(route="NSE/quote", before="yahoo", after="kite", why="well for 60 s")
    assert undoable([enable, moved]) is moved
    assert undoable([enable, moved, back]) is enable


def test_the_failover_form_asks_for_a_time_only_where_a_source_is_held(snapshot: Snapshot) -> None:
    form = FailOverForm(("NSE/quote",))
    values = answers(form, form.initial, snapshot)
    assert values == {"route": "NSE/quote", "how": "fail over", "to": ""}
    assert form.command(values, by="asha", why="x") == FailOver(route="NSE/quote", by="asha", why="x")
    values = answers(form, {**values, "how": "force"}, snapshot)
    assert values == {"route": "NSE/quote", "how": "force", "to": "kite", "for": "900"}
    assert form.command(values, by="a", why="") == Pin(route="NSE/quote", source="kite", ttl_s=900.0, by="a")
    held = form.command({**values, "for": ""}, by="a", why="")
    assert isinstance(held, Pin)
    assert held.ttl_s is None


def test_the_breaker_forms(snapshot: Snapshot) -> None:
    force = ForceBreakerForm(("kite", "yahoo"))
    values = answers(force, force.initial, snapshot)
    assert force.command(values, by="a", why="") == ForceBreaker(
        source="kite", state=ForcedState.OPEN, by="a"
    )
    automatic = answers(force, {**values, "to": "automatic", "breaker": "bars"}, snapshot)
    assert "for" not in automatic
    command = force.command(automatic, by="a", why="")
    assert isinstance(command, ForceBreaker)
    assert (command.state, command.capability) == (ForcedState.AUTOMATIC, "bars")
    reset = ResetForm(("yahoo",))
    assert reset.command(answers(reset, reset.initial, snapshot), by="a", why="") == ResetBreaker(
        source="yahoo", by="a"
    )
    enable = EnableForm(("kite",), enabled=False)
    assert enable.command(answers(enable, enable.initial, snapshot), by="a", why="") == EnableSource(
        source="kite", enabled=False, by="a"
    )


def test_the_feed_keeps_history_apart_from_news_and_knows_its_age(link, times, snapshot: Snapshot) -> None:
    link.picture = None
    feed = Feed(link, times.now)
    assert feed.poll() == ()
    assert not feed.silent
    link.picture = snapshot
    assert feed.poll() == ()
    assert feed.events[0].number == len(link.log)
    link.happen(FailedOver(route="NSE/quote", before="kite", after="yahoo", why="x"))
    assert [event.number for event in feed.poll()] == [len(link.log)]
    times.monotonic += 2.5
    feed.poll()
    assert feed.silent
    assert feed.age_s == pytest.approx(2.5)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (111, 50), (112, 32), (120, 40), (140, 40), (240, 70)])
@pytest.mark.parametrize("focus", PANES)
@pytest.mark.parametrize("zoomed", [False, True])
def test_panes_tile_the_desk_without_gap_or_overlap(size: tuple[int, int], focus: str, zoomed: bool) -> None:
    width, height = size
    shape = shape_of(width, height)
    places = boxes(width, height - 4, shape=shape, focus=focus, zoomed=zoomed, sources=4, routes=9)
    assert focus in places
    assert sum(box.width * box.height for box in places.values()) == width * (height - 4)
    covered = {
        (x, y)
        for box in places.values()
        for x in (box.x, box.x + box.width - 1)
        for y in (box.y, box.y + box.height - 1)
    }
    assert all(0 <= x < width and 0 <= y < height - 4 for x, y in covered)
    assert all(box.height >= 4 for box in places.values())


def test_shapes() -> None:
    assert shape_of(59, 40) is Shape.TOO_SMALL
    assert shape_of(60, 15) is Shape.TOO_SMALL
    assert shape_of(60, 16) is Shape.NARROW
    assert shape_of(120, 40) is Shape.WIDE


@pytest.mark.parametrize("width", range(60, 160, 7))
def test_the_header_never_takes_more_than_the_line(snapshot: Snapshot, width: int) -> None:
    line = header(Sight(snapshot), Status("embedded", snapshot.at, figures=Figures(frame_ms=4.0)), width)
    assert width_of(line) <= width
    assert "demo embedded" in text_of(line)


def test_the_header_says_in_words_how_the_engine_is(snapshot: Snapshot) -> None:
    def words(**more: object) -> str:
        return text_of(header(Sight(snapshot), Status("embedded", snapshot.at, **more), 140))

    assert "engine silent for 3 s" in words(silent_s=3.0)
    assert "engine stopped: no such file" in words(failure="no such file", silent_s=4.0)
    assert "display paused 12 s" in words(paused_s=12.0)
    assert "read-only" in words(read_only=True)
    assert "NSE/bars ▸ yahoo 12:40" in words()
    assert "starting…" in text_of(header(Sight(BLANK), Status("embedded", 0.0, started=False), 80))


def test_a_replay_cannot_be_taken_for_the_present(snapshot: Snapshot) -> None:
    engine = msgspec.structs.replace(snapshot.engine, simulated=False, replayed=True)
    past = msgspec.structs.replace(snapshot, at=snapshot.at - 3600.0, engine=engine)
    words = text_of(header(Sight(past), Status("embedded", snapshot.at), 120))
    assert "replay of a recording, not live" in words
    assert "● live" not in words
    assert words.split()[-2:] == text_of(header(Sight(past), Status("embedded", past.at), 120)).split()[-2:]


def test_trouble_names_what_is_down_forced_and_degraded(snapshot: Snapshot) -> None:
    words = text_of(trouble(Sight(snapshot)))
    assert words.split("   ") == [" ✖ NASDAQ/bars down", "⚑ NSE/bars ▸ yahoo 12:40", "◐ NSE/quote ▸ yahoo"]


def test_tabs_shrink_to_numbers() -> None:
    assert "5 watch" in text_of(tabs(PANES, "sources", 80))
    narrow = text_of(tabs(PANES, "watch", 40))
    assert "5 watch" in narrow
    assert "sources" not in narrow


def test_the_shipped_themes_load_and_make_textual_themes() -> None:
    themes = load_themes()
    assert {"dark", "light"} <= set(themes.loaded)
    assert themes.failed == ()
    for palette in [*themes.loaded.values(), bare_palette()]:
        assert textual_theme(palette).name == palette.name
        assert paint_of(palette, ascii_only=True).plain


def test_settings_read_the_environment() -> None:
    assert operator_name({"USER": "asha"}) == "asha"
    assert operator_name({}) == "operator"
    assert default_fps({"SSH_CONNECTION": "1 2 3 4"}) < default_fps({})
