"""Yahoo's symbols, and what it says of the exchange behind each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mds_engine.simulator.listings import Listing, UnknownInstrumentError
from mds_engine.simulator.market import Market


class QuoteType(NamedTuple):
    """How Yahoo classes an instrument, in its three notations."""

    name: str
    display: str
    number: int
    """In the streamer's messages."""


@dataclass(frozen=True, slots=True)
class House:
    """An exchange as Yahoo names it. Hours are seconds after local midnight."""

    code: str
    full_name: str
    market: str
    zone: ZoneInfo
    opens_s: int
    closes_s: int
    early_s: int
    """Start of the pre-market; the opening where there is none."""
    late_s: int
    """End of the post-market; the closing where there is none."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One instrument under Yahoo's name for it."""

    text: str
    listing: Listing
    house: House
    quote_type: QuoteType
    currency: str
    first_trade: int
    """Epoch seconds; negative for what is older than 1970."""

    @property
    def instrument(self) -> str:
        """The market's name for it."""
        return self.listing.instrument

    @property
    def price_hint(self) -> int:
        """Decimals to show."""
        return max(self.listing.price_decimals, 2)

    def local(self, epoch_s: float) -> datetime:
        """A time by the exchange's clock."""
        return datetime.fromtimestamp(epoch_s, UTC).astimezone(self.house.zone)

    def utc_offset_s(self, epoch_s: float) -> int:
        """The exchange's distance from UTC at a time, summer time included."""
        offset = self.local(epoch_s).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


def find(market: Market, text: str) -> Symbol | None:
    """The instrument behind a symbol, None if Yahoo does not know it."""
    text = text.upper()
    for instrument in _candidates(text):
        try:
            listing = market.listing(instrument)
        except UnknownInstrumentError:
            continue
        quote_type = _QUOTE_TYPES[listing.kind]
        house = _HOUSES_BY_SYMBOL.get(text) or _HOUSES[listing.exchange]
        first_trade = _FIRST_TRADES.get(text, listing.listed_at)
        currency = "USD" if listing.kind == "crypto" else listing.currency
        return Symbol(text, listing, house, quote_type, currency, first_trade)
    return None


def _candidates(text: str) -> list[str]:
    if text in _INDICES:
        return [_INDICES[text]]
    if text.endswith(".NS"):
        return [f"NSE:{text.removesuffix('.NS')}"]
    if text.endswith("-USD"):
        return [f"BINANCE:{text.removesuffix('-USD')}USDT"]
    return [f"NASDAQ:{text}", f"NYSE:{text}"]


_INDICES: Mapping[str, str] = {
    "^NSEI": "NSE:NIFTY 50",
    "^NSEBANK": "NSE:NIFTY BANK",
    "^GSPC": "INDEX:GSPC",
    "^IXIC": "INDEX:IXIC",
    "^VIX": "INDEX:VIX",
}

_FIRST_TRADES: Mapping[str, int] = {
    "^GSPC": -1_325_583_000,
    "AAPL": 345_479_400,
    "BTC-USD": 1_410_912_000,
}

_QUOTE_TYPES: Mapping[str, QuoteType] = {
    "equity": QuoteType("EQUITY", "Equity", 8),
    "index": QuoteType("INDEX", "Index", 9),
    "crypto": QuoteType("CRYPTOCURRENCY", "Cryptocurrency", 41),
}

_NEW_YORK, _KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")

_HOUSES: Mapping[str, House] = {
    "NSE": House("NSI", "NSE", "in_market", _KOLKATA, 33_300, 55_800, 33_300, 55_800),
    "NASDAQ": House("NMS", "NasdaqGS", "us_market", _NEW_YORK, 34_200, 57_600, 14_400, 72_000),
    "NYSE": House("NYQ", "NYSE", "us_market", _NEW_YORK, 34_200, 57_600, 14_400, 72_000),
    "INDEX": House("SNP", "SNP", "us_market", _NEW_YORK, 34_200, 57_600, 34_200, 57_600),
    "BINANCE": House("CCC", "CCC", "ccc_market", ZoneInfo("UTC"), 0, 86_340, 0, 86_340),
}

_HOUSES_BY_SYMBOL: Mapping[str, House] = {
    "^IXIC": House("NIM", "Nasdaq GIDS", "us_market", _NEW_YORK, 34_200, 57_600, 34_200, 57_600),
    "^VIX": House("WCB", "Chicago Options", "us_market", _NEW_YORK, 34_200, 57_600, 34_200, 57_600),
}
