"""mds-engine: market data from whichever source is best now, with proof of why."""

__version__ = "0.1.0"
