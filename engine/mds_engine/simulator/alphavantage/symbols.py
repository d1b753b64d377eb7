"""Alpha Vantage's symbols: bare ones are American, Indian ones bear the suffix of Bombay's exchange."""

from mds_engine.simulator.alphavantage.bodies import Match
from mds_engine.simulator.listings import Listing, UnknownInstrumentError
from mds_engine.simulator.market import Market

_INDIAN = ".BSE"
_AMERICAN_EXCHANGES = ("NASDAQ", "NYSE")
_SEARCHED = 60
_BEST = 10


def find(market: Market, symbol: str) -> Listing | None:
    """The listing behind a symbol, None if there is none."""
    symbol = symbol.upper()
    if symbol.endswith(_INDIAN):
        # The simulated market lists Indian shares once, at the National exchange.
        candidates = [f"NSE:{symbol.removesuffix(_INDIAN)}"]
    else:
        candidates = [f"{exchange}:{symbol}" for exchange in _AMERICAN_EXCHANGES]
    for instrument in candidates:
        try:
            listing = market.listing(instrument)
        except UnknownInstrumentError:
            continue
        if listing.kind == "equity":
            return listing
    return None


def search(market: Market, keywords: str) -> list[Match]:
    """The symbols that fit best, best first."""
    wanted = keywords.upper()
    matches = []
    for exchange in (*_AMERICAN_EXCHANGES, "NSE"):
        for instrument in market.universe(exchange, _SEARCHED):
            listing = market.listing(instrument)
            score = _score(wanted, listing)
            if score > 0 and listing.kind == "equity":
                suffix = _INDIAN if exchange == "NSE" else ""
                matches.append(Match(listing.symbol + suffix, listing, score))
    return sorted(matches, key=lambda match: -match.score)[:_BEST]


def _score(wanted: str, listing: Listing) -> float:
    if not wanted:
        return 0.0
    if listing.symbol == wanted:
        return 1.0
    if listing.symbol.startswith(wanted):
        return 0.5 + 0.5 * len(wanted) / len(listing.symbol)
    return 0.4 if wanted in listing.name.upper() else 0.0
