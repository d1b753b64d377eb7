import pytest
from mds_engine.config.load import parse_config
from mds_engine.config.simulated import SimulatorAddress, at_simulator, demo_config
from mds_engine.control.route_key import RouteKey
from mds_engine.errors import ConfigError

LINE = """{"vendors": {
 "kite": {"http": "http://127.0.0.1:1", "ws": "ws://127.0.0.1:1"},
 "yahoo": {"http": "http://127.0.0.1:2", "ws": "ws://127.0.0.1:2/?version=2"},
 "alphavantage": {"http": "http://127.0.0.1:3", "ws": ""},
 "binance": {"http": "http://127.0.0.1:4", "ws": "ws://127.0.0.1:4", "endpoints": [
   {"http": "http://127.0.0.1:4", "ws": "ws://127.0.0.1:4"},
   {"http": "http://127.0.0.1:5", "ws": "ws://127.0.0.1:5"}]}
}, "control": "http://127.0.0.1:9", "seed": 1}"""


@pytest.fixture
def simulator():
    return SimulatorAddress.read(LINE)


def test_every_base_url_becomes_the_simulators(plugins, simulator):
    config = parse_config('[sources.b]\nkind = "binance"\nendpoints = ["https://real"]', plugins, {}).config
    source = at_simulator(config, simulator).sources["b"]
    assert source.endpoints == ("http://127.0.0.1:4", "http://127.0.0.1:5")
    assert source.stream_endpoints == ("ws://127.0.0.1:4", "ws://127.0.0.1:5")


def test_real_keys_never_go_to_a_simulator(plugins, simulator):
    config = parse_config('[sources.z]\nkind = "kite"\napi_key = "hunter2"', plugins, {}).config
    source = at_simulator(config, simulator).sources["z"]
    assert source.api_key.reveal() not in ("", "hunter2")
    assert source.access_token.reveal()


def test_what_is_not_simulated_is_out_of_service(plugins, simulator):
    config = parse_config('[sources.z]\nkind = "kite"', plugins, {}).config
    bare = SimulatorAddress(vendors={})
    assert at_simulator(config, simulator).sources["z"].enabled
    assert not at_simulator(config, bare).sources["z"].enabled


def test_what_a_simulator_did_is_not_remembered_in_the_real_state(plugins, simulator):
    text = '[sources.z]\nkind = "kite"\n'
    assert at_simulator(parse_config(text, plugins, {}).config, simulator).engine.state_path == ":memory:"
    named = parse_config(text + '[engine]\nstate_path = "here.sqlite"', plugins, {}).config
    assert at_simulator(named, simulator).engine.state_path == "here.sqlite"


def test_the_demo_has_the_routes_of_the_issue(plugins, simulator):
    config = demo_config(plugins, simulator)
    routes = {
        str(key): config.route(RouteKey.parse(key)).sources
        for key in ("NSE/quote", "NASDAQ/bars", "BINANCE/ticks")
    }
    assert routes == {
        "NSE/quote": ("zerodha", "yahoo", "alphavantage"),
        "NASDAQ/bars": ("yahoo", "alphavantage"),
        "BINANCE/ticks": ("binance",),
    }
    assert len(config.console.watched) == 10


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"vendors": {"kite": {}}}'])
def test_what_is_no_description_is_told(text):
    with pytest.raises(ConfigError, match="not a simulator's description"):
        SimulatorAddress.read(text)
