"""What stands beside a `:` line while it is typed. Pure."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.control import Snapshot
from mds_engine.control.registry import REGISTRY, parse
from mds_engine.errors import InvalidRequest

from mds_tui.finding.completion import assist, completed, suggestion
from mds_tui.finding.typed import as_typed, words_of
from mds_tui.finding.values import Candidate, Known
from mds_tui.format.cells import text_of


def _offered(line: str, snapshot: Snapshot, **words: object) -> list[str]:
    return [one.text for one in assist(line, Known(snapshot, words)).candidates]


def _problem(line: str, snapshot: Snapshot, refusal: str = "") -> str:
    return assist(line, Known(snapshot), refusal=refusal).problem


@given(st.text(alphabet="ab \"'\\:/-\t", max_size=30))
def test_words_are_read_as_the_registry_reads_them(line: str) -> None:
    try:
        expected = shlex.split(line)
    except ValueError:
        return  # a quote or a backslash is not finished: the registry would refuse the line
    words = words_of(line)
    assert [word.text for word in words[:-1]] == expected[: len(words) - 1]
    assert [word.text for word in words if word.text or word.quoted] == [*expected]


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_a_value_put_in_is_one_word(value: str) -> None:
    assert [word.text for word in words_of(f"pin {as_typed(value)}")] == ["pin", value]


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("fa", ["fail-over"]),
        ("priority", ["set-priority"]),
        ("pin NSE/q", ["NSE/quote"]),
        ("pin quote", ["NSE/quote", "NASDAQ/quote", "BINANCE/quote"]),
        ("pin NSE/quote ", ["kite", "yahoo", "alphavantage"]),
        ("pin NSE/quote yahoo ", ["--ttl-s", "--why"]),
        ("pin NSE/quote yahoo --ttl-s ", ["60", "300", "900", "3600", "none"]),
        ("pin NSE/quote yahoo --ttl-s 300 ", ["--why"]),
        ("fail-over NSE/quote ", ["kite", "alphavantage", "none", "--why"]),
        ("force-breaker kite ", ["open", "closed", "automatic"]),
        ("force-breaker yahoo open ", ["bars", "quote"]),
        ("enable-source kite ", ["true", "false"]),
        ("set-priority NSE/quote yahoo ", ["kite", "alphavantage"]),
        ("set-rate-limit kite ", ["1", "3"]),
        ("set-rate-limit kite 2 1 ", ["quote", "historical"]),
        ("subscribe ", ["NSE:", "BINANCE:"]),
        ("unsubscribe nifty", ["NSE:NIFTY 50"]),
        ("start-drill ref", ["refused"]),
        ("start-drill refused ", ["kite", "yahoo", "binance", "alphavantage"]),
        ("nonsense NSE", []),
    ],
)
def test_what_may_come_next(line: str, first: list[str], snapshot: Snapshot) -> None:
    assert _offered(line, snapshot)[: len(first) or None] == first


def test_an_empty_line_offers_every_command(snapshot: Snapshot) -> None:
    offered = _offered("", snapshot)
    assert {entry.name for entry in REGISTRY} <= set(offered)
    assert "theme" in offered


def test_what_a_tool_takes_is_asked_of_the_console(snapshot: Snapshot) -> None:
    def themes() -> list[Candidate]:
        return [Candidate("dark"), Candidate("light")]

    assert _offered("theme li", snapshot, theme=themes) == ["light"]
    assert _offered("export some", snapshot) == []


def test_an_instrument_with_a_blank_is_put_in_as_one_word(snapshot: Snapshot) -> None:
    found = assist("unsubscribe nif", Known(snapshot))
    line = completed("unsubscribe nif", found.start, found.candidates[0])
    assert parse(line, by="asha").instruments == ("NSE:NIFTY 50",)
    begun = assist('unsubscribe "NSE:NIFTY 5', Known(snapshot))
    assert [one.text for one in begun.candidates] == ["NSE:NIFTY 50"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pinn NSE/quote", "there is no command 'pinn'; did you mean 'pin'?"),
        ("qqq", "there is no command 'qqq'"),
        ("pin NSE/qote y", "there is no route 'NSE/qote'; did you mean 'NSE/quote'?"),
        ("pin NSE/quote binance ", "there is no source of NSE/quote 'binance'"),
        ("fail-over NSE/quote yahoo ", "there is no other source of NSE/quote 'yahoo'"),
        ("pin NSE/quote yahoo --ttl-s soon", "ttl is a number, not 'soon'"),
        ("set-rate-limit kite 1.5 ", "limit is a whole number, not '1.5'"),
        ("force-breaker kite ajar", "state is open or closed or automatic, not 'ajar'"),
        ("enable-source kite perhaps", "enabled is true or false, not 'perhaps'"),
        ("reset-breaker kite ticks more", "'more' is one word too many"),
        ("pin NSE/quote yahoo --whi lag", "pin has no option --whi; did you mean '--why'?"),
        ("pin NSE/quote yahoo --qqq", "pin has no more option '--qqq'"),
        ("pin NSE/", ""),
        ("pin NSE/quote ya", ""),
        ("pin NSE/quote yahoo --ttl-s none", ""),
        ('pin NSE/quote yahoo --why "not yet', ""),
        ("enable-source kite 0", ""),
        ("check-health", ""),
    ],
)
def test_what_is_wrong_is_said_at_once_and_nothing_else_is(line: str, words: str, snapshot: Snapshot) -> None:
    assert _problem(line, snapshot) == words


def test_a_line_without_a_word_of_complaint_is_accepted(snapshot: Snapshot) -> None:
    """Whatever is taken from what is offered, the registry takes too."""
    for entry in REGISTRY:
        line = entry.name
        for _ in range(4):
            found = assist(f"{line} ", Known(snapshot))
            if not found.candidates:
                break
            line = completed(f"{line} ", found.start, found.candidates[0])
            line += "BTCUSDT" if line.endswith(":") else ""
            assert not found.problem
        line = line.partition(" --")[0]
        try:
            parse(line, by="asha")
        except InvalidRequest as error:
            pytest.fail(f"{line}: {error.message}")


def test_how_the_command_goes_is_shown_with_the_argument_in_hand(snapshot: Snapshot) -> None:
    found = assist("pin NSE/quote ", Known(snapshot))
    assert text_of(found.usage) == "pin ROUTE SOURCE [--ttl-s] [--why]"
    assert [span.text for span in found.usage if span.ink == "accent"] == ["SOURCE"]
    found = assist("pin NSE/quote yahoo --ttl-s ", Known(snapshot))
    assert [span.text for span in found.usage if span.ink == "accent"] == ["[--ttl-s]"]
    assert "[WINDOW SECONDS]" in text_of(assist("set-rate-limit ", Known(snapshot)).usage)


def test_only_what_is_dangerous_is_refused(snapshot: Snapshot) -> None:
    assert _problem("pin NSE/q", snapshot, "the console is read-only") == "the console is read-only"
    assert _problem("check-health ki", snapshot, "the console is read-only") == ""


def test_a_line_is_gone_on_with_only_where_something_was_begun(snapshot: Snapshot) -> None:
    def on(line: str) -> str | None:
        return suggestion(line, assist(line, Known(snapshot)))

    assert on("pin NSE/q") == "pin NSE/quote"
    assert on("pin NSE/quote ") is None
    assert on("pin quote") is None
    assert on("") is None
