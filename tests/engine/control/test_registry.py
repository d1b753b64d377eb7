"""One table for keys, help, palette, `:` line, command line."""

from typing import get_args

import msgspec
import pytest
from mds_engine.control import Command
from mds_engine.control.commands import (
    EnableSource,
    FailOver,
    ForceBreaker,
    ForcedState,
    Login,
    Pin,
    SetPriority,
    SetRateLimit,
    Subscribe,
)
from mds_engine.control.registry import REGISTRY, entry, entry_of, parse
from mds_engine.errors import InvalidRequest


def test_every_command_has_one_entry_of_its_tag() -> None:
    assert len(REGISTRY) == len(get_args(Command))
    assert {item.command for item in REGISTRY} == set(get_args(Command))
    for item in REGISTRY:
        assert item.command.__struct_config__.tag == item.name


def test_a_secret_is_not_typed_where_it_is_shown() -> None:
    with pytest.raises(InvalidRequest, match="--answer is a secret") as refusal:
        parse("login kite --answer s3cret", by="asha")
    assert "s3cret" not in str(refusal.value)


def test_positional_fields_exist() -> None:
    for item in REGISTRY:
        assert set(item.positional) <= {field.name for field in msgspec.structs.fields(item.command)}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("fail-over NSE/quote", FailOver(route="NSE/quote", by="asha")),
        ("fail-over NSE/quote yahoo", FailOver(route="NSE/quote", to="yahoo", by="asha")),
        (
            'pin NSE/quote yahoo --ttl_s 600 --why "kite lags"',
            Pin(route="NSE/quote", source="yahoo", ttl_s=600.0, why="kite lags", by="asha"),
        ),
        ("pin NSE/quote yahoo --ttl-s none", Pin(route="NSE/quote", source="yahoo", ttl_s=None, by="asha")),
        ("set-priority NSE/bars b a", SetPriority(route="NSE/bars", sources=("b", "a"), by="asha")),
        ("force-breaker kite open", ForceBreaker(source="kite", state=ForcedState.OPEN, by="asha")),
        ("enable-source kite false", EnableSource(source="kite", enabled=False, by="asha")),
        ("set-rate-limit kite 3 60", SetRateLimit(source="kite", limit=3, window_s=60.0, by="asha")),
        ("login kite", Login(source="kite", by="asha")),
        ("subscribe NSE:INFY NSE:TCS", Subscribe(instruments=("NSE:INFY", "NSE:TCS"), by="asha")),
    ],
)
def test_a_line_becomes_a_command(line: str, command: Command) -> None:
    assert parse(line, by="asha") == command
    assert entry_of(command).name == line.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no command was given"),
        ("pinn NSE/quote", "did you mean 'pin'?"),
        ("pin NSE/quote", "pin takes ROUTE SOURCE"),
        ("pin NSE/quote a --tll 3", "did you mean --ttl_s?"),
        ("pin NSE/quote a --ttl_s", "--ttl_s needs a value"),
        ("pin NSE/quote a b", "'b' is one too many"),
        ("force-breaker kite ajar", "force-breaker takes SOURCE STATE [CAPABILITY]"),
        ('pin "NSE', "cannot read"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(line, by="asha")
    assert words in caught.value.message


def test_an_unknown_entry_names_the_nearest() -> None:
    with pytest.raises(InvalidRequest, match="did you mean 'reset-breaker'"):
        entry("reset-braker")
