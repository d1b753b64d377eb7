"""`D`: rehearse a fault of a source, or look at the drill that runs."""

from typing import TYPE_CHECKING

from mds_engine.control import Command, Snapshot
from mds_engine.control.commands import StartDrill
from mds_engine.control.drill import SCENARIOS, scenario_named
from mds_engine.control.drill_preview import at_risk, routes_hit
from mds_engine.control.events import DrillEnded

from mds_tui.forms import Field, Option, Values
from mds_tui.screens.acting import FormDialog
from mds_tui.screens.drilling_page import DrillPage
from mds_tui.screens.subjects import sources_for

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp

_BEGUN_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.05
_TIMES = (Option("60", "1 min"), Option("20", "20 s"), Option("300", "5 min"), Option("900", "15 min"))
"""For how long the fault stands; the first is the default."""
_REFUSE, _ACCEPT = "", "accept"


class DrillForm:
    """Which fault, of whom, for how long."""

    title = "drill: rehearse a fault of a source"
    verb = "start"
    names: tuple[str, ...] = ("drill", "source", "for", "loss")

    def __init__(self, sources: tuple[str, ...]) -> None:
        self._sources = sources
        self.initial: Values = {"drill": SCENARIOS[0].name, "source": sources[0]}

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """Whether a loss is accepted is asked only where there would be one."""
        asked = [
            Field("drill", tuple(Option(scenario.name, scenario.name) for scenario in SCENARIOS)),
            Field("source", tuple(Option(name, name) for name in self._sources)),
            Field("for", _TIMES),
        ]
        scenario = scenario_named(values.get("drill", ""))
        source = snapshot.source(values.get("source", ""))
        if scenario is not None and source is not None:
            hit = routes_hit(scenario, source, snapshot)
            if any(at_risk(route, source.name) for route in hit):
                asked.append(Field("loss", (Option(_REFUSE, "refuse it"), Option(_ACCEPT, "accept it"))))
        return tuple(asked)

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """`StartDrill`."""
        return StartDrill(
            scenario=values["drill"],
            target=values["source"],
            duration_s=float(values.get("for") or _TIMES[0].value),
            accept_loss=values.get("loss") == _ACCEPT,
            by=by,
            why=why,
        )


def open_drill(console: "ConsoleApp", words: str) -> None:
    """The page of the drill that runs; while none does, the dialog that starts one. `words` may name a
    source or a scenario."""
    snapshot = console.view().snapshot
    if snapshot.drill is not None:
        console.push_screen(DrillPage(console, snapshot.drill.number))
        return
    sources = sources_for(console.desk.subject(), snapshot)
    named = [word for word in words.split() if word in sources]
    if not sources:
        console.notify("there are no sources yet")
        return
    form = DrillForm((*named, *(name for name in sources if name not in named)))
    scenario = next((word for word in words.split() if scenario_named(word) is not None), None)
    if scenario is not None:
        form.initial = {**form.initial, "drill": scenario}
    dialog = FormDialog(form, console.view, console.paint, console.settings.operator)
    console.push_screen(dialog, lambda command: _begin(console, command))


def open_scorecard(console: "ConsoleApp", _words: str) -> None:
    """The page of the drill that runs, or of the last one that is over."""
    drill = console.view().snapshot.drill
    last = next((event for event in console.feed.events if isinstance(event, DrillEnded)), None)
    if drill is None and last is None:
        console.notify("no drill was run since this engine started; D starts one")
        return
    console.push_screen(DrillPage(console, drill.number if drill is not None else last.drill if last else 0))


def _begin(console: "ConsoleApp", command: Command | None) -> None:
    """Start it, and open its page once the engine has begun; not over what was opened meanwhile."""
    if command is None:
        return
    console.submit(command)

    def look() -> None:
        drill = console.view().snapshot.drill
        if drill is not None:
            looking.stop()
            if console.screen is console.desk:
                console.push_screen(DrillPage(console, drill.number))

    looking = console.set_interval(_LOOK_EVERY_S, look, repeat=round(_BEGUN_WITHIN_S / _LOOK_EVERY_S))
