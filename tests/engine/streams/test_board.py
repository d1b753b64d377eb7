"""The board: rows and columns of the same truth, however the ticks came."""

import math
import subprocess
import sys
from collections.abc import Sequence

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from mds_engine.model import Instrument, Quote, Tick, TickKind
from mds_engine.model.tick_batch import NO_TIME, TICK_FIELDS, TickBatch
from mds_engine.model.tick_frames import TickFrames
from mds_engine.streams.board import Board

NAMES = tuple(Instrument("NSE", name) for name in "ABCDE")
INFY, SBIN = NAMES[:2]
ROSTERS = (NAMES, NAMES[:3], NAMES[:1:-1])
"""A connection hands on the same tuple for frames of the same instruments."""
figures = st.none() | st.floats(allow_nan=False, allow_infinity=False)
instruments = st.sampled_from(NAMES)


@st.composite
def ticks(draw: st.DrawFn, source: str = "") -> Tick:
    fields = draw(st.dictionaries(st.sampled_from(TICK_FIELDS), figures))
    return Tick(
        instrument=draw(instruments),
        kind=TickKind.QUOTE,
        time_ns=draw(st.none() | st.integers(-(2**62), 2**62)),
        source=source or draw(st.sampled_from(("zerodha", "yahoo"))),
        **fields,
    )


def batch_of(found: Sequence[Tick], names: tuple[Instrument, ...] | None = None) -> TickBatch:
    rows = [[getattr(tick, field) for field in TICK_FIELDS] for tick in found]
    return TickBatch(
        names or tuple(tick.instrument for tick in found),
        np.array(rows, np.float64).reshape(len(found), len(TICK_FIELDS)),
        np.array([NO_TIME if tick.time_ns is None else tick.time_ns for tick in found], np.int64),
        source=found[0].source if found else "",
    )


def quote_tick(instrument: Instrument, **fields: float | None) -> Tick:
    return Tick(instrument=instrument, kind=TickKind.QUOTE, source="zerodha", **fields)


class Boards(RuleBasedStateMachine):
    """Ticks alone, in frames, quotes and farewells in any order, against a plain dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.known: dict[Instrument, dict[str, object]] = {}
        self.now = 0.0

    def of(self, instrument: Instrument) -> dict[str, object]:
        empty = dict.fromkeys((*TICK_FIELDS, "time_ns", "source", "seen_at"))
        return self.known.setdefault(instrument, {**empty, "ticks": 0, "problem": ""})

    def note(self, tick: Tick) -> None:
        row = self.of(tick.instrument)
        there = {field: getattr(tick, field) for field in (*TICK_FIELDS, "time_ns")}
        row.update({field: value for field, value in there.items() if value is not None})
        row.update(source=tick.source, seen_at=self.now, ticks=row["ticks"] + 1, problem="")

    @rule(tick=ticks())
    def one_tick(self, tick: Tick) -> None:
        self.now += 1
        self.board.put(tick, self.now)
        self.note(tick)

    @rule(found=st.lists(ticks(source="zerodha"), max_size=8))
    def a_frame(self, found: list[Tick]) -> None:
        self.now += 1
        self.board.put_batch(batch_of(found), self.now)
        for tick in found:
            self.note(tick)

    @rule(
        names=st.sampled_from(ROSTERS),
        found=st.lists(st.lists(ticks(source="kite"), min_size=5, max_size=5), min_size=2, max_size=4),
    )
    def frames_that_came_at_once(self, names: tuple[Instrument, ...], found: list[list[Tick]]) -> None:
        batches = [
            batch_of(
                [
                    msgspec.structs.replace(tick, instrument=name)
                    for tick, name in zip(frame, names, strict=False)
                ],
                names,
            )
            for frame in found
        ]
        self.now += 1.0
        values = np.array([batch.values for batch in batches])
        time_ns = np.array([batch.time_ns for batch in batches])
        frames = TickFrames(names, values, time_ns, source="kite")
        self.board.put_frames(frames, self.now)
        for tick in frames:
            self.note(tick)

    @rule(names=st.sampled_from(ROSTERS), prices=st.lists(figures, min_size=5, max_size=5))
    def a_frame_of_names_as_before(self, names: tuple[Instrument, ...], prices: list[float | None]) -> None:
        self.now += 1
        found = [quote_tick(name, price=price) for name, price in zip(names, prices, strict=False)]
        self.board.put_batch(batch_of(found, names), self.now)
        for tick in found:
            self.note(tick)

    @rule(instrument=instruments, price=figures.filter(lambda price: price is not None), close=figures)
    def a_quote(self, instrument: Instrument, price: float, close: float | None) -> None:
        self.now += 1
        self.board.seed(
            Quote(
                instrument=instrument, price=price, previous_close=close, bid=1.5, time_ns=5, source="rest"
            ),
            self.now,
        )
        row = self.of(instrument)
        if close is not None:
            row["previous_close"] = close
        if row["seen_at"] is None:
            row.update(price=price, bid=1.5, time_ns=5, source="rest", seen_at=self.now, problem="")

    @rule(instrument=instruments, trusted=st.booleans())
    def another_source(self, instrument: Instrument, *, trusted: bool) -> None:
        self.board.change_source(instrument, trusted=trusted)
        own = ["size", "bid", "bid_size", "ask", "ask_size", "volume", "open_interest"]
        days = [] if trusted else ["open", "high", "low", "previous_close"]
        self.of(instrument).update(dict.fromkeys(own + days))

    @rule(instrument=instruments)
    def forgotten(self, instrument: Instrument) -> None:
        self.board.remove(instrument)
        self.known.pop(instrument, None)

    @rule(instrument=instruments)
    def nobody_streams_it(self, instrument: Instrument) -> None:
        self.board.row(instrument).problem = "no source"
        self.of(instrument)["problem"] = "no source"

    @rule(instrument=instruments)
    def read_as_a_row(self, instrument: Instrument) -> None:
        row, known = self.board.row(instrument), self.of(instrument)
        assert row.instrument == instrument
        assert {name: getattr(row, name) for name in known} == known

    @rule()
    def read_as_columns(self) -> None:
        columns = self.board.columns()
        assert list(columns.instruments) == list(self.known)
        rows = list(self.known.values())
        for field in TICK_FIELDS:
            expected = np.array([row[field] for row in rows], np.float64)
            np.testing.assert_array_equal(columns.column(field), expected)
        seen_at = np.array([row["seen_at"] for row in rows], np.float64)
        np.testing.assert_array_equal(columns.seen_at, seen_at)
        assert [None if time == NO_TIME else time for time in columns.time_ns.tolist()] == [
            row["time_ns"] for row in rows
        ]
        assert columns.ticks.tolist() == [row["ticks"] for row in rows]
        assert list(columns.sources) == [row["source"] for row in rows]

    @invariant()
    def it_has_one_row_for_each(self) -> None:
        assert len(self.board) == len(self.known)


TestBoards = Boards.TestCase
TestBoards.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@given(st.lists(ticks(source="zerodha"), max_size=12))
def test_a_frame_that_names_one_twice_is_its_ticks_one_after_the_other(found: list[Tick]) -> None:
    one_by_one, at_once = Board(), Board()
    for tick in found:
        one_by_one.put(tick, 1.0)
    at_once.put_batch(batch_of(found), 1.0)
    for instrument in {tick.instrument for tick in found}:
        for name in (*TICK_FIELDS, "time_ns", "ticks"):
            assert getattr(at_once.row(instrument), name) == getattr(one_by_one.row(instrument), name)


def test_the_board_grows_and_a_forgotten_place_is_used_again() -> None:
    board = Board()
    many = [Instrument("NSE", f"S{number}") for number in range(3000)]
    board.put_batch(batch_of([quote_tick(name, price=float(at)) for at, name in enumerate(many)]), 1.0)
    for name in many[::2]:
        board.remove(name)
    assert len(board) == len(board.columns()) == 1500
    new = [Instrument("BSE", f"S{number}") for number in range(1500)]
    board.put_batch(batch_of([quote_tick(name, bid=2.0) for name in new]), 2.0)
    assert max(board.row(name).place for name in (*many[1::2], *new)) < 3000
    columns = board.columns()
    assert columns.column("price")[:1500].tolist() == [float(at) for at in range(1, 3000, 2)]
    assert np.isnan(columns.column("price")[1500:]).all()
    assert columns.column("bid")[1500:].tolist() == [2.0] * 1500


def test_a_snapshot_stays_as_it_was() -> None:
    board = Board()
    board.put(quote_tick(INFY, price=1.0), 1.0)
    before = board.columns()
    board.put(quote_tick(INFY, price=2.0), 2.0)
    board.put_batch(batch_of([quote_tick(INFY, price=3.0)]), 3.0)
    assert (before.column("price").tolist(), before.ticks.tolist()) == ([1.0], [1])


def test_the_change_is_against_the_previous_close_where_there_is_one() -> None:
    board = Board()
    board.put_batch(
        batch_of([quote_tick(INFY, price=110.0, previous_close=100.0), quote_tick(SBIN, price=5.0)]), 1.0
    )
    board.put(quote_tick(NAMES[2], price=5.0, previous_close=0.0), 1.0)
    rows = [board.row(name).change_percent for name in NAMES[:3]]
    columns = board.columns().change_percent().tolist()
    assert rows == [10.0, None, None]
    assert [None if math.isnan(value) else value for value in columns] == rows


def test_a_problem_ends_with_the_next_tick_however_it_comes() -> None:
    board = Board()
    board.put_batch(batch_of([quote_tick(INFY, price=1.0)]), 1.0)
    for put in (
        lambda: board.put(quote_tick(INFY), 2.0),
        lambda: board.put_batch(batch_of([quote_tick(INFY)]), 2.0),
    ):
        board.row(INFY).problem = "no source of its route can stream"
        assert board.row(INFY).problem == "no source of its route can stream"
        put()
        assert board.row(INFY).problem == ""


def test_a_board_without_frames_does_without_numpy() -> None:
    code = """if True:
        import sys
        from mds_engine.model import Instrument, Tick, TickKind
        from mds_engine.streams.board import Board
        board, name = Board(), Instrument("NSE", "INFY")
        board.put(Tick(instrument=name, kind=TickKind.TRADE, price=1.0), 1.0)
        print(board.row(name).price, "numpy" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.0 False"


def test_what_is_remembered_of_many_different_frames_is_bounded() -> None:
    board = Board()
    for number in range(1, 1000):
        names = [Instrument("NSE", f"S{at}") for at in range(number % 7, number % 7 + 3)]
        board.put_batch(batch_of([quote_tick(name, price=float(number)) for name in names]), 1.0)
        assert [board.row(name).price for name in names] == [number] * 3
    assert len(board._rosters) <= 64
