"""What `[sources.NAME]` with `kind = "binance"` may hold."""

from mds_engine.config.source_settings import SourceSettings


class BinanceSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Binance spot market data; it needs no key."""

    kind: str = "binance"
    """The vendor adapter."""
    endpoints: tuple[str, ...] = (
        "https://api.binance.com",
        "https://api-gcp.binance.com",
        "https://api1.binance.com",
        "https://api2.binance.com",
        "https://api3.binance.com",
        "https://api4.binance.com",
    )
    """Base URLs for requests, tried in order."""
    stream_endpoints: tuple[str, ...] = ("wss://stream.binance.com:9443", "wss://stream.binance.com:443")
    """Base URLs for live streams, tried in order."""
    stream_kinds: tuple[str, ...] = ("aggTrade", "bookTicker")
    """The streams that are subscribed for each instrument, by Binance's names. What was missed of `aggTrade`
    is asked for again at a sixth of the weight of `trade`."""
    probe_symbol: str = "BTCUSDT"
    """A symbol that is always listed: asking for it keeps the answer about the limits small."""

    def __post_init__(self) -> None:
        """Refuse trades that are numbered in two ways at once: nobody could tell which of them is missing."""
        if {"trade", "aggTrade"} <= set(self.stream_kinds):
            raise ValueError("stream_kinds holds trade and aggTrade, which are numbered apart: choose one")
