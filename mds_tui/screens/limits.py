"""The editor of a source's rate limits."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from mds_engine.control import Command
from mds_engine.control.commands import SetRateLimit
from mds_engine.control.consequences.words import window
from mds_engine.control.preview import preview
from mds_engine.control.snapshot import LimiterView
from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from mds_tui.format.cells import Cell, Ink, Span, cell
from mds_tui.format.sight import Sight
from mds_tui.forms.form import Option
from mds_tui.forms.limits import limit_options, limiter_of, step, typed
from mds_tui.screens.dialog import Dialog
from mds_tui.widgets.choice import Choice
from mds_tui.widgets.figure import Figure
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.paint import Paint


class LimitDialog(Dialog[Command]):
    """Choose a source and one of its windows, see what holds, and set another limit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "publish", "as the vendor publishes", show=False, id="dialog.as-published"),
    ]
    verb = "set"

    def __init__(
        self, sources: tuple[str, ...], view: Callable[[], Sight], paint: Paint, operator: str
    ) -> None:
        """`sources` have limits, each of them; the first is offered first."""
        super().__init__("rate limit", view, paint)
        self._sources = tuple(Option(name, name) for name in sources)
        self._operator = operator
        self._source = sources[0]
        self._window = ""
        self._limit: int | None = None
        self._touched = False

    def body(self) -> Iterable[Widget]:
        """Source, window, what holds there now, and the new limit."""
        return [
            Choice("source", self.paint),
            Choice("window", self.paint),
            Lines(id="facts"),
            Figure("limit", self.paint, step=step, typed=typed),
        ]

    def settle(self) -> None:
        """What holds may have changed meanwhile."""
        limiter = self._limiter()
        if not self._touched:
            self._limit = None if limiter is None else limiter.limit
        options = limit_options(self.view().snapshot.source(self._source))
        self.query_one("#choice-source", Choice).show(self._sources, self._source)
        self.query_one("#choice-window", Choice).show(options, self._window)
        facts = self.query_one("#facts", Lines)
        facts.can_focus = False
        facts.use(self.paint)
        facts.styles.height = 1
        facts.show((_facts(limiter),))
        published = "; p as published" if limiter is not None and limiter.published is not None else ""
        self.query_one("#figure-limit", Figure).show(self._limit, f"type, or h l{published}")
        super().settle()

    def _limiter(self) -> LimiterView | None:
        """The one that is chosen; the first where it is gone."""
        source = self.view().snapshot.source(self._source)
        limiter = limiter_of(source, self._window)
        if limiter is None:
            options = limit_options(source)
            self._window = options[0].value if options else ""
            limiter = limiter_of(source, self._window)
        return limiter

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Another source or window begins with what holds there."""
        message.stop()
        if message.name == "source":
            self._source, self._window = message.value, ""
        else:
            self._window = message.value
        self._touched = False
        self.settle()

    def on_figure_changed(self, message: Figure.Changed) -> None:
        """Another limit."""
        message.stop()
        self._touched, self._limit = True, message.value
        self.settle()

    def on_key(self, event: events.Key) -> None:
        """A digit goes to the limit, wherever nothing else is typed."""
        if (event.character or "").isdecimal():
            event.stop()
            figure = self.query_one("#figure-limit", Figure)
            self.set_focus(figure)
            # After the focus, which begins a new number.
            figure.post_message(events.Key(event.key, event.character))

    def on_figure_left(self, message: Figure.Left) -> None:
        """The button is in reach, not pressed."""
        message.stop()
        self.query_one("#do", Button).focus()

    def action_publish(self) -> None:
        """The vendor's own, where it publishes one."""
        limiter = self._limiter()
        if limiter is not None and limiter.published is not None:
            self._touched, self._limit = True, limiter.published
            self.settle()

    def sentences(self) -> Sequence[str]:
        """What the limit would change."""
        command = self._command(why="")
        if command is None:
            return ("Type a limit of at least 1.",)
        return preview(command, self.view().snapshot)

    def answer(self) -> Command | None:
        """The new limit; None where there is none, or it is the old one."""
        limiter = self._limiter()
        if limiter is None or limiter.limit == self._limit:
            return None
        return self._command(why=self.reason)

    def _command(self, *, why: str) -> SetRateLimit | None:
        limiter = self._limiter()
        if limiter is None or self._limit is None:
            return None
        return SetRateLimit(
            source=self._source,
            group=limiter.group,
            window_s=limiter.window_s,
            limit=self._limit,
            by=self._operator,
            why=why,
        )


def _facts(limiter: LimiterView | None) -> Cell:
    """What the vendor publishes, what is set, and how much of it is used."""
    if limiter is None:
        return cell("there is no limit any more", Ink.WARN)
    published = "nothing" if limiter.published is None else f"{limiter.published:,}"
    above = limiter.published is not None and limiter.limit > limiter.published
    spans = [
        Span("  published ", Ink.DIM),
        Span(published),
        Span("   set ", Ink.DIM),
        Span(f"{limiter.limit:,}", Ink.WARN if above else Ink.TEXT),
        Span("   used ", Ink.DIM),
        Span(f"{limiter.used:,}"),
        Span(f" in the last {window(limiter.window_s)}", Ink.DIM),
    ]
    if limiter.rate_factor < 1:
        spans.append(Span(f"   slowed to {limiter.rate_factor:.0%}".replace("%", " %"), Ink.WARN))
    return tuple(spans)
