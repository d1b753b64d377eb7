"""The frames that the stream benchmarks send, as they stand on the wire.

Needs nothing but the standard library: peers in environments of their own make the same ones.
"""

from collections.abc import Iterator
from struct import pack

_BASES = (
    "BTC ETH SOL BNB XRP DOGE ADA TRX AVAX LINK DOT LTC BCH NEAR UNI APT ATOM XLM ETC FIL HBAR ARB OP INJ "
    "SUI AAVE ALGO GRT SAND MANA AXS FTM EOS XTZ THETA CHZ ZEC DASH COMP SNX CRV ENJ BAT ZRX KNC OMG QTUM "
    "ICX ZIL IOST"
)
SYMBOLS = tuple(f"{base}USDT" for base in _BASES.split())
_BEGAN_MS = 1_750_000_000_000
_TEXT, _BINARY = 0x81, 0x82
_SHORT, _MEDIUM = 125, 65_535


def aggregate_trades(first: int, count: int) -> Iterator[bytes]:
    """Trades of `SYMBOLS` in turn, in a combined stream; each symbol's numbers have no holes."""
    symbols = len(SYMBOLS)
    for number in range(first, first + count):
        yield aggregate_trade(SYMBOLS[number % symbols], number // symbols, number)


def aggregate_trade(symbol: str, sequence: int, number: int) -> bytes:
    """One of Binance's frames, of a usual length."""
    at_ms = _BEGAN_MS + number // 20
    return (
        f'{{"stream":"{symbol.lower()}@aggTrade","data":{{"e":"aggTrade","E":{at_ms + 1},"s":"{symbol}",'
        f'"a":{5_000_000_000 + sequence},"p":"{104_250 + number % 977}.{number % 100:02}000000",'
        f'"q":"0.{1 + number % 9_999:05}000","f":{6_000_000_000 + sequence},"l":{6_000_000_000 + sequence},'
        f'"T":{at_ms},"m":{"true" if number % 3 else "false"},"M":true}}}}'
    ).encode()


def trade_number(sequence: int) -> int:
    """Of which of a symbol's trades, counted from zero, a frame's number tells."""
    return sequence - 5_000_000_000


def kite_token(number: int) -> int:
    """Of the NSE."""
    return (408_065 + number) << 8 | 1


def kite_frames(first: int, count: int, packets: int) -> Iterator[bytes]:
    """So many frames of full packets, a second later and at another price each."""
    for number in range(first, first + count):
        bodies = (_full_packet(place, number) for place in range(packets))
        yield pack(">H", packets) + b"".join(pack(">H", len(body)) + body for body in bodies)


def _full_packet(place: int, number: int) -> bytes:
    price = 140_000 + 35 * place + 5 * (number % 400)
    head = (kite_token(place), price, 5, price - 10, 1_250_000 + number, 300_000, 280_000)
    day = (price - 900, price + 1200, price - 1500, price - 400)
    at_s = 1_750_000_000 + number
    levels = (
        pack(">IIHH", 100 + level, price + (5 * level if level >= 5 else -5 * level), 3, 0)
        for level in range(10)
    )
    return pack(">16I", *head, *day, at_s, 0, 0, 0, at_s) + b"".join(levels)


def on_the_wire(payload: bytes, *, binary: bool = False) -> bytes:
    """A whole message in one WebSocket frame from a server, which masks nothing."""
    first, size = _BINARY if binary else _TEXT, len(payload)
    if size <= _SHORT:
        return pack(">BB", first, size) + payload
    if size <= _MEDIUM:
        return pack(">BBH", first, 126, size) + payload
    return pack(">BBQ", first, 127, size) + payload
