"""Yahoo's `PricingData` message, put into proto3's wire format by hand.

The field numbers and types are those of the vendor's .proto; a field at its
default (zero, empty) is left out, as proto3 does.
"""

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypedDict


class PricingData(TypedDict, total=False):
    """The fields of the message; those not given are not sent."""

    id: str
    price: float
    time: int
    """Epoch milliseconds."""
    currency: str
    exchange: str
    quote_type: int
    market_hours: int
    change_percent: float
    day_volume: int
    day_high: float
    day_low: float
    change: float
    short_name: str
    expire_date: int
    open_price: float
    previous_close: float
    strike_price: float
    underlying_symbol: str
    open_interest: int
    options_type: int
    mini_option: int
    last_size: int
    bid: float
    bid_size: int
    ask: float
    ask_size: int
    price_hint: int
    vol_24hr: int
    vol_all_currencies: int
    from_currency: str
    last_market: str
    circulating_supply: float
    market_cap: float


def encode(data: PricingData) -> bytes:
    """The message, its fields in the order of their numbers."""
    values = dict(data)
    parts = []
    for name, kind in _FIELDS.items():
        value = values.get(name)
        if value:
            parts.append(_varint(kind.number << 3 | kind.wire_type) + kind.encode(value))
    return b"".join(parts)


def zigzag(value: int) -> int:
    """Signed to unsigned, small magnitudes to small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _text(value: object) -> bytes:
    content = str(value).encode()
    return _varint(len(content)) + content


def _float(value: object) -> bytes:
    return struct.pack("<f", value)


def _double(value: object) -> bytes:
    return struct.pack("<d", value)


def _integer(value: object) -> bytes:
    # A negative int32 is sent as 64 bits of two's complement.
    return _varint(int(str(value)) & 0xFFFF_FFFF_FFFF_FFFF)


def _signed(value: object) -> bytes:
    return _varint(zigzag(int(str(value))))


class _Field(NamedTuple):
    number: int
    wire_type: int
    encode: Callable[[object], bytes]


_STRING, _F32, _F64, _I32, _S64 = (2, _text), (5, _float), (1, _double), (0, _integer), (0, _signed)

_FIELDS: Mapping[str, _Field] = {
    name: _Field(number, *kind)
    for number, (name, kind) in enumerate(
        {
            "id": _STRING,
            "price": _F32,
            "time": _S64,
            "currency": _STRING,
            "exchange": _STRING,
            "quote_type": _I32,
            "market_hours": _I32,
            "change_percent": _F32,
            "day_volume": _S64,
            "day_high": _F32,
            "day_low": _F32,
            "change": _F32,
            "short_name": _STRING,
            "expire_date": _S64,
            "open_price": _F32,
            "previous_close": _F32,
            "strike_price": _F32,
            "underlying_symbol": _STRING,
            "open_interest": _S64,
            "options_type": _S64,
            "mini_option": _S64,
            "last_size": _S64,
            "bid": _F32,
            "bid_size": _S64,
            "ask": _F32,
            "ask_size": _S64,
            "price_hint": _S64,
            "vol_24hr": _S64,
            "vol_all_currencies": _S64,
            "from_currency": _STRING,
            "last_market": _STRING,
            "circulating_supply": _F64,
            "market_cap": _F64,
        }.items(),
        1,
    )
}
