import math

import pytest
from mds_engine.model import (
    Bars,
    Gap,
    Instrument,
    Interval,
    Missed,
    Quote,
    SourceSwitched,
    Tick,
    TickFlag,
    TickKind,
)

from mds_tui.cli.output import iso_time, plain_line, records

BTC = Instrument("BINANCE", "BTCUSDT")


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_735_689_600_123_000_000, "2025-01-01T00:00:00.123Z"),
        (1_735_689_600_100_000_000, "2025-01-01T00:00:00.100Z"),
        (1_735_689_600_123_456_000, "2025-01-01T00:00:00.123456Z"),
        (1_735_689_600_123_456_789, "2025-01-01T00:00:00.123456789Z"),
        (1_735_689_600_000_000_001, "2025-01-01T00:00:00.000000001Z"),
        (-1_325_583_000_000_000_000, "1927-12-30T14:30:00Z"),
    ],
)
def test_times_are_as_exact_as_they_were_given(time_ns, text):
    assert iso_time(time_ns) == text


def test_a_bar_has_its_six_fields_and_what_is_absent_is_left_out():
    columns = {"open": [1.5, 2], "high": [3, 4], "low": [1, 1], "close": [2, 2.25], "volume": [7, math.nan]}
    bars = Bars.from_rows(BTC, Interval.M1, [0, 60_000_000_000], {**columns, "trades": [5, 6]})
    first, second = records(bars)
    assert list(first.items()) == [
        ("type", "bar"),
        ("time", "1970-01-01T00:00:00Z"),
        ("open", 1.5),
        ("high", 3),
        ("low", 1),
        ("close", 2),
        ("volume", 7),
    ]
    assert "volume" not in second
    whole = next(iter(records(bars, everything=True)))
    assert (whole["instrument"], whole["interval"], whole["trades"]) == ("BINANCE:BTCUSDT", "1m", 5)


def test_a_tick_says_what_it_is_first():
    (record,) = records(
        Tick(instrument=BTC, kind=TickKind.TRADE, price=1.5, size=2.0, time_ns=1_000_000, sequence=0)
    )
    assert record == {
        "type": "tick",
        "kind": "trade",
        "instrument": "BINANCE:BTCUSDT",
        "time": "1970-01-01T00:00:00.001Z",
        "price": 1.5,
        "size": 2,
        "sequence": 0,
    }
    assert list(record)[:4] == ["type", "kind", "instrument", "time"]


def test_a_quote_leaves_out_what_it_does_not_have():
    (record,) = records(Quote(instrument=BTC, price=1.0))
    assert record == {"type": "quote", "instrument": "BINANCE:BTCUSDT", "price": 1}


def test_how_a_tick_came_is_told_in_words():
    flags = TickFlag.FILLED | TickFlag.SUSPECT
    (record,) = records(Tick(instrument=BTC, kind=TickKind.TRADE, flags=flags))
    assert record["flags"] == ["filled", "suspect"]
    assert "flags filled, suspect" in plain_line(record)


def test_what_a_stream_says_between_its_ticks_is_a_record_too():
    gap = Gap(instrument=BTC, source="b", after_ns=1_000_000, first_sequence=4, last_sequence=6, why="old")
    switched = SourceSwitched(instrument=BTC, before="a", after="b")
    found = [record for item in (switched, gap, Missed(ticks=3)) for record in records(item)]
    assert found == [
        {"type": "switched", "instrument": "BINANCE:BTCUSDT", "before": "a", "after": "b"},
        {
            "type": "gap",
            "instrument": "BINANCE:BTCUSDT",
            "source": "b",
            "after_time": "1970-01-01T00:00:00.001Z",
            "first_sequence": 4,
            "last_sequence": 6,
            "why": "old",
        },
        {"type": "missed", "ticks": 3},
    ]
    assert plain_line(found[2]) == "missed  ticks 3"
