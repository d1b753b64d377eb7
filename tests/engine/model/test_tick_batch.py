"""A frame's ticks in columns are the ticks one by one."""

import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.model import Instrument, Tick, TickFlag, TickKind
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch

figures = st.none() | st.floats(allow_nan=False)


@st.composite
def ticks_of_one_frame(draw: st.DrawFn) -> list[Tick]:
    names = draw(st.lists(st.sampled_from("ABCDE"), max_size=8))
    return [
        Tick(
            instrument=Instrument("NSE", name),
            kind=TickKind.QUOTE,
            time_ns=draw(st.none() | st.integers(0, 2**62)),
            received_ns=7,
            source="zerodha",
            **{field: draw(figures) for field in TICK_FIELDS},
        )
        for name in names
    ]


def batch_of(ticks: Sequence[Tick]) -> TickBatch:
    rows = [[getattr(tick, field) for field in TICK_FIELDS] for tick in ticks]
    return TickBatch(
        tuple(tick.instrument for tick in ticks),
        np.array(rows, np.float64).reshape(len(ticks), len(TICK_FIELDS)),
        np.array([NO_TIME if tick.time_ns is None else tick.time_ns for tick in ticks], np.int64),
        source="zerodha",
        received_ns=7,
    )


@given(ticks_of_one_frame())
def test_iterated_or_asked_one_by_one_it_is_the_same_ticks(ticks: list[Tick]) -> None:
    batch = batch_of(ticks)
    assert len(batch) == len(ticks)
    assert list(batch) == ticks
    assert [batch[place] for place in range(len(ticks))] == ticks
    assert list(reversed(batch)) == ticks[::-1]
    assert all(
        type(value) in (float, type(None))
        for tick in batch
        for value in (tick.price, tick.volume, tick.open_interest)
    )
    assert all(type(tick.time_ns) in (int, type(None)) for tick in batch)


@given(ticks_of_one_frame(), st.data())
def test_a_part_of_it_is_a_part_of_the_ticks(ticks: list[Tick], data: st.DataObject) -> None:
    batch = batch_of(ticks)
    places = data.draw(st.lists(st.integers(0, len(ticks) - 1)) if ticks else st.just([]))
    mask = data.draw(st.lists(st.booleans(), min_size=len(ticks), max_size=len(ticks)))
    part = data.draw(st.slices(len(ticks)))
    assert list(batch.take(np.array(places, np.intp))) == [ticks[place] for place in places]
    assert list(batch.take(np.array(mask, bool))) == [
        tick for tick, wanted in zip(ticks, mask, strict=True) if wanted
    ]
    assert list(batch[part]) == ticks[part]


def test_a_place_outside_is_an_index_error() -> None:
    batch = batch_of([Tick(instrument=Instrument("NSE", "A"), kind=TickKind.QUOTE)])
    assert batch[-1].instrument.symbol == "A"
    for place in (1, -2):
        with pytest.raises(IndexError):
            batch[place]


def test_flags_are_added_to_every_tick_and_kept_by_its_parts() -> None:
    tick = Tick(instrument=Instrument("NSE", "A"), kind=TickKind.QUOTE, price=1.0)
    held = batch_of([tick, tick]).flagged(TickFlag.HELD)
    both = held.flagged(TickFlag.SUSPECT)
    assert [one.flags for one in held] == [TickFlag.HELD] * 2
    assert [one.flags for one in both] == [TickFlag.HELD | TickFlag.SUSPECT] * 2
    assert both[:1][0].flags == both.take(np.array([1]))[0].flags == both[0].flags
    assert (both[0].price, both[0].source, both[0].received_ns) == (1.0, "zerodha", 7)


def test_a_column_is_found_by_its_name() -> None:
    batch = batch_of([Tick(instrument=Instrument("NSE", "A"), kind=TickKind.QUOTE, ask=2.5)])
    assert batch.column("ask").tolist() == [2.5]
    assert math.isnan(batch.column("bid")[0])


def test_the_module_needs_no_numpy_until_there_are_columns() -> None:
    code = "import sys, mds_engine.model.tick_batch; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
