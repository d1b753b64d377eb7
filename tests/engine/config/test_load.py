import pytest
from mds_engine.config.load import load_config, parse_config
from mds_engine.config.problems import InvalidConfigError
from mds_engine.control.route_key import RouteKey

GOOD = """\
[engine]
deadline_s = 4

[sources.zerodha]
kind = "kite"
api_key = "${KEY}"
access_token = "literal"
timeout_s = 1.5

[sources.yahoo]
kind = "yahoo"
priority = 5
endpoints = ["https://one", "https://two"]

[routes.NSE]
sources = ["zerodha", "yahoo"]
hedge = true

[routes.NSE.bars]
sources = ["yahoo"]
hedge = false
failback = "preemptive"

[routes.nasdaq]

[console]
watch = ["nse:reliance"]
"""


def problems(text, plugins, environ=None):
    with pytest.raises(InvalidConfigError) as caught:
        parse_config(text, plugins, environ or {})
    return str(caught.value).splitlines()


def test_a_good_file_loads(plugins):
    config = parse_config(GOOD, plugins, {"KEY": "k"}).config
    assert config.engine.deadline_s == 4.0
    assert config.sources["zerodha"].api_key.reveal() == "k"
    assert config.sources["yahoo"].endpoints == ("https://one", "https://two")
    assert [str(instrument) for instrument in config.console.watched] == ["NSE:RELIANCE"]


@pytest.mark.parametrize(
    ("key", "sources", "hedge", "failback", "configured"),
    [
        ("NSE/quote", ("zerodha", "yahoo"), True, None, True),
        ("NSE/bars", ("yahoo",), False, "preemptive", True),
        ("NASDAQ/quote", ("zerodha", "yahoo"), False, None, True),
        ("BINANCE/ticks", ("zerodha", "yahoo"), False, None, False),
    ],
)
def test_routes_resolve_from_the_capability_to_the_exchange_to_priorities(
    plugins, key, sources, hedge, failback, configured
):
    route = parse_config(GOOD, plugins, {"KEY": "k"}).config.route(RouteKey.parse(key))
    assert (route.sources, route.hedge, route.failback, route.configured) == (
        sources,
        hedge,
        failback,
        configured,
    )


def test_all_configured_routes_are_listed(plugins):
    config = parse_config(GOOD, plugins, {"KEY": "k"}).config
    assert [str(route.key) for route in config.routes] == [
        "NSE/quote",
        "NSE/bars",
        "NSE/ticks",
        "NASDAQ/quote",
        "NASDAQ/bars",
        "NASDAQ/ticks",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[engine]\ndeadline = 3",
            'config.toml:2: engine.deadline: there is no setting "deadline"; did you mean "deadline_s"?',
        ),
        (
            '[engine]\n\ndeadline_s = "soon"',
            "config.toml:3: engine.deadline_s: expected a number, got text ('soon')",
        ),
        ("[engine]\ndeadline_s = 0", "config.toml:2: engine.deadline_s: expected a number > 0.0, got 0"),
        ("[engin]", 'config.toml:1: engin: there is no section "engin"; did you mean "engine"?'),
        ("engine = 3", "config.toml:1: engine: expected a table, got a number"),
        (
            '[sources.a]\nkind = "kyte"',
            'config.toml:2: sources.a.kind: there is no vendor "kyte"; did you mean "kite"?',
        ),
        (
            "[sources.a]",
            'config.toml:1: sources.a: "kind" is missing; known are kite, alphavantage, yahoo, binance',
        ),
        ('[sources.a]\nkind = "kite"\napi_key = 5', "config.toml:3: sources.a.api_key: expected text"),
        (
            '[sources.a]\nkind = "yahoo"\nendpoints = [\n "https://a",\n "b"]',
            'config.toml:5: sources.a.endpoints[2]: "b" is not a base URL; write https://host[:port]',
        ),
        (
            '[sources.a]\nkind = "yahoo"\nstream_endpoints = ["http://a"]',
            'config.toml:3: sources.a.stream_endpoints[1]: "http://a" is not a base URL; write wss://host[:port]',
        ),
        (
            '[sources.a]\nkind = "yahoo"\ncost_per_call = "five"',
            'config.toml:3: sources.a.cost_per_call: "five" is not an amount; write decimal text, as "0.005"',
        ),
        (
            '[sources.a]\nkind = "yahoo"\ncurrency = "usd"',
            'config.toml:3: sources.a.currency: "usd" is not a currency; write three capitals, as "INR"',
        ),
        (
            '[sources."a b"]\nkind = "yahoo"',
            'config.toml:1: sources.a b: "a b" cannot be a source\'s name; '  # noqa: ISC004
            'use letters, digits, ".", "_" and "-"',
        ),
        (
            '[routes.NSE]\nsources = ["yahooo"]',
            'config.toml:2: routes.NSE.sources[1]: there is no source "yahooo"; did you mean "yahoo"?',
        ),
        (
            '[routes.NSE.quote]\nsources = ["yahoo", "yahoo"]',
            'config.toml:2: routes.NSE.quote.sources[2]: names "yahoo" twice',
        ),
        (
            "[routes.NSE]\nsources = []",
            "config.toml:2: routes.NSE.sources: names no source; leave it out to use all by priority",
        ),
        (
            '[routes.NSE]\nfailback = "never"',
            "config.toml:2: routes.NSE.failback: there is no choice 'never'; known are sticky, preemptive",
        ),
        ('[routes."NSE/quote"]', "config.toml:1: routes.NSE/quote: write [routes.NSE.quote]"),
        ("[routes.NSE]\n[routes.nse]", "config.toml:2: routes.nse: the routes of NSE are given twice"),
        (
            '[console]\nwatch = ["RELIANCE"]',
            "config.toml:2: console.watch[1]: 'RELIANCE' is not an instrument; "  # noqa: ISC004
            "write EXCHANGE:SYMBOL, as NSE:RELIANCE",
        ),
        ("[console]\nfps = 100", "config.toml:2: console.fps: expected a whole number <= 60, got 100"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_remedy(plugins, text, expected):
    base = '\n[sources.yahoo]\nkind = "yahoo"\n'
    assert problems(text + base, plugins) == [expected]


def test_no_source_at_all_is_told_with_the_remedy(plugins):
    assert problems("", plugins) == [
        "config.toml: no source is configured; `mds-tui config init` writes a first file"
    ]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(plugins):
    told = problems(
        '[sources.y]\nkind = "yahoo"\ntimeout_s = "${T}"\n[engine]\nnam = 1\ndeadline_s = -1', plugins
    )
    assert [line.split(": ")[0] for line in told] == ["config.toml:3", "config.toml:5", "config.toml:6"]
    assert "T is not set" in told[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[engine]\nname = \n", "config.toml:2: name: is not TOML: invalid value"),
        ("a = 1\na = 2", "config.toml:2: a: is not TOML: cannot overwrite a value"),
        ('[engine]\nname = "x', "config.toml:2: name: is not TOML: unterminated string"),
    ],
)
def test_a_syntax_error_has_its_line(plugins, text, expected):
    assert problems(text, plugins) == [expected]


def test_a_secret_is_never_repeated_in_an_error(plugins):
    told = problems(
        '[sources.a]\nkind = "kite"\napi_key = ["hunter2"]\n[sources.b]\nkind = "yahoo"\napi_key = "hunter2"',
        plugins,
    )
    assert len(told) == 2
    assert "hunter2" not in "".join(told)


def test_a_syntax_error_never_repeats_a_value(plugins):
    assert "hunter2" not in "".join(problems('api_key = "hunter2', plugins))


def test_numbers_may_come_from_the_environment(plugins):
    text = '[sources.a]\nkind = "yahoo"\ntimeout_s = "${T}"\nenabled = "${E}"\npriority = "3"'
    assert [line.split(": ")[1] for line in problems(text, plugins, {"T": "2", "E": "false"})] == [
        "sources.a.priority"
    ]
    settings = parse_config(text.replace('"3"', "3"), plugins, {"T": "2", "E": "false"}).config.sources["a"]
    assert (settings.timeout_s, settings.enabled) == (2.0, False)


def test_the_attempt_timeout_is_for_sources_that_set_none(plugins):
    config = parse_config(
        "[engine]\nattempt_timeout_s = 2\n" + GOOD.partition("\n\n")[2], plugins, {"KEY": "k"}
    ).config
    assert config.sources["zerodha"].timeout_s == 1.5
    assert config.sources["yahoo"].timeout_s == 2.0


def test_origins_name_the_line_and_the_variable(plugins):
    origins = parse_config(GOOD, plugins, {"KEY": "k"}).origins
    assert origins[("engine", "deadline_s")] == "config.toml:2"
    assert origins[("sources", "zerodha", "api_key")] == "config.toml:6, environment KEY"


def test_a_source_without_its_key_is_a_warning(plugins):
    (warning,) = parse_config('[sources.z]\nkind = "kite"', plugins, {}).warnings
    assert (
        warning
        == "config.toml:1: sources.z: kite needs credentials; set api_key and api_secret and access_token"
    )
    assert parse_config('[sources.z]\nkind = "kite"\nenabled = false', plugins, {}).warnings == ()


@pytest.mark.parametrize(
    ("mode", "text", "exposed"),
    [
        (0o644, GOOD, True),
        (0o640, GOOD, True),
        (0o600, GOOD, False),
        (0o644, GOOD.replace("literal", "${KEY}"), False),
    ],
)
def test_a_file_with_secrets_that_others_can_read_is_a_warning(plugins, tmp_path, mode, text, exposed):
    file = tmp_path / "config.toml"
    file.write_text(text)
    file.chmod(mode)
    warnings = load_config(file, plugins, {"KEY": "k"}).warnings
    assert any("others can read it" in warning for warning in warnings) is exposed
    assert not exposed or "sources.zerodha.access_token" in warnings[-1]
    assert "literal" not in "".join(warnings)


def test_a_file_that_cannot_be_read_is_told(plugins, tmp_path):
    with pytest.raises(InvalidConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml", plugins, {})
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(InvalidConfigError, match="is not UTF-8"):
        load_config(tmp_path / "latin.toml", plugins, {})


def test_every_value_that_a_policy_refuses_is_told(plugins):
    wrong = "[breaker]\nconsecutive_failures = -3\nfailure_rate = 1.5\nwindow_calls = 0\n"
    text = '[sources.y]\nkind = "yahoo"\n' + wrong
    found = problems(text, plugins)
    assert [line.split(": ")[1] for line in found] == [
        "breaker.consecutive_failures",
        "breaker.failure_rate",
        "breaker.window_calls",
    ]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_no_time_is_endless(plugins, value):
    text = f'[sources.y]\nkind = "yahoo"\n[engine]\ndeadline_s = {value}\n'
    (problem,) = problems(text, plugins)
    assert problem.startswith("config.toml:4: engine.deadline_s: expected a")


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("Off", False), ("0", False), ("TRUE", True)])
def test_the_environment_may_say_yes_and_no(plugins, word, value):
    text = '[sources.y]\nkind = "yahoo"\n[engine]\nfailover_enabled = "${F}"\n'
    assert parse_config(text, plugins, {"F": word}).config.engine.failover_enabled is value


def test_a_file_does_not_say_yes_in_quotes(plugins):
    (problem,) = problems('[sources.y]\nkind = "yahoo"\n[engine]\nfailover_enabled = "yes"\n', plugins)
    assert "expected true or false, got text ('yes')" in problem
