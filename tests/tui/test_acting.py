"""What dialogs say before they act, and the editor of limits, restarts and checks through the real keys."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.control.commands import CheckHealth, FailOver, RestartSource, SetRateLimit
from mds_engine.control.events import OverrideEnded
from mds_engine.control.preview import preview
from mds_engine.control.snapshot import CoverageView, Snapshot

from mds_tui.details.source import source_lines
from mds_tui.format.cells import Ink, text_of
from mds_tui.format.glyphs import UNICODE
from mds_tui.format.header import Status, header, trouble
from mds_tui.format.overrides import Override, overrides
from mds_tui.format.sight import Sight
from mds_tui.forms.limits import MOST, step, typed
from mds_tui.panes.routes import RoutesPane
from mds_tui.screens.dialog import Dialog, consequence_lines
from tests.tui.prepared import breaker, capability, source

SIZE = (120, 40)


def with_limits(snapshot: Snapshot, **more: object) -> Snapshot:
    """kite's first limit is another."""
    kite = snapshot.source("kite")
    first = msgspec.structs.replace(kite.limiters[0], **more)
    changed = msgspec.structs.replace(kite, limiters=(first, *kite.limiters[1:]))
    return replaced(snapshot, changed)


def replaced(snapshot: Snapshot, changed) -> Snapshot:
    """One source is another."""
    sources = tuple(changed if one.name == changed.name else one for one in snapshot.sources)
    return msgspec.structs.replace(snapshot, sources=sources)


def _told(app) -> str:
    return " / ".join(f"{one.title}: {one.message}" for one in app._notifications)


async def _open(app, pilot, *keys: str) -> None:
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(app.screen, Dialog)
    assert app.focused.id == "cancel"


async def _do(app, pilot) -> None:
    app.screen.query_one("#do").focus()
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()
    assert app.screen is app.desk


# --- Rate limits --------------------------------------------------------------------------------------


async def test_a_limit_is_stepped_and_the_dialog_says_how_much_that_is(console, link, read_screen) -> None:
    link.picture = with_limits(link.picture, limit=100, used=7, published=100)
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "M")
        words = read_screen(app)
        assert "published 100" in words
        assert "used 7 in the last second" in words
        app.screen.query_one("#figure-limit").focus()
        await pilot.pause()
        await pilot.press("h", "left")
        await pilot.pause()
        words = read_screen(app)
        assert "kite may be sent 98 per second instead of 100." in words
        assert "That is 120 calls per minute fewer (98 % of now)." in words
        await pilot.press("l", "l", "l", "l")
        await pilot.pause()
        assert "WARNING: the vendor publishes 100; above that it may throttle" in read_screen(app)
        await pilot.press("p", "h")
        await _do(app, pilot)
        assert link.sent == [SetRateLimit(source="kite", group="quote", limit=99, window_s=1.0, by="asha")]


async def test_a_limit_is_typed_for_another_window(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "M")
        app.screen.query_one("#choice-window").focus()
        await pilot.pause()
        await pilot.press("right", "down", *"25", "backspace", "enter")
        await pilot.pause()
        assert app.focused.id == "do"
        assert "kite may be sent 2 per second instead of 3." in read_screen(app)
        await _do(app, pilot)
        assert link.sent == [
            SetRateLimit(source="kite", group="historical", limit=2, window_s=1.0, by="asha")
        ]


async def test_no_limit_and_the_old_limit_change_nothing(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "M")
        await _do(app, pilot)
        await _open(app, pilot, "M")
        app.screen.query_one("#figure-limit").focus()
        await pilot.pause()
        await pilot.press("backspace")
        await pilot.pause()
        assert "Type a limit of at least 1." in read_screen(app)
        await _do(app, pilot)
        assert link.sent == []


async def test_only_sources_with_limits_are_offered_the_one_under_the_cursor_first(
    console, link, read_screen
) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "j", "j", "M")
        choice = app.screen.query_one("#choice-source")
        assert [option.value for option in choice.options] == ["binance", "kite"]
        await pilot.press("escape")
        for one in ("kite", "binance"):
            bare = msgspec.structs.replace(link.picture.source(one), limiters=())
            link.picture = replaced(link.picture, bare)
        app.beat()
        await pilot.press("M")
        assert app.screen is app.desk


async def test_a_limit_that_changes_meanwhile_does_not_overwrite_what_was_typed(
    console, link, read_screen
) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "M")
        link.picture = with_limits(link.picture, limit=5)
        app.beat()
        app.screen.settle()
        assert app.screen.query_one("#figure-limit").value == 5
        app.screen.query_one("#figure-limit").focus()
        await pilot.pause()
        await pilot.press("8")
        link.picture = with_limits(link.picture, limit=6)
        app.beat()
        app.screen.settle()
        assert app.screen.query_one("#figure-limit").value == 8


def test_a_limit_that_is_not_the_vendors_is_told_on_the_sources_page(snapshot: Snapshot) -> None:
    def told(**more: object) -> str:
        sight = Sight(with_limits(snapshot, limit=100, **more), UNICODE)
        return "\n".join(text_of(line) for line in source_lines("kite", (), sight, 100))

    assert "quote per s set to 100, the vendor publishes 120" in told(published=120)
    assert "the vendor publishes" not in told(published=100)
    assert "the vendor publishes" not in told(published=None)


@given(st.integers(1, MOST - 1), st.sampled_from([1, -1]))
def test_a_step_moves_a_little_and_stays_a_limit(limit: int, by: int) -> None:
    after = step(limit, by)
    assert 1 <= after < MOST
    if 1 < limit < MOST * 0.9:
        assert (after - limit) * by > 0
        assert abs(after - limit) <= max(1, limit / 5)


@given(st.lists(st.sampled_from([*"0123456789", "backspace"]), max_size=30))
def test_what_is_typed_is_a_limit_or_nothing(keys: list[str]) -> None:
    limit = None
    for key in keys:
        limit = typed(limit, key)
        assert limit is None or 1 <= limit < MOST


def test_a_limit_is_typed_digit_by_digit() -> None:
    assert [typed(None, "0"), typed(None, "4"), typed(4, "2"), typed(42, "backspace")] == [None, 4, 42, 4]
    assert typed(4, "backspace") is None


# --- Forced routes ------------------------------------------------------------------------------------


async def test_a_forced_route_is_offered_to_be_forced_elsewhere(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "2", "j", "F")
        words = read_screen(app)
        assert "[force]" in words
        assert "NSE/bars moves from yahoo to kite." in words


# --- Restart and check --------------------------------------------------------------------------------


async def test_a_restart_says_what_is_interrupted_and_is_sent_with_its_reason(
    console, link, read_screen
) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "N")
        words = read_screen(app)
        assert "kite lets calls under way end, is closed, and is connected anew." in words
        assert "NSE/ticks moves to yahoo with 812 instruments." in words
        app.screen.query_one("#reason").focus()
        await pilot.pause()
        await pilot.press(*"stuck", "enter")
        await _do(app, pilot)
        assert link.sent == [RestartSource(source="kite", by="asha", why="stuck")]


async def test_a_check_is_sent_at_once_and_its_result_is_told(console, link) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("1", "j", "c")
        await pilot.pause()
        assert link.sent == [CheckHealth(source="yahoo", by="asha")]
        assert "done: done as asked" in _told(app)


async def test_a_check_needs_a_source_under_the_cursor(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("6", "G", "c")
        await pilot.pause()
        assert link.sent == []
        assert "there is no source under the cursor" in _told(app)


# --- What dialogs say ---------------------------------------------------------------------------------


def test_what_speaks_against_it_stands_out(snapshot: Snapshot) -> None:
    lines = consequence_lines(preview(FailOver(route="NSE/ticks"), snapshot), ">", 200)
    inks = {text_of(line): line[-1].ink for line in lines}
    assert inks["> NSE/ticks moves from kite to yahoo."] is Ink.TEXT
    assert next(ink for words, ink in inks.items() if "yahoo is trying" in words) is Ink.WARN


async def test_more_sentences_than_there_is_room_for_can_be_read_on(console, link, read_screen) -> None:
    routes = tuple(
        msgspec.structs.replace(
            route,
            coverage=(
                CoverageView(source="yahoo", has=800, lacks=12, untried=0, lacking=("NSE:A", "NSE:B")),
            ),
        )
        if route.key == "NSE/ticks"
        else route
        for route in link.picture.routes
    )
    link.picture = msgspec.structs.replace(link.picture, routes=routes)
    app = console()
    async with app.run_test(size=(60, 16)) as pilot:
        await _open(app, pilot, "1", "E")
        assert "pgdn reads on" in read_screen(app)
        assert "goes out of service" in read_screen(app)
        await pilot.press("pagedown")
        await pilot.pause()
        first = read_screen(app)
        assert "goes out of service" not in first
        await pilot.press("pageup")
        await pilot.pause()
        assert "goes out of service" in read_screen(app)
        assert app.focused.id == "cancel"


@pytest.mark.parametrize(
    ("has", "lacks", "untried", "words"),
    [
        (812, 0, 0, "812 instruments, all known"),
        (800, 12, 0, "812 instruments, 12 lost"),
        (700, 0, 112, "812 instruments, 700 known"),
        (0, 0, 812, "812 instruments, untried"),
    ],
)
def test_the_routes_pane_tells_what_the_next_source_has(
    snapshot: Snapshot, has: int, lacks: int, untried: int, words: str
) -> None:
    view = CoverageView(source="yahoo", has=has, lacks=lacks, untried=untried)
    route = msgspec.structs.replace(snapshot.route("NSE/ticks"), coverage=(view,))
    pane = RoutesPane()
    pane.show([route], Sight(snapshot, UNICODE))
    lines = pane.tail()
    assert words in "\n".join(text_of(line) for line in lines)


# --- Overrides in the header --------------------------------------------------------------------------


def forced(name: str, state: str, left_s: float | None, *capabilities: str, every: bool = False):
    """A source with forced breakers."""
    views = tuple(
        capability(
            one,
            None,
            breaker=breaker(
                one,
                state if one in capabilities else "closed",
                forced_for_s=left_s if one in capabilities else None,
            ),
        )
        for one in ("quote", "bars")
    )
    worst = breaker("", state, forced_for_s=left_s) if every else breaker()
    return source(name, capabilities=views, breaker=worst)


def test_forced_breakers_are_overrides_as_forced_routes_are(snapshot: Snapshot) -> None:
    picture = replaced(snapshot, forced("kite", "forced-open", 90.0, "quote", "bars", every=True))
    picture = replaced(picture, forced("binance", "forced-closed", None, "bars"))
    assert overrides(picture) == (
        Override("kite breakers", "open", 90.0),
        Override("NSE/bars", "yahoo", 760.0),
        Override("binance bars breaker", "closed", None),
    )
    words = text_of(header(Sight(picture, UNICODE), Status("embedded", snapshot.at), 140))
    assert "kite breakers ▸ open 1:30 +2 more" in words
    narrow = text_of(header(Sight(picture, UNICODE), Status("embedded", snapshot.at), 80))
    assert "3 forced 1:30" in narrow
    assert "kite breakers" not in narrow
    below = text_of(trouble(Sight(picture, UNICODE)))
    assert "kite breakers ▸ open 1:30" in below
    assert "NSE/bars ▸ yahoo 12:40" in below


def test_an_override_without_an_end_says_so(snapshot: Snapshot) -> None:
    routes = tuple(msgspec.structs.replace(route, pinned=None) for route in snapshot.routes)
    picture = replaced(
        msgspec.structs.replace(snapshot, routes=routes), forced("kite", "forced-open", None, "quote")
    )
    words = text_of(header(Sight(picture, UNICODE), Status("embedded", snapshot.at), 140))
    assert "kite quote breaker ▸ open until ended" in words


async def test_the_countdown_goes_on_and_the_end_is_told(console, link, read_screen) -> None:
    app = console()
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        await pilot.pause()
        app.beat()
        await pilot.pause()
        assert "NSE/bars ▸ yahoo 12:40" in read_screen(app)
        for left_s, words in ((700.4, "11:40"), (None, "")):
            routes = tuple(
                msgspec.structs.replace(
                    route, pinned_for_s=left_s, pinned="yahoo" if left_s is not None else None
                )
                if route.pinned
                else route
                for route in link.picture.routes
            )
            link.picture = msgspec.structs.replace(link.picture, routes=routes)
            app.beat()
            await pilot.pause()
            assert (f"NSE/bars ▸ yahoo {words}" in read_screen(app)) is bool(words)
        link.happen(OverrideEnded(subject="kite", capability="quote", why="the time is over"))
        app.beat()
        await pilot.pause()
        assert "kite: automatic again: the time is over" in _told(app)


@pytest.mark.parametrize("published", [None, 1])
async def test_what_the_vendor_does_not_publish_cannot_be_taken(
    console, link, published, read_screen
) -> None:
    link.picture = with_limits(link.picture, limit=3, published=published)
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot, "1", "M")
        await pilot.press("p")
        assert app.screen.query_one("#figure-limit").value == (published or 3)
