from pathlib import Path

import pytest
from mds_engine.config.environment import ENVIRONMENT_NAMES
from mds_engine.config.load import parse_config
from mds_engine.config.problems import InvalidConfigError
from mds_engine.config.secret import Secret

TEXT = """\
[sources.zerodha]
kind = "kite"
api_key = "from the file"

[sources.av]
kind = "alphavantage"

[sources.yahoo]
kind = "yahoo"
"""

EXPECTED = {
    "KITE_API_KEY": ("k", "zerodha", {"api_key": Secret("k")}),
    "KITE_API_SECRET": ("s", "zerodha", {"api_secret": Secret("s")}),
    "KITE_ACCESS_TOKEN": ("t", "zerodha", {"access_token": Secret("t")}),
    "ZERODHA_RATE_LIMIT": ("180", "zerodha", {"rate_limit": 180, "rate_window_s": 60.0}),
    "ALPHA_VANTAGE_API_KEY": ("a", "av", {"api_key": Secret("a")}),
    "ALPHA_VANTAGE_ENABLED": ("false", "av", {"enabled": False}),
    "ALPHA_VANTAGE_PRIORITY": ("2", "av", {"priority": 2}),
    "ALPHA_VANTAGE_RATE_LIMIT": ("5", "av", {"rate_limit": 5, "rate_window_s": 60.0}),
    "YAHOO_FINANCE_ENABLED": ("False", "yahoo", {"enabled": False}),
    "YAHOO_FINANCE_PRIORITY": ("3", "yahoo", {"priority": 3}),
    "YAHOO_FINANCE_RATE_LIMIT": ("100", "yahoo", {"rate_limit": 100, "rate_window_s": 60.0}),
    "DATA_SOURCE_FAILOVER_ENABLED": ("false", "[engine]", {"failover_enabled": False}),
    "DATA_SOURCE_TIMEOUT": ("7", "[engine]", {"attempt_timeout_s": 7.0}),
    "DATA_SOURCE_HEALTH_CHECK_INTERVAL": ("45", "[health]", {"interval_s": 45.0}),
    "DATA_SOURCE_MAX_RETRIES": ("2", "[retry]", {"attempts": 2}),
}


def test_every_name_is_tested_here():
    assert {entry.name for entry in ENVIRONMENT_NAMES} == set(EXPECTED)


def part(config, where):
    return getattr(config, where.strip("[]")) if where.startswith("[") else config.sources[where]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_name_sets_its_setting(plugins, name):
    text, where, settings = EXPECTED[name]
    before = part(parse_config(TEXT, plugins, {}).config, where)
    after = part(parse_config(TEXT, plugins, {name: text}).config, where)
    for field, value in settings.items():
        assert getattr(before, field) != value
        assert getattr(after, field) == value


def test_the_environment_beats_the_file_and_says_so(plugins):
    loaded = parse_config(TEXT, plugins, {"KITE_API_KEY": "from outside"})
    assert loaded.config.sources["zerodha"].api_key.reveal() == "from outside"
    assert loaded.origins[("sources", "zerodha", "api_key")] == "environment KITE_API_KEY"


def test_a_name_that_is_set_to_nothing_is_unset(plugins):
    config = parse_config(TEXT, plugins, {"KITE_API_KEY": " "}).config
    assert config.sources["zerodha"].api_key.reveal() == "from the file"


def test_with_two_accounts_only_what_the_file_leaves_out_is_filled_in(plugins):
    text = TEXT + '[sources.second]\nkind = "kite"\napi_key = "another"\n[sources.third]\nkind = "kite"\n'
    sources = parse_config(text, plugins, {"KITE_API_KEY": "outside"}).config.sources
    assert [sources[name].api_key.reveal() for name in ("zerodha", "second", "third")] == [
        "from the file",
        "another",
        "outside",
    ]


def test_a_vendor_that_is_not_configured_is_not_added(plugins):
    config = parse_config('[sources.b]\nkind = "binance"', plugins, {"KITE_API_KEY": "k"}).config
    assert list(config.sources) == ["b"]


def test_a_value_that_cannot_be_used_is_told_by_its_name(plugins):
    with pytest.raises(InvalidConfigError) as caught:
        parse_config(TEXT, plugins, {"ZERODHA_RATE_LIMIT": "many"})
    assert str(caught.value) == "environment: ZERODHA_RATE_LIMIT: expected a whole number, got text ('many')"


def test_the_documentation_has_every_name():
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for entry in ENVIRONMENT_NAMES:
        setting = f"{entry.section}.{entry.setting}" if entry.section else entry.setting
        assert any(entry.name in line and setting in line for line in page.splitlines()), entry.name
