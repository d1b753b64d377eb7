"""Drills: a rehearsed fault with a scorecard.

Either with an engine and a simulator of their own (`run`, `run_all`), or on the
running engine (`mds_engine.drills.live`), which needs neither: so the first are
imported when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mds_engine.drills.runner import run, run_all
    from mds_engine.drills.scenarios import SCENARIOS, UnknownDrillError
    from mds_engine.drills.scorecard import Scorecard

__all__ = ["SCENARIOS", "Scorecard", "UnknownDrillError", "run", "run_all"]

_HOMES = {
    "SCENARIOS": "scenarios",
    "Scorecard": "scorecard",
    "UnknownDrillError": "scenarios",
    "run": "runner",
    "run_all": "runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
