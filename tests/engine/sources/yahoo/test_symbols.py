"""Instruments to Yahoo's symbols, and back."""

import pytest
from mds_engine.errors import NotFound
from mds_engine.model import Instrument
from mds_engine.sources.yahoo.symbols import to_instrument, to_symbol


@pytest.mark.parametrize(
    ("instrument", "symbol", "code"),
    [
        ("NSE:RELIANCE", "RELIANCE.NS", "NSI"),
        ("NSE:M&M", "M&M.NS", "NSI"),
        ("BSE:RELIANCE", "RELIANCE.BO", "BSE"),
        ("NSE:NIFTY 50", "^NSEI", "NSI"),
        ("BSE:SENSEX", "^BSESN", "BSE"),
        ("INDEX:GSPC", "^GSPC", "SNP"),
        ("NASDAQ:AAPL", "AAPL", "NMS"),
        ("NYSE:BRK.B", "BRK-B", "NYQ"),
        ("US:AAPL", "AAPL", None),
        ("CRYPTO:BTC-USD", "BTC-USD", "CCC"),
        ("FX:EURUSD", "EURUSD=X", "CCY"),
        ("SSE:600519", "600519.SS", "SHH"),
    ],
)
def test_both_directions(instrument: str, symbol: str, code: str | None) -> None:
    parsed = Instrument.parse(instrument)
    assert to_symbol(parsed) == symbol
    assert to_instrument(symbol, code) == parsed


def test_an_exchange_that_yahoo_does_not_carry_is_not_found() -> None:
    with pytest.raises(NotFound, match="BINANCE"):
        to_symbol(Instrument("BINANCE", "BTCUSDT"))


def test_an_exchange_code_that_is_not_known_is_kept() -> None:
    assert to_instrument("ESZ5", "CME") == Instrument("CME", "ESZ5")
