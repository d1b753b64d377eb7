"""Instruments to Alpha Vantage's symbols, and back.

The suffixes are those of the vendor's documentation (TSCO.LON, SHOP.TRT,
MBG.DEX, RELIANCE.BSE, 600104.SHH, 000002.SHZ). NSE has none there: symbols as
RELIANCE.NSE have answered with an invalid call, so NSE shares are asked by
their Bombay listing unless the settings say otherwise.
"""

from mds_engine.errors import NotFound
from mds_engine.model import Instrument

_SUFFIXES = {
    "BSE": "BSE",
    "LSE": "LON",
    "TSX": "TRT",
    "XETRA": "DEX",
    "SSE": "SHH",
    "SZSE": "SHZ",
}
_EXCHANGES = {**{suffix: exchange for exchange, suffix in _SUFFIXES.items()}, "NSE": "NSE"}
_BARE = frozenset({"NASDAQ", "NYSE", "AMEX", "ARCA", "BATS", "US"})


def served_exchanges(nse_suffix: str) -> frozenset[str]:
    """The exchanges of which Alpha Vantage can have instruments."""
    return frozenset({*_SUFFIXES, *_BARE, *({"NSE"} if nse_suffix else ())})


def to_symbol(instrument: Instrument, nse_suffix: str = "BSE") -> str:
    """The vendor's symbol. Raises NotFound for what it cannot have: other exchanges, and indices."""
    exchange, symbol = instrument
    if " " in symbol:
        raise NotFound(f"Alpha Vantage has no symbol for {instrument}", local=True)
    if exchange in _BARE:
        return symbol.replace(".", "-")
    suffix = nse_suffix if exchange == "NSE" else _SUFFIXES.get(exchange)
    if not suffix:
        raise NotFound(f"Alpha Vantage does not carry the exchange {exchange} of {instrument}", local=True)
    return f"{symbol}.{suffix}"


def to_instrument(symbol: str) -> Instrument:
    """The instrument of one of the vendor's symbols; a bare one is somewhere in the United States."""
    stem, dot, suffix = symbol.rpartition(".")
    if dot and (exchange := _EXCHANGES.get(suffix)):
        return Instrument(exchange, stem)
    return Instrument("US", symbol.replace("-", "."))
