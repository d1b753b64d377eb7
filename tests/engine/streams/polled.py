"""A desk on which some sources have no streams, and are polled."""

from mds_engine.errors import Unavailable
from mds_engine.model import Capability, Instrument, Tick

ONE, TWO, THREE = (Instrument("X", symbol) for symbol in ("ONE", "TWO", "THREE"))
WITHOUT_STREAMS = {"capabilities": {Capability.QUOTE, Capability.BARS}, "polls": True}


def polling(fake_desk, clock, names="ab", *, polled="b", traits=(), settings=(), **more):
    """A desk on which those named in `polled` have no streams, and are asked every 10 s."""
    return fake_desk(
        clock,
        names,
        traits={name: {**WITHOUT_STREAMS, **dict(traits)} for name in polled},
        sources={name: {"pace_s": 10.0, **dict(settings)} for name in polled},
        **more,
    )


def refuse_streams(vendor):
    vendor.stream_fails = lambda: Unavailable("refused")


async def stream_on(vendor, for_s):
    for _ in range(round(for_s * 10)):
        await vendor.clock.sleep(0.1)
        for stream in vendor.open_streams:
            stream.push(1.0)


def drain(reader):
    found = list(reader._queue)
    reader._queue.clear()
    return found


def ticks_of(items):
    return [item for item in items if isinstance(item, Tick)]
