"""How the console starts: with little imported, and with nothing unsaid for it."""

import fcntl
import gc
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from mds_engine.config.load import load_config
from mds_engine.config.problems import InvalidConfigError
from mds_engine.errors import ConfigError

from mds_tui.cli import VERBS, cli
from mds_tui.cli.collecting import collect_again, collecting_later
from mds_tui.cli.vendors import InstalledVendors, OurVendorsFirst

PATIENCE_S = 30.0
CONFIG = """
[engine]
state_path = ":memory:"
log_path = "{folder}/engine.log"
[sources.here]
kind = "{kind}"
"""


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Path]:
    """A file with one source of a kind."""

    def write(kind: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(CONFIG.format(folder=tmp_path, kind=kind))
        return file

    return write


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], Path]:
    """Leave a package that claims a kind in a folder, as pip would."""

    def install_one(kind: str, module: str) -> Path:
        folder = tmp_path / "installed"
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(
            "from mds_engine.config.source_settings import SourceSettings\n"
            "from mds_engine.sources.contract import SourcePlugin\n"
            f"plugin = SourcePlugin(kind={kind!r}, title='Theirs', settings=SourceSettings, create=print)\n"
        )
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mds_engine.sources]\n{kind} = {module}:plugin\n")
        return folder

    return install_one


def test_every_verb_is_in_its_module_under_its_name() -> None:
    context = click.Context(cli)
    for name in VERBS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert cli.get_command(context, "nobody") is None


def test_a_mistyped_verb_is_answered_with_the_one_that_was_meant(run) -> None:
    assert "Did you mean 'doctor'" in run("docter").output


def test_until_the_app_is_imported_no_verb_and_no_list_of_packages_is(configured) -> None:
    code = (
        "import sys\n"
        "from mds_tui.cli import VERBS\n"
        "from mds_tui.cli.settings import Settings\n"
        "from mds_tui.cli.vendors import OurVendorsFirst\n"
        "from pathlib import Path\n"
        "loaded = Settings(config=Path(sys.argv[1])).load(OurVendorsFirst())\n"
        "assert list(loaded.config.sources) == ['here']\n"
        "print(sorted({*VERBS.values(), 'importlib.metadata', 'numpy', 'httpx'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", code, str(configured("yahoo"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_strangers_kind_is_found_though_ours_come_first(install, configured, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(install("acme", "acme_starts")))
    assert list(load_config(configured("acme"), OurVendorsFirst(), {}).config.sources) == ["here"]
    with pytest.raises(InvalidConfigError, match=r'no vendor "nobody"'):
        load_config(configured("nobody"), OurVendorsFirst(), {})


def test_ours_are_those_that_are_installed() -> None:
    installed, first = InstalledVendors(), OurVendorsFirst()
    assert list(first) == list(installed)
    for kind in installed:
        assert first[kind] is installed[kind]


def test_who_claims_one_of_our_kinds_is_told_on_the_screen(install, configured) -> None:
    """The configuration is read without a look at what is installed; the engine has one."""
    folder = install("binance", "rival_vendor")
    (folder / "mds-tui").mkdir()
    (folder / "mds-tui" / "tour-shown").touch()  # not the first start: nothing lies over the words
    screen = _screen_until(
        [sys.executable, "-m", "mds_tui.cli", "--config", str(configured("binance"))],
        {"PYTHONPATH": str(folder), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        b"'binance' cannot be used: several packages claim",
    )
    assert b"engine stopped" in screen


def test_a_rival_is_refused_where_a_verb_asks(install, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(install("kite", "rival_of_kite")))
    with pytest.raises(ConfigError, match="several packages claim this kind"):
        InstalledVendors()["kite"]


def test_garbage_is_looked_for_again_after_the_start() -> None:
    frozen = gc.get_freeze_count()
    with collecting_later():
        assert not gc.isenabled()
        collect_again()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    with pytest.raises(ConfigError), collecting_later():
        raise ConfigError("no start")
    assert gc.isenabled()


def _screen_until(command: list[str], environment: dict[str, str], words: bytes) -> bytes:
    """What a program has written to a terminal when `words` are there."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    )
    os.close(its)
    written, give_up_at = b"", time.monotonic() + PATIENCE_S
    try:
        while words not in (screen := re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]", b"", written)):
            assert time.monotonic() < give_up_at, screen[-2000:]
            if select.select([ours], [], [], 0.2)[0]:
                written += os.read(ours, 65_536)
        return screen
    finally:
        process.kill()
        process.wait()
        os.close(ours)
