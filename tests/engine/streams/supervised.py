"""A supervisor of one fake source, for tests of how it keeps its stream."""

from random import Random

from mds_engine.model import Capability, Instrument
from mds_engine.policy.breaker import BreakerSettings
from mds_engine.policy.reconnect import ReconnectBackoff, ReconnectSettings
from mds_engine.streams.supervisor import StreamSupervisor

PATIENT = BreakerSettings(consecutive_failures=1000, failure_rate=0.0)
"""Breakers that leave the pace to the backoff alone."""


def some(symbols, exchange="X"):
    return frozenset(Instrument(exchange, symbol) for symbol in symbols)


def symbols(stream):
    return "".join(sorted(instrument.symbol for instrument in stream.subscribed))


class Supervised:
    """A supervisor of one fake source, and all that it told."""

    def __init__(self, clock, desk, told, settings, open_exchanges):
        self.clock = clock
        self.vendor = desk["a"]
        self.runtime = desk.engine.sources["a"]
        self.unit = self.runtime.units[Capability.TICKS]
        self.events = told
        self.delivered = []
        self.lost = []
        self.mute = []
        self.open_exchanges = open_exchanges
        random = Random(1)
        self.supervisor = StreamSupervisor(
            self.runtime,
            self.unit,
            settings,
            lambda: ReconnectBackoff(ReconnectSettings(), random),
            clock=clock,
            emit=told.append,
            deliver=lambda _, ticks: self.delivered.extend(ticks),
            on_lost=lambda _, instruments, why: self.lost.append((instruments, why)),
            on_mute=lambda _, instruments, why: self.mute.append((instruments, why)),
            is_open=lambda exchange, _: exchange in self.open_exchanges,
        )

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    async def pump(self, for_s, every_s=0.1, only=None, price=1.0):
        """Let every open stream deliver for a while."""
        for _ in range(round(for_s / every_s)):
            for stream in self.vendor.open_streams:
                stream.push(price, only)
            await self.clock.sleep(every_s)
