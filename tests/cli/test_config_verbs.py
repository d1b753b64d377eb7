import stat
import tomllib

GOOD = '[sources.yahoo]\nkind = "yahoo"\n'


def test_init_writes_a_file_that_check_finds_good(run, tmp_path):
    result = run("config", "init")
    file = tmp_path / "home" / "mds-tui" / "config.toml"
    assert result.exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    checked = run("config", "check")
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout == f"{file}: good; sources: yahoo, binance\n"


def test_init_never_touches_a_file(run, tmp_path):
    (tmp_path / "mine.toml").write_text("mine")
    result = run("config", "init", "--config", tmp_path / "mine.toml")
    assert result.exit_code == 3
    assert result.stderr == f"mds-tui: {tmp_path / 'mine.toml'}: is there already and is left as it is\n"
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_check_tells_everything_that_is_wrong(run, tmp_path):
    (tmp_path / "c.toml").write_text(GOOD + "timeout_s = 0\n[engine]\nnam = 1\n")
    result = run("--config", tmp_path / "c.toml", "config", "check")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 2
    assert "c.toml:3: sources.yahoo.timeout_s" in result.stderr
    assert 'did you mean "name"?' in result.stderr


def test_check_tells_that_every_source_is_disabled(run, tmp_path):
    (tmp_path / "c.toml").write_text(GOOD + "enabled = false\n")
    result = run("config", "check", "--config", tmp_path / "c.toml")
    assert result.exit_code == 0
    (warning,) = [line for line in result.stderr.splitlines() if "disabled" in line]
    assert warning.startswith("mds-tui: warning: every source is disabled")
    assert result.stdout == f"{tmp_path / 'c.toml'}: good; sources: yahoo\n"
    (tmp_path / "c.toml").write_text(GOOD)
    assert "disabled" not in run("config", "check", "--config", tmp_path / "c.toml").stderr


def test_a_file_that_was_named_must_be_there(run):
    result = run("config", "check", "--config", "none.toml")
    assert (result.exit_code, result.stderr) == (
        3,
        "mds-tui: none.toml: cannot be read: No such file or directory\n",
    )


def test_the_options_may_stand_before_or_after_the_verb(run, tmp_path):
    (tmp_path / "c.toml").write_text(GOOD)
    before = run("--config", tmp_path / "c.toml", "config", "show")
    after = run("config", "show", "--config", tmp_path / "c.toml")
    assert before.stdout == after.stdout
    assert tomllib.loads(after.stdout)["sources"]["yahoo"]["kind"] == "yahoo"


def test_show_says_where_values_come_from_and_masks_secrets(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ALPHA_VANTAGE_API_KEY", "hunter2")
    result = run("config", "show")
    assert "hunter2" not in result.output
    assert 'api_key = "(set, not shown)"' in result.stdout
    assert "environment ALPHA_VANTAGE_API_KEY" in result.stdout
    assert "no configuration file" in result.stderr


def test_warnings_go_to_stderr(run, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[sources.av]\nkind = "alphavantage"\napi_key = "hunter2"\n')
    file.chmod(0o644)
    result = run("config", "check", "--config", file)
    assert result.exit_code == 0
    assert "mds-tui: warning:" in result.stderr
    assert "chmod 600" in result.stderr
    assert "hunter2" not in result.output


def test_the_simulator_turns_every_source(run, tmp_path):
    line = tmp_path / "line.json"
    line.write_text(
        '{"vendors": {"yahoo": {"http": "http://127.0.0.1:9", "ws": "ws://127.0.0.1:9"}}, "control": ""}'
    )
    result = run("config", "show", "--simulator", line)
    sources = tomllib.loads(result.stdout)["sources"]
    assert sources["yahoo"]["endpoints"] == ["http://127.0.0.1:9"]
    assert not sources["binance"]["enabled"]


def test_a_simulator_that_is_not_there_is_told(run):
    result = run("config", "show", "--simulator", "http://127.0.0.1:1")
    assert result.exit_code == 4
    assert result.stderr.startswith("mds-tui: no simulator answers at http://127.0.0.1:1: ")
    result = run("config", "show", "--simulator", "nowhere.json")
    assert result.exit_code == 3
