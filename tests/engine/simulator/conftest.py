"""Fixtures of the simulator's tests: a toy vendor, and the environments of the official SDKs."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def sdk_python() -> Callable[[str], Path]:
    """The interpreter of an SDK's own environment by name (`binance`, `alphavantage`); skips without it."""
    folder = Path(os.environ.get("MDS_SDK_VENVS", _REPOSITORY / ".sdk-venvs"))

    def find(name: str) -> Path:
        python = folder / name / "bin" / "python"
        if not python.is_file():
            pytest.skip(f"no SDK environment {name!r} at {folder}; tests/make_sdk_venvs.sh builds it")
        return python

    return find


@pytest.fixture(scope="session")
def run_sdk(sdk_python: Callable[[str], Path]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script with arguments in an SDK's environment: `run_sdk("binance", script, url)`."""

    def run(name: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(sdk_python(name)), "-c", script, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
