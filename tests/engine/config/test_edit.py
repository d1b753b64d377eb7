"""Settings set where they stand: what nobody asked to change is byte for byte as it was."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.config.edit import UNSET, add_table, remove_table, set_value, unset_value, value_at
from mds_engine.errors import ConfigError

TEXT = """\
# The desk's own.
[sources.yahoo] # free
kind = "yahoo"
priority = 10   # asked late

# --- Paid ---
[sources.zerodha]
kind = "kite"
api_key = "${KITE_API_KEY}"

[routes.NSE]
sources = [
  "zerodha", # paid
  "yahoo",
]

[console]
watch = ["NSE:INFY"]
# the end
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_a_value_is_replaced_and_the_comment_behind_it_stays():
    edited = set_value(TEXT, ("sources", "yahoo", "priority"), 1)
    assert changed(TEXT, edited) == (["priority = 10   # asked late"], ["priority = 1   # asked late"])


def test_a_new_setting_comes_behind_the_last_of_its_table_and_before_what_is_about_the_next():
    edited = set_value(TEXT, ("sources", "yahoo", "enabled"), False)
    assert "priority = 10   # asked late\nenabled = false\n\n# --- Paid ---\n" in edited
    edited = set_value(TEXT, ("console", "bell"), True)
    assert edited.endswith('watch = ["NSE:INFY"]\nbell = true\n# the end\n')


def test_a_setting_goes_with_its_line_only():
    edited = unset_value(TEXT, ("sources", "yahoo", "priority"))
    assert changed(TEXT, edited) == (["priority = 10   # asked late"], [])
    assert unset_value(TEXT, ("sources", "yahoo", "timeout_s")) == TEXT


def test_a_new_table_comes_behind_its_like():
    edited = set_value(TEXT, ("sources", "crypto", "kind"), "binance")
    assert 'api_key = "${KITE_API_KEY}"\n\n[sources.crypto]\nkind = "binance"\n\n[routes.NSE]' in edited
    edited = set_value(TEXT, ("breaker", "open_s"), 5.0)
    assert edited == TEXT + "\n[breaker]\nopen_s = 5.0\n"
    assert add_table("", ("sources", "a b"), 'kind = "yahoo"') == '[sources."a b"]\nkind = "yahoo"\n'


def test_a_table_goes_with_those_within_it_and_leaves_what_is_about_the_next():
    edited = remove_table(TEXT, ("sources", "yahoo"))
    assert edited.startswith("# The desk's own.\n\n# --- Paid ---\n[sources.zerodha]\n")
    text = TEXT.replace("[console]", '[routes.NSE.bars]\nsources = ["yahoo"]\n\n[console]')
    assert value_at(remove_table(text, ("routes", "NSE")), ("routes",)) is UNSET
    assert remove_table(TEXT, ("console",)).endswith("]\n\n# the end\n")
    with pytest.raises(ConfigError, match="take it out in the text"):
        remove_table('sources.a = { kind = "yahoo" }\n', ("sources", "a"))


@given(name=st.sampled_from([("sources", "yahoo"), ("sources", "zerodha"), ("routes", "NSE"), ("console",)]))
def test_without_a_table_all_others_say_what_they_said(name):
    meant = tomllib.loads(TEXT)
    *around, last = name
    table = meant
    for part in around:
        table = table[part]
    del table[last]
    said = tomllib.loads(remove_table(TEXT, name))
    assert {key: value for key, value in said.items() if value} == {
        key: one for key, one in meant.items() if one
    }


def test_inline_and_dotted_tables_are_edited_where_they_are():
    text = 'sources.a = { kind = "yahoo", enabled = true } # mine\n[routes]\nNSE.sources = ["a"]\n'
    edited = set_value(text, ("sources", "a", "enabled"), False)
    assert edited == text.replace("true", "false")
    assert value_at(set_value(text, ("sources", "a", "priority"), 3), ("sources", "a", "priority")) == 3
    assert value_at(set_value(text, ("routes", "NSE", "hedge"), True), ("routes", "NSE", "hedge")) is True


def test_what_is_there_already_changes_nothing_and_windows_line_ends_stay():
    assert set_value(TEXT, ("sources", "yahoo", "priority"), 10) == TEXT
    windows = TEXT.replace("\n", "\r\n")
    edited = set_value(windows, ("console", "bell"), True)
    assert edited.count("\r\n") == edited.count("\n") == TEXT.count("\n") + 1


def test_what_is_no_table_is_left_to_the_text():
    with pytest.raises(ConfigError, match="change it in the text"):
        set_value("sources = 1\n", ("sources", "a", "kind"), "yahoo")


NAMES = st.sampled_from(["kind", "enabled", "priority", "endpoints", "new"])
PLACES = st.one_of(
    st.tuples(st.just("sources"), st.sampled_from(["yahoo", "zerodha", "third"]), NAMES),
    st.tuples(st.sampled_from(["console", "breaker"]), NAMES),
    st.tuples(st.just("routes"), st.sampled_from(["NSE", "BSE"]), st.just("sources")),
)
VALUES = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.text(max_size=8),
    st.lists(st.text(st.characters(codec="ascii"), max_size=5), max_size=3),
)


@given(edits=st.lists(st.tuples(PLACES, st.one_of(VALUES, st.just(UNSET))), max_size=8))
def test_any_edits_say_what_was_meant_and_keep_every_comment(edits):
    text, meant = TEXT, tomllib.loads(TEXT)
    for path, value in edits:
        text = unset_value(text, path) if value is UNSET else set_value(text, path, value)
        *table, name = path
        at = meant
        for part in table:
            at = at.setdefault(part, {}) if value is not UNSET else at.get(part, {})
        if value is UNSET:
            at.pop(name, None)
        else:
            at[name] = value
    assert tomllib.loads(text) == meant
    for comment in ("# The desk's own.", "# free", "# --- Paid ---", "# the end"):
        assert comment in text
