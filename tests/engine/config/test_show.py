import tomllib

from mds_engine.config.load import parse_config
from mds_engine.config.show import show_toml

TEXT = """\
[sources.zerodha]
kind = "kite"
api_key = "hunter2"

[sources."my yahoo.1"]
kind = "yahoo"
endpoints = ["https://one", "https://two"]

[routes.NSE.quote]
sources = ["zerodha"]
"""


def shown(plugins, environ=None):
    text = TEXT.replace("my yahoo.1", "my-yahoo.1")
    return show_toml(parse_config(text, plugins, environ or {}))


def test_it_is_toml_with_everything_in_it(plugins):
    document = tomllib.loads(shown(plugins))
    assert document["engine"]["deadline_s"] == 10.0
    assert document["sources"]["my-yahoo.1"]["endpoints"] == ["https://one", "https://two"]
    assert document["routes"]["NSE"]["quote"]["sources"] == ["zerodha"]


def test_secrets_are_masked_whatever_their_origin(plugins):
    text = shown(plugins, {"KITE_ACCESS_TOKEN": "hunter3"})
    assert "hunter" not in text
    assert 'api_key = "(set, not shown)"  # config.toml:3' in text
    assert 'access_token = "(set, not shown)"  # environment KITE_ACCESS_TOKEN' in text
    assert 'api_secret = ""  # default' in text


def test_each_value_says_where_it_comes_from(plugins):
    text = shown(plugins, {"DATA_SOURCE_TIMEOUT": "3"})
    assert "deadline_s = 10.0  # default" in text
    assert "attempt_timeout_s = 3.0  # environment DATA_SOURCE_TIMEOUT" in text
    assert 'endpoints = ["https://one", "https://two"]  # config.toml:7' in text
    assert "# rate_limit is unset" in text
