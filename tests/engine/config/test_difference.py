"""What has to be done to a running engine, from one configuration to another."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mds_engine.config.difference import Difference, difference
from mds_engine.config.load import parse_config
from mds_engine.sources.plugins import find_plugins

BEFORE = """
[engine]
name = "desk"

[sources.zerodha]
kind = "kite"
api_key = "key-of-the-desk"
access_token = "token-of-today"

[sources.yahoo]
kind = "yahoo"

[sources.binance]
kind = "binance"

[routes.NSE]
sources = ["zerodha", "yahoo"]

[console]
watch = ["NSE:INFY"]
"""


@pytest.fixture(scope="module")
def plugins():
    return find_plugins()


@pytest.fixture(scope="module")
def configured(plugins):
    return lambda text: parse_config(text, plugins, {}).config


def changed(configured, old: str, new: str) -> Difference:
    assert old in BEFORE
    return difference(configured(BEFORE), configured(BEFORE.replace(old, new)))


def test_the_same_configuration_differs_in_nothing(configured):
    same = difference(configured(BEFORE), configured(BEFORE + "# a comment\n"))
    assert not same
    assert same.sentences() == ("Nothing that the engine goes by changes.",)


def test_credentials_endpoints_and_the_vendor_ask_for_a_new_connection(configured):
    token = changed(configured, "token-of-today", "token-of-tomorrow")
    assert token.reconnected == {"zerodha": ("access_token",)}
    endpoint = changed(configured, 'kind = "yahoo"', 'kind = "yahoo"\nendpoints = ["https://here.example"]')
    assert endpoint.reconnected == {"yahoo": ("endpoints",)}
    vendor = changed(configured, 'kind = "yahoo"', 'kind = "alphavantage"')
    assert vendor.reconnected == {"yahoo": ("kind",)}
    assert token.interrupts
    assert not token.adjusted


def test_what_the_engine_keeps_to_itself_changes_in_place(configured):
    plan = changed(
        configured,
        'kind = "yahoo"',
        'kind = "yahoo"\npriority = 3\ncalls_per_day = 9\nrate_limit = 5\nenabled = false\ncurrency = "INR"',
    )
    assert plan.adjusted == {"yahoo": ("enabled", "priority", "rate_limit", "calls_per_day", "currency")}
    assert not plan.interrupts
    assert plan.out == ("yahoo",)
    assert "yahoo goes out of service: nothing is sent to it." in plan.sentences()


def test_a_source_that_is_polled_no_more_is_another_source(configured):
    assert changed(configured, 'kind = "yahoo"', 'kind = "yahoo"\npace_s = 0').reconnected
    assert changed(configured, 'kind = "yahoo"', 'kind = "yahoo"\npace_s = 30').adjusted


def test_new_and_gone_sources_routes_sections_and_what_waits(configured):
    found = difference(
        configured(BEFORE),
        configured(
            BEFORE.replace("[sources.binance]", "[sources.crypto]")
            .replace('sources = ["zerodha", "yahoo"]', 'sources = ["yahoo", "zerodha"]')
            .replace('name = "desk"', 'name = "desk"\nstate_path = "/tmp/here.sqlite"\ndeadline_s = 3')
            .replace('watch = ["NSE:INFY"]', "watch = []\nbell = true")
            + "\n[recording]\nblack_box_minutes = 1\n"
        ),
    )
    assert (found.new, found.gone, found.routes) == (("crypto",), ("binance",), ("NSE",))
    assert found.sections == {"engine": ("deadline_s",), "console": ("bell", "watch")}
    assert found.later == ("engine.state_path", "recording.black_box_minutes")
    waits = "engine.state_path and recording.black_box_minutes hold from the next start on."
    assert waits in found.sentences()
    assert "crypto is new" in found.summary


def test_the_priority_of_a_source_moves_routes_that_name_none(configured):
    text = BEFORE.replace('sources = ["zerodha", "yahoo"]', "")
    found = difference(
        configured(text), configured(text.replace('kind = "kite"', 'kind = "kite"\npriority = 9'))
    )
    assert (found.adjusted, found.routes) == ({"zerodha": ("priority",)}, ("NSE",))


SECRET = st.text(alphabet="abcdef0123456789", min_size=12, max_size=20)


@given(old=SECRET, new=SECRET)
def test_no_secret_is_ever_told(old, new):
    plugins = find_plugins()
    before = parse_config(BEFORE.replace("token-of-today", old), plugins, {}).config
    after = parse_config(BEFORE.replace("token-of-today", new), plugins, {}).config
    found = difference(before, after)
    told = " ".join((*found.sentences(), found.summary, repr(found), msgspec.json.encode(found).decode()))
    assert old not in told
    assert new not in told
    assert bool(found) == (old != new)
