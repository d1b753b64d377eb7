"""Every drill passes."""

import asyncio

import pytest
from mds_engine.drills import SCENARIOS, UnknownDrillError, run, run_all
from mds_engine.sources.plugins import find_plugins

NAMES = (
    "primary-down",
    "primary-hangs",
    "primary-5xx",
    "throttled",
    "banned",
    "token-expired",
    "garbage",
    "slow",
    "flapping",
    "quota-spent",
    "bad-symbol",
    "all-down",
    "stream-cut",
    "stream-mute",
    "instrument-mute",
    "stream-duplicates",
    "stream-reordered",
    "stream-gap",
    "wrong-price",
    "frozen-price",
    "slow-reader",
    "reconnect-storm",
    "day-cut",
)


@pytest.fixture(scope="module")
def scorecards():
    """All drills, run side by side once."""
    return {card.scenario: card for card in asyncio.run(run_all(find_plugins(), seed=7))}


def test_every_drill_is_there():
    assert tuple(SCENARIOS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_drill_passes(scorecards, name):
    card = scorecards[name]
    assert card.verdict == "pass", "\n".join(
        f"{check.name}: {check.value} (allowed {check.limit})" for check in card.checks if not check.ok
    )
    assert card.seed == 7
    assert card.checks
    assert card.calls.total == card.calls.ok + card.calls.failed > 0
    assert card.timeline


async def test_an_unknown_drill_is_named_with_those_there_are():
    with pytest.raises(UnknownDrillError, match="known are primary-down"):
        await run("nonsense", {})
