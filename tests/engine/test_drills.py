"""Every drill passes."""

import pytest
from mds_engine.drills import SCENARIOS, UnknownDrillError, run, run_all, runner
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


def test_every_drill_is_there():
    assert tuple(SCENARIOS) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_the_drill_passes(name):
    card = await run(name, find_plugins(), seed=7)
    assert card.verdict == "pass", "\n".join(
        f"{check.name}: {check.value} (allowed {check.limit})" for check in card.checks if not check.ok
    )
    assert (card.scenario, card.seed) == (name, 7)
    assert card.checks
    assert card.calls.total == card.calls.ok + card.calls.failed > 0
    assert card.timeline


async def test_all_run_side_by_side_and_each_is_handed_on_when_it_is_done(monkeypatch):
    few = ("stream-cut", "throttled", "slow-reader")
    monkeypatch.setattr(runner, "SCENARIOS", {name: SCENARIOS[name] for name in few})
    done = []
    cards = await run_all(find_plugins(), seed=3, done=done.append)
    assert [(card.scenario, card.seed) for card in cards] == [(name, 3) for name in few]
    assert sorted(card.scenario for card in done) == sorted(few)


async def test_an_unknown_drill_is_named_with_those_there_are():
    with pytest.raises(UnknownDrillError, match="known are primary-down"):
        await run("nonsense", {})
