"""Instruments to Yahoo's symbols, and back.

Yahoo marks the listing by a suffix (`RELIANCE.NS`), an index by a caret
(`^NSEI`), a currency pair by `=X`, and leaves United States listings bare.
"""

import re

from mds_engine.errors import NotFound
from mds_engine.model import Instrument

_SUFFIXES = {
    "NSE": "NS",
    "BSE": "BO",
    "LSE": "L",
    "TSX": "TO",
    "HKEX": "HK",
    "SSE": "SS",
    "SZSE": "SZ",
    "TSE": "T",
    "XETRA": "DE",
    "EURONEXT": "PA",
    "ASX": "AX",
    "SGX": "SI",
}
_EXCHANGES_BY_SUFFIX = {suffix: exchange for exchange, suffix in _SUFFIXES.items()}

_BARE = frozenset({"NASDAQ", "NYSE", "AMEX", "ARCA", "BATS", "US"})

_INDICES = {
    Instrument("NSE", "NIFTY 50"): "^NSEI",
    Instrument("NSE", "NIFTY BANK"): "^NSEBANK",
    Instrument("NSE", "NIFTY IT"): "^CNXIT",
    Instrument("NSE", "INDIA VIX"): "^INDIAVIX",
    Instrument("BSE", "SENSEX"): "^BSESN",
}
_INSTRUMENTS_BY_INDEX = {symbol: instrument for instrument, symbol in _INDICES.items()}

_EXCHANGES_BY_CODE = {
    "NMS": "NASDAQ",
    "NGM": "NASDAQ",
    "NCM": "NASDAQ",
    "NAS": "NASDAQ",
    "NYQ": "NYSE",
    "ASE": "AMEX",
    "PCX": "ARCA",
    "BTS": "BATS",
}
"""Yahoo's own exchange codes of the United States, as quotes, charts and the streamer give them."""

_EXCHANGE = re.compile(r"[A-Z][A-Z0-9_]*\Z")

SERVED_EXCHANGES = frozenset({*_SUFFIXES, *_BARE, "INDEX", "CRYPTO", "FX"})
"""The exchanges of which Yahoo can have instruments."""


def to_symbol(instrument: Instrument) -> str:
    """Yahoo's symbol of an instrument. Raises NotFound for an exchange that Yahoo does not carry."""
    exchange, symbol = instrument
    if index := _INDICES.get(instrument):
        return index
    if suffix := _SUFFIXES.get(exchange):
        return f"{symbol}.{suffix}"
    if exchange in _BARE:
        return symbol.replace(".", "-")
    if exchange == "INDEX":
        return f"^{symbol.removeprefix('^')}"
    if exchange == "CRYPTO":
        return symbol
    if exchange == "FX":
        return f"{symbol.replace('/', '')}=X"
    raise NotFound(f"Yahoo does not carry the exchange {exchange} of {instrument}")


def to_instrument(symbol: str, exchange_code: str | None = None) -> Instrument:
    """The instrument of one of Yahoo's symbols; `exchange_code` is Yahoo's (`NMS`), where it was given.

    A bare symbol without a code could be listed anywhere in the United States: exchange `US`.
    """
    if known := _INSTRUMENTS_BY_INDEX.get(symbol):
        return known
    if symbol.startswith("^"):
        return Instrument("INDEX", symbol[1:])
    if symbol.endswith("=X"):
        return Instrument("FX", symbol[:-2])
    if exchange_code == "CCC":
        return Instrument("CRYPTO", symbol)
    stem, dot, suffix = symbol.rpartition(".")
    if dot and (exchange := _EXCHANGES_BY_SUFFIX.get(suffix)):
        return Instrument(exchange, stem)
    if exchange_code in _EXCHANGES_BY_CODE:
        return Instrument(_EXCHANGES_BY_CODE[exchange_code], symbol.replace("-", "."))
    if exchange_code and _EXCHANGE.match(exchange_code):
        return Instrument(exchange_code, symbol)
    return Instrument("US", symbol)
