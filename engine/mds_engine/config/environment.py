"""The environment names that users of such systems already have, and what each sets.

They beat the file, as everywhere. Where several sources are of the kind that a
name is for (two accounts at one vendor), it only fills in what the file leaves
out, so that it never overwrites one account's key with another's.
docs/configuration.md prints this table; a test holds the two together.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mds_engine.config.positions import Path


class EnvironmentName(NamedTuple):
    """One name and the setting behind it."""

    name: str
    setting: str
    """A field, of `section` or of the sources of `kind`."""
    about: str
    """Its meaning and unit, as those users know it."""
    kind: str = ""
    """The vendor whose sources it sets; empty for a section."""
    section: str = ""
    also: tuple[tuple[str, Any], ...] = ()
    """Further fields that give the value its unit."""


_PER_MINUTE = (("rate_window_s", 60.0),)

ENVIRONMENT_NAMES: tuple[EnvironmentName, ...] = (
    EnvironmentName("KITE_API_KEY", "api_key", "the app's key", kind="kite"),
    EnvironmentName("KITE_API_SECRET", "api_secret", "the app's secret, for the login", kind="kite"),
    EnvironmentName("KITE_ACCESS_TOKEN", "access_token", "the day's token", kind="kite"),
    EnvironmentName("ZERODHA_RATE_LIMIT", "rate_limit", "requests a minute", kind="kite", also=_PER_MINUTE),
    EnvironmentName("ALPHA_VANTAGE_API_KEY", "api_key", "the key", kind="alphavantage"),
    EnvironmentName("ALPHA_VANTAGE_ENABLED", "enabled", "true or false", kind="alphavantage"),
    EnvironmentName("ALPHA_VANTAGE_PRIORITY", "priority", "lower is asked first", kind="alphavantage"),
    EnvironmentName(
        "ALPHA_VANTAGE_RATE_LIMIT", "rate_limit", "requests a minute", kind="alphavantage", also=_PER_MINUTE
    ),
    EnvironmentName("YAHOO_FINANCE_ENABLED", "enabled", "true or false", kind="yahoo"),
    EnvironmentName("YAHOO_FINANCE_PRIORITY", "priority", "lower is asked first", kind="yahoo"),
    EnvironmentName(
        "YAHOO_FINANCE_RATE_LIMIT", "rate_limit", "requests a minute", kind="yahoo", also=_PER_MINUTE
    ),
    EnvironmentName("DATA_SOURCE_FAILOVER_ENABLED", "failover_enabled", "true or false", section="engine"),
    EnvironmentName(
        "DATA_SOURCE_TIMEOUT",
        "attempt_timeout_s",
        "seconds for one attempt, for sources that set no timeout_s",
        section="engine",
    ),
    EnvironmentName(
        "DATA_SOURCE_HEALTH_CHECK_INTERVAL", "interval_s", "seconds between active checks", section="health"
    ),
    EnvironmentName(
        "DATA_SOURCE_MAX_RETRIES",
        "attempts",
        "rounds after the first, once all sources of the route have failed",
        section="retry",
    ),
)


def overlay(document: dict[str, Any], environ: Mapping[str, str]) -> dict[Path, str]:
    """Set in the document what the environment names say; returns the name behind each value.

    A name that is set to nothing counts as unset.
    """
    origins: dict[Path, str] = {}
    for entry in ENVIRONMENT_NAMES:
        value = environ.get(entry.name, "").strip()
        if not value:
            continue
        places = [(entry.section,)] if entry.section else _sources_of(document, entry)
        for place in places:
            table = document
            for part in place:
                table = table.setdefault(part, {})
            for field, text in ((entry.setting, value), *entry.also):
                table[field] = text
                origins[(*place, field)] = entry.name
    return origins


def _sources_of(document: Mapping[str, Any], entry: EnvironmentName) -> list[Path]:
    sources = document.get("sources")
    tables = sources if isinstance(sources, dict) else {}
    same_kind = {
        name: table
        for name, table in tables.items()
        if isinstance(table, dict) and table.get("kind") == entry.kind
    }
    return [
        ("sources", name)
        for name, table in same_kind.items()
        if len(same_kind) == 1 or entry.setting not in table
    ]
