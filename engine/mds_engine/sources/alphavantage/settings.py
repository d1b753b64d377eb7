"""`[sources.NAME]` of kind `alphavantage`."""

from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings


class AlphaVantageSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alpha Vantage: one key, one symbol a call, a small free plan."""

    kind: str = "alphavantage"
    """The vendor adapter."""
    api_key: Secret = Secret()
    """The key; `ALPHA_VANTAGE_API_KEY` in the environment."""
    endpoints: tuple[str, ...] = ("https://www.alphavantage.co",)
    """Base URLs for requests, tried in order."""
    calls_per_day: int | None = 25
    """The plan's calls a day: 25 on the free plan; 0 means no limit (the paid plans)."""
    nse_suffix: str = "BSE"
    """Suffix of the symbol that is asked for instruments of NSE. Alpha Vantage documents Indian shares by
    their Bombay listing only (`RELIANCE.BSE`), whose price differs from NSE's by fractions of a percent;
    empty leaves NSE to other sources."""
