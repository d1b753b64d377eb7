"""All frames of one read to ticks: trades, which are nearly all of them, in one loop. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from mds_engine.errors import InvalidPayload
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

    def decode(self, frames: Sequence[bytes], received_ns: int, into: TickRead) -> None:
        """The ticks of frames that came at once, in their order, put to the end of `into`, which is empty.

        Raises what `StreamDecoder.decode` raises, after what came before it.
        """
        by_name = self._by_name
        try:
            entries = [by_name[frame[_NAME]] for frame in frames]
        except KeyError:  # of a stream that is not known yet, or no trade
            self._take_each(frames, received_ns, into)
            return
        if not entries or not self._take_trades(entries, frames, received_ns, into):
            self._take_each(frames, received_ns, into)

    def _take_trades(
        self, entries: Sequence[_Entry], frames: Sequence[bytes], received_ns: int, into: TickRead
    ) -> bool:
        """Frames of known streams of trades, a step at a time for all of them; False, and nothing is done,
        if one of them is not as they all are."""
        source = self._source
        try:
            events = [
                decode(frame[start:-1]) for (start, decode, _, _), frame in zip(entries, frames, strict=True)
            ]
            # A connection tells all its times in milliseconds, or all in microseconds.
            unit_ns = 1_000_000 if events[0].time < FIRST_MICROSECOND else 1_000
            into += [
                Tick(
                    entry[2],
                    _TRADE,
                    price if (price := event.price) > 0 else impossible(price),
                    event.size,
                    event.time * unit_ns,
                    received_ns,
                    source,
                    event.number,
                    event.buyer_is_maker,
                )
                for entry, event in zip(entries, events, strict=True)
            ]
        except (msgspec.DecodeError, InvalidPayload):
            return False  # laid out otherwise, or broken: the slow way knows which
        came: list[_Entry] = []
        for entry, tick in zip(entries, into, strict=True):
            trades = entry[3]
            if not trades:
                came.append(entry)
            trades.append(tick)
        self._tell_trades(came, into)
        return True

    def _take_each(self, frames: Sequence[bytes], received_ns: int, into: TickRead) -> None:
        """One frame after the other, of whatever kind."""
        came: list[_Entry] = []
        others = False
        try:
            for frame in frames:
                entry = self._by_name.get(frame[_NAME])
                ticks = self.frames.decode(frame, received_ns)
                into += ticks
                if ticks and entry is None:
                    self._learn(frame)
                for tick in ticks:
                    if entry is None or tick.kind is not _TRADE or tick.instrument is not entry[2]:
                        others = True
                        continue
                    if not entry[3]:
                        came.append(entry)
                    entry[3].append(tick)
        finally:
            if others:
                for entry in came:
                    entry[3].clear()
            else:
                self._tell_trades(came, into)

    def _tell_trades(self, came: Sequence[_Entry], into: TickRead) -> None:
        """Give a read its trades by instrument; each stream's own list is empty afterwards."""
        into.trades = {}
        for _, _, instrument, trades in came:
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
