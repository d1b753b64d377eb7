"""Kite's instruments: tokens, and the CSV dump of them that clients fetch once a day."""

from collections.abc import Iterable
from dataclasses import dataclass

from mds_engine.simulator.listings import Listing
from mds_engine.simulator.market import Market

EXCHANGES = frozenset({"NSE", "NFO", "BSE", "BFO", "CDS", "BCD", "MCX"})
"""The exchanges that `/instruments/{exchange}` knows; the simulated market lists on NSE only."""

CSV_HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
    "tick_size,lot_size,instrument_type,segment,exchange"
)

_SEGMENT_NSE = 1
_SEGMENT_INDICES = 9


@dataclass(frozen=True, slots=True)
class KiteInstrument:
    """One row of the dump."""

    token: int
    """Exchange token in the upper bytes, segment number in the lowest."""
    key: str
    """`EXCHANGE:TRADINGSYMBOL`, which is also the market's own name for it."""
    listing: Listing

    @property
    def is_index(self) -> bool:
        """True if it cannot be traded: shorter packets, no depth, no volume."""
        return self.token & 0xFF == _SEGMENT_INDICES

    def csv_row(self) -> str:
        """This row of the dump; `last_price` is always 0.0 there."""
        tick_size, lot_size = ("0", "0") if self.is_index else (f"{self.listing.price_step:g}", "1")
        segment = "INDICES" if self.is_index else self.listing.exchange
        return (
            f"{self.token},{self.token >> 8},{self.listing.symbol},{self.listing.name},0.0,,0.0,"
            f"{tick_size},{lot_size},EQ,{segment},{self.listing.exchange}"
        )


class KiteInstruments:
    """The instruments that Kite serves of one market, by token and by key."""

    def __init__(self, market: Market, count: int) -> None:
        names = market.universe("NSE", count)
        self._rows = [
            KiteInstrument(_token(market.listing(name), place), name, market.listing(name))
            for place, name in enumerate(names)
        ]
        self._by_token = {row.token: row for row in self._rows}
        self._by_key = {row.key: row for row in self._rows}

    def __len__(self) -> int:
        return len(self._rows)

    def by_token(self, token: int) -> KiteInstrument | None:
        """The instrument with this token."""
        return self._by_token.get(token)

    def find(self, asked: str) -> KiteInstrument | None:
        """By `EXCHANGE:TRADINGSYMBOL` or by the token in digits, as `/quote?i=` accepts both."""
        if asked.isascii() and asked.isdigit():
            return self._by_token.get(int(asked))
        return self._by_key.get(asked)

    def csv(self, exchange: str | None) -> str:
        """The dump of one exchange, or of all."""
        chosen = (row for row in self._rows if exchange in {None, row.listing.exchange})
        return "\n".join([CSV_HEADER, *_lines(chosen)]) + "\n"


def _lines(rows: Iterable[KiteInstrument]) -> list[str]:
    return [row.csv_row() for row in rows]


_REAL_EXCHANGE_TOKENS = {
    "INFY": 1594,
    "RELIANCE": 2885,
    "TCS": 11536,
    "HDFCBANK": 1333,
    "SBIN": 3045,
    "NIFTY 50": 1001,
    "NIFTY BANK": 1016,
}
"""Well-known ones; the others are numbered from 30 000, where the exchange has none of these."""


def _token(listing: Listing, place: int) -> int:
    exchange_token = _REAL_EXCHANGE_TOKENS.get(listing.symbol, 30_000 + place)
    segment = _SEGMENT_INDICES if listing.kind == "index" else _SEGMENT_NSE
    return exchange_token << 8 | segment
