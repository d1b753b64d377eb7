"""An instrument by its exchange and symbol, as `NSE:RELIANCE`."""

import re
from typing import NamedTuple, Self

from mds_engine.errors import InvalidRequest

_EXCHANGE = re.compile(r"[A-Z][A-Z0-9_]*\Z")


class Instrument(NamedTuple):
    """`EXCHANGE:SYMBOL`. Each source translates it to its vendor's own symbol."""

    exchange: str
    symbol: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `EXCHANGE:SYMBOL`; the exchange is folded to capitals, the symbol too.

        Raises InvalidRequest if the text is not of that form.
        """
        exchange, colon, symbol = text.strip().partition(":")
        exchange, symbol = exchange.upper(), symbol.strip().upper()
        if not colon or not symbol or not _EXCHANGE.match(exchange) or not symbol.isprintable():
            raise InvalidRequest(f"{text!r} is not an instrument; write EXCHANGE:SYMBOL, as NSE:RELIANCE")
        return cls(exchange, symbol)

    def __str__(self) -> str:
        return f"{self.exchange}:{self.symbol}"
