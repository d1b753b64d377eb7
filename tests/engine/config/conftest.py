"""Vendors to configure: the real plugins need not be imported to test the loader."""

from dataclasses import dataclass

import pytest
from mds_engine.config.secret import Secret
from mds_engine.config.source_settings import SourceSettings


class KeyedSettings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    api_key: Secret = Secret()
    api_secret: Secret = Secret()
    access_token: Secret = Secret()


@dataclass(frozen=True)
class FakePlugin:
    settings: type[SourceSettings]
    needs_key: bool = False


@pytest.fixture
def plugins() -> dict[str, FakePlugin]:
    return {
        "kite": FakePlugin(KeyedSettings, needs_key=True),
        "alphavantage": FakePlugin(KeyedSettings, needs_key=True),
        "yahoo": FakePlugin(SourceSettings),
        "binance": FakePlugin(SourceSettings),
    }
