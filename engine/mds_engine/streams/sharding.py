"""Which connection of a source carries which instrument. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from mds_engine.model import Instrument
from mds_engine.sources.contract import StreamLimits


class Shares(NamedTuple):
    """What each connection carries, by its place, and what none of them can."""

    carried: tuple[frozenset[Instrument], ...]
    beyond: frozenset[Instrument]


def share_out(
    wanted: frozenset[Instrument], before: Sequence[frozenset[Instrument]], limits: StreamLimits
) -> Shares:
    """Spread the wishes over connections, beginning from what they carried `before`.

    An instrument stays where it is for as long as it is wanted, because a move
    would cost ticks. The new ones fill the connections in use before another is
    opened, and a connection of which nothing is wanted any more is free again.
    """
    carried = [held & wanted for held in before]
    new = sorted(wanted.difference(*carried))
    if limits.instruments is None:
        if not carried:
            carried.append(frozenset())
        first = next((place for place, held in enumerate(carried) if held), 0)
        carried[first] = carried[first].union(new)
        return Shares(tuple(carried), frozenset())
    for place in sorted(range(len(carried)), key=lambda place: not carried[place]):
        room = limits.instruments - len(carried[place])
        carried[place] = carried[place].union(new[:room])
        new = new[room:]
    while new and (limits.connections is None or len(carried) < limits.connections):
        carried.append(frozenset(new[: limits.instruments]))
        new = new[limits.instruments :]
    return Shares(tuple(carried), frozenset(new))
