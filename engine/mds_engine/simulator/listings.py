"""What is listed on the simulated market: names, prices, tick sizes, tempo."""

import hashlib
from dataclasses import dataclass
from typing import Literal

ListingKind = Literal["equity", "index", "crypto"]

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the simulated market, with everything that its price path is made of."""

    instrument: str
    """`EXCHANGE:SYMBOL`."""
    name: str
    """The company's or the coin's name, as a vendor would print it."""
    kind: ListingKind
    currency: str
    base_price: float
    """The price that the path wanders around."""
    daily_volatility: float
    """Typical daily move as a fraction of the price."""
    price_decimals: int
    """Decimals of the smallest price step."""
    price_step: float
    """The smallest price step."""
    size_decimals: int
    """Decimals of the smallest size: 0 for shares, 5 for bitcoin."""
    trades_per_s: float
    size_per_s: float
    """Mean traded size per second; 0 for an index."""
    day_offset_s: int
    """Local midnight of the exchange is this many seconds before midnight UTC."""
    listed_at: int
    """Epoch seconds of the first bar."""
    key: int
    """64 bits from seed and name: the root of all its numbers."""

    @property
    def exchange(self) -> str:
        """The part before the colon."""
        return self.instrument.partition(":")[0]

    @property
    def symbol(self) -> str:
        """The part after the colon."""
        return self.instrument.partition(":")[2]


class UnknownInstrumentError(LookupError):
    """The simulated market does not list this instrument."""


MOST_TRADES_PER_S = 10_000.0
"""Of one instrument."""


class ListingBook:
    """Every listing of one seed: the named ones, and as many invented ones as are asked for.

    `trades_per_s` is the rate of every instrument, None to leave each its own;
    the mean size of a trade stays as it was.
    """

    def __init__(self, seed: int, *, trades_per_s: float | None = None) -> None:
        if trades_per_s is not None and not 0 < trades_per_s <= MOST_TRADES_PER_S:
            raise ValueError(
                f"trades_per_s is {trades_per_s:g}; it must be above 0, {MOST_TRADES_PER_S:g} at most"
            )
        self._seed = seed
        self._trades_per_s = trades_per_s
        self._listings: dict[str, Listing] = {}

    def listing(self, instrument: str) -> Listing:
        """The listing of `EXCHANGE:SYMBOL`. Raises UnknownInstrumentError."""
        known = self._listings.get(instrument)
        if known is None:
            known = self._make(instrument)
            self._listings[instrument] = known
        return known

    def universe(self, exchange: str, count: int) -> list[str]:
        """The first `count` instruments of an exchange: the named ones, then invented ones."""
        named = [name for name in _NAMED if name.partition(":")[0] == exchange]
        if exchange not in _INVENTED:
            return named[:count]
        style = _INVENTED[exchange]
        rest = max(0, min(count - len(named), _INVENTED_LIMIT))
        return named[:count] + [f"{exchange}:{style.symbol(index)}" for index in range(rest)]

    def _make(self, instrument: str) -> Listing:
        exchange, _, symbol = instrument.partition(":")
        house = _EXCHANGES.get(exchange)
        if house is None:
            raise UnknownInstrumentError(instrument)
        digest = hashlib.blake2b(f"{self._seed}|{instrument}".encode(), digest_size=8).digest()
        key = int.from_bytes(digest, "big")
        named = _NAMED.get(instrument)
        if named is None:
            named = self._invent(exchange, symbol, key)
        rate = self._trades_per_s or named.trades_per_s
        return Listing(
            instrument=instrument,
            name=named.name,
            kind=named.kind,
            currency=house.currency,
            base_price=named.price,
            daily_volatility=named.volatility,
            price_decimals=named.price_decimals,
            price_step=house.price_step or 10.0**-named.price_decimals,
            size_decimals=named.size_decimals,
            trades_per_s=rate,
            size_per_s=named.size_per_s * rate / named.trades_per_s,
            day_offset_s=house.day_offset_s,
            listed_at=named.listed_at or house.first_listing,
            key=key,
        )

    def _invent(self, exchange: str, symbol: str, key: int) -> "_Named":
        style = _INVENTED.get(exchange)
        if style is None or not style.recognises(symbol):
            raise UnknownInstrumentError(f"{exchange}:{symbol}")
        # Prices spread evenly over the orders of magnitude, as they do on a real exchange.
        spread = (key >> 11) / 2**53
        price = style.lowest * (style.highest / style.lowest) ** spread
        return _Named(
            name=style.company(symbol),
            price=price,
            volatility=0.012 + 0.02 * ((key & 0xFFFF) / 0xFFFF),
            kind=style.kind,
            price_decimals=style.price_decimals,
            size_decimals=style.size_decimals,
            trades_per_s=style.trades_per_s,
            size_per_s=style.value_per_s / price,
        )


@dataclass(frozen=True, slots=True)
class _House:
    currency: str
    day_offset_s: int
    first_listing: int
    price_step: float | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    price: float
    volatility: float
    kind: ListingKind = "equity"
    price_decimals: int = 2
    size_decimals: int = 0
    trades_per_s: float = 2.0
    size_per_s: float = 200.0
    listed_at: int = 0


@dataclass(frozen=True, slots=True)
class _Style:
    symbols: str
    kind: ListingKind
    lowest: float
    highest: float
    price_decimals: int
    size_decimals: int
    trades_per_s: float
    value_per_s: float
    suffix: str = ""

    def symbol(self, index: int) -> str:
        return f"{self.symbols}{index:04d}{self.suffix}"

    def recognises(self, symbol: str) -> bool:
        digits = symbol.removeprefix(self.symbols).removesuffix(self.suffix)
        return (
            len(digits) == 4 and digits.isascii() and digits.isdigit() and symbol == self.symbol(int(digits))
        )

    def company(self, symbol: str) -> str:
        return f"{symbol.removesuffix(self.suffix).title()} {'Token' if self.kind == 'crypto' else 'Ltd'}"


_INVENTED_LIMIT = 10_000

_IST_OFFSET_S = 19_800
_EST_OFFSET_S = -18_000
_BINANCE_OPENED = 1_502_928_000  # 2017-08-17
_NSE_OPENED = 820_434_600  # 1996-01-01 IST
_NASDAQ_OPENED = 315_550_800  # 1980-01-01 EST

_EXCHANGES = {
    "NSE": _House("INR", _IST_OFFSET_S, _NSE_OPENED, price_step=0.05),
    "BSE": _House("INR", _IST_OFFSET_S, _NSE_OPENED, price_step=0.05),
    "NASDAQ": _House("USD", _EST_OFFSET_S, _NASDAQ_OPENED, price_step=0.01),
    "NYSE": _House("USD", _EST_OFFSET_S, _NASDAQ_OPENED, price_step=0.01),
    "INDEX": _House("USD", _EST_OFFSET_S, _NASDAQ_OPENED, price_step=0.01),
    "BINANCE": _House("USDT", 0, _BINANCE_OPENED),
}

_INVENTED = {
    "NSE": _Style("SIMEQ", "equity", 40.0, 9_000.0, 2, 0, 1.0, 400_000.0),
    "NASDAQ": _Style("SIMQ", "equity", 4.0, 900.0, 2, 0, 1.0, 60_000.0),
    "BINANCE": _Style("SIM", "crypto", 0.05, 500.0, 4, 2, 1.0, 4_000.0, suffix="USDT"),
}

_NAMED = {
    "NSE:RELIANCE": _Named("RELIANCE INDUSTRIES", 1_412.0, 0.014, trades_per_s=4.0, size_per_s=1_200.0),
    "NSE:INFY": _Named("INFOSYS", 1_498.0, 0.015, trades_per_s=4.0, size_per_s=900.0),
    "NSE:TCS": _Named("TATA CONSULTANCY SERV LT", 3_085.0, 0.013, trades_per_s=2.0, size_per_s=400.0),
    "NSE:HDFCBANK": _Named("HDFC BANK", 951.0, 0.012, trades_per_s=4.0, size_per_s=1_600.0),
    "NSE:SBIN": _Named("STATE BANK OF INDIA", 872.0, 0.015, trades_per_s=2.0, size_per_s=1_100.0),
    "NSE:ICICIBANK": _Named("ICICI BANK", 1_371.0, 0.013, trades_per_s=3.0, size_per_s=1_000.0),
    "NSE:ITC": _Named("ITC", 412.0, 0.011, trades_per_s=3.0, size_per_s=1_500.0),
    "NSE:WIPRO": _Named("WIPRO", 243.0, 0.016, trades_per_s=2.0, size_per_s=900.0),
    "NSE:LT": _Named("LARSEN & TOUBRO", 3_905.0, 0.014, trades_per_s=2.0, size_per_s=300.0),
    "NSE:NIFTY 50": _Named("NIFTY 50", 24_890.0, 0.008, kind="index", trades_per_s=1.0, size_per_s=0.0),
    "NSE:NIFTY BANK": _Named("NIFTY BANK", 55_700.0, 0.010, kind="index", trades_per_s=1.0, size_per_s=0.0),
    "NASDAQ:AAPL": _Named("Apple Inc.", 251.0, 0.016, trades_per_s=4.0, size_per_s=1_800.0),
    "NASDAQ:MSFT": _Named("Microsoft Corporation", 512.0, 0.015, trades_per_s=4.0, size_per_s=900.0),
    "NASDAQ:NVDA": _Named("NVIDIA Corporation", 183.0, 0.024, trades_per_s=5.0, size_per_s=6_000.0),
    "NASDAQ:TSLA": _Named("Tesla, Inc.", 421.0, 0.030, trades_per_s=5.0, size_per_s=3_000.0),
    "NASDAQ:AMZN": _Named("Amazon.com, Inc.", 222.0, 0.019, trades_per_s=4.0, size_per_s=2_000.0),
    "NASDAQ:GOOGL": _Named("Alphabet Inc.", 254.0, 0.018, trades_per_s=4.0, size_per_s=1_500.0),
    "NASDAQ:META": _Named("Meta Platforms, Inc.", 738.0, 0.021, trades_per_s=4.0, size_per_s=700.0),
    "NASDAQ:AMD": _Named("Advanced Micro Devices, Inc.", 253.0, 0.030, trades_per_s=4.0, size_per_s=2_000.0),
    "NASDAQ:NFLX": _Named("Netflix, Inc.", 1_094.0, 0.020, trades_per_s=2.0, size_per_s=200.0),
    "NYSE:IBM": _Named("International Business Machines", 283.0, 0.013, size_per_s=250.0),
    "INDEX:GSPC": _Named("S&P 500", 6_690.0, 0.009, kind="index", trades_per_s=1.0, size_per_s=0.0),
    "INDEX:IXIC": _Named("NASDAQ Composite", 22_700.0, 0.012, kind="index", trades_per_s=1.0, size_per_s=0.0),
    "INDEX:VIX": _Named("CBOE Volatility Index", 17.2, 0.060, kind="index", trades_per_s=1.0, size_per_s=0.0),
    "BINANCE:BTCUSDT": _Named("Bitcoin", 108_400.0, 0.022, "crypto", 2, 5, 8.0, 0.35),
    "BINANCE:ETHUSDT": _Named("Ethereum", 3_920.0, 0.030, "crypto", 2, 4, 8.0, 9.0),
    "BINANCE:BNBUSDT": _Named("BNB", 1_090.0, 0.028, "crypto", 2, 3, 4.0, 4.0),
    "BINANCE:SOLUSDT": _Named("Solana", 191.0, 0.040, "crypto", 2, 3, 4.0, 60.0),
    "BINANCE:XRPUSDT": _Named("XRP", 2.41, 0.038, "crypto", 4, 1, 4.0, 4_000.0),
    "BINANCE:DOGEUSDT": _Named("Dogecoin", 0.196, 0.045, "crypto", 5, 0, 4.0, 30_000.0),
    "BINANCE:ADAUSDT": _Named("Cardano", 0.64, 0.038, "crypto", 4, 1, 4.0, 9_000.0),
    "BINANCE:AVAXUSDT": _Named("Avalanche", 19.7, 0.042, "crypto", 2, 2, 2.0, 150.0),
    "BINANCE:LINKUSDT": _Named("Chainlink", 17.6, 0.042, "crypto", 2, 2, 2.0, 200.0),
    "BINANCE:LTCUSDT": _Named("Litecoin", 95.2, 0.032, "crypto", 2, 3, 2.0, 40.0),
    "BINANCE:ETHBTC": _Named("Ethereum", 0.03616, 0.020, "crypto", 5, 4, 2.0, 1.5),
    "BINANCE:ADABTC": _Named("Cardano", 0.00000742, 0.035, "crypto", 8, 1, 1.0, 900.0),
}
