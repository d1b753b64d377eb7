"""Whether a tick that bears no number was seen before, from its source or from another. Pure."""

from typing import NamedTuple

from mds_engine.model import Tick


class Seam(NamedTuple):
    """What was delivered last, before another source took over."""

    last: Tick
    recent: tuple[Tick, ...]
    unit_ns: int
    """How finely the coarser of the two tells time."""


def is_known(tick: Tick, seam: Seam) -> bool:
    """Whether a tick of another source was delivered already, or is older than what was."""
    last, unit_ns = seam.last, seam.unit_ns
    if tick.time_ns is None or last.time_ns is None:
        return tick.received_ns <= last.received_ns and tick.received_ns > 0
    at, newest = tick.time_ns // unit_ns, last.time_ns // unit_ns
    if at != newest or is_older(tick, last):
        return at <= newest
    return any(
        known.time_ns is not None
        and known.time_ns // unit_ns == at
        and known.price == tick.price
        and (known.size == tick.size or known.size is None or tick.size is None)
        for known in reversed(seam.recent)
    )


def same(tick: Tick, last: Tick) -> bool:
    """Whether two pictures show the same."""
    return (
        tick.price == last.price
        and tick.size == last.size
        and tick.volume == last.volume
        and tick.bid == last.bid
        and tick.ask == last.ask
        and tick.bid_size == last.bid_size
        and tick.ask_size == last.ask_size
        and tick.open_interest == last.open_interest
    )


def is_older(tick: Tick, last: Tick) -> bool:
    """Whether the day's volume proves, of two pictures of one time, that this one was taken first."""
    return tick.volume is not None and last.volume is not None and tick.volume < last.volume


def nothing_happened(last: Tick, tick: Tick) -> bool:
    """Whether the day's volume proves that no trade was missed between two pictures of one vendor."""
    return (
        tick.source == last.source
        and tick.volume is not None
        and tick.volume == last.volume
        and tick.price == last.price
    )
