"""What `[sources.NAME]` with `kind = "kite"` may hold."""

from typing import Literal

from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings


class KiteSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Zerodha Kite Connect v3: Indian exchanges, with a login that ends every morning."""

    kind: str = "kite"
    """The vendor adapter."""
    endpoints: tuple[str, ...] = ("https://api.kite.trade",)
    """Base URLs for requests, tried in order."""
    stream_endpoints: tuple[str, ...] = ("wss://ws.kite.trade",)
    """Base URLs for live streams, tried in order."""
    cost_per_month: str = "500"
    """Fixed price of the plan a month, exact decimal text, in `currency`."""
    currency: str = "INR"
    """Currency of the costs (ISO 4217)."""
    login_page: str = "https://kite.zerodha.com/connect/login"
    """The page on which the operator logs in; `api_key` is added to it."""
    api_key: Secret = Secret()
    """The app's key, from the Kite Connect developer console."""
    api_secret: Secret = Secret()
    """The app's secret; only a login needs it."""
    access_token: Secret = Secret()
    """The day's token, which dies at about 06:00 IST. `L` in the console, or `mds-tui login`, gets one."""
    stream_mode: Literal["full", "quote", "ltp"] = "full"
    """How much each tick holds; `full` has the book and the exchange's time."""
    silence_s: float = 5.0
    """A stream without any message for so long, heartbeats included, is dead, in seconds."""
