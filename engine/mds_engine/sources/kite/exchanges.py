"""Kite's exchanges, segments and divisors."""

from mds_engine.model import Instrument

EXCHANGES = frozenset({"NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX"})

HAS_OPEN_INTEREST = frozenset({"NFO", "BFO", "CDS", "BCD", "MCX"})

INDICES = 9
"""The segment of indices: nothing is traded there, so no volume means anything."""

_DIVISORS = {3: 10_000_000.0, 6: 10_000.0, 12: 10_000.0}
"""Currency segments count finer than paise: cds (3), bcd (6), nco (12)."""

PRICE_DIVISORS = tuple(_DIVISORS.get(segment, 100.0) for segment in range(256))
"""What an integer price of the ticker is divided by, by segment."""


def segment_of(token: int) -> int:
    """The segment is the last byte of an instrument token."""
    return token & 0xFF


def is_kite(instrument: Instrument) -> bool:
    """Whether Kite can have this instrument at all. Indices too: `NSE:NIFTY 50`."""
    return instrument.exchange in EXCHANGES


def unnamed(token: int) -> Instrument:
    """What a token is called where no list of instruments is at hand."""
    return Instrument("KITE", str(token))
