"""The simulated Kite Connect v3: REST with sessions and limits, and the binary ticker."""

from mds_engine.simulator.kite.account import KiteAccount
from mds_engine.simulator.kite.vendor import KiteVendor

__all__ = ["KiteAccount", "KiteVendor"]
