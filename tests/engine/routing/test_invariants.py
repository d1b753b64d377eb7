"""DESIGN's first three rules and every permit, under random faults, callers and operators."""

import asyncio
import random

import pytest
from mds_engine.config.schema import EngineSettings
from mds_engine.control import commands
from mds_engine.control.commands import ForcedState
from mds_engine.errors import (
    AllSourcesFailedError,
    AuthRequired,
    InvalidPayload,
    InvalidRequest,
    MdsError,
    NotFound,
    QuotaExhausted,
    Throttled,
    Unavailable,
)
from mds_engine.model import Verdict
from mds_engine.policy.breaker import BreakerSettings, BreakerState
from mds_engine.policy.health import HealthSettings
from mds_engine.policy.hedging import HedgeSettings
from mds_engine.policy.limiter import LimitWindow
from mds_engine.policy.retry import RetrySettings

DEADLINE_S = 4.0
SLACK_S = 0.01

FAULTS = (
    lambda: Unavailable("down"),
    lambda: Unavailable("refused", unreachable=True),
    lambda: InvalidPayload("garbage"),
    lambda: NotFound("unknown"),
    lambda: InvalidRequest("the caller's mistake"),
    lambda: Throttled("slow down", retry_after_s=3.0),
    lambda: Throttled("slow down"),
    lambda: Throttled("banned", retry_after_s=20.0, banned=True),
    lambda: AuthRequired("token expired"),
    lambda: QuotaExhausted("used up", resets_at=None),
    lambda: KeyError("a bug"),
)


class Desk:
    """A desk of three sources with random faults, and the books that the rules are held against."""

    def __init__(self, desk, clock, seed):
        self.desk = desk
        self.clock = clock
        self.random = random.Random(seed)
        self.broken = []
        self.outcomes = {"answered": 0, "failed": 0, "refused": 0, "cancelled": 0}
        for vendor in desk.vendors.values():
            self._guard(vendor)

    def _guard(self, vendor):
        """Look at the breakers at the moment at which a call reaches the vendor."""
        honest = vendor.answer
        runtime = self.desk.engine.sources[vendor.name]
        unit = next(iter(runtime.units.values()))

        async def answer(subjects):
            for breaker in (runtime.whole, unit.breaker):
                state = breaker.state(self.clock.now())
                if state in (BreakerState.OPEN, BreakerState.FORCED_OPEN):
                    self.broken.append(f"a call reached {vendor.name}, whose breaker is {state}")
                if state is BreakerState.HALF_OPEN and breaker.in_flight > breaker.settings.half_open_probes:
                    self.broken.append(f"{breaker.in_flight} probes of {vendor.name} are in flight")
            if "disabled" in runtime.blocks:
                self.broken.append(f"a call reached {vendor.name}, which is disabled")
            await honest(subjects)

        vendor.answer = answer

    async def weather(self):
        """Faults come and go."""
        while True:
            await self.clock.sleep(self.random.expovariate(0.5))
            vendor = self.random.choice(list(self.desk.vendors.values()))
            what = self.random.random()
            vendor.recover()
            if what < 0.4:
                vendor.fails = vendor.check_fails = self.random.choice(FAULTS)
            elif what < 0.55:
                vendor.hangs = True
            vendor.takes_s = self.random.choice((0.001, 0.01, 0.3, 1.5))

    async def operator(self):
        """Somebody plays with the keys."""
        while True:
            await self.clock.sleep(self.random.expovariate(0.2))
            source = self.random.choice("abc")
            await self.desk.engine.apply(
                self.random.choice(
                    (
                        commands.FailOver(route="X/quote"),
                        commands.Pin(route="X/quote", source=source, ttl_s=3.0),
                        commands.Unpin(route="X/quote"),
                        commands.ForceBreaker(source=source, state=ForcedState.OPEN, ttl_s=4.0),
                        commands.ForceBreaker(source=source, state=ForcedState.AUTOMATIC),
                        commands.ResetBreaker(source=source),
                        commands.EnableSource(source=source, enabled=False),
                        commands.EnableSource(source=source, enabled=True),
                        commands.EnableSource(source=source, enabled=True),
                        commands.SetPriority(route="X/quote", sources=("b", "c", "a")),
                    )
                )
            )

    async def caller(self, number):
        """Asks again and again; goes away now and then."""
        for _ in range(25):
            await self.clock.sleep(self.random.expovariate(1.0))
            symbol = f"S{self.random.randrange(12)}"
            deadline_s = self.random.choice((None, None, 0.05, 1.0))
            only = self.random.choice((None, None, None, "b"))
            call = asyncio.create_task(self._ask(symbol, deadline_s, only))
            if number % 4 == 0:
                await self.clock.sleep(self.random.random())
                call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            if not call.cancelled() and call.exception() is not None:
                self.broken.append(f"a caller got {call.exception()!r}")

    async def _ask(self, symbol, deadline_s, only):
        began = self.clock.now()
        try:
            quote = await self.desk.quote(symbol, source=only, deadline_s=deadline_s)
        except AllSourcesFailedError as error:
            self.outcomes["failed"] += 1
            if any(step.verdict is Verdict.TAKEN for step in error.decision.steps):
                self.broken.append("a decision without an answer names a source that answered")
        except InvalidRequest:
            self.outcomes["refused"] += 1
        except asyncio.CancelledError:
            self.outcomes["cancelled"] += 1
            raise
        except MdsError as error:
            self.broken.append(f"a caller got {error!r}")
        else:
            self.outcomes["answered"] += 1
            taken = [step.source for step in quote.decision.steps if step.verdict is Verdict.TAKEN]
            if taken != [quote.source] or quote.decision.source != quote.source:
                self.broken.append(f"{quote.source} answered, the decision says {taken}")
            if quote.price != self.desk[quote.source].price:
                self.broken.append(f"the answer of {quote.source} is another's")
        took_s = self.clock.now() - began
        if took_s > (DEADLINE_S if deadline_s is None else deadline_s) + SLACK_S:
            self.broken.append(f"a call took {took_s} s")


@pytest.mark.parametrize("seed", range(16))
def test_the_rules_hold_whatever_happens(virtually, fake_desk, seed):
    async def scene(clock):
        desk = fake_desk(
            clock,
            "abc",
            seed=seed,
            engine=EngineSettings(state_path=":memory:", deadline_s=DEADLINE_S),
            health=HealthSettings(interval_s=5.0, doubt_interval_s=1.0),
            breaker=BreakerSettings(open_s=3.0, open_cap_s=12.0),
            retry=RetrySettings(),
            hedging=HedgeSettings(share=0.5),
            exchange={"hedge": bool(seed % 2)},
            traits={"a": {"windows": (LimitWindow(3, 1.0),)}, "b": {"capabilities": ("quote",)}},
        )
        for index, vendor in enumerate(desk.vendors.values()):
            vendor.price = 100.0 + index
        async with desk:
            books = Desk(desk, clock, seed)
            beside = [asyncio.create_task(books.weather()), asyncio.create_task(books.operator())]
            broken = asyncio.create_task(desk.engine.wait_broken())
            await asyncio.gather(*(books.caller(number) for number in range(20)))
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            for vendor in desk.vendors.values():
                vendor.recover()
                vendor.takes_s = 0.001
            await clock.sleep(60.05)
            died = broken.done()
            broken.cancel()
            return (
                books,
                died,
                desk.permits,
                [vendor.in_flight for vendor in desk.vendors.values()],
                desk["a"].asked,
            )

    books, died, permits, in_flight, asked = virtually(scene)
    assert books.broken == []
    assert not died
    assert permits == 0
    assert in_flight == [0, 0, 0]
    assert min(books.outcomes[kind] for kind in ("answered", "failed", "cancelled")) > 0
    assert max(sum(start <= at < start + 1.0 for at in asked) for start in asked) <= 3
