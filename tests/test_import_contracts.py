"""The contracts of .importlinter hold: arrows run downward, and heavy libraries stay lazy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_import_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(ROOT / ".importlinter")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "mds_engine.engine",
            ("textual", "mds_tui", "pandas", "pyarrow", "yfinance", "kiteconnect", "aiohttp"),
        ),
        (
            "mds_engine.embedded",
            ("textual", "numpy", "pandas", "yfinance", "kiteconnect", "httpx", "picows"),
        ),
        ("mds_tui.app", ("numpy", "pandas", "pyarrow", "yfinance", "kiteconnect", "httpx", "aiohttp")),
        ("mds_tui.cli", ("textual", "numpy", "pandas", "yfinance", "kiteconnect", "httpx", "aiohttp")),
    ],
)
def test_heavy_libraries_are_not_imported_before_they_are_used(module, absent):
    script = f"import sys, {module}; print(*[name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
