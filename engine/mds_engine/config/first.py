"""A configuration for whoever has none: built in, or written as a first file."""

import os
from collections.abc import Mapping
from pathlib import Path

from mds_engine.config.load import LoadedConfig, Plugin, parse_config
from mds_engine.errors import ConfigError

_KEYLESS = """\
[sources.yahoo]
kind = "yahoo"
priority = 10

[sources.binance]
kind = "binance"
"""

_KITE = """\
[sources.zerodha]
kind = "kite"
api_key = "${KITE_API_KEY}"
api_secret = "${KITE_API_SECRET:-}"
access_token = "${KITE_ACCESS_TOKEN:-}"
"""

_ALPHA_VANTAGE = """\
[sources.alphavantage]
kind = "alphavantage"
api_key = "${ALPHA_VANTAGE_API_KEY}"
priority = 20
"""

_ROUTES = """\
# Without `sources` of its own, an exchange is served by all sources that can, the lowest priority first.
[routes.NSE]

[routes.NASDAQ]

[routes.BINANCE]
"""

_CONSOLE = """\
[console]
watch = ["NSE:RELIANCE", "NSE:INFY", "NASDAQ:AAPL", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"]
"""


def first_config_text(environ: Mapping[str, str]) -> str:
    """What `mds-tui config init` writes: live data from the sources that need no key, and from
    those whose key is in the environment; the others stand ready behind comment signs."""
    keyed = "\n".join(
        block if environ.get(name) else _commented(block)
        for name, block in (("KITE_API_KEY", _KITE), ("ALPHA_VANTAGE_API_KEY", _ALPHA_VANTAGE))
    )
    return (
        "# The configuration of mds-tui. All settings with their defaults: mds-tui config example.\n"
        "# Keys belong into the environment; ${NAME} stands for its value.\n\n"
        f"{_KEYLESS}\n{keyed}\n{_ROUTES}\n{_CONSOLE}"
    )


def built_in_config(plugins: Mapping[str, Plugin], environ: Mapping[str, str]) -> LoadedConfig:
    """The same without a file."""
    return parse_config(first_config_text(environ), plugins, environ, name="built-in")


def write_first_config(file: Path, environ: Mapping[str, str]) -> None:
    """Write a first file that only its owner can read. Raises ConfigError rather than replace one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{file}: is there already and is left as it is") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(first_config_text(environ))
    except OSError as error:
        # Half a file would be read as a whole one.
        file.unlink(missing_ok=True)
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None


def _commented(block: str) -> str:
    return "".join(f"# {line}\n" for line in block.splitlines())
