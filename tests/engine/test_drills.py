"""Every drill passes."""

import asyncio

import pytest
import pytest_asyncio
from mds_engine.drills import SCENARIOS, UnknownDrillError, run, run_all, runner
from mds_engine.drills.scorecard import Scorecard
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
_SIDE_BY_SIDE = 6


def test_every_drill_is_there():
    assert tuple(SCENARIOS) == NAMES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rehearsed(request: pytest.FixtureRequest) -> dict[str, Scorecard | BaseException]:
    """The drills that are asked about, by name: each of them mostly waits, so they do it together."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [item.callspec.params["name"] for item in items if item.originalname == "test_the_drill_passes"]
    plugins, gate = find_plugins(), asyncio.Semaphore(_SIDE_BY_SIDE)

    async def rehearse(name: str) -> Scorecard:
        async with gate:
            return await run(name, plugins, seed=7)

    cards = await asyncio.gather(*map(rehearse, asked), return_exceptions=True)
    return dict(zip(asked, cards, strict=True))


@pytest.mark.xdist_group("drills")
@pytest.mark.parametrize("name", NAMES)
def test_the_drill_passes(rehearsed: dict[str, Scorecard | BaseException], name: str) -> None:
    card = rehearsed[name]
    if isinstance(card, BaseException):
        raise card
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
