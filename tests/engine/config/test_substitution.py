import pytest
from mds_engine.config.substitution import substitute


def run(text, environ):
    problems = []
    done = substitute({"a": [text]}, environ, lambda path, what: problems.append((path, what)))
    return done.document["a"][0], done.origins, problems


@pytest.mark.parametrize(
    ("text", "environ", "value"),
    [
        ("${KEY}", {"KEY": "secret"}, "secret"),
        ("http://${HOST}:${PORT}", {"HOST": "h", "PORT": "1"}, "http://h:1"),
        ("${KEY:-fallback}", {}, "fallback"),
        ("${KEY:-fallback}", {"KEY": ""}, "fallback"),
        ("${KEY:-fallback}", {"KEY": "set"}, "set"),
        ("${KEY:-}", {}, ""),
        ("${KEY}", {"KEY": ""}, ""),
        ("$${KEY}", {"KEY": "secret"}, "${KEY}"),
        ("cost $5 {x}", {}, "cost $5 {x}"),
        ("${KEY}", {"KEY": "${OTHER}"}, "${OTHER}"),
    ],
)
def test_references_are_replaced(text, environ, value):
    assert run(text, environ)[0] == value
    assert run(text, environ)[2] == []


def test_the_origin_names_the_variables():
    assert run("${A}-${B}", {"A": "1", "B": "2"})[1] == {("a", "0"): "A, B"}


def test_an_unset_variable_is_named():
    ((path, what),) = run("${KITE_API_KEY}", {})[2]
    assert path == ("a", "0")
    assert "KITE_API_KEY is not set" in what


@pytest.mark.parametrize("text", ["${KEY", "${}", "${1X}", "${KEY:?no}"])
def test_a_broken_reference_is_told(text):
    ((_, what),) = run(text, {"KEY": "x"})[2]
    assert "cannot be read" in what
