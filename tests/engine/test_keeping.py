"""What was acknowledged outlasts the process: a new engine on the same file takes it up."""

import pytest
from mds_engine.clock import SystemClock
from mds_engine.control import commands, events
from mds_engine.control.commands import ForcedState
from mds_engine.errors import QuotaExhausted, Throttled
from mds_engine.keeping import standing
from mds_engine.policy.limiter import LimitWindow


@pytest.fixture
def desks(fake_desk, tmp_path):
    """Makes one desk after the other on the same state file."""

    def make(names="abc", **more):
        return fake_desk(SystemClock(), names, state_path=str(tmp_path / "state.sqlite"), **more)

    return make


def told(desk, kind):
    return [event for event in desk.engine.events() if isinstance(event, kind)]


async def test_a_ban_holds_over_a_restart(desks):
    async with desks() as desk:
        desk["a"].fails = lambda: Throttled("banned", retry_after_s=3600.0, banned=True)
        assert (await desk.quote()).source == "b"
    async with desks() as desk:
        quote = await desk.quote()
        assert quote.source == "b"
        assert desk["a"].asked == []
        assert desk.engine.snapshot().source("a").why.startswith("banned for 3")


async def test_used_calls_hold_over_a_restart(desks):
    plan = {"a": {"calls_per_day": 5, "cost_per_call": "0.25"}}
    async with desks(sources=plan) as desk:
        for number in range(3):
            assert (await desk.quote(f"S{number}")).source == "a"
    async with desks(sources=plan) as desk:
        source = desk.engine.snapshot().source("a")
        assert (source.meters[0].used, source.money[0].today) == (3, "0.75")
        sources = [(await desk.quote(f"S{number}")).source for number in range(4)]
        assert sources == ["a", "a", "b", "b"]
    async with desks(sources=plan) as desk:
        assert (await desk.quote()).source == "b"
        assert desk["a"].asked == []


async def test_a_plan_that_the_vendor_called_spent_is_spent_after_a_restart_too(desks):
    plan = {"a": {"calls_per_day": 500}}
    async with desks(sources=plan) as desk:
        desk["a"].fails = lambda: QuotaExhausted("used up elsewhere")
        assert (await desk.quote()).source == "b"
    async with desks(sources=plan) as desk:
        assert (await desk.quote()).source == "b"
        assert desk["a"].asked == []


async def test_standing_words_hold_with_the_time_that_is_left(desks):
    async with desks() as desk:
        for command in (
            commands.Pin(route="X/quote", source="c", ttl_s=600.0, why="rehearsal"),
            commands.SetPriority(route="X/bars", sources=("b", "a", "c")),
            commands.ForceBreaker(source="b", state=ForcedState.OPEN, capability="bars", ttl_s=None),
            commands.EnableSource(source="a", enabled=False),
            commands.SetRateLimit(source="b", limit=7, window_s=1.0),
        ):
            assert (await desk.engine.apply(command)).accepted
    async with desks() as desk:
        picture = desk.engine.snapshot()
        pinned = picture.route("X/quote")
        assert (pinned.pinned, pinned.pin_why) == ("c", "rehearsal")
        assert 500.0 < pinned.pinned_for_s <= 600.0
        assert picture.route("X/bars").sources == ("b", "a", "c")
        assert desk.state("b", "bars") == "forced-open"
        assert not picture.source("a").enabled
        assert picture.source("b").limiters[0].limit == 7
        messages = [event.message for event in told(desk, events.CommandApplied)]
        assert len(messages) == 5
        assert all(message.startswith("kept over the restart: ") for message in messages)


def reverses(desk):
    """Of what was told as applied, as far as it can be taken back."""
    return [event.reverse for event in told(desk, events.CommandApplied) if event.reverse is not None]


async def test_standing_words_are_told_in_their_order_with_what_takes_them_back(desks):
    async with desks() as desk:
        for command in (
            commands.SetPriority(route="X/bars", sources=("b", "a", "c")),
            commands.EnableSource(source="c", enabled=False),
            commands.SetPriority(route="X/bars", sources=("c", "b", "a")),
            commands.Pin(route="X/quote", source="b", ttl_s=600.0),
        ):
            assert (await desk.engine.apply(command)).accepted
    async with desks() as desk:
        kept = reverses(desk)
        assert kept == [
            commands.EnableSource(source="c", enabled=True),
            commands.SetPriority(route="X/bars", sources=("b", "a", "c")),
            commands.Unpin(route="X/quote"),
        ]
        for reverse in reversed(kept):
            assert (await desk.engine.apply(reverse)).accepted
    async with desks() as desk:
        assert reverses(desk) == [], "what was taken back is not offered again"
        picture = desk.engine.snapshot()
    assert picture.route("X/quote").pinned is None
    assert picture.route("X/bars").sources == ("b", "a", "c")
    assert picture.source("c").enabled


async def test_what_was_taken_back_stays_so(desks):
    async with desks() as desk:
        for command in (
            commands.Pin(route="X/quote", source="c", ttl_s=None),
            commands.Unpin(route="X/quote"),
            commands.EnableSource(source="a", enabled=False),
            commands.EnableSource(source="a", enabled=True),
            commands.ForceBreaker(source="b", state=ForcedState.OPEN, ttl_s=None),
            commands.ForceBreaker(source="b", state=ForcedState.AUTOMATIC),
        ):
            assert (await desk.engine.apply(command)).accepted
    async with desks() as desk:
        assert desk.engine.snapshot().route("X/quote").pinned is None
        assert desk.engine.snapshot().source("a").enabled
        assert desk.state("b") == "closed"


ONE_THEN_ALL = {
    "force one, reset all": (
        commands.ForceBreaker(source="b", state=ForcedState.OPEN, capability="quote", ttl_s=None),
        commands.ResetBreaker(source="b"),
    ),
    "force one, all automatic": (
        commands.ForceBreaker(source="b", state=ForcedState.OPEN, capability="quote", ttl_s=None),
        commands.ForceBreaker(source="b", state=ForcedState.AUTOMATIC),
    ),
    "force all, one automatic": (
        commands.ForceBreaker(source="b", state=ForcedState.OPEN, ttl_s=None),
        commands.ForceBreaker(source="b", state=ForcedState.AUTOMATIC, capability="quote"),
    ),
}


@pytest.mark.parametrize("name", ONE_THEN_ALL)
async def test_a_word_about_one_breaker_and_one_about_all_add_up_after_a_restart_too(desks, name):
    async with desks() as desk:
        for command in ONE_THEN_ALL[name]:
            assert (await desk.engine.apply(command)).accepted
        forced = {key: desk.state("b", key) for key in ("quote", "bars", "ticks", "")}
    async with desks() as desk:
        for key, before in forced.items():
            assert (desk.state("b", key) == "forced-open") == (before == "forced-open"), key


async def test_a_time_to_live_that_ended_while_nothing_ran_is_over(desks, monkeypatch):
    async with desks() as desk:
        await desk.engine.apply(commands.Pin(route="X/quote", source="c", ttl_s=0.05))
    later = desks()
    wall = later.clock.wall() + 1.0
    monkeypatch.setattr(type(later.clock), "wall", staticmethod(lambda: wall))
    async with later as desk:
        assert desk.engine.snapshot().route("X/quote").pinned is None


async def test_what_the_configuration_no_longer_has_is_passed_over(desks):
    async with desks("abc", sources={"c": {"calls_per_day": 5}}) as desk:
        await desk.engine.apply(commands.Pin(route="X/quote", source="c", ttl_s=None))
        await desk.engine.apply(commands.EnableSource(source="c", enabled=False))
        await desk.quote(source="a")
    async with desks("ab") as desk:
        assert (await desk.quote()).source == "a"


async def test_an_engine_without_its_store_runs_and_says_so(fake_desk, tmp_path):
    (tmp_path / "file").write_text("")
    async with fake_desk(SystemClock(), state_path=str(tmp_path / "file" / "state.sqlite")) as desk:
        assert (await desk.quote()).source == "a"
        assert desk.engine.snapshot().engine.trouble.startswith("nothing is kept over a restart: ")


def test_in_memory_nothing_is_kept_and_nothing_is_wrong(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, traits={"a": {"windows": (LimitWindow(5, 1.0),)}}) as desk:
            await desk.engine.apply(commands.Pin(route="X/quote", source="b", ttl_s=None))
            return desk.engine.snapshot().engine.trouble

    assert virtually(scene) == ""


def test_what_only_happens_once_leaves_nothing_standing():
    once = (
        commands.FailOver(route="X/quote"),
        commands.CheckHealth(source="a"),
        commands.Subscribe(instruments=("X:ONE",)),
        commands.Unsubscribe(instruments=("X:ONE",)),
    )
    assert [standing(command) for command in once] == [()] * 4
