"""Kite's larger frames in columns, against the same frames read tick by tick."""

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.errors import InvalidPayload
from mds_engine.model import Instrument
from mds_engine.model.tick_batch import TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.sources.kite.decode_batch import TickerDecoder
from mds_engine.sources.kite.decode_ticker import decode_ticks

LENGTHS = (8, 28, 32, 44, 184)
TOKENS = tuple(number << 8 | segment for number in (1, 70_000) for segment in (1, 3, 4, 6, 9, 12))
NAMES = {token: Instrument("NSE", f"S{token}") for token in TOKENS[::2]}

lengths = st.sampled_from(LENGTHS)


@st.composite
def packets(draw: st.DrawFn, length: int) -> bytes:
    """Any figures at all, and zeros often: they are what is absent."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    figures = [chance.choice((0, 0, 1, 5, 99_999, 1_750_000_000, 2**32 - 1)) for _ in range(length // 4 - 1)]
    return struct.pack(f">{length // 4}I", chance.choice(TOKENS), *figures)


def frame_of(*found: bytes) -> bytes:
    return struct.pack(">H", len(found)) + b"".join(struct.pack(">H", len(one)) + one for one in found)


def random_frame(count: int, length: int = 184, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    return frame_of(
        *(
            struct.pack(">I", TOKENS[number % len(TOKENS)]) + chance.randbytes(length - 4)
            for number in range(count)
        )
    )


@given(lengths, st.integers(0, 40), st.data())
def test_packets_of_one_length_are_the_ticks_one_by_one(length: int, count: int, data: st.DataObject) -> None:
    frame = frame_of(*(data.draw(packets(length)) for _ in range(count)))
    decoder = TickerDecoder(NAMES, "zerodha")
    for received_ns in (42, 43):  # anew, and with what was remembered of it
        ticks = decoder.decode(frame, received_ns)
        assert list(ticks) == decode_ticks(frame, NAMES, "zerodha", received_ns)
        assert isinstance(ticks, TickBatch) is (count > 8)


@given(st.lists(st.sampled_from((*LENGTHS, 164, 0)), max_size=40), st.data())
def test_packets_of_all_lengths_known_or_not_keep_their_order(found: list[int], data: st.DataObject) -> None:
    packets_of_it = [data.draw(packets(length)) if length in LENGTHS else bytes(length) for length in found]
    frame = frame_of(*packets_of_it)
    ticks = TickerDecoder(NAMES, "zerodha").decode(frame, 42)
    assert list(ticks) == decode_ticks(frame, NAMES, "zerodha", 42)
    if len(found) > 16:
        assert isinstance(ticks, TickBatch)


def test_a_frame_as_long_as_one_of_equal_packets_is_not_taken_for_one() -> None:
    # Lengths of 80 and 8 make up for each other.
    decoder = TickerDecoder(NAMES)
    equal = random_frame(20, 44)
    others = [struct.pack(">I", TOKENS[0]) + bytes(length - 4) for length in (44, 80, 8, *[44] * 17)]
    assert len(frame_of(*others)) == len(equal)
    for frame in (equal, frame_of(*others), equal):
        assert list(decoder.decode(frame)) == decode_ticks(frame, NAMES)


@pytest.mark.parametrize("frame", [b"", b"\0", b"\x01", b"\0\0"])
def test_a_heartbeat_bears_no_tick(frame: bytes) -> None:
    assert len(TickerDecoder({}).decode(frame)) == 0


@pytest.mark.parametrize("found", [[44] * 20, [44, 8] * 10])
def test_a_large_frame_that_is_cut_anywhere_is_an_invalid_payload(found: list[int]) -> None:
    frame = frame_of(*(struct.pack(">I", TOKENS[0]) + bytes(length - 4) for length in found))
    for length in range(2, len(frame)):
        with pytest.raises(InvalidPayload, match=f"{length} bytes ends before its 20 packets"):
            TickerDecoder({}).decode(frame[:length])


def test_a_name_that_is_learned_or_changed_between_frames_is_the_new_one() -> None:
    names: dict[int, Instrument] = {}
    decoder = TickerDecoder(names)
    frame = random_frame(12)
    assert {tick.instrument.exchange for tick in decoder.decode(frame)} == {"KITE"}
    for exchange in ("NSE", "BSE"):
        names.update({token: Instrument(exchange, "X") for token in TOKENS})
        decoder.names_changed()
        assert {tick.instrument for tick in decoder.decode(frame)} == {Instrument(exchange, "X")}
    names.clear()
    decoder.names_changed()
    assert {tick.instrument.exchange for tick in decoder.decode(frame)} == {"KITE"}


def test_frames_of_the_same_tokens_share_their_instruments_and_not_their_figures() -> None:
    decoder = TickerDecoder(NAMES)
    first, second = (decoder.decode(random_frame(20, seed=seed)) for seed in (1, 2))
    assert isinstance(first, TickBatch)
    assert isinstance(second, TickBatch)
    assert first.instruments is second.instruments
    assert list(first) == decode_ticks(random_frame(20, seed=1), NAMES)


@given(st.lists(st.tuples(st.sampled_from((0, 9, 12)), st.sampled_from((184, 44))), max_size=12), st.data())
def test_frames_that_came_at_once_are_the_ticks_of_each_in_turn(
    shapes: list[tuple[int, int]], data: st.DataObject
) -> None:
    frames = [random_frame(count, length, seed=data.draw(st.integers(0, 3))) for count, length in shapes]
    decoder = TickerDecoder(NAMES, "zerodha")
    ticks = [tick for one in decoder.decode_all(frames, 42) for tick in one]
    assert ticks == [tick for frame in frames for tick in decode_ticks(frame, NAMES, "zerodha", 42)]


def test_full_frames_of_the_same_tokens_that_came_at_once_stay_together() -> None:
    other = frame_of(*(struct.pack(">I", TOKENS[0]) + bytes(180) for _ in range(20)))
    alike = [random_frame(20, seed=seed) for seed in (1, 2, 3)]
    found = list(TickerDecoder(NAMES).decode_all([*alike, other, *alike[:2], b"\0"]))
    assert [(type(one), len(one)) for one in found] == [(TickFrames, 60), (TickBatch, 20), (TickFrames, 40)]
    assert found[0][25] == decode_ticks(alike[1], NAMES)[5]
    assert list(found[0][-2:]) == decode_ticks(alike[2], NAMES)[-2:]


def test_what_came_before_a_frame_that_cannot_be_read_is_given_first() -> None:
    frames = TickerDecoder(NAMES).decode_all([random_frame(20), random_frame(20, seed=2), b"\0\x09\0"])
    assert len(next(frames)) == 40
    with pytest.raises(InvalidPayload):
        next(frames)


def test_what_is_remembered_of_many_different_frames_is_bounded() -> None:
    decoder = TickerDecoder({})
    for number in range(1000):
        frame = frame_of(*[struct.pack(">II", number << 8 | 1, 5)] * 9)
        assert [tick.instrument.symbol for tick in decoder.decode(frame)] == [str(number << 8 | 1)] * 9
    assert len(decoder._rosters) <= 64


def test_recorded_packets_in_a_large_frame_read_as_they_do_alone(recordings: Path) -> None:
    alone = [
        (recordings / f"kite/built/frame_{name}.bin").read_bytes() for name in ("full_realpayload", "mixed_5")
    ]
    together = struct.pack(">H", 60) + b"".join(frame[2:] for frame in alone) * 10
    expected = [tick for frame in alone for tick in decode_ticks(frame, NAMES)] * 10
    assert list(TickerDecoder(NAMES).decode(together)) == expected
