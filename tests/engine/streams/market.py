"""One truth behind the fake vendors of a desk, and what readers got of it."""

import msgspec
from mds_engine.errors import Unavailable
from mds_engine.model import Gap, Instrument, Tick, TickKind
from mds_engine.policy.health import HealthSettings

ONE, TWO = Instrument("X", "ONE"), Instrument("X", "TWO")
OFTEN = HealthSettings(interval_s=10.0, doubt_interval_s=2.0)


class Market:
    """One truth behind all vendors of a desk: numbered trades, ten a second, of two instruments."""

    def __init__(self, desk, clock):
        self.desk = desk
        self.clock = clock
        self.number = 0
        self.mute = set()
        """(vendor, instrument) that is not sent."""
        self.numbered = True
        self.counts_from = {}
        """By vendor: what its numbers are ahead of the others'."""

    def trade(self, number, instrument, source=""):
        return Tick(
            instrument=instrument,
            kind=TickKind.TRADE,
            price=float(number),
            size=1.0,
            time_ns=1_750_000_000_000_000_000 + number * 100_000_000,
            received_ns=int(self.clock.wall() * 1e9),
            sequence=number + self.counts_from.get(source, 0) if self.numbered else None,
            source=source,
        )

    async def run(self, for_s, names=None):
        for _ in range(round(for_s * 10)):
            self.number += 1
            for name, vendor in self.desk.vendors.items():
                if names is not None and name not in names:
                    continue
                for stream in vendor.streams:
                    wanted = sorted(one for one in stream.subscribed if (name, one) not in self.mute)
                    if stream.is_open and wanted:
                        stream.deliver([self.trade(self.number, one, name) for one in wanted])
            await self.clock.sleep(0.1)

    def past(self, name):
        """The REST of a vendor: every trade of the truth."""

        async def trades(request):
            await self.clock.sleep(0.05)
            return [
                self.trade(number, request.instrument, name)
                for number in range(request.first_sequence, request.last_sequence + 1)
            ]

        return trades


def everything(reader):
    """All items that wait in a reader's queue."""
    found = list(reader._queue)
    reader._queue.clear()
    return found


def numbers(items, instrument=ONE):
    return [item.price for item in items if isinstance(item, Tick) and item.instrument == instrument]


def span(first, last):
    return [float(number) for number in range(int(first), int(last) + 1)]


def warm(fake_desk, clock, names="ab", *, same_vendor=True, **more):
    """A desk whose ticks route keeps a standby warm."""
    more.setdefault("health", OFTEN)
    desk = fake_desk(clock, names, exchange={"standby": True}, **more)
    if same_vendor:
        for runtime in desk.engine.sources.values():
            msgspec.structs.force_setattr(runtime.settings, "kind", "v")
    return desk


def gaps(items, instrument=ONE):
    return [item for item in items if isinstance(item, Gap) and item.instrument == instrument]


async def fall_over(desk, market, *, for_s):
    """The first source is gone for good, and the second takes over."""
    desk["a"].stream_fails = lambda: Unavailable("refused")
    for stream in desk["a"].open_streams:
        stream.end(Unavailable("reset"))
    await market.clock.sleep(0.001)
    await market.run(for_s)
