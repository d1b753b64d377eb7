"""What a reader of live ticks got, held against what happened in the simulator's market. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mds_engine.model import Gap, StreamItem, Tick, TickKind
from mds_engine.simulator.truth import ExpectedTrade

_NS = 1e-9


class Received(NamedTuple):
    """One item as a reader got it."""

    at: float
    """Epoch seconds."""
    item: StreamItem


class Account(NamedTuple):
    """One instrument's trades between the first and the last that a reader got. All are counts of trades."""

    delivered: int = 0
    """Each counted once."""
    lost: int = 0
    """They happened, were not delivered, and lie in no gap that was told."""
    told: int = 0
    """They lie in a gap that was told, and were not delivered."""
    duplicated: int = 0
    disordered: int = 0
    """They came after a later one."""
    untrue: int = 0
    """Their price, size or time is not what the market's trade of that number had, or there was none."""
    gap_s: float = 0.0
    """Seconds between the ends of the gaps that were told."""


def together(accounts: Iterable[Account]) -> Account:
    """The account of several instruments."""
    every = list(accounts)
    return Account(
        delivered=sum(one.delivered for one in every),
        lost=sum(one.lost for one in every),
        told=sum(one.told for one in every),
        duplicated=sum(one.duplicated for one in every),
        disordered=sum(one.disordered for one in every),
        untrue=sum(one.untrue for one in every),
        gap_s=sum(one.gap_s for one in every),
    )


def trades_of(received: Iterable[Received], instrument: str) -> list[tuple[float, Tick]]:
    """The numbered trades of an instrument, with their arrival (epoch seconds), as they came."""
    return [
        (at, item)
        for at, item in received
        if isinstance(item, Tick)
        and item.kind is TickKind.TRADE
        and item.sequence is not None
        and str(item.instrument) == instrument
    ]


def gaps_of(received: Iterable[Received], instrument: str) -> list[Gap]:
    """The gaps of an instrument that were told."""
    return [item for _, item in received if isinstance(item, Gap) and str(item.instrument) == instrument]


def settle(received: Sequence[Received], instrument: str, expected: Mapping[int, ExpectedTrade]) -> Account:
    """The account of one instrument, of which `expected` has every trade of that time, by number."""
    ticks = [tick for _, tick in trades_of(received, instrument)]
    gaps = gaps_of(received, instrument)
    seen: set[int] = set()
    duplicated = disordered = untrue = 0
    newest = -1
    for tick in ticks:
        number = tick.sequence or 0
        if number in seen:
            duplicated += 1
            continue
        if number < newest:
            disordered += 1
        seen.add(number)
        newest = max(newest, number)
        untrue += not is_true(tick, expected.get(number))
    missing = set(range(min(seen), newest + 1)) - seen if seen else set()
    told = {number for number in missing if any(_lies_in(number, gap) for gap in gaps)}
    return Account(
        delivered=len(seen),
        lost=len(missing - told),
        told=len(told),
        duplicated=duplicated,
        disordered=disordered,
        untrue=untrue,
        gap_s=sum(seconds_of(gap) for gap in gaps),
    )


def is_true(tick: Tick, trade: ExpectedTrade | None) -> bool:
    """Whether a tick tells what happened."""
    return trade is not None and (tick.price, tick.size, tick.time_ns) == (
        trade.price,
        trade.size,
        trade.time_ns,
    )


def untrue_of(
    received: Iterable[Received], instrument: str, expected: Mapping[int, ExpectedTrade]
) -> list[tuple[float, Tick]]:
    """The trades that are not what happened, with their arrival, as they came."""
    return [
        (at, tick)
        for at, tick in trades_of(received, instrument)
        if not is_true(tick, expected.get(tick.sequence or 0))
    ]


def seconds_of(gap: Gap) -> float:
    """How long a gap is, as far as its bounds are known."""
    if gap.after_ns is None or gap.before_ns is None:
        return 0.0
    return (gap.before_ns - gap.after_ns) * _NS


def _lies_in(number: int, gap: Gap) -> bool:
    first, last = gap.first_sequence, gap.last_sequence
    return first is not None and last is not None and first <= number <= last
