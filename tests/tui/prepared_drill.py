"""A drill under way, and the scorecard of one that is over."""

from mds_engine.control.drill import DrillCard, DrillCheck, DrillFigures, DrillPhase, DrillView

from tests.tui.prepared import AT

FIGURES = DrillFigures(
    held_back=7,
    calls=41,
    answered=41,
    answered_by={"yahoo": 36, "kite": 5},
    noticed_after_s=1.2,
    failover_ms=38.2,
    moved_after_s=4.1,
    ticks=812,
    lost=0,
    gaps=1,
    gap_s=0.4,
    silence_s=1.9,
    breakers={"quote": "open", "ticks": "closed", "source": "closed"},
    breakers_opened=1,
    served=2,
    away=1,
)


def drill_view(**more: object) -> DrillView:
    """Connections to `kite` are refused, for 42 s more."""
    told = {
        "number": 1,
        "scenario": "refused",
        "target": "kite",
        "by": "asha",
        "phase": DrillPhase.FAULT,
        "since": AT - 18.0,
        "duration_s": 60.0,
        "remaining_s": 42.0,
        "routes": ("NSE/quote", "NSE/ticks"),
        "figures": FIGURES,
    }
    return DrillView(**{**told, **more})


def drill_card(**more: object) -> DrillCard:
    """It failed for one call."""
    told = {
        "number": 1,
        "scenario": "refused",
        "about": "connections to it are refused, and its live streams are cut",
        "target": "kite",
        "kind": "kite",
        "simulated": False,
        "by": "asha",
        "why": "before the open",
        "verdict": "fail",
        "ended": "its time was over",
        "began_at": AT - 18.0,
        "cleared_at": AT + 42.0,
        "ended_at": AT + 61.0,
        "routes": ("NSE/quote", "NSE/ticks"),
        "checks": (
            DrillCheck(
                name="calls failed", value=1, limit="= 0", ok=False, why="yahoo was throttled meanwhile"
            ),
            DrillCheck(name="noticed after", value=1.2, unit="s", limit="≤ 60 s"),
            DrillCheck(name="ticks lost", value=None, why="kite does not number its ticks"),
        ),
        "figures": FIGURES,
        "cleaned": ("the quote breaker of kite was reset",),
    }
    return DrillCard(**{**told, **more})
