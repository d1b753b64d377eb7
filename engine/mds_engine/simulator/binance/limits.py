"""Request weights: what each path costs, and what happens to those who spend too much.

Rules: developers.binance.com, "Limits" of the spot REST API: 6000 weight per
minute and address; 429 with Retry-After above it; 418 and a ban, growing from
two minutes to three days, for those who go on regardless.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mds_engine.simulator.binance.errors import BinanceError, banned, weight_used_up

WEIGHT_LIMIT = 6_000
"""Per minute and address."""

_FIRST_BAN_S = 120.0
_LONGEST_BAN_S = 3 * 86_400.0
_PATIENCE = 10
"""Requests after a 429, within its minute, that turn it into a ban."""


def weight_of(path: str, query: Mapping[str, str]) -> int:
    """The weight of one request."""
    endpoint = path.removeprefix("/api/v3/")
    if endpoint == "ticker/24hr":
        return _weight_of_24hr(query)
    if endpoint in ("ticker/price", "ticker/bookTicker"):
        return 2 if "symbol" in query else 4
    if endpoint == "depth":
        return _weight_of_depth(query.get("limit", "100"))
    return _FIXED.get(endpoint, 1)


_FIXED = {
    "ping": 1,
    "time": 1,
    "exchangeInfo": 20,
    "klines": 2,
    "uiKlines": 2,
    "aggTrades": 4,
    "trades": 25,
    "historicalTrades": 25,
    "avgPrice": 2,
}


def _weight_of_24hr(query: Mapping[str, str]) -> int:
    if "symbol" in query:
        return 2
    symbols = query["symbols"].count(",") + 1 if "symbols" in query else 1_000
    if symbols <= 20:
        return 2
    return 40 if symbols <= 100 else 80


def _weight_of_depth(limit: str) -> int:
    levels = int(limit) if limit.isascii() and limit.isdigit() else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1_000, 50)) if levels <= most), 250)


@dataclass(slots=True)
class WeightLimiter:
    """Counts weight per calendar minute, as Binance does; `now` is epoch seconds everywhere."""

    limit: int = WEIGHT_LIMIT
    used: int = 0
    _minute: int = 0
    _refused: int = 0
    _bans: int = 0
    _banned_until: float = 0.0

    def spend(self, weight: int, now: float) -> tuple[BinanceError, float] | None:
        """Count a request. None lets it pass; otherwise the error and its Retry-After in seconds."""
        if now < self._banned_until:
            return banned(round(self._banned_until * 1000)), self._banned_until - now
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self.used, self._refused = minute, 0, 0
        self.used += weight
        if self.used <= self.limit:
            return None
        self._refused += 1
        if self._refused > _PATIENCE:
            length_s = min(_FIRST_BAN_S * 4**self._bans, _LONGEST_BAN_S)
            self._bans += 1
            self._banned_until = now + length_s
            return banned(round(self._banned_until * 1000)), length_s
        return weight_used_up(self.limit), (minute + 1) * 60 - now
