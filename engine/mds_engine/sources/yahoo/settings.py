"""`[sources.NAME]` of kind `yahoo`."""

from mds_engine.config.source_settings import SourceSettings


class YahooSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Yahoo Finance: free, unofficial, no key, no published limits."""

    kind: str = "yahoo"
    """The vendor adapter."""
    endpoints: tuple[str, ...] = ("https://query1.finance.yahoo.com", "https://query2.finance.yahoo.com")
    """Base URLs for requests, tried in order."""
    stream_endpoints: tuple[str, ...] = ("wss://streamer.finance.yahoo.com/?version=2",)
    """URLs of the streamer, tried in order."""
    subscribe_every_s: float = 15.0
    """The whole subscription is sent again this often, in seconds: the streamer's keep-alive."""
    currency: str = "USD"
    """Currency of the costs (ISO 4217)."""
