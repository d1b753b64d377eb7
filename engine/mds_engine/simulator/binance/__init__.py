"""Binance spot: REST, streams and archives as the public documentation describes them."""

from mds_engine.simulator.binance.vendor import BinanceVendor

__all__ = ["BinanceVendor"]
