"""The frames of one connection to ticks, by what earlier frames have taught.

Most of a message's time in protobuf's parser and after it goes into finding
fields that lie where they lay in another message. So the layouts of messages are
kept (`layout.py`), and a message of a known one is read without the parser. A call
of a helper would take nearly a tenth of the whole: what looks like one left out is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.sources.yahoo.decode_stream import (
    PRICES,
    SPLIT,
    WHOLE,
    decode_pricing,
    parsed,
    to_price,
    to_tick,
    unpacked,
)
from mds_engine.sources.yahoo.float32 import HUNDREDTHS_BELOW
from mds_engine.sources.yahoo.layout import Layouts
from mds_engine.sources.yahoo.varints import COUNTS, UPPER, UPPER_NS

Wanted = Mapping[bytes, Sequence[Instrument]]
"""The instruments of each symbol; symbols as UTF-8."""
Read = Callable[[str | bytes, Wanted, int], list[Tick]]

_QUARTER_MILLISECOND_NS = 250_000
_QUOTE_KIND = TickKind.QUOTE


def stream_reader(source: str) -> Read:
    """A function of (frame, wanted, received_ns) to the frame's ticks, one for each wanted instrument.

    It reads as `decode_stream` does, in half of the time where layouts repeat; but text that no tick bears is
    not looked at in a message of a known layout, so that it may be no UTF-8. Raises InvalidPayload, NotFound.
    """
    layouts = Layouts()
    known = layouts.get
    from_bytes = int.from_bytes

    def read(frame: str | bytes, wanted: Wanted, received_ns: int) -> list[Tick]:
        try:
            packed = decode_pricing(frame).message
            alike = known(len(packed) << 8 | packed[1], ())  # `key`
        except (msgspec.MsgspecError, IndexError):
            packed, alike = unpacked(frame), ()
        number = from_bytes(packed)
        for mask, expected, take, is_whole, is_crypto in alike:
            if number & mask != expected:
                continue
            if is_whole:
                return _whole(take(packed), is_crypto, wanted, source, received_ns)
            symbol, sent, time, time_2, volume, volume_2, size = take(packed)
            instruments = wanted.get(symbol)
            if not instruments:
                return []
            price = (sent * 1e2 + WHOLE - WHOLE) / 1e2  # as `to_price` does, without a call
            split = price * SPLIT
            if not 0.0 < split - (split - price) == sent < HUNDREDTHS_BELOW:
                price = PRICES[sent] if sent else None
            tick = Tick(
                instruments[0],
                _QUOTE_KIND,
                price,
                COUNTS[size] if size else None,
                (time + (time & 255)) * _QUARTER_MILLISECOND_NS + UPPER_NS[time_2] or None if time else None,
                received_ns,
                source,
                None,
                None,
                (volume + (volume & 255)) * 0.25 + UPPER[volume_2] or None if volume else None,
            )
            return [tick] if len(instruments) == 1 else _for_each(tick, instruments)
        if not packed:
            return []
        data = parsed(packed, frame)
        layouts.learn(packed)
        instruments = wanted.get(data.id.encode()) or ()
        return [to_tick(data, instrument, source, received_ns) for instrument in instruments]

    return read


def _whole(
    taken: tuple[Any, ...], is_crypto: bool, wanted: Wanted, source: str, received_ns: int
) -> list[Tick]:
    (symbol, price, time, time_2, volume, volume_2, high, low, open_, close, interest, size,
     bid, bid_size, ask, ask_size) = taken  # fmt: skip
    instruments = wanted.get(symbol)
    if not instruments:
        return []
    volume = (volume + (volume & 255)) * 0.25 + UPPER[volume_2] or None if volume else None
    size = COUNTS[size] if size else None
    if is_crypto and size == volume:
        size = None  # for crypto Yahoo puts the day's volume there, which is no size of a trade
    tick = Tick(
        instruments[0],
        _QUOTE_KIND,
        to_price(price) if price else None,
        size,
        (time + (time & 255)) * _QUARTER_MILLISECOND_NS + UPPER_NS[time_2] or None if time else None,
        received_ns,
        source,
        None,
        None,
        volume,
        to_price(bid) if bid else None,
        COUNTS[bid_size] if bid_size else None,
        to_price(ask) if ask else None,
        COUNTS[ask_size] if ask_size else None,
        PRICES[open_] if open_ else None,
        PRICES[high] if high else None,
        PRICES[low] if low else None,
        PRICES[close] if close else None,
        COUNTS[interest] if interest else None,
    )
    return [tick] if len(instruments) == 1 else _for_each(tick, instruments)


def _for_each(tick: Tick, instruments: Sequence[Instrument]) -> list[Tick]:
    return [msgspec.structs.replace(tick, instrument=instrument) for instrument in instruments]
