"""Fixtures shared by every test."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair: speed is measured in benchmarks.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Nobody's real keyring is written to, in this process or in those that it starts.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "recordings"


def pytest_collection_finish() -> None:
    """Keep the tests themselves out of the garbage collector's way: it looks at what they make."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real vendor payloads; skips where it is not there."""
    folder = Path(os.environ.get("MDS_RECORDINGS", _BESIDE_THE_CHECKOUT))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; MDS_RECORDINGS names another folder")
    return folder
