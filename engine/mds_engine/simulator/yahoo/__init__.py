"""The simulated Yahoo Finance: query1, query2, fc and the streamer on one port."""

from mds_engine.simulator.yahoo.vendor import YahooVendor

__all__ = ["YahooVendor"]
