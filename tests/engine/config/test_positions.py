import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.config.positions import key_lines, line_of

TEXT = '''\
# a comment with [brackets] and = signs
title = "x" # = [
[sources.zerodha]
kind = "kite"
"api key".inner = 1

endpoints = [
  "http://one", # ]
  'http://two',
]
note = """
[not.a.table]
kind = 1"""
limits = { day = 1, "per month" = { calls = 2 } }
[routes.NSE.quote] # after
sources = []
[[lists]]
a = 1
[[lists]]
a = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("sources",), 3),
        (("sources", "zerodha"), 3),
        (("sources", "zerodha", "kind"), 4),
        (("sources", "zerodha", "api key", "inner"), 5),
        (("sources", "zerodha", "endpoints"), 7),
        (("sources", "zerodha", "endpoints", "0"), 8),
        (("sources", "zerodha", "endpoints", "1"), 9),
        (("sources", "zerodha", "note"), 11),
        (("sources", "zerodha", "limits", "per month", "calls"), 14),
        (("routes", "NSE", "quote", "sources"), 16),
        (("lists", "0", "a"), 18),
        (("lists", "1", "a"), 20),
    ],
)
def test_every_key_is_found_at_its_line(path, line):
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[path] == line


def test_what_stands_in_a_string_is_no_key():
    assert ("not", "a", "table") not in key_lines(TEXT)


def test_a_missing_key_is_where_its_table_is():
    assert line_of(key_lines(TEXT), ("sources", "zerodha", "timeout_s")) == 3
    assert line_of(key_lines(TEXT), ("nothing",)) is None


def test_windows_line_ends_count_once():
    assert key_lines("a = 1\r\nb = 2\r\n")[("b",)] == 2


_KEYS = st.text(min_size=1, max_size=6)
_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text() | st.floats(allow_nan=False),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_KEYS, children, max_size=3),
    max_leaves=8,
)


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.booleans())
def test_no_valid_text_loses_a_key(document, multiline):
    text = tomli_w.dumps(document, multiline_strings=multiline)
    lines = key_lines(text)
    for path in _paths(document):
        assert path == () or path in lines
