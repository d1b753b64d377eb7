"""How tests of live drills begin one, keep calling through it, and read its scorecard."""

from typing import Any

from mds_engine.control import events
from mds_engine.control.commands import StartDrill
from mds_engine.control.drill import DrillCard

FAULT_S = 20.0


def start_drill(scenario: str = "refused", target: str = "a", **more: Any) -> StartDrill:
    return StartDrill(scenario=scenario, target=target, duration_s=FAULT_S, by="asha", **more)


async def scorecard(desk) -> DrillCard:
    """Wait for the drill's end; returns its scorecard."""
    while desk.engine.snapshot().drill is not None:
        await desk.clock.sleep(0.5)
    (ended,) = desk.told(events.DrillEnded)[-1:]
    return ended.card


async def keep_calling(desk, pace_s: float = 0.25) -> None:
    while True:
        await desk.clock.sleep(pace_s)
        await desk.quote()


def line_of(card: DrillCard, name: str) -> Any:
    return next(check for check in card.checks if check.name == name)
