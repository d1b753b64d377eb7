"""What an operator's word does, what it is answered with, and that its reverse restores what was."""

import asyncio

import msgspec
import pytest
from mds_engine.control import commands, events
from mds_engine.control.commands import ForcedState
from mds_engine.errors import AuthRequired, InvalidRequest, QuotaExhausted
from mds_engine.policy.limiter import LimitWindow


def look(desk):
    """What commands can change, as a snapshot shows it."""
    picture = desk.engine.snapshot()
    return {
        "routes": {route.key: (route.active, route.pinned, route.sources) for route in picture.routes},
        "breakers": {
            (source.name, view.capability): view.breaker.state
            for source in picture.sources
            for view in source.capabilities
        },
        "enabled": {source.name: source.enabled for source in picture.sources},
        "limits": {
            (source.name, view.window_s): view.limit for source in picture.sources for view in source.limiters
        },
        "watched": [row.instrument for row in picture.watch],
    }


REVERSIBLE = {
    "fail over": commands.FailOver(route="X/quote"),
    "fail over to": commands.FailOver(route="X/bars", to="c"),
    "pin": commands.Pin(route="X/quote", source="b", ttl_s=60.0),
    "set priority": commands.SetPriority(route="X/quote", sources=("c", "b", "a")),
    "force closed": commands.ForceBreaker(source="b", state=ForcedState.CLOSED, capability="quote"),
    "force all closed": commands.ForceBreaker(source="b", state=ForcedState.CLOSED),
    "disable": commands.EnableSource(source="b", enabled=False),
    "limit": commands.SetRateLimit(source="b", limit=3, window_s=1.0),
    "subscribe": commands.Subscribe(instruments=("X:ONE", "X:TWO")),
}


@pytest.mark.parametrize("name", REVERSIBLE)
def test_the_reverse_of_a_command_restores_what_was(virtually, fake_desk, name):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            before = look(desk)
            done = await desk.engine.apply(REVERSIBLE[name])
            changed = look(desk)
            undone = await desk.engine.apply(done.reverse)
            after = look(desk)
            redone = await desk.engine.apply(undone.reverse)
            return before, changed, after, (done.accepted, undone.accepted, redone.accepted), look(desk)

    before, changed, after, accepted, again = virtually(scene)
    assert accepted == (True, True, True)
    assert changed != before
    assert after == before
    assert again == changed, "and the reverse of the reverse does it again"


def test_the_reverse_of_a_forced_breaker_keeps_the_time_that_was_left(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=100.0))
            await clock.sleep(40.0)
            replaced = await desk.engine.apply(force("a", ForcedState.CLOSED, ttl_s=None))
            await desk.engine.apply(replaced.reverse)
            ended = await desk.engine.apply(force("a", ForcedState.AUTOMATIC))
            return replaced.reverse, ended.reverse

    for reverse in virtually(scene):
        assert reverse.state is ForcedState.OPEN
        assert reverse.ttl_s == pytest.approx(60.0, abs=0.5)


def test_what_one_breaker_was_forced_to_is_not_given_to_all_by_an_undo(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            for one in ("quote", "bars"):
                await desk.engine.apply(force("a", ForcedState.OPEN, capability=one))
            done = await desk.engine.apply(force("a", ForcedState.CLOSED, capability=None))
            await desk.engine.apply(done.reverse)
            mixed = desk.state("a"), desk.state("a", "")
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=60.0, capability=None))
            again = await desk.engine.apply(force("a", ForcedState.CLOSED, capability=None))
            return mixed, again.reverse

    mixed, reverse = virtually(scene)
    assert mixed == ("closed", "closed")
    assert (reverse.state, reverse.ttl_s) == (ForcedState.OPEN, 60.0)


def force(source, state, ttl_s=900.0, capability="quote"):
    return commands.ForceBreaker(source=source, state=state, ttl_s=ttl_s, capability=capability)


def test_a_forced_breaker_ends_by_itself_and_says_so(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=30.0))
            held = desk.state("a")
            view = desk.engine.snapshot().source("a").capabilities[0].breaker
            await clock.sleep(29.5)
            still = desk.state("a")
            await clock.sleep(0.7)
            return held, view.forced_for_s, still, desk.state("a"), desk.told(events.OverrideEnded)

    held, forced_for_s, still, after, ended = virtually(scene)
    assert (held, still) == ("forced-open", "forced-open")
    assert forced_for_s == pytest.approx(30.0, abs=0.2)
    assert after == "half-open", "what was forced open is probed before it is trusted"
    assert [(event.subject, event.capability) for event in ended] == [("a", "quote")]


def test_breakers_that_were_forced_together_end_in_one_event(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=30.0, capability=None))
            await clock.sleep(31.0)
            return desk.told(events.OverrideEnded)

    ended = virtually(scene)
    assert [(event.subject, event.capability) for event in ended] == [("a", "")]
    assert ended[0].why == "the time for which its breakers were forced is over"


def test_an_operators_later_word_outlives_the_time_of_an_earlier_one(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=30.0))
            await desk.engine.apply(force("a", ForcedState.CLOSED, ttl_s=None))
            await desk.engine.apply(commands.Pin(route="X/quote", source="b", ttl_s=30.0))
            await desk.engine.apply(commands.Pin(route="X/quote", source="b", ttl_s=None))
            await clock.sleep(60.0)
            return (
                desk.state("a"),
                desk.engine.snapshot().route("X/quote").pinned,
                desk.told(events.OverrideEnded),
            )

    assert virtually(scene) == ("forced-closed", "b", [])


@pytest.mark.parametrize("capability", [None, "quote"])
def test_a_reset_closes_what_was_open_or_forced(virtually, fake_desk, capability):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down("refused", unreachable=capability is None)
            for _ in range(5):
                await desk.failure(source="a")
            out = desk.engine.snapshot().source("a").breaker.state
            await desk.engine.apply(commands.ResetBreaker(source="a", capability=capability))
            reset = desk.state("a"), desk.state("a", "")
            await desk.engine.apply(force("a", ForcedState.OPEN, ttl_s=5.0))
            await desk.engine.apply(commands.ResetBreaker(source="a", capability=capability))
            await clock.sleep(10.0)
            desk["a"].recover()
            return out, reset, desk.state("a"), (await desk.quote(source="a")).source

    assert virtually(scene) == ("open", ("closed", "closed"), "closed", "a")


def test_a_reset_lifts_a_login_and_a_spent_quota(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            sources = []
            for error in (AuthRequired("expired"), QuotaExhausted("used up")):
                desk["a"].fails = lambda error=error: error
                sources.append((await desk.quote()).source)
                desk["a"].recover()
                sources.append((await desk.quote()).source)
                await desk.engine.apply(commands.ResetBreaker(source="a"))
                sources.append((await desk.quote(source="a")).source)
            return sources

    assert virtually(scene) == ["b", "b", "a"] * 2


def test_a_disabled_source_is_asked_by_nobody_and_moves_its_routes(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            await desk.engine.apply(commands.EnableSource(source="a", enabled=False, why="upgrade"))
            answered = (await desk.quote()).source
            refused = (await desk.failure(source="a")).decision.steps[0].why
            return (
                answered,
                refused,
                desk.active(),
                desk["a"].asked,
                desk.engine.snapshot().source("a").state.value,
            )

    assert virtually(scene) == ("b", "disabled: upgrade", "b", [], "disabled")


def test_another_rate_limit_is_kept_to(virtually, fake_desk):
    async def scene(clock):
        traits = {"a": {"windows": (LimitWindow(100, 1.0),)}}
        async with fake_desk(clock, traits=traits) as desk:
            await desk.engine.apply(commands.SetRateLimit(source="a", limit=2, window_s=1.0))
            return [(await desk.quote(f"S{number}")).source for number in range(4)]

    assert virtually(scene) == ["a", "a", "b", "b"]


def test_a_health_check_on_demand_says_what_it_found(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            well = await desk.engine.apply(commands.CheckHealth(source="a"))
            desk["a"].break_down("refused")
            ill = await desk.engine.apply(commands.CheckHealth(source="a"))
            return well.message, ill.message, desk["a"].checks

    assert virtually(scene) == ("a answers", "a is not well: refused", 2)


REFUSED = {
    "unknown source": (commands.EnableSource(source="z", enabled=False), "there is no source 'z'"),
    "unknown route": (commands.Pin(route="Y/quote", source="a"), "there is no route 'Y/quote'"),
    "no route": (commands.Pin(route="nonsense", source="a"), "is not a route"),
    "not its source": (commands.Pin(route="X/quote", source="z"), "no source of X/quote"),
    "no time": (commands.Pin(route="X/quote", source="a", ttl_s=0.0), "above 0 seconds"),
    "no time for a breaker": (force("a", ForcedState.OPEN, ttl_s=-1.0), "above 0 seconds"),
    "already active": (commands.FailOver(route="X/quote", to="a"), "already"),
    "not pinned": (commands.Unpin(route="X/quote"), "automatic already"),
    "already enabled": (commands.EnableSource(source="a"), "in service already"),
    "not all sources": (commands.SetPriority(route="X/quote", sources=("a",)), "each source"),
    "one source twice": (commands.SetPriority(route="X/quote", sources=("a", "a")), "each source"),
    "no capability": (commands.ResetBreaker(source="a", capability="news"), "no capability 'news'"),
    "no group": (commands.SetRateLimit(source="a", limit=1, group="z"), "no limit group 'z'"),
    "no window": (commands.SetRateLimit(source="a", limit=1, window_s=7.0), "no window of 7 s"),
    "no limit": (commands.SetRateLimit(source="a", limit=0), "at least 1"),
    "no instrument": (commands.Subscribe(instruments=("nonsense",)), "not an instrument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_command_that_makes_no_sense_is_refused_in_words_and_changes_nothing(virtually, fake_desk, name):
    command, words = REFUSED[name]

    async def scene(clock):
        async with fake_desk(clock) as desk:
            before = look(desk)
            result = await desk.engine.apply(command)
            return result, look(desk) == before, [event.message for event in desk.told(events.CommandRefused)]

    result, same, told = virtually(scene)
    assert not result.accepted
    assert words in result.message
    assert same
    assert told == [result.message]


def test_a_source_that_is_out_cannot_take_over(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["b"].break_down("refused", unreachable=True)
            for _ in range(5):
                await desk.failure(source="b")
            to_it = await desk.engine.apply(commands.FailOver(route="X/quote", to="b"))
            to_any = await desk.engine.apply(commands.FailOver(route="X/quote"))
            return to_it.message, to_any.message

    to_it, to_any = virtually(scene)
    assert "b cannot take over X/quote: source breaker open" in to_it
    assert to_any == "no other source of X/quote can take over now"


def test_every_applied_command_is_told_with_its_reverse(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            for command in REVERSIBLE.values():
                if not isinstance(command, commands.FailOver):
                    signed = msgspec.structs.replace(command, by="asha", why="rehearsal")
                    assert (await desk.engine.apply(signed)).accepted
            return desk.told(events.CommandApplied)

    told = virtually(scene)
    assert len(told) == len(REVERSIBLE) - 2
    assert {(event.command.by, event.command.why) for event in told} == {("asha", "rehearsal")}
    assert all(event.reverse is not None and event.reverse.by == "asha" for event in told)


def test_an_instrument_that_a_source_refuses_ends_no_engine(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = lambda: InvalidRequest("no such symbol")
            broken = asyncio.create_task(desk.engine.wait_broken())
            await desk.engine.apply(commands.Subscribe(instruments=("X:ODD",)))
            await clock.sleep(5.0)
            ended = broken.done()
            broken.cancel()
            return ended

    assert virtually(scene) is False
