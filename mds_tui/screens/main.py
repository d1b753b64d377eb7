"""The desk: header, six panes, footer; what each key does to them."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from mds_engine.control import Event
from mds_engine.control.events import CommandApplied, FailedBack, FailedOver, RouteDown, RouteRestored
from mds_engine.control.registry import entry
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from mds_tui.desk_layout import PANES, SMALLEST_HEIGHT, SMALLEST_WIDTH, Shape, boxes, shape_of
from mds_tui.format.header import Figures, Status, engine_trouble, header, header_parts, tabs, trouble
from mds_tui.format.sight import BLANK, Sight
from mds_tui.panes.cost import CostPane, use_rows
from mds_tui.panes.events import EventsPane
from mds_tui.panes.latency import LatencyPane, latency_rows
from mds_tui.panes.routes import RoutesPane
from mds_tui.panes.sources import SourcesPane
from mds_tui.panes.watch import WatchPane
from mds_tui.screens.keys import IMPORTANCE, LOOKING_BINDINGS, acting_bindings, tool_bindings
from mds_tui.screens.look import Look, look_at
from mds_tui.screens.prompting import PromptScreen
from mds_tui.screens.subjects import Subject, subject_of
from mds_tui.tools import is_offered, tool_named
from mds_tui.undo import undoable
from mds_tui.widgets.bar import Bar
from mds_tui.widgets.brush import Brush
from mds_tui.widgets.desk import Desk
from mds_tui.widgets.key_bar import KeyBar
from mds_tui.widgets.live_grid import LiveGrid
from mds_tui.widgets.paint import Paint

LIT_S = 4.0
"""How long a route stays lit after it changed its source."""
FIGURES_EVERY_S = 1.0
"""How often lag, frame and ticks per second change in the header."""


class MainScreen(PromptScreen):
    """A function of the feed; it answers with commands through the app."""

    BINDINGS: ClassVar[list[BindingType]] = [*acting_bindings(), *tool_bindings(), *LOOKING_BINDINGS]

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is monotonic seconds."""
        super().__init__(id="main")
        self._now = now
        self._focus = PANES[0]
        self._zoomed = False
        self._paused_at: float | None = None
        self.held = False
        """Whether the picture stands still for as long as something points at its rows."""
        self._lit: dict[str, float] = {}
        self._look: Look | None = None
        self._counts = (0, 0)
        self._troubled = False
        self._faded = False
        self._figures = Figures()
        self._figures_at = float("-inf")
        self._header_parts: tuple[object, ...] = ()
        self._header_basis: object = None
        self._header_moment: object = None
        self._shape = Shape.NARROW
        self._reversible: CommandApplied | None = None
        self._newest = 0
        self.sight = Sight(BLANK)
        self._panes: dict[str, LiveGrid[Any]] = {
            "sources": SourcesPane(id="sources"),
            "routes": RoutesPane(id="routes"),
            "latency": LatencyPane(id="latency"),
            "cost": CostPane(id="cost"),
            "watch": WatchPane(id="watch"),
            "events": EventsPane(id="events"),
        }
        self._header = Bar(id="header")
        self._tabs = Bar(id="tabs", ground="background")
        self._trouble = Bar(id="trouble", ground="background")
        self._brush = Brush(self)

    def compose(self) -> ComposeResult:
        """Everything that is always there; the prompt comes when it is asked for."""
        yield self._header
        yield self._tabs
        yield Desk(*self._panes.values())
        yield self._trouble
        yield KeyBar(IMPORTANCE, id="keys")
        yield Static(id="small")

    def on_mount(self) -> None:
        """Titles, colours, and the first focus."""
        for number, name in enumerate(PANES, 1):
            pane = self.pane_named(name)
            pane.number = number
            pane.show_title()
        for painted in (*self.panes, *self.query(Bar)):
            painted.brush = self._brush
        self.use(self.console.paint)
        self._arrange()
        self.pane_named(self._focus).focus()

    # The picture.

    def beat(self, news: Sequence[Event]) -> None:
        """Draw what the feed holds now."""
        with self._brush:
            self._beat(news)

    def _beat(self, news: Sequence[Event]) -> None:
        self._light(news)
        feed, settings = self.console.feed, self.console.settings
        if self._paused_at is None and not self.held and feed.snapshot is not None:
            lit = frozenset(self._lit)
            self.sight = Sight(feed.snapshot, self.console.paint.glyphs, settings.zone, lit)
            look = look_at(feed.snapshot, feed.events[0].number if feed.events else 0, lit)
            if look != self._look:
                self._look = look
                self._header_parts = header_parts(feed.snapshot)
                self._show()
        faded = feed.failure is not None or feed.silent
        if faded != self._faded:
            self._faded = faded
            for pane in self.panes:
                pane.faded = faded
        newest = feed.events[0].number if feed.events else 0
        # Nothing that the header says of the console itself is finer than a second.
        config = self.console.config_watch
        moment = (int(self._now()), self._look, faded, feed.failure, newest, config and config.words)
        if moment != self._header_moment:
            self._header_moment = moment
            self._show_header()
        if newest != self._newest:
            self._newest = newest
            self._reversible = undoable(reversed(feed.events))
            self.refresh_bindings()

    def refresh_bindings(self) -> None:
        """What the keys do is different now; so may be what the header says, as of arming."""
        self._header_moment = None
        super().refresh_bindings()

    def use(self, paint: Paint) -> None:
        """Take a theme."""
        self.sight = self.sight._replace(glyphs=paint.glyphs)
        for pane in self.panes:
            pane.sight = pane.sight._replace(glyphs=paint.glyphs)
            pane.use(paint)
        for bar in self.query(Bar):
            bar.use(paint)
        self.set_class(paint.plain, "-ascii")
        self.set_class(self.app.no_color and not paint.plain, "-heavy")

    @property
    def panes(self) -> Sequence[LiveGrid[Any]]:
        """All six."""
        return list(self._panes.values())

    def pane_named(self, name: str) -> LiveGrid[Any]:
        """One of the six."""
        return self._panes[name]

    @property
    def focused_pane(self) -> LiveGrid[Any]:
        """The one that keys go to, also while something is typed."""
        return self.pane_named(self._focus)

    def subject(self) -> Subject:
        """What the focused pane points at."""
        return subject_of(self.focused_pane.current(), self.sight.snapshot)

    def _show(self) -> None:
        snapshot = self.sight.snapshot
        counts = (len(snapshot.sources), len(snapshot.routes))
        troubled = bool(snapshot.engine.trouble)
        if counts != self._counts or troubled != self._troubled:
            self._counts, self._troubled = counts, troubled
            self.set_class(troubled, "-troubled")
            self._arrange()
            self.refresh_bindings()
        for name, pane in self._panes.items():
            if not pane.display:
                continue
            match name:
                case "latency":
                    items: Sequence[Any] = latency_rows(snapshot)
                case "cost":
                    items = use_rows(snapshot)
                case "events":
                    items = self.console.feed.events
                case _:
                    items = getattr(snapshot, name)
            pane.show(items, self.sight)

    def _show_header(self) -> None:
        console, now = self.console, self._now()
        feed, armed_s = console.feed, console.acting.arming.left_s(now)
        status = Status(
            mode=console.link.mode,
            at=int(console.wall()),
            started=feed.snapshot is not None,
            failure=feed.failure,
            silent_s=int(feed.age_s) if feed.silent else None,
            paused_s=int(now - self._paused_at) if self._paused_at is not None else None,
            figures=self._sampled(now),
            read_only=console.settings.read_only,
            config="" if console.config_watch is None else console.config_watch.words,
            armed_s=None if armed_s is None else int(armed_s),
        )
        width = console.size.width
        # Built again only for what a reader would see: it is looked at with every beat.
        basis = (status, width, self._shape, self._focus, self.sight.glyphs, self._header_parts)
        if basis == self._header_basis:
            return
        self._header_basis = basis
        self._header.show(header(self.sight, status, width))
        if self._shape is Shape.NARROW:
            self._tabs.show(tabs(PANES, self._focus, width))
            self._trouble.show(trouble(self.sight))
        elif self._shape is Shape.WIDE:
            self._trouble.show(engine_trouble(self.sight))

    def _sampled(self, now: float) -> Figures:
        engine = self.sight.snapshot.engine
        first = self._figures.frame_ms is None and self.console.frame_ms is not None
        if first or now - self._figures_at >= FIGURES_EVERY_S:
            self._figures_at = now
            self._figures = Figures(
                engine.ticks_per_s,
                engine.loop_lag_ms,
                self.console.frame_ms,
                engine.ticks_dropped,
                engine.ticks_conflated,
            )
        return self._figures

    def _light(self, news: Sequence[Event]) -> None:
        now = self._now()
        for event in news:
            if isinstance(event, FailedOver | FailedBack | RouteDown | RouteRestored):
                self._lit[event.route] = now + LIT_S
        self._lit = {route: until for route, until in self._lit.items() if until > now}

    # The layout.

    def on_resize(self) -> None:
        """Another size may be another shape."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.size
        self._shape = shape_of(width, height)
        for shape in Shape:
            self.set_class(shape is self._shape, f"-{shape.value.replace(' ', '-')}")
        if self._shape is Shape.TOO_SMALL:
            words = f"too small: {width}×{height}; the console needs {SMALLEST_WIDTH}×{SMALLEST_HEIGHT}"
            self.query_one("#small", Static).update(self.console.paint.words(words))
            return
        bars = (2 + self._troubled if self._shape is Shape.WIDE else 4) + self.more_bars(height)
        places = boxes(
            width,
            height - bars,
            shape=self._shape,
            focus=self._focus,
            zoomed=self._zoomed,
            sources=self._counts[0],
            routes=self._counts[1],
        )
        self.query_one(Desk).place(places)
        if self.sight.snapshot is not BLANK:
            self.call_after_refresh(self._show)
        self._show_header()

    def more_bars(self, _height: int) -> int:
        """Lines that a desk of another sort has beside these, on a screen of that height."""
        return 0

    # Keys that look.

    def action_pane(self, number: int) -> None:
        """Focus a pane by its number."""
        self._focus = PANES[number - 1]
        self._arrange()
        self.focus_pane()
        self.refresh_bindings()

    def action_next_pane(self, by: int) -> None:
        """Focus the pane beside."""
        self.action_pane((PANES.index(self._focus) + by) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """The focused pane alone, or all again."""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_pause(self) -> None:
        """Hold the picture; the engine goes on."""
        self._paused_at = self._now() if self._paused_at is None else None
        self._show_header()

    def action_clear(self) -> None:
        """Filter first, then zoom."""
        if self.focused_pane.needle:
            self.focused_pane.filter("")
        elif self._zoomed:
            self.action_zoom()

    def on_descendant_focus(self) -> None:
        """A pane that was clicked is the focused one."""
        focused = self.focused
        if isinstance(focused, LiveGrid) and focused.id is not None and focused.id != self._focus:
            self._focus = focused.id
            self._show_header()
            self.refresh_bindings()

    def on_live_grid_copied(self, message: LiveGrid.Copied) -> None:
        """To the terminal's clipboard."""
        self.app.copy_to_clipboard(message.text)
        self.notify("row copied", timeout=2)

    def on_live_grid_write_asked(self) -> None:
        """To files in the folder for exports."""
        self.action_tool("export")

    def on_events_pane_pointed(self, message: EventsPane.Pointed) -> None:
        """To the row that an event is about."""
        from mds_tui.about import row_about

        found = row_about(message.event, self.sight.snapshot)
        if found is None:
            self.notify("this event is about nothing that has a row", timeout=3)
            return
        pane, key = found
        self.action_pane(PANES.index(pane) + 1)
        # A pane that was out of sight has its rows only after the layout.
        self.call_after_refresh(self.pane_named(pane).go_to, key)

    def on_live_grid_opened(self, message: LiveGrid.Opened) -> None:
        """The detail of a row."""
        # Nobody opens one before the first paint.
        from mds_tui.screens.detail_page import open_detail

        open_detail(self.console, message.grid.current(), message.key)

    # Keys that act.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None greys: read-only, or no engine that answers. False hides: nothing to undo."""
        if action == "prompt":
            return not self.is_typing
        ready = self.console.feed.present
        if action == "act":
            dangerous = entry(str(parameters[0])).dangerous
            allowed = self.console.may_act or not (dangerous or self.console.settings.locked)
            return True if ready and allowed else None
        if action == "tool":
            tool = tool_named(str(parameters[0]))
            if tool is not None and not is_offered(tool, self.console.settings):
                return False
            return True if self.console.may_act or tool is None or not tool.dangerous else None
        if action == "undo":
            if self._reversible is None:
                return False
            return True if ready and self.console.may_act else None
        return True

    def action_act(self, name: str) -> None:
        """The dialog of a registry entry."""
        self.console.open_dialog(name, self.subject())

    def action_tool(self, name: str) -> None:
        """One of the console's own tools."""
        if (tool := tool_named(name)) is not None:
            self.use_tool(tool)

    def action_undo(self) -> None:
        """Take back the last command that can be taken back."""
        applied = undoable(reversed(self.console.feed.events))
        if applied is not None and applied.reverse is not None:
            self.console.confirm(applied.reverse, f"undo: {applied.message}")
