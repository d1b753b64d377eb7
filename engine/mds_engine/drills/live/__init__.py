"""Drills on the running engine: a fault on our side of one source's connection, watched and judged."""

from mds_engine.drills.live.runner import LiveDrills

__all__ = ["LiveDrills"]
