"""The tool `arm`: a read-only console acts for a while, and says until when."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Input

from mds_tui.format.sight import Sight
from mds_tui.forms.form import Option
from mds_tui.screens.dialog import Dialog
from mds_tui.widgets.choice import Choice
from mds_tui.widgets.paint import Paint

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

TIMES = (Option("900", "15 min"), Option("300", "5 min"), Option("3600", "60 min"))
"""How long it stays armed; the first is the default."""
MOST_TRIES = 3
"""Wrong tokens before the dialog closes."""


def arm(console: "ConsoleApp", _words: str) -> None:
    """Ask for how long; or, where it is armed, disarm it at once."""
    arming = console.acting.arming
    if console.link.mode == "replay" or console.settings.locked:
        console.notify(console.refusal, severity="warning")
        return
    if not arming.read_only:
        console.notify("the console is not read-only: it may act already")
        return
    if arming.may_act(console.now()):
        arming.disarm()
        console.notify("read-only again", title="disarmed")
        console.desk.refresh_bindings()
        return

    def armed(for_s: float | None) -> None:
        if for_s is not None:
            console.notify(
                f"for {for_s / 60:.0f} min, then read-only again; W ends it",
                title="armed",
                severity="warning",
            )
            console.desk.refresh_bindings()

    def attempt(for_s: float, token: str) -> bool:
        return arming.arm(for_s, console.now(), token)

    console.push_screen(
        ArmDialog(
            attempt,
            console.view,
            console.paint,
            operator=console.settings.operator,
            needs_token=arming.needs_token,
        ),
        armed,
    )


class ArmDialog(Dialog[float]):
    """For how long; and the token, where one is set. Answers with the seconds for which it is armed now."""

    verb = "arm"
    asks_reason = False

    def __init__(
        self,
        attempt: Callable[[float, str], bool],
        view: Callable[[], Sight],
        paint: Paint,
        *,
        operator: str,
        needs_token: bool,
    ) -> None:
        """`attempt` arms for some seconds with a token, and is False if that is wrong."""
        super().__init__("arm the console", view, paint)
        self._attempt = attempt
        self._operator = operator
        self._needs_token = needs_token
        self._for = TIMES[0].value
        self._tries = 0

    def body(self) -> Iterable[Widget]:
        """A time, and a token."""
        yield Choice("for", self.paint)
        if self._needs_token:
            yield Input(placeholder="token", password=True, id="token", compact=True)

    def settle(self) -> None:
        """The times."""
        self.query_one("#choice-for", Choice).show(TIMES, self._for)
        super().settle()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Another time."""
        message.stop()
        self._for = message.value
        self.settle()

    def sentences(self) -> Sequence[str]:
        """What becomes possible."""
        engine = self.view().snapshot.engine
        on = f" on {engine.name}" if engine.name else ""
        what = "fail over, force, reset, priorities, enable, restart, limits, drills"
        lines = [
            f"For {float(self._for) / 60:.0f} minutes, what changes something works{on}: {what}.",
            f"Each still asks first, and is logged as {self._operator}.",
            "Then the console is read-only again by itself; W ends it earlier. What was forced stays forced.",
        ]
        if self._tries:
            lines.insert(0, "That token is wrong.")
        return lines

    def do(self) -> None:
        """Arm, if the token is right; a few wrong ones close the dialog."""
        field = self.query_one("#token", Input) if self._needs_token else None
        if self._attempt(float(self._for), "" if field is None else field.value):
            self.dismiss(float(self._for))
            return
        self._tries += 1
        if field is None or self._tries >= MOST_TRIES:
            self.notify("wrong token: not armed", severity="error")
            self.dismiss(None)
            return
        field.value = ""
        field.focus()
        self.settle()
