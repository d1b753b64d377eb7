"""Kite's binary frames: ours against KiteTicker's own parser, whole frames and single packets."""

from struct import pack

from kiteconnect import KiteTicker
from mds_engine.model import Instrument
from mds_engine.model.tick_batch import TickBatch
from mds_engine.sources.kite.decode_batch import TickerDecoder
from mds_engine.sources.kite.decode_ticker import decode_frame, decode_ticks
from mds_engine.streams.board import Board

from benchmarks.report import Row
from benchmarks.timing import Times, measure

ABOUT = "Kite's ticker, full packets, against KiteTicker._parse_binary"
ROUNDS = 41
_LARGE = 500
_MIDDLE = 20


async def run() -> list[Row]:
    """The rows."""
    ticker = KiteTicker("key", "token")
    frames = {count: _frame(count) for count in (1, _MIDDLE, _LARGE)}
    instruments = {_token(number): Instrument("NSE", f"S{number}") for number in range(_LARGE)}
    large, middle, one = frames[_LARGE], frames[_MIDDLE], frames[1]
    _must_agree(ticker, large)
    decode, board = TickerDecoder(instruments, "zerodha").decode, Board()
    if list(decode(large)) != decode_ticks(large, instruments, "zerodha"):
        raise ValueError("the decoders of single ticks and of batches disagree")

    def to_board(frame: bytes) -> None:
        batch = decode(frame)
        assert isinstance(batch, TickBatch)
        board.put_batch(batch, 0.0)

    times = measure(
        {
            "theirs, large": lambda: ticker._parse_binary(large),  # noqa: SLF001  the parser has no other name
            "ours, large": lambda: decode_frame(large),
            "ticks, large": lambda: decode_ticks(large, instruments),
            "board, large": lambda: to_board(large),
            "theirs, middle": lambda: ticker._parse_binary(middle),  # noqa: SLF001
            "ticks, middle": lambda: decode_ticks(middle, instruments),
            "board, middle": lambda: to_board(middle),
            "theirs, one": lambda: ticker._parse_binary(one),  # noqa: SLF001
            "ours, one": lambda: decode_frame(one),
            "columns, one": lambda: decode_frame(one).values,
            "ticks, one": lambda: decode_ticks(one, instruments),
        },
        rounds=ROUNDS,
        calls={
            "theirs, large": 1, "ours, large": 20, "ticks, large": 5, "board, large": 20,
            "theirs, middle": 5, "ticks, middle": 25, "board, middle": 50,
            "theirs, one": 50, "ours, one": 500, "columns, one": 50, "ticks, one": 500,
        },
    )  # fmt: skip
    rate = _LARGE / times.seconds("ours, large") / 1e6
    return [
        Row(what=f"frame of {_LARGE} to columns (all fields, five levels a side), times as fast",
            value=times.ratio("theirs, large", "ours, large"), at_least=100.0,
            note=f"theirs {times.micro('theirs, large')} to dicts, ours {times.micro('ours, large')}"
                 f" = {rate:.3g} M packets/s"),
        Row(what=f"frame of {_LARGE} to Tick objects (best level a side), times as fast",
            value=times.ratio("theirs, large", "ticks, large"), note=times.micro("ticks, large")),
        _to_board(times, _LARGE, "large"),
        _to_board(times, _MIDDLE, "middle"),
        Row(what=f"frame of {_MIDDLE} to Tick objects, times as fast",
            value=times.ratio("theirs, middle", "ticks, middle"), note=times.micro("ticks, middle")),
        Row(what="single packet to words (best level; prices divided when read), times as fast",
            value=times.ratio("theirs, one", "ours, one"), at_least=10.0,
            note=f"theirs {times.micro('theirs, one')}, ours {times.micro('ours, one')}"),
        Row(what="single packet to a Tick object, which is what a stream does, times as fast",
            value=times.ratio("theirs, one", "ticks, one"), note=times.micro("ticks, one")),
        Row(what="single packet, its columns asked for, times as fast",
            value=times.ratio("theirs, one", "columns, one"), note=times.micro("columns, one")),
    ]  # fmt: skip


def _to_board(times: Times, count: int, name: str) -> Row:
    ours = f"board, {name}"
    return Row(
        what=f"frame of {count} to a batch and onto the board, times as fast as their parsing alone",
        value=times.ratio(f"theirs, {name}", ours),
        note=f"{times.micro(ours)} = {count / times.seconds(ours) / 1e6:.3g} M ticks/s",
    )


def _token(number: int) -> int:
    """Segment 1, NSE."""
    return (408_065 + number) << 8 | 1


def _frame(count: int) -> bytes:
    """So many full packets with figures of a trading day, the same every time."""
    packets = [_packet(number) for number in range(count)]
    return pack(">H", count) + b"".join(pack(">H", len(packet)) + packet for packet in packets)


def _packet(number: int) -> bytes:
    price = 140_000 + 35 * number
    head = (_token(number), price, 5, price - 10, 1_250_000 + number, 300_000, 280_000)
    day = (price - 900, price + 1200, price - 1500, price - 400)
    rest = (1_750_000_000, 0, 0, 0, 1_750_000_001)
    levels = (
        pack(">IIHH", 100 + level, price + (5 * level if level >= 5 else -5 * level), 3, 0)
        for level in range(10)
    )
    return pack(">16I", *head, *day, *rest) + b"".join(levels)


def _must_agree(ticker: KiteTicker, frame: bytes) -> None:
    """A race between parsers that disagree tells nothing."""
    theirs = ticker._parse_binary(frame)  # noqa: SLF001
    ours = decode_frame(frame)
    for number, packet in enumerate(theirs):
        pairs = (
            (packet["last_price"], ours.column("last_price")[number]),
            (packet["ohlc"]["close"], ours.column("close")[number]),
            (packet["depth"]["sell"][4]["price"], ours.depth[number, 9, 1]),
        )
        if any(one != other for one, other in pairs):
            raise ValueError(f"the parsers disagree on packet {number}: {pairs}")
