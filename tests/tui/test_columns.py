"""Which columns fit, and in which order rows come."""

from hypothesis import given
from hypothesis import strategies as st

from mds_tui.format.cells import cell
from mds_tui.widgets.columns import Column, arrange_rows, matches, place


def _column(name: str, width: int, **more: object) -> Column[str]:
    return Column(name, lambda item, _sight, _width: cell(item), width, **more)


COLUMNS = (
    _column("name", 6, most=12),
    _column("p50", 5, right=True, priority=2),
    _column("p99", 6, right=True, priority=1),
    _column("text", 4, most=40, stretch=True),
)


def test_two_blanks_then_one_then_fewer_columns() -> None:
    def names(room: int) -> list[str]:
        return [COLUMNS[spot.column].name for spot in place(COLUMNS, {0: 9}, room)]

    assert names(30) == ["name", "p50", "p99", "text"]
    assert [spot.x for spot in place(COLUMNS, {0: 9}, 30)] == [0, 11, 18, 26]
    assert [spot.x for spot in place(COLUMNS, {0: 9}, 27)] == [0, 10, 16, 23]
    assert names(26) == ["name", "p99", "text"]
    assert names(16) == ["name", "text"]


def test_what_is_left_goes_to_the_column_that_stretches() -> None:
    assert place(COLUMNS, {0: 9}, 60)[-1].width == 34
    assert place(COLUMNS, {0: 9}, 200)[-1].width == 40


@given(st.integers(0, 120), st.dictionaries(st.integers(0, 3), st.integers(0, 60)))
def test_columns_never_overlap_nor_leave_the_room(room: int, wanted: dict[int, int]) -> None:
    end = 0
    for spot in place(COLUMNS, wanted, room, indent=2):
        assert spot.x >= end
        end = spot.x + spot.width
        assert spot.width == 0 or end <= max(room, 2)


def test_filters_take_alternatives_and_can_be_turned_round() -> None:
    assert matches("NSE:NIFTY 50 kite", "nifty|btc")
    assert not matches("NSE:INFY kite", "nifty|btc")
    assert matches("NSE:INFY kite", "!nifty|btc")
    assert matches("anything", "")
    assert matches("anything", "!")


def test_rows_without_a_value_come_last_in_both_directions() -> None:
    values = {"a": 2, "b": None, "c": 1}
    for descending, expected in ((False, ["c", "a", "b"]), (True, ["a", "c", "b"])):
        rows = arrange_rows("abc", text=str, needle="", order=values.get, descending=descending)
        assert rows == expected
