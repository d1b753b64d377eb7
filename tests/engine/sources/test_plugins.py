"""Vendors are found by their entry points, ours and a stranger's."""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from mds_engine.sources.plugins import GROUP, OURS, find_plugins, installed_kinds, our_plugin

GOOD = """
from mds_engine.config.source_settings import SourceSettings
from mds_engine.sources.contract import SourcePlugin
plugin = SourcePlugin(kind="acme", title="Acme", settings=SourceSettings, create=print)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a package of one module with one entry point, as pip would leave it on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install_one(kind: str, module: str, source: str) -> None:
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mds_engine.sources]\n{kind} = {module}:plugin\n")

    return install_one


def test_our_four_vendors_are_found() -> None:
    plugins = find_plugins()
    assert {"binance", "kite", "yahoo", "alphavantage"} <= set(plugins)
    assert plugins.failures == ()
    assert plugins["kite"].needs_key
    assert not plugins["binance"].needs_key


def test_ours_are_known_by_name_as_they_are_registered() -> None:
    registered = {
        entry.name: entry.value for entry in distribution("mds-engine").entry_points.select(group=GROUP)
    }
    assert {kind: f"{package}:plugin" for kind, package in OURS.items()}.items() <= registered.items()
    plugins = find_plugins(OURS)
    assert {kind: our_plugin(kind) for kind in OURS} == plugins
    assert set(OURS) <= set(installed_kinds())


def test_a_third_partys_vendor_is_found_beside_ours(install) -> None:
    install("acme", "acme_market_data", GOOD)
    plugins = find_plugins()
    assert plugins["acme"].title == "Acme"
    assert "binance" in plugins


@pytest.mark.parametrize(
    ("kind", "module", "source", "reason"),
    [
        ("broken_a", "broken_a", "import nothing_like_it_exists", "ModuleNotFoundError"),
        ("broken_b", "broken_b", "raise RuntimeError('no licence')", "no licence"),
        ("broken_c", "broken_c", "", "has no attribute 'plugin'"),
        ("broken_d", "broken_d", "plugin = 42", "is a int, not a SourcePlugin"),
        ("broken_e", "broken_e", GOOD, "calls itself 'acme'"),
    ],
)
def test_a_broken_vendor_is_reported_and_hurts_no_other(install, kind, module, source, reason) -> None:
    install(kind, module, source)
    plugins = find_plugins()
    assert kind not in plugins
    assert [failure.name for failure in plugins.failures] == [kind]
    assert reason in plugins.failures[0].reason
    assert "binance" in plugins


def test_two_packages_that_claim_one_kind_are_both_refused(install) -> None:
    install("acme", "acme_one", GOOD)
    install("acme", "acme_two", GOOD)
    plugins = find_plugins(["acme"])
    assert not plugins
    assert "acme_one:plugin" in plugins.failures[0].reason
    assert "acme_two:plugin" in plugins.failures[0].reason


def test_only_the_wanted_kinds_are_imported(install) -> None:
    install("broken", "broken_f", "raise RuntimeError")
    assert find_plugins(["binance"]).failures == ()


def test_finding_and_creating_imports_no_vendors_heavy_library() -> None:
    script = """
import sys
from mds_engine.sources.plugins import find_plugins
plugins = find_plugins()
assert not plugins.failures, plugins.failures
heavy = {"pandas", "yfinance", "kiteconnect", "pyarrow", "httpx", "picows", "aiohttp", "curl_cffi"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
