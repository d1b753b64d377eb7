"""The simulated Alpha Vantage: one path, every failure a 200."""

from mds_engine.simulator.alphavantage.plan import AlphaVantagePlan
from mds_engine.simulator.alphavantage.vendor import AlphaVantageVendor

__all__ = ["AlphaVantagePlan", "AlphaVantageVendor"]
