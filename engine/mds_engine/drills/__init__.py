"""Drills: a rehearsed fault with a scorecard. An engine, a simulator, real sockets, a fault, a judgement."""

from mds_engine.drills.runner import run, run_all
from mds_engine.drills.scenarios import SCENARIOS, UnknownDrillError
from mds_engine.drills.scorecard import Scorecard

__all__ = ["SCENARIOS", "Scorecard", "UnknownDrillError", "run", "run_all"]
