from mds_tui.cli.findings import about_terminal
from mds_tui.cli.reach import _clock

DEAD = """\
[sources.z]
kind = "kite"
endpoints = ["http://127.0.0.1:1"]
stream_endpoints = ["ws://127.0.0.1:1"]
"""


def report(result, lines):
    (found,) = lines(result)
    return found["ok"], {check["name"]: (check["ok"], check["detail"]) for check in found["checks"]}


def test_missing_keys_and_dead_endpoints_are_bad(run, lines, tmp_path):
    (tmp_path / "c.toml").write_text(DEAD)
    result = run("doctor", "--json", "--config", tmp_path / "c.toml")
    ok, found = report(result, lines)
    assert (ok, result.exit_code) == (False, 1)
    assert found["z keys"] == (False, "api_key, api_secret, access_token: not set")
    assert found["z endpoint"][0] is False
    assert "ws://127.0.0.1:1: not reached" in found["z endpoint"][1]
    assert found["clock"][0] is None


def test_a_token_that_only_a_login_gives_is_told_with_the_login(run, lines, tmp_path):
    (tmp_path / "c.toml").write_text(DEAD + 'api_key = "k"\napi_secret = "s"\n')
    _, found = report(run("doctor", "--json", "--config", tmp_path / "c.toml"), lines)
    remedy = "access_token: not set; `mds-tui login z`, or L in the console, gets it"
    assert found["z keys"] == (None, remedy)


def test_a_broken_configuration_is_told_with_its_places(run, tmp_path):
    (tmp_path / "c.toml").write_text("[engine]\nnam = 1\n" + DEAD)
    result = run("doctor", "--config", tmp_path / "c.toml")
    assert result.exit_code == 1
    assert result.stdout.startswith("BAD   configuration")
    assert "c.toml:2: engine.nam" in result.stdout


def test_secrets_that_others_can_read_are_bad(run, lines, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(DEAD + 'api_key = "hunter2"\n')
    file.chmod(0o644)
    result = run("doctor", "--json", "--config", file)
    assert report(result, lines)[1]["permissions"][0] is False
    assert "hunter2" not in result.output


def test_folders_that_cannot_be_written_are_bad(run, lines, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "c.toml").write_text(f'[engine]\nlog_path = "{tmp_path}"\n{DEAD}')
    _, found = report(run("doctor", "--json", "--config", tmp_path / "c.toml"), lines)
    assert found["log"] == (False, f"{tmp_path}: cannot be written")
    assert found["state"][0] is True


def test_a_clock_that_is_off_is_bad():
    assert _clock([0.4, -0.3, 0.1]).ok is True
    off = _clock([-61.0, -60.0, 0.0])
    assert (off.ok, off.detail) == (False, "60.0 s ahead the vendors', give or take 1 s; set it by NTP")


def test_without_a_terminal_nothing_is_said_of_it(monkeypatch):
    (only,) = about_terminal({})
    assert only.ok is None


def test_a_terminal_is_judged(monkeypatch):
    import shutil
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: (50, 10))
    found = {finding.name: finding.ok for finding in about_terminal({"TERM": "dumb", "NO_COLOR": "1"})}
    assert found["terminal"] is False
    assert found["terminal size"] is False
    assert found["terminal colour"] is None
