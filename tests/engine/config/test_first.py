import os
import stat

import pytest
from mds_engine.config.find import find_config
from mds_engine.config.first import built_in_config, write_first_config
from mds_engine.config.load import load_config
from mds_engine.errors import ConfigError


def test_the_first_file_is_valid_and_needs_no_key(plugins, tmp_path):
    file = tmp_path / "new" / "config.toml"
    write_first_config(file, {})
    loaded = load_config(file, plugins, {})
    assert set(loaded.config.sources) == {"yahoo", "binance"}
    assert loaded.warnings == ()


def test_only_its_owner_can_read_it(tmp_path):
    file = tmp_path / "config.toml"
    before = os.umask(0)
    try:
        write_first_config(file, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        write_first_config(file, {})
    assert file.read_text() == "mine"


def test_keys_in_the_environment_bring_their_sources_but_are_not_written(plugins, tmp_path):
    environ = {"KITE_API_KEY": "hunter2", "KITE_ACCESS_TOKEN": "hunter3", "ALPHA_VANTAGE_API_KEY": "hunter4"}
    file = tmp_path / "config.toml"
    write_first_config(file, environ)
    assert "hunter" not in file.read_text()
    config = load_config(file, plugins, environ).config
    assert config.by_priority() == ("binance", "zerodha", "yahoo", "alphavantage")
    assert config.sources["zerodha"].access_token.reveal() == "hunter3"


def test_priorities_from_the_environment_order_the_built_in_routes(plugins):
    environ = {"ALPHA_VANTAGE_API_KEY": "k", "ALPHA_VANTAGE_PRIORITY": "2"}
    assert built_in_config(plugins, environ).config.by_priority() == ("binance", "alphavantage", "yahoo")


def test_the_file_is_looked_for_from_the_nearest_to_the_farthest(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    folder = tmp_path / "here"
    folder.mkdir()
    assert find_config(None, {}, folder) is None
    users = home / "mds-tui" / "config.toml"
    users.parent.mkdir(parents=True)
    users.touch()
    assert find_config(None, {}, folder) == users
    (folder / "config.toml").touch()
    assert find_config(None, {}, folder) == folder / "config.toml"
    assert find_config(None, {"MDS_TUI_CONFIG": "/x/y.toml"}, folder).name == "y.toml"
    assert find_config(tmp_path / "named.toml", {"MDS_TUI_CONFIG": "/x/y.toml"}, folder).name == "named.toml"
