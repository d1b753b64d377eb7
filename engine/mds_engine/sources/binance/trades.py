"""What a stream has missed, page by page, by the numbers of its trades."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from mds_engine.errors import InvalidPayload
from mds_engine.model import Tick
from mds_engine.sources.binance.decode_trades import (
    TradeRow,
    read_aggregate_trades,
    read_trades,
    ticks_of,
)
from mds_engine.sources.contract import RequestCost, SourceContext, TradesRequest
from mds_engine.sources.http import Reply

TRADES_A_REQUEST = 1000
"""The most rows that Binance gives at once."""

Get = Callable[[str, Mapping[str, str]], Awaitable[Reply]]
"""Sends one request that has been paid for, by path and query. Raises a SourceError."""


@dataclass(frozen=True, slots=True)
class TradeHistory:
    """Where the trades of one kind of stream can be asked for again."""

    path: str
    weight: int
    read: Callable[[bytes], Sequence[TradeRow]]


_HISTORIES = {
    "trade": TradeHistory("/api/v3/historicalTrades", 25, read_trades),
    "aggTrade": TradeHistory("/api/v3/aggTrades", 4, read_aggregate_trades),
}


def numbering_of(stream_kinds: Sequence[str]) -> str:
    """What the numbers of trades count: the name of their stream; empty without trades."""
    return next((kind for kind in stream_kinds if kind in _HISTORIES), "")


def history_of(stream_kinds: Sequence[str]) -> TradeHistory | None:
    """The history behind these streams.

    None without trades among them, and None with trades and aggregates at once:
    the two are numbered apart, so that a number does not say whose it is.
    """
    found = [_HISTORIES[kind] for kind in dict.fromkeys(stream_kinds) if kind in _HISTORIES]
    return found[0] if len(found) == 1 else None


async def fetch_trades(
    history: TradeHistory, request: TradesRequest, get: Get, context: SourceContext, group: str
) -> list[Tick]:
    """The trades of `request` that Binance has, oldest first, each request paid for in `group`.

    Raises a SourceError, and then gives nothing: what came before it is to be asked for again.
    """
    ticks: list[Tick] = []
    following = max(request.first_sequence, 0)
    while following <= request.last_sequence:
        limit = min(request.last_sequence - following + 1, TRADES_A_REQUEST)
        await context.pay(RequestCost(group, history.weight))
        reply = await get(
            history.path,
            {"symbol": request.instrument.symbol, "fromId": str(following), "limit": str(limit)},
        )
        rows = history.read(reply.body)
        if rows and rows[0].number < following:
            raise InvalidPayload(f"trade {rows[0].number} came where {following} was the first asked for")
        ticks += ticks_of(
            [row for row in rows if row.number <= request.last_sequence],
            request.instrument,
            source=context.name,
            received_ns=int(context.clock.wall() * 1e9),
        )
        if len(rows) < limit:
            break
        following = rows[-1].number + 1
    return ticks
