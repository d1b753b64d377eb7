"""Which drills on a running engine do not begin, and what must be accepted first."""

import pytest
from mds_engine.control.commands import EnableSource, FailOver, ForceBreaker, ForcedState, Pin, StartDrill

from tests.engine.drills.rehearsed import line_of, scorecard, start_drill


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (start_drill("nonsense"), "no drill 'nonsense'; known are refused, hangs"),
        (start_drill(target="z"), "no source 'z'; known are a, b"),
        (start_drill(target="Y/quote"), "no route 'Y/quote'"),
        (StartDrill(scenario="refused", target="a", duration_s=0.5), "from 1 s to 3600 s"),
    ],
)
def test_it_says_why_it_does_not_begin(virtually, desk_of, command: StartDrill, why: str) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.quote()
            return await desk.engine.apply(command), desk.engine.snapshot().drill

    result, drill = virtually(scene)
    assert not result.accepted
    assert why in result.message
    assert drill is None


def test_one_at_a_time(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(start_drill())
            return await desk.engine.apply(start_drill(target="b"))

    result = virtually(scene)
    assert not result.accepted
    assert "refused of a is under way" in result.message


def test_a_source_that_is_out_already_is_left_alone(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(EnableSource(source="a", enabled=False, why="maintenance"))
            disabled = await desk.engine.apply(start_drill())
            await desk.engine.apply(EnableSource(source="a"))
            await desk.engine.apply(ForceBreaker(source="a", state=ForcedState.OPEN))
            return disabled, await desk.engine.apply(start_drill())

    disabled, forced = virtually(scene)
    assert not disabled.accepted
    assert not forced.accepted
    assert "a is out already: disabled: maintenance" in disabled.message
    assert "breaker of a is forced open" in forced.message.replace("-", " ").replace("_", " ")


@pytest.mark.parametrize("forced", [True, False], ids=["forced onto it", "no other source"])
def test_what_would_be_lost_must_be_accepted(virtually, desk_of, forced: bool) -> None:
    async def scene(clock):
        async with desk_of(clock, "ab" if forced else "a") as desk:
            if forced:
                await desk.engine.apply(Pin(route="X/quote", source="a", ttl_s=None))
            await desk.quote()
            refused = await desk.engine.apply(start_drill("errors"))
            accepted = await desk.engine.apply(start_drill("errors", accept_loss=True))
            error = await desk.failure()
            return refused, accepted, error, await scorecard(desk)

    refused, accepted, error, card = virtually(scene)
    assert not refused.accepted
    assert "X/quote" in refused.message
    assert "--accept_loss true" in refused.message
    assert accepted.accepted
    assert "drill: answered 503" in str(error)
    assert line_of(card, "calls lost as accepted").value >= 1
    assert line_of(card, "calls failed").ok


def test_a_route_means_who_serves_it(virtually, desk_of) -> None:
    async def scene(clock):
        async with desk_of(clock) as desk:
            await desk.engine.apply(FailOver(route="X/quote"))
            await desk.engine.apply(start_drill(target="X/quote"))
            return desk.engine.snapshot().drill.target

    assert virtually(scene) == "b"
