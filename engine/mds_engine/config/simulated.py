"""A configuration turned towards a running simulator, and the demo's own."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mds_engine.config.load import Plugin, parse_config
from mds_engine.config.schema import Config
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings
from mds_engine.errors import ConfigError

_DUMMY = Secret("simulated")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of a simulated vendor."""

    http: str
    ws: str = ""


class VendorAddress(Address, frozen=True, kw_only=True):
    """Where one simulated vendor listens; `http` and `ws` are its first endpoint's."""

    endpoints: tuple[Address, ...] = ()
    login: str = ""
    """The page on which an operator logs in; empty where there is none."""


class SimulatorAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON line of `mds-tui simulate --json`."""

    vendors: dict[str, VendorAddress]
    control: str = ""

    @classmethod
    def read(cls, text: bytes | str) -> "SimulatorAddress":
        """Decode the line. Raises ConfigError."""
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError as error:
            raise ConfigError(f"this is not a simulator's description: {error}") from None


def at_simulator(config: Config, simulator: SimulatorAddress) -> Config:
    """The same configuration on simulated vendors.

    Base URLs are the simulator's, and keys are dummies: real ones have no
    business there. Sources whose vendor is not simulated are taken out of
    service, so that nothing goes to the real world by mistake. Bans and
    breakers of simulated vendors stay out of the user's real state, unless a
    state file was named.
    """
    engine = config.engine
    return msgspec.structs.replace(
        config,
        engine=engine if engine.state_path else msgspec.structs.replace(engine, state_path=":memory:"),
        sources={
            name: _redirected(settings, simulator.vendors.get(settings.kind))
            for name, settings in config.sources.items()
        },
    )


def _redirected(settings: SourceSettings, vendor: VendorAddress | None) -> SourceSettings:
    if vendor is None:
        return msgspec.structs.replace(settings, enabled=False)
    endpoints = vendor.endpoints or (vendor,)
    changes: dict[str, Any] = {
        "endpoints": tuple(endpoint.http for endpoint in endpoints),
        "stream_endpoints": tuple(endpoint.ws for endpoint in endpoints if endpoint.ws),
    }
    if vendor.login and "login_page" in type(settings).__struct_fields__:
        changes["login_page"] = vendor.login
    for name in type(settings).__struct_fields__:
        if isinstance(getattr(settings, name), Secret):
            changes[name] = _DUMMY
    return msgspec.structs.replace(settings, **changes)


DEMO = """\
[engine]
name = "demo"
state_path = ":memory:"

[streams]
regular_hours = false

[sources.zerodha]
kind = "kite"

[sources.yahoo]
kind = "yahoo"

[sources.alphavantage]
kind = "alphavantage"

[sources.binance]
kind = "binance"

[routes.NSE]
sources = ["zerodha", "yahoo", "alphavantage"]
standby = true
quarantine = true

[routes.NASDAQ]
sources = ["yahoo", "alphavantage"]

[routes.BINANCE]
sources = ["binance"]

[console]
watch = [
  "NSE:RELIANCE", "NSE:INFY", "NSE:TCS", "NSE:HDFCBANK", "NSE:NIFTY 50",
  "NASDAQ:AAPL", "NASDAQ:MSFT", "NASDAQ:NVDA", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT",
]
"""
"""The demo's configuration, but for the addresses."""


def demo_config(plugins: Mapping[str, Plugin], simulator: SimulatorAddress) -> Config:
    """The demo's sources and routes on a running simulator. The environment has no say."""
    return at_simulator(parse_config(DEMO, plugins, {}, name="demo").config, simulator)
