"""How a drill on a running engine ends: early, with the engine, or with its source; and what is put back."""

import asyncio

import pytest
from mds_engine.control import events
from mds_engine.control.commands import EndDrill, ForceBreaker, ForcedState
from mds_engine.control.drill import DrillPhase
from mds_engine.errors import AuthRequired

from tests.engine.drills.rehearsed import keep_calling, line_of, scorecard, start_drill


def test_it_can_be_ended_early_and_then_its_recovery_too(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(keep_calling(desk))
            await desk.engine.apply(start_drill())
            await clock.sleep(6.0)
            first = await desk.engine.apply(EndDrill(by="ravi"))
            between = desk.engine.snapshot().drill.phase, desk.state("a", "")
            second = await desk.engine.apply(EndDrill(by="ravi"))
            card = await scorecard(desk)
            third = await desk.engine.apply(EndDrill(by="ravi"))
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return first, between, second, card, third, desk.state("a", "")

    first, between, second, card, third, state = virtually(scene)
    assert first.accepted
    assert between[0] is DrillPhase.RECOVERY
    assert between[1] != "closed"
    assert second.accepted
    assert not third.accepted
    assert card.ended == "ravi ended it"
    assert card.cleared_at - card.began_at == pytest.approx(6.0)
    assert "the source breaker of a was reset" in card.cleaned
    assert state == "closed"
    assert line_of(card, "well again after").ok


def test_it_ends_with_the_engine(virtually, desk_of) -> None:
    async def scene(clock):
        desk = desk_of(clock)
        async with desk:
            await desk.quote()
            real = desk.engine.sources["a"].source
            await desk.engine.apply(start_drill("login-ended"))
            await desk.quote()
            await clock.sleep(1.0)
        return desk.told(events.DrillEnded)[0].card, desk.engine.sources["a"].source is real

    card, is_real = virtually(scene)
    assert card.ended == "the engine was stopped"
    assert is_real


def test_a_login_that_is_really_needed_stays_needed(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(start_drill("slow"))
            desk["a"].fails = desk["a"].check_fails = lambda: AuthRequired("the token has expired")
            await desk.quote()
            await clock.sleep(1.0)
            await desk.engine.apply(EndDrill())
            await desk.engine.apply(EndDrill())
            await scorecard(desk)
            return desk.engine.snapshot().source("a").state.value

    assert virtually(scene) == "login needed"


def test_an_operators_word_on_a_breaker_outlasts_it(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(keep_calling(desk))
            await desk.engine.apply(start_drill("errors"))
            await clock.sleep(5.0)
            await desk.engine.apply(
                ForceBreaker(source="a", capability="quote", state=ForcedState.OPEN, ttl_s=None)
            )
            await scorecard(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return desk.state("a")

    assert "forced" in virtually(scene)


def test_a_vendor_that_stays_ill_fails_the_drill(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            calling = asyncio.create_task(keep_calling(desk))
            await desk.engine.apply(start_drill())
            await clock.sleep(5.0)
            desk["a"].break_down()
            card = await scorecard(desk)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            return card

    card = virtually(scene)
    assert card.verdict == "fail"
    assert [check.name for check in card.checks if not check.ok] == ["well again after"]
    assert card.cleaned


def test_it_ends_when_its_source_is_let_go(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            runtime = desk.engine.sources["a"]
            real = runtime.source
            await desk.engine.apply(start_drill())
            await clock.sleep(2.0)
            del desk.engine.sources["a"]
            card = await scorecard(desk)
            desk.engine.sources["a"] = runtime
            return card, runtime.source is real, clock.now()

    card, is_real, at = virtually(scene)
    assert card.ended == "its source was let go, or made anew"
    assert is_real
    assert at < 5.0


@pytest.mark.parametrize(
    ("scenario", "cleaned"),
    [
        ("login-ended", "a needs no login any more"),
        ("throttled", "a may be asked again at once"),
        ("errors", "the quote breaker of a was reset"),
    ],
)
def test_what_could_not_heal_is_put_back_by_hand(virtually, desk_of, scenario: str, cleaned: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            for _ in range(5):
                await desk.quote()
            await desk.engine.apply(start_drill(scenario))
            for _ in range(6):
                await desk.quote()
            await desk.engine.apply(EndDrill())
            await desk.engine.apply(EndDrill())
            card = await scorecard(desk)
            return card, (await desk.quote(source="a")).source, desk.state("a")

    card, answers, state = virtually(scene)
    assert cleaned in card.cleaned
    assert (answers, state) == ("a", "closed")
