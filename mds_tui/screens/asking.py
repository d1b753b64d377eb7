"""Which dialog belongs to which registry entry."""

from collections.abc import Callable

from mds_engine.control import Command
from mds_engine.control.commands import CheckHealth

from mds_tui.format.sight import Sight
from mds_tui.forms.form import Form
from mds_tui.forms.limits import limited_sources
from mds_tui.forms.routes import AutomaticForm, FailOverForm
from mds_tui.forms.sources import EnableForm, ForceBreakerForm, ResetForm, RestartForm
from mds_tui.screens.acting import FailOverDialog, FormDialog, PriorityDialog
from mds_tui.screens.dialog import Dialog
from mds_tui.screens.limits import LimitDialog
from mds_tui.screens.subjects import Subject
from mds_tui.widgets.paint import Paint


def dialog_for(
    name: str,
    subject: Subject,
    *,
    routes: tuple[str, ...],
    sources: tuple[str, ...],
    view: Callable[[], Sight],
    paint: Paint,
    operator: str,
) -> Dialog[Command] | Command | str:
    """A dialog; the command itself where nothing need be asked; or a sentence saying why there is neither."""
    if not routes or not sources:
        return "there are no sources and routes yet"
    if name == "set-priority":
        return PriorityDialog(routes, view, paint, operator)
    if name == "check-health":
        if subject.source is None:
            return "there is no source under the cursor"
        return CheckHealth(source=subject.source, by=operator)
    if name == "set-rate-limit":
        limited = limited_sources(sources, view().snapshot)
        return LimitDialog(limited, view, paint, operator) if limited else "no source has a limit"
    form = _form(name, subject, routes, sources, view())
    if isinstance(form, str):
        return form
    dialog = FailOverDialog if isinstance(form, FailOverForm) else FormDialog
    return dialog(form, view, paint, operator)


def _form(
    name: str, subject: Subject, routes: tuple[str, ...], sources: tuple[str, ...], sight: Sight
) -> Form | str:
    match name:
        case "fail-over" | "pin":
            return _fail_over(name, subject, routes, sight)
        case "automatic":
            forced = tuple(route.key for route in sight.snapshot.routes if route.pinned is not None)
            first = tuple(key for key in routes if key in forced)
            chosen = tuple(dict.fromkeys(first + forced))
            return AutomaticForm(chosen) if chosen else "no route is forced"
        case "reset-breaker":
            return ResetForm(sources)
        case "force-breaker":
            return ForceBreakerForm(sources)
        case "restart-source":
            return RestartForm(sources)
        case "enable-source":
            source = sight.snapshot.source(sources[0])
            return EnableForm(sources, enabled=source is not None and not source.enabled)
        case _:
            return f"{name} has no dialog; type it after :"


def _fail_over(name: str, subject: Subject, routes: tuple[str, ...], sight: Sight) -> Form:
    """On a source that answers nothing, the likely wish is to force it; on a forced route, to force it
    elsewhere, for nothing else moves it; else to move off the active one."""
    first = sight.snapshot.route(routes[0])
    if first is not None and first.pinned is not None:
        return FailOverForm(routes, how="force")
    answers = any(route.active == subject.source for route in sight.snapshot.routes)
    if name == "pin" or (subject.route is None and subject.source is not None and not answers):
        return FailOverForm(routes, how="force", to=subject.source or "")
    return FailOverForm(routes)
