"""A call goes to the next source at once when one cannot answer, and says why."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from mds_engine.control import events
from mds_engine.errors import (
    AllSourcesFailedError,
    AuthRequired,
    InvalidPayload,
    InvalidRequest,
    NotFound,
    QuotaExhausted,
    Throttled,
    Unavailable,
    UnknownSourceError,
)
from mds_engine.model import Verdict

FAILURES = {
    "Unavailable": lambda: Unavailable("refused"),
    "Throttled": lambda: Throttled("slow down", retry_after_s=60.0),
    "AuthRequired": lambda: AuthRequired("token expired"),
    "QuotaExhausted": lambda: QuotaExhausted("used up"),
    "InvalidPayload": lambda: InvalidPayload("not JSON"),
    "NotFound": lambda: NotFound("unknown"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_every_class_of_failure_goes_to_the_next_source_at_once(virtually, fake_desk, kind):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = FAILURES[kind]
            began = clock.now()
            quote = await desk.quote()
            return quote, clock.now() - began, len(desk["a"].asked), desk.permits

    quote, took_s, asked, permits = virtually(scene)
    assert quote.source == "b"
    assert [(step.source, step.verdict, step.error) for step in quote.decision.steps] == [
        ("a", Verdict.FAILED, kind),
        ("b", Verdict.TAKEN, ""),
    ]
    assert took_s == pytest.approx(0.02, abs=0.005)
    assert (asked, permits) == (1, 0)


def test_a_callers_mistake_is_raised_and_hurts_nobody(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = lambda: InvalidRequest("no such interval")
            for _ in range(50):
                with pytest.raises(InvalidRequest, match="no such interval"):
                    await desk.quote()
            runtime = desk.engine.sources["a"]
            return desk.state("a"), runtime.health.success_rate(clock.now()), desk["b"].asked, desk.permits

    assert virtually(scene) == ("closed", 1.0, [], 0)


@pytest.mark.parametrize("text", ["RELIANCE", "X:", ":ONE", ""])
def test_what_is_no_instrument_is_refused_before_anyone_is_asked(virtually, fake_desk, text):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            with pytest.raises(InvalidRequest):
                await desk.engine.quote(text)
            return desk["a"].asked

    assert virtually(scene) == []


def test_an_empty_answer_is_no_success(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].unknown = {"ONE"}
            quote = await desk.quote()
            return quote.source, quote.decision.steps[0].error, desk.state("a")

    assert virtually(scene) == ("b", "NotFound", "closed")


@pytest.mark.parametrize("price", [float("nan"), float("inf")])
def test_a_price_that_is_no_number_is_an_invalid_payload(virtually, fake_desk, price):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].price = price
            quotes = [await desk.quote() for _ in range(5)]
            return {quote.source for quote in quotes}, quotes[0].decision.steps[0].error, desk.state("a")

    assert virtually(scene) == ({"b"}, "InvalidPayload", "open")


@pytest.mark.parametrize("bug", [KeyError("price"), TimeoutError("its own"), RuntimeError("loop")])
def test_a_bug_of_an_adapter_counts_against_it_and_is_logged(virtually, fake_desk, caplog, bug):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = lambda: bug
            quotes = [await desk.quote() for _ in range(5)]
            return quotes[0], desk.state("a")

    quote, state = virtually(scene)
    assert quote.source == "b"
    assert quote.decision.steps[0].error == "InvalidPayload"
    assert type(bug).__name__ in quote.decision.steps[0].why
    assert "adapter_bug" in caplog.text
    assert state == "open"


def test_an_answer_about_something_else_is_no_answer(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            source = desk.engine.sources["a"].source
            honest = source.quotes

            async def about_another(instruments):
                return await honest([instruments[0]._replace(symbol="OTHER")])

            source.quotes = about_another
            return (await desk.quote()).source

    assert virtually(scene) == "b"


def test_an_error_names_every_attempt_and_when_to_try_again(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            desk["a"].fails = lambda: Throttled("slow down", retry_after_s=90.0)
            desk["b"].fails = lambda: QuotaExhausted("used up", resets_at=clock.wall() + 40.0)
            desk["c"].fails = lambda: AuthRequired("token expired")
            error = await desk.failure()
            again = await desk.failure()
            return error, error.retry_at - clock.wall(), again, again.retry_at - clock.wall()

    error, due_in_s, again, still_due_in_s = virtually(scene)
    assert isinstance(error, AllSourcesFailedError)
    assert [step.source for step in error.decision.steps] == ["a", "b", "c"]
    assert all(name in str(error) for name in ("slow down", "used up", "token expired"))
    assert due_in_s == pytest.approx(40.0, abs=1.0)
    assert {step.verdict for step in again.decision.steps} == {Verdict.SKIPPED}
    assert still_due_in_s == pytest.approx(40.0, abs=1.0)


def test_a_ban_is_told_as_the_time_to_try_again(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "a") as desk:
            desk["a"].fails = lambda: Throttled("banned", retry_after_s=600.0, banned=True)
            await desk.failure()
            error = await desk.failure()
            return error.retry_at - clock.wall(), len(desk["a"].asked), desk.state("a")

    due_in_s, asked, state = virtually(scene)
    assert due_in_s == pytest.approx(600.0, abs=1.0)
    assert (asked, state) == (1, "closed")


def test_when_only_a_login_helps_nobody_can_tell_when_to_try_again(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].fails = desk["b"].fails = lambda: AuthRequired("token expired")
            return (await desk.failure()).retry_at, (await desk.failure()).retry_at

    assert virtually(scene) == (None, None)


def test_what_nobody_knows_is_not_worth_another_try(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].unknown = desk["b"].unknown = {"NOSUCH"}
            return (await desk.failure("NOSUCH")).retry_at

    assert virtually(scene) is None


def test_a_source_can_be_forced_for_one_call(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            quote = await desk.quote(source="c")
            desk["c"].break_down()
            error = await desk.failure(source="c")
            with pytest.raises(UnknownSourceError, match="known are a, b, c"):
                await desk.quote(source="nobody")
            return quote.source, [step.source for step in error.decision.steps], desk["a"].asked

    assert virtually(scene) == ("c", ["c"], [])


def test_a_forced_call_does_not_move_the_route(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            for vendor in desk.vendors.values():
                vendor.takes_s = 0.001
            desk["a"].break_down()
            for _ in range(5):
                await desk.failure(source="a")
            await desk.quote(source="c")
            await clock.sleep(0.5)
            return [(event.before, event.after) for event in desk.told(events.FailedOver)]

    assert virtually(scene) == [("a", "b")]


def test_identical_requests_at_the_same_time_share_one_call(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            quotes = await asyncio.gather(*(desk.quote() for _ in range(40)), desk.quote("TWO"))
            end = datetime(2026, 1, 2, tzinfo=UTC)
            span = ("X:ONE", "1d", end - timedelta(days=1), end)
            await asyncio.gather(*(desk.engine.fetch_bars(*span) for _ in range(40)))
            return len(desk["a"].asked), {quote.decision.number for quote in quotes[:40]}

    asked, decisions = virtually(scene)
    assert asked == 3
    assert len(decisions) == 1


def test_bars_say_where_they_came_from(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].break_down()
            end = datetime(2026, 1, 2, tzinfo=UTC)
            answer = await desk.engine.fetch_bars("X:ONE", "1d", end - timedelta(days=1), end)
            frame = answer.to_frame()
            with pytest.raises(InvalidRequest, match="time zone"):
                await desk.engine.fetch_bars("X:ONE", "1d", datetime(2026, 1, 1), end)  # noqa: DTZ001
            with pytest.raises(InvalidRequest, match="not before"):
                await desk.engine.fetch_bars("X:ONE", "1d", end, end)
            return frame

    frame = virtually(scene)
    assert frame.attrs["source"] == "b"
    assert [step.source for step in frame.attrs["decision"].steps] == ["a", "b"]


# --- Many instruments at once ---------------------------------------------------------------------------


def test_what_the_first_source_lacks_is_asked_of_the_next(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock, "abc") as desk:
            desk["a"].unknown = {"TWO", "THREE", "FOUR"}
            desk["b"].unknown = {"THREE", "FOUR"}
            desk["c"].unknown = {"FOUR"}
            quotes = await desk.engine.quotes(["X:ONE", "X:TWO", "X:THREE", "X:FOUR"])
            return {name: quote.source for name, quote in quotes.items()}, desk["c"].subjects

    found, asked_of_c = virtually(scene)
    assert found == {"X:ONE": "a", "X:TWO": "b", "X:THREE": "c"}
    assert asked_of_c == [("X:THREE", "X:FOUR")]


def test_a_missing_instrument_wakes_no_source_that_is_out(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["b"].break_down()
            for _ in range(5):
                await desk.failure(source="b")
            asked = len(desk["b"].asked)
            desk["a"].unknown = {"TWO"}
            for _ in range(5):
                await clock.sleep(2.0)
                await desk.engine.quotes(["X:ONE", "X:TWO"])
            return (
                desk.state("b"),
                len(desk["b"].asked) - asked,
                desk.engine.snapshot().route("X/quote").failures,
            )

    state, asked, failures = virtually(scene)
    assert (state, asked) == ("open", 0)
    assert failures == 5, "the five forced calls, and no more"


def test_many_quotes_fail_only_if_nothing_was_found(virtually, fake_desk):
    async def scene(clock):
        async with fake_desk(clock) as desk:
            desk["a"].unknown = desk["b"].unknown = {"NOSUCH"}
            with pytest.raises(AllSourcesFailedError):
                await desk.engine.quotes(["X:NOSUCH"])
            return sorted(await desk.engine.quotes(["X:NOSUCH", "X:ONE", "Y:ELSEWHERE"]))

    assert virtually(scene) == ["X:ONE"]
