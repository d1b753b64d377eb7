"""`L`: log in at a vendor whose credentials end, by its page as an address and as a code for a phone."""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mds_engine.control import CommandResult
from mds_engine.control.commands import Login
from mds_engine.control.preview import preview
from mds_engine.control.snapshot import LoginView
from mds_engine.secret import Secret
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.events import Paste
from textual.widgets import Button

from mds_tui.browsing import open_in_browser
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, cell, wrap
from mds_tui.format.numbers import clock_minutes, duration
from mds_tui.qr_code import largest_that_fits
from mds_tui.screens.dialog import Dialog, consequence_lines
from mds_tui.widgets.lines import Lines
from mds_tui.widgets.masked import MaskedInput
from mds_tui.widgets.paint import Paint
from mds_tui.widgets.qr_picture import QrPicture

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

PAGE_WITHIN_S = 10.0
DONE_WITHIN_S = 60.0
"""The import of a vendor's SDK, the exchange, a keyring that does not answer, and a check."""
_TEXT_WIDTH = 52
_NARROWEST_TEXT = 30
_GAP = 2
_ROOMY = 30
"""Lines of the screen from which on there are blank ones between the steps."""


def open_login(console: "ConsoleApp", words: str) -> None:
    """The dialog for the source that is named, or under the cursor, or in need of a login."""
    able = [source for source in console.view().snapshot.sources if source.login is not None]
    names = [source.name for source in able]
    named, _, rest = words.partition(" ")
    if rest:
        console.notify("what the page gives is pasted where it is masked, not here", severity="warning")
    if not able:
        console.notify("no source here has a login that ends")
    elif named and named not in names:
        console.notify(f"{named} has no login that ends; one logs in at {', '.join(names)}")
    else:
        subject = console.desk.subject().source
        needed = [source.name for source in able if source.login is not None and source.login.needed]
        chosen = named or (subject if subject in names else (needed or names)[0])
        assert chosen is not None
        console.push_screen(LoginScreen(console, chosen))


class LoginScreen(Dialog[None]):
    """What is typed or pasted is masked, goes to the engine once, and is forgotten here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "browse", "open", id="login.open"),
        Binding("y", "copy", "copy", id="login.copy"),
    ]
    DEFAULT_CSS = """
    LoginScreen > Vertical { width: auto; max-width: 100%; max-height: 100%; }
    LoginScreen #row { layout: horizontal; width: auto; height: auto; }
    LoginScreen #side { width: 52; height: auto; }
    LoginScreen #steps { margin: 0; }
    LoginScreen #answer { margin: 0 0 0 2; }
    LoginScreen QrPicture { margin: 0 2 0 0; }
    """
    verb = "log in"
    asks_reason = False

    def __init__(self, console: "ConsoleApp", source: str) -> None:
        super().__init__(f"log in: {source}", console.view, console.paint)
        self._owner = console
        self._source = source
        self._page = ""
        self._told: Cell = cell("asking for the page …", Ink.DIM)
        """What became of what was asked last; while it is there, it stands before what will happen."""
        self._busy = False

    def compose(self) -> ComposeResult:
        """The code beside the steps; below another where it is too narrow for both."""
        with Vertical() as frame:
            frame.border_title = self._heading
            with Container(id="row"):
                yield QrPicture(id="qr")
                with Vertical(id="side"):
                    yield Lines(id="steps")
                    yield MaskedInput(plain=self.paint.plain, placeholder="paste it here", id="answer")
                    yield Lines(id="preview")
                    with Horizontal():
                        yield Button("cancel", id="cancel", compact=True)
                        yield Button(self.verb, id="do", compact=True)

    def on_mount(self) -> None:
        """Ask for the page."""
        steps = self.query_one("#steps", Lines)
        steps.can_focus = False
        steps.use(self.paint)
        self.run_worker(self._ask_page(), name="login page", exit_on_error=False)

    def use(self, paint: Paint) -> None:
        """Another theme."""
        self.paint = paint
        for lines in self.query(Lines):
            lines.use(paint)
        self.settle()

    # What is shown.

    def settle(self) -> None:
        """Draw it all again, for the room that there is."""
        room = self.size.width - 4  # the border and its padding
        code = None
        if self._page:
            beside = room - _NARROWEST_TEXT - _GAP
            code = largest_that_fits(self._page, beside, self.size.height - 2, plain=self.paint.plain)
        picture = self.query_one(QrPicture)
        picture.show(code, plain=self.paint.plain)
        taken = 0 if code is None else int(picture.styles.width.value) + _GAP if picture.styles.width else 0
        width = max(_NARROWEST_TEXT, min(_TEXT_WIDTH, room - taken))
        side = self.query_one("#side", Vertical)
        side.styles.width = width
        steps = self._steps(width, has_code=code is not None)
        lines = self.query_one("#steps", Lines)
        lines.styles.height = len(steps)
        lines.show(steps)
        arrow = self.paint.glyphs.arrow
        told = wrap(self._told, width - 1, indent=2) if self._told else ()
        said = consequence_lines(self._sentences(), arrow, width - 1)
        content = (*told, *said)
        below = self.query_one("#preview", Lines)
        most = self.size.height - 2 - len(steps) - 1 - 1 - 2
        below.styles.height = max(1, min(len(content), most))
        below.show(content)

    def _steps(self, width: int, *, has_code: bool) -> tuple[Cell, ...]:
        login = self._login()
        brings = login.brings if login is not None else "what the page gives"
        lines: list[Cell] = [*wrap(self._standing(login), width, indent=2)]
        gap = (EMPTY,) * (self.size.height >= _ROOMY)
        if self._page:
            lines += gap
            first = (
                "Log in on this page, or with a phone by the code:" if has_code else "Log in on this page:"
            )
            lines += wrap((Span("1 ", Ink.ACCENT), Span(first)), width, indent=2)
            lines += _address_lines(self._page, width)
            if not has_code:
                lines += wrap(cell("  too small here for a code to read by phone", Ink.DIM), width, indent=2)
            lines += gap
            lines += wrap((Span("2 ", Ink.ACCENT), Span(f"Paste {brings}:")), width, indent=2)
        return tuple(lines)

    def _standing(self, login: LoginView | None) -> Cell:
        if login is None:
            return cell("this source is gone", Ink.WARN)
        opens = login.opens_in_s
        when = f"; its exchange opens in {duration(opens)}" if opens else ""
        if login.needed:
            return cell(f"{self.paint.glyphs.login} login needed{when}", Ink.WARN)
        if login.expires_in_s is not None and login.valid_until is not None and login.expires_in_s > 0:
            until = clock_minutes(login.valid_until, self.view().zone)
            return cell(f"logged in until {until}, for {duration(login.expires_in_s)} more", Ink.GOOD)
        return cell(f"nobody knows for how long it is logged in{when}", Ink.DIM)

    def _login(self) -> LoginView | None:
        source = self.view().snapshot.source(self._source)
        return None if source is None else source.login

    def _sentences(self) -> Sequence[str]:
        return preview(self._command(), self.view().snapshot) if self._page else ()

    # What is done.

    def action_browse(self) -> None:
        """Open the page in a browser, where there is one."""
        if self._page:
            self.run_worker(self._browse(), name="browser", exit_on_error=False)

    async def _browse(self) -> None:
        why = await open_in_browser(self._page, os.environ)
        self.notify(why or "opened in the browser", severity="warning" if why else "information")

    def action_copy(self) -> None:
        """To the terminal's clipboard."""
        if self._page:
            self.app.copy_to_clipboard(self._page)
            self.notify("the address is copied")

    def on_paste(self, event: Paste) -> None:
        """What is pasted is the answer, wherever the focus is."""
        event.stop()
        self.query_one(MaskedInput).take(event.text)
        self.query_one("#do", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or send what was pasted."""
        event.stop()
        event.prevent_default()  # every other dialog ends here
        if event.button.id != "do":
            self.dismiss(None)
            return
        if self._busy:
            return
        field = self.query_one(MaskedInput)
        answer = Secret(field.value)
        if not answer:
            self._tell("paste what the page gave first", Ink.WARN)
            field.focus()
            return
        field.value = ""
        self._busy = True
        self._tell("logging in …", Ink.DIM)
        # The app's, not the screen's: a screen that is left must not leave a login half done and untold.
        self._owner.run_worker(self._send(answer), name="login", exit_on_error=False)

    async def _ask_page(self) -> None:
        result = await self._ask(self._command(), PAGE_WITHIN_S)
        if result is None:
            self._tell(f"no answer from the engine within {PAGE_WITHIN_S:.0f} s", Ink.BAD)
        elif not result.accepted:
            self._tell(result.message, Ink.BAD)
        else:
            self._page = result.page
            self._told = EMPTY
            self.settle()

    async def _send(self, answer: Secret) -> None:
        result = await self._ask(self._command(answer), DONE_WITHIN_S)
        self._busy = False
        if result is None:
            words, is_done = f"no answer within {DONE_WITHIN_S:.0f} s: see the events", False
        else:
            words, is_done = result.message, result.accepted
        if not self.is_attached or is_done:
            title = "done" if is_done else "refused"
            self._owner.notify(words, title=title, severity="information" if is_done else "error")
            if self.is_attached:
                self.dismiss(None)
        else:
            self._tell(words, Ink.BAD)
            self.query_one(MaskedInput).focus()

    async def _ask(self, command: Login, within_s: float) -> CommandResult | None:
        """What the engine says; None if it does not answer in time."""
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.wrap_future(self._owner.link.send(command))
        except TimeoutError:
            return None

    def _command(self, answer: Secret | None = None) -> Login:
        by = self._owner.settings.operator
        return (
            Login(source=self._source, by=by)
            if answer is None
            else Login(source=self._source, by=by, answer=answer)
        )

    def _tell(self, words: str, ink: Ink) -> None:
        self._told = cell(words, ink)
        self.settle()


def _address_lines(address: str, width: int) -> list[Cell]:
    """An address has no blanks to break at."""
    step = width - 2
    return [cell(f"  {address[start : start + step]}", Ink.STRONG) for start in range(0, len(address), step)]
