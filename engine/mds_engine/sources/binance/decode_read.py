"""All frames of one read to ticks: trades, which are nearly all of them, in one loop. Pure."""

from collections.abc import Callable, Iterable

import msgspec

from mds_engine.model import Instrument, Tick, TickKind
from mds_engine.model.tick_read import TickRead
from mds_engine.sources.binance.decode_rest import FIRST_MICROSECOND
from mds_engine.sources.binance.decode_stream import TRADE_DECODERS, StreamDecoder, Trade, impossible

_TRADE = TickKind.TRADE
_MOST_STREAMS = 16_384
_NAME = slice(11, 43)
"""Of a combined frame, after `{"stream":"`: a name of up to 31 bytes with what ends it, and of what follows
only what is the same in each frame of its stream: `","data":{"e":"trade","E":` at the least."""

_Entry = tuple[int, Callable[[bytes], Trade], Instrument, list[Tick]]


class ReadDecoder:
    """Decodes what one read of a connection brought; `frames` knows every other kind of frame."""

    __slots__ = ("_by_name", "_source", "frames")

    def __init__(self, source: str = "") -> None:
        self.frames = StreamDecoder(source)
        self._source = source
        self._by_name: dict[bytes, _Entry] = {}
        """Of each stream of trades: where its payload begins, its decoder, whose it is, and its trades in
        this read."""

    def decode(self, frames: Iterable[bytes], received_ns: int, into: TickRead) -> None:
        """The ticks of frames that came at once, in their order, put to the end of `into`, which is empty.

        Raises what `StreamDecoder.decode` raises, after what came before it.
        """
        find, append, source = self._by_name.get, into.append, self._source
        came: list[_Entry] = []
        others = False
        try:
            for frame in frames:
                entry = find(frame[_NAME])
                if entry is not None:
                    start, decode, instrument, trades = entry
                    try:
                        event = decode(frame[start:-1])
                    except msgspec.DecodeError:
                        pass  # laid out otherwise, or broken: the slow way knows which
                    else:
                        price, time = event.price, event.time
                        tick = Tick(
                            instrument,
                            _TRADE,
                            price if price > 0 else impossible(price),
                            event.size,
                            time * 1_000_000 if time < FIRST_MICROSECOND else time * 1_000,
                            received_ns,
                            sequence=event.number,
                            buyer_is_maker=event.buyer_is_maker,
                            source=source,
                        )
                        append(tick)
                        if not trades:
                            came.append(entry)
                        trades.append(tick)
                        continue
                ticks = self.frames.decode(frame, received_ns)
                if ticks:
                    others = True
                    into += ticks
                    self._learn(frame)
        finally:
            if not others:
                into.trades = {}
            for _, _, instrument, trades in came:
                if into.trades is not None:
                    into.trades.setdefault(instrument, []).extend(trades)
                trades.clear()

    def _learn(self, frame: bytes) -> None:
        """Know the next frame of this one's stream, if that brings trades."""
        stream = self.frames.stream_of(frame)
        if stream is None or len(self._by_name) >= _MOST_STREAMS:
            return
        start, event, instrument = stream
        name, decode = frame[_NAME], TRADE_DECODERS.get(event)
        if decode is not None and b'"' in name and frame.startswith(f'{{"e":"{event}","'.encode(), start):
            self._by_name[name] = start, decode, instrument, []
