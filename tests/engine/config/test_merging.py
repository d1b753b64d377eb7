"""Two edits of one text."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.config.merging import BETWEEN, END, MINE, merge

BASE = "a\nb\nc\nd\ne\n"


def test_changes_at_different_places_are_both_taken():
    assert merge(BASE, "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\nf\n") == ("A\nb\nc\nd\nE\nf\n", 0)


def test_the_same_change_twice_is_one():
    assert merge(BASE, "a\nb\nX\nd\ne\n", "a\nb\nX\nd\ne\n") == ("a\nb\nX\nd\ne\n", 0)


def test_where_both_changed_the_same_both_stand_and_it_is_said():
    text, conflicts = merge(BASE, "a\nb\nmine\nd\ne\n", "a\nb\ntheirs\nd\ne")
    assert conflicts >= 1
    assert f"{MINE}\nmine\n{BETWEEN}\ntheirs\n{END}\n" in text


LINES = st.lists(st.sampled_from("abcdef"), max_size=8).map(lambda rows: "".join(f"{row}\n" for row in rows))


@given(base=LINES, mine=LINES, theirs=LINES)
def test_nothing_of_either_is_lost(base, mine, theirs):
    text, conflicts = merge(base, mine, theirs)
    assert merge(base, mine, base) == (mine, 0)
    assert merge(base, base, theirs) == (theirs, 0)
    assert merge(base, mine, mine) == (mine, 0)
    assert (MINE in text) == bool(conflicts)
    known = set(base.splitlines())
    new = (set(mine.splitlines()) | set(theirs.splitlines())) - known
    assert new <= set(text.splitlines())
