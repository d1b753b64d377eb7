"""The command line in this process, with an environment of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mds_tui.cli import cli

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("decode", "yahoo", …)`: nothing of the developer's own configuration or environment gets in."""
    from mds_engine.config.environment import ENVIRONMENT_NAMES

    for name in ("MDS_TUI_CONFIG", *(entry.name for entry in ENVIRONMENT_NAMES)):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def invoke(*words: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words], input=stdin, catch_exceptions=False)

    return invoke


@pytest.fixture
def lines() -> Callable[[Result], list[dict]]:
    """The JSON lines of a result."""
    return lambda result: [json.loads(line) for line in result.stdout.splitlines()]
