"""A chart taller than a line: what stands where."""

import msgspec
from mds_engine.control import Snapshot

from mds_tui.details.source import source_lines
from mds_tui.format.bars import chart
from mds_tui.format.cells import Ink, text_of, width_of
from mds_tui.format.glyphs import ASCII, UNICODE
from mds_tui.format.sight import Sight


def test_a_chart_is_as_high_as_its_values_and_blank_where_nothing_is_known() -> None:
    lines = chart((None, 0.0, 25.0, 50.0, 100.0, 400.0), 8, 2, UNICODE, Ink.INFO, top=100.0)
    assert [text_of(line) for line in lines] == [
        "      ██",
        "   ▁▄███",
    ]
    plain = chart((100.0, 1.0), 2, 3, ASCII, Ink.INFO, top=100.0)
    assert [text_of(line) for line in plain] == ["# ", "# ", "#_"]


def test_only_the_newest_values_that_fit_are_drawn() -> None:
    assert text_of(chart((9.0, 1.0, 2.0), 2, 1, UNICODE, Ink.INFO, top=2.0)[0]) == "▄█"
    assert text_of(chart((0.0, 0.0), 2, 1, UNICODE, Ink.INFO, top=0.0)[0]) == "  "


def test_a_source_s_page_draws_what_is_asked_most_with_its_scale(snapshot: Snapshot) -> None:
    for width in (50, 100):
        lines = source_lines("yahoo", (), Sight(snapshot), width)
        words = [text_of(line) for line in lines]
        begin = words.index("p99 of quote, second by second over the last minute")
        drawn = words[begin + 1 : begin + 5]
        assert drawn[0].strip().startswith("6,160 ms")
        assert drawn[-1].strip().startswith("0  █")
        assert all(width_of(line) <= width for line in lines[begin + 1 : begin + 5])
    quote, bars = snapshot.source("yahoo").capabilities
    busier = msgspec.structs.replace(
        snapshot.source("yahoo"), capabilities=(quote, msgspec.structs.replace(bars, calls=9000))
    )
    others = tuple(source for source in snapshot.sources if source.name != "yahoo")
    sight = Sight(msgspec.structs.replace(snapshot, sources=(busier, *others)))
    words = [text_of(line) for line in source_lines("yahoo", (), sight, 100)]
    assert "p99 of bars, second by second over the last minute" in words
    silent = [text_of(line) for line in source_lines("alphavantage", (), Sight(snapshot), 100)]
    assert not any("second by second" in line for line in silent)
